//! An AWS of canned answers, inside the process: no socket, no thread, no waiting.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;

use crate::aws::{AccountConfig, Aws, AwsConfig};

pub const ACCOUNT: &str = "111122223333";

/// What the next request of an action meets.
#[derive(Clone, Debug)]
pub enum Reply {
    Xml(u16, String),
    /// After this long.
    Slow(Duration, Box<Reply>),
    /// The request arrives, no answer ever comes.
    Hang,
    /// The connection breaks after the request was sent.
    Broken,
    /// Nobody listens.
    NobodyThere,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub action: String,
    pub params: BTreeMap<String, String>,
    pub host: String,
    pub authorization: String,
}

impl Seen {
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The values of all parameters that start so, such as a filter's.
    pub fn values(&self, prefix: &str) -> Vec<&str> {
        self.params.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, v)| v.as_str()).collect()
    }
}

#[derive(Clone, Debug, Default)]
pub struct Fake {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    replies: BTreeMap<String, VecDeque<Reply>>,
    always: BTreeMap<String, Reply>,
    seen: Vec<Seen>,
}

impl Fake {
    /// One whose STS knows everyone as [`ACCOUNT`], and whose EC2 holds nothing.
    pub fn new() -> Self {
        let fake = Self::default();
        fake.always("GetCallerIdentity", identity(ACCOUNT));
        fake.always("AssumeRole", assumed("ASIAROLE", 3600));
        fake.always("DescribeVpcPeeringConnections", peerings(&[]));
        fake.always("DescribeRouteTables", tables(&[]));
        fake.always("DescribeVpcs", vpcs(&[], None));
        fake.always("DescribeManagedPrefixLists", ok("DescribeManagedPrefixLists", "<prefixListSet/>"));
        fake
    }

    pub fn always(&self, action: &str, reply: Reply) {
        self.state.lock().unwrap().always.insert(action.to_owned(), reply);
    }

    /// Before what is said always.
    pub fn next(&self, action: &str, reply: Reply) {
        self.state.lock().unwrap().replies.entry(action.to_owned()).or_default().push_back(reply);
    }

    pub fn seen(&self, action: &str) -> Vec<Seen> {
        self.state.lock().unwrap().seen.iter().filter(|seen| seen.action == action).cloned().collect()
    }

    pub fn count(&self, action: &str) -> usize {
        self.seen(action).len()
    }

    /// EC2 calls of any kind.
    pub fn ec2_count(&self) -> usize {
        let seen = &self.state.lock().unwrap().seen;
        seen.iter().filter(|seen| seen.host.starts_with("ec2.")).count()
    }

    pub fn config(&self) -> AwsConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let own = Credentials::new("AKIAOWN", "secret", None, None, "test");
        AwsConfig {
            region: Some("eu-west-1".parse().unwrap()),
            owner_id: "test-owner".into(),
            http_client: Some(http_client_fn(move |_, _| connector.clone())),
            credentials: Some(SharedCredentialsProvider::new(own)),
            ..AwsConfig::default()
        }
    }

    /// With an account `prod` that needs no role.
    pub async fn aws(&self) -> Aws {
        let aws = Aws::new(self.config()).await.unwrap();
        aws.set_account(account("prod"));
        aws
    }

    fn take(&self, seen: Seen) -> Reply {
        let mut state = self.state.lock().unwrap();
        let action = seen.action.clone();
        state.seen.push(seen);
        let scripted = state.replies.get_mut(&action).and_then(VecDeque::pop_front);
        let reply = scripted.or_else(|| state.always.get(&action).cloned());
        reply.unwrap_or_else(|| panic!("the test has no answer to {action}"))
    }
}

pub fn account(name: &str) -> AccountConfig {
    AccountConfig {
        name: name.into(),
        uid: "uid-1".into(),
        generation: 1,
        account_id: ACCOUNT.parse().unwrap(),
        role_arn: None,
        external_id: None,
    }
}

pub fn with_role(name: &str) -> AccountConfig {
    let role: &str = "arn:aws:iam::111122223333:role/peerkeeper";
    AccountConfig { role_arn: Some(role.into()), external_id: Some("the-secret".into()), ..account(name) }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Service Quotas speaks JSON, and nothing here is about it: a refusal there is no trouble of a sweep's.
        if request.headers().get("x-amz-target").is_some() {
            let denied = SdkBody::from(r#"{"__type": "AccessDeniedException"}"#);
            let response = HttpResponse::new(400.try_into().unwrap(), denied);
            return HttpConnectorFuture::new(async { Ok(response) });
        }
        let reply = self.take(read(&request));
        HttpConnectorFuture::new(answer(reply))
    }
}

