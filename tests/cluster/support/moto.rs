//! moto: EC2 and STS that nobody here wrote, with faults on request and every call counted.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Map, Value, json};

use super::helper::Helper;

/// The account that any unknown access key belongs to, the operator's own among them.
pub const MOTO_ACCOUNT: &str = "123456789012";

/// Where the virtual environment was not made before, starting includes making it.
const READY_WITHIN: Duration = Duration::from_secs(10 * 60);
const OBEY_WITHIN: Duration = Duration::from_secs(10);

/// One request, as it came.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Call {
    /// Unix seconds.
    pub at: f64,
    pub action: String,
    /// The access key that signed it.
    pub key: String,
}

impl Call {
    pub fn is_write(&self) -> bool {
        let reads = ["Describe", "AssumeRole", "GetCallerIdentity"];
        !reads.iter().any(|read| self.action.starts_with(read))
    }
}

pub struct Moto {
    helper: Helper,
    clients: Clients,
}

/// Makes clients, without a hold on the server.
#[derive(Clone)]
pub struct Clients {
    endpoint: String,
    http: SharedHttpClient,
}

/// A disturbance of one action, everywhere unless narrowed. `"*"` is any action.
#[derive(Clone, Copy, Default)]
pub struct Fault<'a> {
    pub action: &'a str,
    pub account: Option<&'a str>,
    pub region: Option<&'a str>,
    pub times: Option<u32>,
}

impl<'a> Fault<'a> {
    pub fn of(action: &'a str) -> Self {
        Fault { action, ..Fault::default() }
    }
}

impl Moto {
    #[track_caller]
    pub fn start() -> Self {
        let (helper, ready) = Helper::start("moto", "moto/serve.py", &["up".to_string()], READY_WITHIN);
        let endpoint = ready["endpoint"].as_str().expect("the ready line names the endpoint").to_string();
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let http = Builder::new().tls_provider(ring).build_https();
        Moto { helper, clients: Clients { endpoint, http } }
    }

    pub fn endpoint(&self) -> &str {
        &self.clients.endpoint
    }

    pub fn clients(&self) -> Clients {
        self.clients.clone()
    }

    pub fn pid(&self) -> u32 {
        self.helper.pid()
    }

    /// How often each action was asked for since the start or `forget_calls`.
    #[track_caller]
    pub fn calls(&mut self) -> BTreeMap<String, u64> {
        let mut answer = self.order(json!({"do": "calls"}));
        serde_json::from_value(answer["calls"].take()).expect("calls are counts by action")
    }

    /// The same, of one account's credentials alone.
    #[track_caller]
    pub fn calls_of(&mut self, account: &str) -> BTreeMap<String, u64> {
        let mut answer = self.order(json!({"do": "calls", "account": account}));
        serde_json::from_value(answer["calls"].take()).expect("calls are counts by action")
    }

    /// Every call since the start or `forget_calls`, in order.
    #[track_caller]
    pub fn log(&mut self) -> Vec<Call> {
        let mut answer = self.order(json!({"do": "log"}));
        serde_json::from_value(answer["log"].take()).expect("a log has entries")
    }

    #[track_caller]
    pub fn forget_calls(&mut self) {
        self.order(json!({"do": "forget"}));
    }

    /// Requests wait, not yet carried out, until `release` or `mend`.
    #[track_caller]
    pub fn hold(&mut self, fault: Fault<'_>) {
        self.disturb("hold", fault, json!({}));
    }

    #[track_caller]
    pub fn release(&mut self, action: &str) {
        self.order(json!({"do": "release", "action": action}));
    }

    /// Requests are answered with an error and not carried out.
    #[track_caller]
    pub fn refuse(&mut self, fault: Fault<'_>, code: &str) {
        self.disturb("refuse", fault, json!({"code": code}));
    }

    /// Requests are carried out, and their answers lost.
    #[track_caller]
    pub fn drop_answer(&mut self, fault: Fault<'_>) {
        self.disturb("drop", fault, json!({}));
    }

    #[track_caller]
    pub fn mend(&mut self) {
        self.order(json!({"do": "mend"}));
    }

    /// Ends the faults that were narrowed to one account.
    #[track_caller]
    pub fn mend_account(&mut self, account: &str) {
        self.order(json!({"do": "mend", "account": account}));
    }

    #[track_caller]
    fn disturb(&mut self, kind: &str, fault: Fault<'_>, mut order: Value) {
        let Fault { action, account, region, times } = fault;
        let narrowed: Map<String, Value> = [
            ("do", Some(json!(kind))),
            ("action", Some(json!(action))),
            ("account", account.map(Value::from)),
            ("region", region.map(Value::from)),
            ("times", times.map(Value::from)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_string(), value?)))
        .collect();
        order.as_object_mut().expect("an order is an object").extend(narrowed);
        self.order(order);
    }

    #[track_caller]
    fn order(&mut self, order: Value) -> Value {
        self.helper.ask(&order.to_string(), OBEY_WITHIN)
    }

    /// EC2 as the given account, by a role in it as a person would; not the operator's code.
    pub async fn ec2(&self, account: &str, region: &str) -> aws_sdk_ec2::Client {
        self.clients.ec2(account, region).await
    }
}

impl Clients {
    pub async fn ec2(&self, account: &str, region: &str) -> aws_sdk_ec2::Client {
        let credentials = self.credentials(account).await;
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .endpoint_url(&self.endpoint)
            .region(Region::new(region.to_string()))
            .credentials_provider(credentials)
            .build();
        aws_sdk_ec2::Client::from_conf(config)
    }

    async fn credentials(&self, account: &str) -> Credentials {
        let own = Credentials::new("peerkeeper-test", "secret", None, None, "tests");
        if account == MOTO_ACCOUNT {
            return own;
        }
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .http_client(self.http.clone())
            .endpoint_url(&self.endpoint)
            .region(aws_sdk_sts::config::Region::new("us-east-1"))
            .credentials_provider(own)
            .build();
        let assumed = aws_sdk_sts::Client::from_conf(config)
            .assume_role()
            .role_arn(format!("arn:aws:iam::{account}:role/tester"))
            .role_session_name("tester")
            .send()
            .await;
        let keys =
            assumed.expect("moto lets anybody assume any role").credentials.expect("and gives its keys");
        Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token), None, "tests")
    }
}
