//! The Security Token Service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::error::AwsError;
use crate::request::{AssumeRole, Request, WebIdentity};
use crate::view::SessionView;
use crate::wire::mapping::{Asked, Mapping};
use crate::wire::value::{Struct, Value};

pub(crate) const OPERATIONS: &[Mapping] = &[
    Mapping {
        name: "AssumeRole",
        reads: &["RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds", "SourceIdentity"],
        ask: |asked| {
            Ok(Request::AssumeRole(AssumeRole {
                role_arn: asked.must("RoleArn")?,
                session_name: asked.must("RoleSessionName")?,
                external_id: asked.text("ExternalId"),
                source_identity: asked.text("SourceIdentity"),
                duration_s: asked.count("DurationSeconds")?,
            }))
        },
        answer: |_, response| {
            let session = response.session()?;
            let source = session.source_identity.clone();
            Some(show(session).with_opt("SourceIdentity", source))
        },
    },
    Mapping {
        name: "AssumeRoleWithWebIdentity",
        reads: &["RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"],
        ask: |asked| {
            Ok(Request::AssumeRoleWithWebIdentity {
                role_arn: asked.must("RoleArn")?,
                session_name: asked.must("RoleSessionName")?,
                token: claims(asked)?.identity,
                duration_s: asked.count("DurationSeconds")?,
            })
        },
        answer: |asked, response| {
            let Claims { identity, audience } = claims(asked).ok()?;
            let WebIdentity { issuer, subject, .. } = identity;
            let session = show(response.session()?).with("SubjectFromWebIdentityToken", subject);
            Some(session.with("Provider", issuer).with_opt("Audience", audience))
        },
    },
    Mapping {
        name: "GetCallerIdentity",
        reads: &[],
        ask: |_| Ok(Request::GetCallerIdentity {}),
        answer: |_, response| {
            let identity = response.identity()?;
            Some(
                Struct::new()
                    .with("UserId", identity.user_id)
                    .with("Account", identity.account.as_str())
                    .with("Arn", identity.arn),
            )
        },
    },
];

fn show(session: SessionView) -> Struct {
    let keys = Struct::new()
        .with("AccessKeyId", session.access_key_id)
        .with("SecretAccessKey", session.secret_access_key)
        .with("SessionToken", session.session_token)
        .with("Expiration", Value::Time(session.expires_at));
    let user = Struct::new().with("AssumedRoleId", session.role_id).with("Arn", session.arn);
    Struct::new().with("Credentials", keys).with("AssumedRoleUser", user)
}

/// What the token says of itself. Nobody here checks who signed it.
struct Claims {
    identity: WebIdentity,
    audience: Option<String>,
}

