//! A client that signs nothing but says whom it would sign for, and looks for elements in what comes back.

use ec2sim::wire::{HttpAnswer, HttpRequest, HttpResponse, respond};
use ec2sim::{Calm, Chance, World};

pub const US: &str = "111122223333";
pub const EU: &str = "eu-west-1";

#[derive(Clone)]
pub struct Client {
    pub key: String,
    pub region: String,
}

pub fn client(key: &str, region: &str) -> Client {
    Client { key: key.to_owned(), region: region.to_owned() }
}

pub fn authorization(key: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260102/{region}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

fn form(pairs: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encoded(name), encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

impl Client {
    pub fn ec2(&self, action: &str, members: &[(&str, &str)]) -> HttpRequest {
        let mut pairs = vec![("Action", action), ("Version", "2016-11-15")];
        pairs.extend(members);
        self.signed("ec2", HttpRequest::post(form(&pairs)))
    }

    pub fn sts(&self, action: &str, members: &[(&str, &str)]) -> HttpRequest {
        let mut pairs = vec![("Action", action), ("Version", "2011-06-15")];
        pairs.extend(members);
        self.signed("sts", HttpRequest::post(form(&pairs)))
    }

    pub fn json(&self, service: &str, target: &str, body: &str) -> HttpRequest {
        self.signed(service, HttpRequest::post(body)).header("X-Amz-Target", target)
    }

    fn signed(&self, service: &str, request: HttpRequest) -> HttpRequest {
        request.header("Authorization", authorization(&self.key, &self.region, service))
    }

    /// The answer, which must be a success.
    #[track_caller]
    pub fn done(&self, world: &mut World, action: &str, members: &[(&str, &str)]) -> String {
        let answer = ask(world, &self.ec2(action, members));
        let body = text(&answer);
        assert_eq!(answer.status, 200, "{action}: {body}");
        body
    }

    /// Status, code and message of an answer that must be an error.
    #[track_caller]
    pub fn refused(
        &self,
        world: &mut World,
        action: &str,
        members: &[(&str, &str)],
    ) -> (u16, String, String) {
        let answer = ask(world, &self.ec2(action, members));
        let body = text(&answer);
        assert_ne!(answer.status, 200, "{action}: {body}");
        (answer.status, first(&body, "Code"), first(&body, "Message"))
    }
}

pub fn ask(world: &mut World, request: &HttpRequest) -> HttpAnswer {
    ask_with(world, request, &mut Calm).answer().expect("an answer")
}

pub fn ask_with(world: &mut World, request: &HttpRequest, chance: &mut dyn Chance) -> HttpResponse {
    respond(world, request, chance)
}

pub fn text(answer: &HttpAnswer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

/// What stands in every element of this name, in order.
pub fn each(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).map(str::to_owned).collect()
}

#[track_caller]
pub fn first(xml: &str, name: &str) -> String {
    each(xml, name).into_iter().next().unwrap_or_else(|| panic!("no <{name}> in {xml}"))
}
