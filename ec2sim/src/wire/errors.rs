//! Errors as each protocol wraps them.

use super::http::HttpAnswer;
use super::shapes::{Protocol, Service};
use super::xml;
use crate::error::http_status;

/// What EC2 and STS call so, and JSON services otherwise.
const JSON_TYPES: &[(&str, &str)] = &[
    ("AccessDenied", "AccessDeniedException"),
    ("ExpiredToken", "ExpiredTokenException"),
    ("IncompleteSignature", "IncompleteSignatureException"),
    ("InternalError", "InternalFailure"),
    ("InvalidAction", "UnknownOperationException"),
    ("MissingAction", "UnknownOperationException"),
    ("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    ("RequestExpired", "ExpiredTokenException"),
    ("RequestLimitExceeded", "ThrottlingException"),
    ("Unavailable", "ServiceUnavailable"),
    ("UnauthorizedOperation", "AccessDeniedException"),
];

/// What EC2 says of credentials, and STS in other words.
const STS_CODES: &[(&str, &str, &str)] = &[
    ("AuthFailure", "InvalidClientTokenId", "The security token included in the request is invalid"),
    ("RequestExpired", "ExpiredToken", "The security token included in the request is expired"),
];

pub(crate) const REQUEST_ID: &str = "x-amzn-RequestId";

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    xml::push_escaped(&mut out, text);
    out
}

/// The answer to a call that failed.
pub(crate) fn answer(service: &Service, code: &str, message: &str, request_id: &str) -> HttpAnswer {
    let in_sts = STS_CODES.iter().find(|(ec2, ..)| service.name == "sts" && *ec2 == code);
    let (code, message) = in_sts.map_or((code, message), |(_, code, message)| (*code, *message));
    let status = http_status(code);
    let (code_xml, message_xml) = (escaped(code), escaped(message));
    match service.protocol {
        Protocol::Ec2 => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code_xml}</Code>\
                 <Message>{message_xml}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
            );
            HttpAnswer::new(status, "text/xml;charset=UTF-8", body).with_header(REQUEST_ID, request_id)
        }
        Protocol::Query => {
            let namespace = service.xml_namespace.unwrap_or_default();
            let fault = if status < 500 { "Sender" } else { "Receiver" };
            let body = format!(
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{code_xml}</Code>\
                 <Message>{message_xml}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            );
            HttpAnswer::new(status, "text/xml", body).with_header(REQUEST_ID, request_id)
        }
        Protocol::Json { version } => json(service, version, code, message, request_id),
    }
}

fn json(service: &Service, version: &str, code: &str, message: &str, request_id: &str) -> HttpAnswer {
    let known = service.errors.iter().find(|error| error.code == code || error.name == code);
    let general = JSON_TYPES.iter().find(|(held, _)| *held == code).map(|(_, name)| *name);
    let kind = known.map(|error| error.name).or(general).unwrap_or(code);
    let status = known.map_or_else(|| http_status(code), |error| error.status);
    let query_code = known.map_or(code, |error| error.code);
    let prefix = if service.name == "sqs" { "com.amazonaws.sqs#" } else { "" };
    let body = serde_json::json!({ "__type": format!("{prefix}{kind}"), "message": message });
    let content_type = format!("application/x-amz-json-{version}");
    let answer = HttpAnswer::new(status, &content_type, body.to_string()).with_header(REQUEST_ID, request_id);
    if service.name != "sqs" {
        return answer;
    }
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    answer.with_header("x-amzn-query-error", format!("{};{fault}", header_safe(query_code)))
}

/// A code may come from whoever scripts a fault: a header takes printable ASCII alone.
fn header_safe(code: &str) -> String {
    code.chars().filter(char::is_ascii_graphic).collect()
}
