//! Who calls, and where: the access key and the credential scope of Signature Version 4. The signature itself is not
//! verified, as there are no secrets here: whoever names a key is its owner.

use super::http::HttpRequest;
use crate::error::AwsError;
use crate::identity::UserIdentity;
use crate::request::Caller;
use crate::world::World;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// `AKID/20260102/eu-west-1/ec2/aws4_request`, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scope {
    pub(crate) key: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// What the request is signed with: in its header, or, presigned, in its parameters. `None`: nothing.
pub(crate) fn scope(request: &HttpRequest, presigned: Option<&str>) -> Result<Option<Scope>, AwsError> {
    if let Some(header) = request.get("Authorization") {
        return from_header(header).map(Some);
    }
    presigned.map(|credential| parse(credential).ok_or_else(|| incomplete(credential))).transpose()
}

fn from_header(header: &str) -> Result<Scope, AwsError> {
    let rest = header.trim().strip_prefix(ALGORITHM).ok_or_else(|| {
        let message = format!("Unsupported authorization type or algorithm: expecting {ALGORITHM}.");
        AwsError::new("IncompleteSignature", message)
    })?;
    let parts = || rest.split(',').map(str::trim);
    let part = |name: &str| parts().find_map(|part| part.strip_prefix(name));
    for name in ["Credential=", "SignedHeaders=", "Signature="] {
        if part(name).is_none_or(str::is_empty) {
            let name = name.trim_end_matches('=');
            let message = format!("Authorization header requires '{name}' parameter.");
            return Err(AwsError::new("IncompleteSignature", message));
        }
    }
    let credential = part("Credential=").unwrap_or_default();
    parse(credential).ok_or_else(|| incomplete(credential))
}

fn parse(credential: &str) -> Option<Scope> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [key, date, region, service, "aws4_request"] = parts[..] else { return None };
    if [key, date, region, service].iter().any(|part| part.is_empty()) {
        return None;
    }
    Some(Scope { key: key.to_owned(), region: region.to_owned(), service: service.to_owned() })
}

fn incomplete(credential: &str) -> AwsError {
    let message = format!(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
    );
    AwsError::new("IncompleteSignature", message)
}

pub(crate) fn missing() -> AwsError {
    AwsError::new("MissingAuthenticationToken", "Request is missing Authentication Token")
}

/// The owner of an access key: one that STS gave is its session, one of 12 digits is that account itself, any other
/// belongs to the world's default account.
pub(crate) fn owner(
    world: &World,
    key: &str,
    token: Option<&str>,
    region: &str,
    user_agent: Option<&str>,
) -> Result<Caller, AwsError> {
    let caller = match world.session(key, token, region) {
        Some(session) => session?,
        None => {
            let is_account = key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit());
            let (account, name) =
                if is_account { (key.into(), "user") } else { (world.default_account(), key) };
            Caller::new(account, region).known_as(UserIdentity::user(name).key(key))
        }
    };
    let Some(user_agent) = user_agent else { return Ok(caller) };
    let identity = UserIdentity::clone(&caller.identity());
    let source_ip = identity.source_ip.clone();
    Ok(caller.known_as(identity.seen_from(&source_ip, user_agent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_from_the_header_and_from_a_presigned_url() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKIA1/20260102/eu-west-1/ec2/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=abc";
        let request = HttpRequest::post("").header("authorization", signed);
        let wanted = Scope { key: "AKIA1".into(), region: "eu-west-1".into(), service: "ec2".into() };
        assert_eq!(scope(&request, None), Ok(Some(wanted.clone())));
        let presigned = "AKIA1/20260102/eu-west-1/ec2/aws4_request";
        assert_eq!(scope(&HttpRequest::post(""), Some(presigned)), Ok(Some(wanted)));
        assert_eq!(scope(&HttpRequest::post(""), None), Ok(None));
    }

    #[test]
    fn half_a_signature_is_refused() {
        for header in [
            "",
            "Basic abc",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=x",
            "AWS4-HMAC-SHA256 Credential=a/b//d/aws4_request, SignedHeaders=host, Signature=x",
        ] {
            let request = HttpRequest::post("").header("Authorization", header);
            let refused = scope(&request, None).map_err(|error| error.code);
            assert_eq!(refused, Err("IncompleteSignature"), "{header}");
        }
    }
}