fn read(request: &HttpRequest) -> Seen {
    let body = request.body().bytes().unwrap_or_default();
    let params: BTreeMap<String, String> = std::str::from_utf8(body)
        .unwrap()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (unescape(name), unescape(value)))
        .collect();
    let uri = request.uri();
    let host = uri.split_once("://").map_or(uri, |(_, rest)| rest).trim_end_matches('/').to_owned();
    let authorization = request.headers().get("authorization").unwrap_or_default().to_owned();
    Seen { action: params["Action"].clone(), params, host, authorization }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            plain => plain,
        });
    }
    String::from_utf8(bytes).unwrap()
}

async fn answer(mut reply: Reply) -> Result<HttpResponse, ConnectorError> {
    while let Reply::Slow(delay, then) = reply {
        tokio::time::sleep(delay).await;
        reply = *then;
    }
    let broken = |kind: io::ErrorKind| Err(ConnectorError::io(Box::new(io::Error::from(kind))));
    match reply {
        Reply::Xml(status, body) => {
            let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            response.headers_mut().insert("x-amzn-requestid", "req-1");
            Ok(response)
        }
        Reply::Broken => broken(io::ErrorKind::ConnectionReset),
        Reply::NobodyThere => broken(io::ErrorKind::ConnectionRefused),
        Reply::Hang | Reply::Slow(..) => std::future::pending().await,
    }
}

pub fn ok(action: &str, inside: &str) -> Reply {
    let name = format!("{action}Response");
    Reply::Xml(200, format!("<{name}><requestId>req-1</requestId>{inside}</{name}>"))
}

pub fn error(status: u16, code: &str) -> Reply {
    let error = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
    Reply::Xml(status, format!("<Response><Errors>{error}</Errors><RequestID>req-1</RequestID></Response>"))
}

pub fn sts_error(status: u16, code: &str) -> Reply {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>because</Message></Error>");
    Reply::Xml(status, format!("<ErrorResponse>{error}<RequestId>req-1</RequestId></ErrorResponse>"))
}

pub fn identity(account: &str) -> Reply {
    let arn = format!("<Arn>arn:aws:sts::{account}:assumed-role/peerkeeper/x</Arn>");
    let result = format!("{arn}<UserId>AROA:x</UserId><Account>{account}</Account>");
    let result = format!("<GetCallerIdentityResult>{result}</GetCallerIdentityResult>");
    Reply::Xml(200, format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"))
}

pub fn assumed(key: &str, lives_s: u64) -> Reply {
    let expires = aws_smithy_types::DateTime::from(SystemTime::now() + Duration::from_secs(lives_s));
    let expires = expires.fmt(Format::DateTime).unwrap();
    let keys = format!("<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>");
    let rest = format!("<SessionToken>t</SessionToken><Expiration>{expires}</Expiration>");
    let result = format!("<AssumeRoleResult><Credentials>{keys}{rest}</Credentials></AssumeRoleResult>");
    Reply::Xml(200, format!("<AssumeRoleResponse>{result}</AssumeRoleResponse>"))
}

/// A page of VPCs with these ids.
pub fn vpcs(ids: &[&str], next: Option<&str>) -> Reply {
    let item = |id: &&str| {
        format!(
            "<item><vpcId>{id}</vpcId><ownerId>{ACCOUNT}</ownerId><cidrBlock>10.0.0.0/16</cidrBlock></item>"
        )
    };
    let items: String = ids.iter().map(item).collect();
    let next = next.map_or(String::new(), |token| format!("<nextToken>{token}</nextToken>"));
    ok("DescribeVpcs", &format!("<vpcSet>{items}</vpcSet>{next}"))
}

/// A page of active peerings: id, requester's VPC, accepter's VPC.
pub fn peerings(all: &[(&str, &str, &str)]) -> Reply {
    let end = |name: &str, vpc: &str| {
        let place = format!("<ownerId>{ACCOUNT}</ownerId><region>eu-west-1</region>");
        format!("<{name}><vpcId>{vpc}</vpcId>{place}</{name}>")
    };
    let item = |(id, one, other): &(&str, &str, &str)| {
        let ends = end("requesterVpcInfo", one) + &end("accepterVpcInfo", other);
        let status = "<status><code>active</code><message>Active</message></status>";
        format!("<item><vpcPeeringConnectionId>{id}</vpcPeeringConnectionId>{ends}{status}</item>")
    };
    let items: String = all.iter().map(item).collect();
    let set = format!("<vpcPeeringConnectionSet>{items}</vpcPeeringConnectionSet>");
    ok("DescribeVpcPeeringConnections", &set)
}

pub fn tables(ids: &[&str]) -> Reply {
    let item = |id: &&str| {
        let owner = format!("<vpcId>vpc-11111111</vpcId><ownerId>{ACCOUNT}</ownerId>");
        format!("<item><routeTableId>{id}</routeTableId>{owner}</item>")
    };
    let items: String = ids.iter().map(item).collect();
    ok("DescribeRouteTables", &format!("<routeTableSet>{items}</routeTableSet>"))
}
