//! moto: EC2 and STS that nobody here wrote, with faults on request and every call counted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::client::{Call, Clients, Fault};
use super::helper::Helper;

/// Where the virtual environment was not made before, starting includes making it.
const READY_WITHIN: Duration = Duration::from_secs(10 * 60);
const OBEY_WITHIN: Duration = Duration::from_secs(10);

pub struct Moto {
    helper: Helper,
    clients: Clients,
}

impl Moto {
    #[track_caller]
    pub fn start() -> Self {
        let (helper, ready) = Helper::start("moto", "moto/serve.py", &["up".to_string()], READY_WITHIN);
        let endpoint = ready["endpoint"].as_str().expect("the ready line names the endpoint");
        Moto { helper, clients: Clients::new(endpoint) }
    }

    pub fn endpoint(&self) -> &str {
        self.clients.endpoint()
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

    pub async fn ec2(&self, account: &str, region: &str) -> aws_sdk_ec2::Client {
        self.clients.ec2(account, region).await
    }
}
