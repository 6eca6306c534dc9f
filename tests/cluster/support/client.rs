//! EC2 as a person sees it, whoever plays it: clients for any account, what was called, what is to go wrong.

use aws_credential_types::Credentials;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The account that any unknown access key belongs to, the operator's own among them.
pub const OWN_ACCOUNT: &str = "123456789012";

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
        let reads = ["Describe", "AssumeRole", "GetCallerIdentity", "LookupEvents"];
        !reads.iter().any(|read| self.action.starts_with(read))
    }
}

/// Makes clients, without a hold on the server.
#[derive(Clone)]
pub struct Clients {
    endpoint: String,
    /// An access key id of 12 digits is that account.
    keys_are_accounts: bool,
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

impl Clients {
    pub fn new(endpoint: &str) -> Self {
        Clients { endpoint: endpoint.to_owned(), keys_are_accounts: false }
    }

    /// For ec2sim, which needs no role for it: what is done to sessions meets the operator's alone.
    pub fn by_account_key(self) -> Self {
        Clients { keys_are_accounts: true, ..self }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// EC2 as a person in the given account; not the operator's code.
    pub async fn ec2(&self, account: &str, region: &str) -> aws_sdk_ec2::Client {
        // Connections of its own: one that is kept alive dies with the runtime of the test that opened it.
        let http = Builder::new().build_http();
        let credentials = self.credentials(account, &http).await;
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(&self.endpoint)
            .region(Region::new(region.to_string()))
            .credentials_provider(credentials)
            .build();
        aws_sdk_ec2::Client::from_conf(config)
    }

    async fn credentials(&self, account: &str, http: &SharedHttpClient) -> Credentials {
        let own = Credentials::new("peerkeeper-test", "secret", None, None, "tests");
        if account == OWN_ACCOUNT {
            return own;
        }
        if self.keys_are_accounts {
            return Credentials::new(account, "secret", None, None, "tests");
        }
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .http_client(http.clone())
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
        let keys = assumed.expect("anybody may assume this role").credentials.expect("and gives its keys");
        Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token), None, "tests")
    }
}