fn claims(asked: &Asked<'_>) -> Result<Claims, AwsError> {
    let token = asked.must("WebIdentityToken")?;
    let wrong = |why: &str| AwsError::new("InvalidIdentityToken", why);
    let mut parts = token.split('.');
    let payload = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(payload), Some(_), None) => URL_SAFE_NO_PAD.decode(payload).ok(),
        _ => None,
    };
    let said: Option<Json> = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let said = said.ok_or_else(|| wrong("The ID Token provided is not a valid JWT."))?;
    let text = |claim: &str| said[claim].as_str().map(str::to_owned);
    let (issuer, subject) =
        text("iss").zip(text("sub")).ok_or_else(|| wrong("Missing a required claim: iss, sub"))?;
    let expires_at = said["exp"].as_i64().map(|seconds| seconds.saturating_mul(1_000));
    let audience = text("aud").or_else(|| said["aud"][0].as_str().map(str::to_owned));
    Ok(Claims { identity: WebIdentity { issuer, subject, expires_at }, audience })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::URL_SAFE_NO_PAD;
    use crate::chance::Calm;
    use crate::wire::{HttpAnswer, HttpRequest, respond};
    use crate::world::{Role, Trust, Who, World};

    const ROLE: &str = "arn:aws:iam::444455556666:role/ops/keeper";

    fn ask(world: &mut World, form: &str, signed: Option<(&str, &str, &str)>) -> (u16, String) {
        let mut request = HttpRequest::post(form.as_bytes());
        if let Some((key, token, service)) = signed {
            let scope = format!("{key}/20260101/eu-west-1/{service}/aws4_request");
            let header = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
            request = request.header("Authorization", header).header("X-Amz-Security-Token", token);
        }
        let answer = respond(world, &request, &mut Calm).answer().expect("an answer");
        let HttpAnswer { status, body, .. } = answer;
        (status, String::from_utf8(body).expect("text"))
    }

    fn between<'a>(text: &'a str, tag: &str) -> &'a str {
        let rest = text.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("no {tag} in {text}")).1;
        rest.split_once("</").expect("it ends").0
    }

    fn assume(world: &mut World, more: &str) -> (u16, String) {
        let form = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=loop{more}");
        ask(world, &form, Some(("111122223333", "", "sts")))
    }

    #[test]
    fn a_sessions_keys_call_in_the_roles_account_until_they_end() {
        let mut world = World::new();
        let (status, body) = assume(&mut world, "&DurationSeconds=900");
        assert_eq!(status, 200, "{body}");
        assert_eq!(between(&body, "Expiration"), "2026-01-01T00:15:00Z");
        assert_eq!(between(&body, "Arn"), "arn:aws:sts::444455556666:assumed-role/keeper/loop");
        let (key, token) = (between(&body, "AccessKeyId"), between(&body, "SessionToken"));
        let who = "Action=GetCallerIdentity&Version=2011-06-15";
        let (status, said) = ask(&mut world, who, Some((key, token, "sts")));
        assert_eq!((status, between(&said, "Account")), (200, "444455556666"));
        let vpcs = "Action=DescribeVpcs&Version=2016-11-15";
        assert_eq!(ask(&mut world, vpcs, Some((key, token, "ec2"))).0, 200);
        let (status, said) = ask(&mut world, vpcs, Some((key, "another", "ec2")));
        assert_eq!((status, between(&said, "Code")), (401, "AuthFailure"));
        world.advance(900_000);
        let (_, said) = ask(&mut world, vpcs, Some((key, token, "ec2")));
        assert_eq!(between(&said, "Code"), "RequestExpired");
        let (status, said) = ask(&mut world, who, Some((key, token, "sts")));
        assert_eq!((status, between(&said, "Code")), (403, "ExpiredToken"));
        let (_, said) = ask(&mut world, who, Some((key, "another", "sts")));
        assert_eq!(between(&said, "Code"), "InvalidClientTokenId");
    }

    #[test]
    fn an_external_id_travels_and_a_refusal_is_in_stss_envelope() {
        let mut world = World::new();
        world.set_role(ROLE, Role::trusting([Trust::of(Who::Anyone).if_told("a-word")]));
        let (status, body) = assume(&mut world, "");
        assert_eq!((status, between(&body, "Code")), (403, "AccessDenied"));
        assert!(body.starts_with("<ErrorResponse"), "{body}");
        assert_eq!(assume(&mut world, "&ExternalId=a-word").0, 200);
        assert_eq!(assume(&mut world, "&ExternalId=a-word&DurationSeconds=-1").0, 400);
        let (_, body) = assume(&mut world, "&ExternalId=a-word&SourceIdentity=ada");
        assert_eq!(between(&body, "SourceIdentity"), "ada");
    }

    #[test]
    fn a_web_identity_needs_no_signature_and_a_whole_token() {
        let mut world = World::new();
        let form = |token: &str| {
            let action = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
            format!("{action}&RoleArn={ROLE}&RoleSessionName=pod&WebIdentityToken={token}")
        };
        let token = |payload: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload));
        let whole = r#"{"iss":"https://oidc.example.com","sub":"system:serviceaccount:a:b","aud":["sts.amazonaws.com"]}"#;
        let (status, body) = ask(&mut world, &form(&token(whole)), None);
        assert_eq!(status, 200, "{body}");
        assert_eq!(between(&body, "SubjectFromWebIdentityToken"), "system:serviceaccount:a:b");
        assert_eq!(between(&body, "Audience"), "sts.amazonaws.com");
        for wrong in
            ["", "abc", "a.b.c", &token("[]"), &token(r#"{"iss":"x"}"#), &format!("{}.d", token(whole))]
        {
            let (status, body) = ask(&mut world, &form(wrong), None);
            assert_eq!(status, 400, "{wrong}: {body}");
        }
        let ended = r#"{"iss":"i","sub":"s","exp":1767225600}"#;
        let (_, body) = ask(&mut world, &form(&token(ended)), None);
        assert_eq!(between(&body, "Code"), "ExpiredTokenException");
    }
}
