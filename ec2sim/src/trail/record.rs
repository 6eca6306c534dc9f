//! One record: what was asked, by whom, and how it went. Its JSON is made when somebody reads it.

use crate::error::AwsError;
use crate::identity::{IdentityKind, UserIdentity, role_id, unique_id, uuid};
use crate::json::{Json, iso};
use crate::request::{Action, Caller, Request};
use crate::service::Service;
use crate::view::Response;

use super::{DETAIL_TYPE, elements, parameters};

/// An API call that CloudTrail saw.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TrailRecord {
    /// Records are numbered in the order of their calls.
    pub number: u64,
    /// When the call was made, by the virtual clock.
    pub at_ms: u64,
    /// What the calendar showed at time zero of that clock, in milliseconds since 1970.
    pub zero_wall_ms: i64,
    pub caller: Caller,
    pub request: Request,
    /// What the call was about, and what it made.
    pub ids: Vec<String>,
    pub answer: Result<Response, AwsError>,
    /// Its parameters are wrapped under the request's name, as those of EC2's newer calls are.
    pub wrapped: bool,
}

/// A resource that an event names, as LookupEvents finds it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventResource {
    pub kind: &'static str,
    pub name: String,
}

const KINDS: [(&str, &str); 11] = [
    ("vpc-", "AWS::EC2::VPC"),
    ("pcx-", "AWS::EC2::VPCPeeringConnection"),
    ("rtb-", "AWS::EC2::RouteTable"),
    ("pl-", "AWS::EC2::PrefixList"),
    ("subnet-", "AWS::EC2::Subnet"),
    ("sg-", "AWS::EC2::SecurityGroup"),
    ("sgr-", "AWS::EC2::SecurityGroupRule"),
    ("igw-", "AWS::EC2::InternetGateway"),
    ("nat-", "AWS::EC2::NatGateway"),
    ("rtbassoc-", "AWS::EC2::SubnetRouteTableAssociation"),
    ("acl-", "AWS::EC2::NetworkAcl"),
];

impl TrailRecord {
    /// When the call was made, in milliseconds since 1970. The record itself shows whole seconds.
    pub fn wall_ms(&self) -> i64 {
        self.zero_wall_ms.saturating_add(i64::try_from(self.at_ms).unwrap_or(i64::MAX))
    }

    pub fn action(&self) -> Action {
        self.request.action()
    }

    pub fn event_name(&self) -> &'static str {
        self.action().name()
    }

    /// `eventSource`: `ec2.amazonaws.com`.
    pub fn event_source(&self) -> &'static str {
        self.action().service().event_source()
    }

    /// The envelope's `source`: `aws.ec2`.
    pub fn source(&self) -> String {
        let host = self.event_source();
        format!("aws.{}", host.split('.').next().unwrap_or(host))
    }

    pub fn event_id(&self) -> String {
        uuid(&format!("event {}", self.wall_ms()), self.number)
    }

    /// The id that the answer to the call bore too.
    pub fn request_id(&self) -> String {
        uuid(&format!("request {}", self.wall_ms()), self.number)
    }

    /// `eventTime`, in milliseconds since 1970: whole seconds.
    pub fn event_time_ms(&self) -> i64 {
        self.wall_ms().div_euclid(1_000) * 1_000
    }

    /// `Client.` or `Server.` and EC2's code; other services' codes stand alone.
    pub fn error_code(&self) -> Option<String> {
        let error = self.answer.as_ref().err()?;
        Some(match (self.action().service(), error.code) {
            (Service::Ec2, code @ ("InternalError" | "Unavailable")) => format!("Server.{code}"),
            (Service::Ec2, code) => format!("Client.{code}"),
            (_, code) => code.to_owned(),
        })
    }

    /// What the call was about, as far as it has a type.
    pub fn resources(&self) -> Vec<EventResource> {
        if self.action().service() != Service::Ec2 {
            return Vec::new();
        }
        let typed = |id: &String| {
            let (_, kind) = KINDS.iter().find(|(prefix, _)| id.starts_with(prefix))?;
            Some(EventResource { kind, name: id.clone() })
        };
        let mut found: Vec<EventResource> = self.ids.iter().filter_map(typed).collect();
        found.sort();
        found.dedup();
        found
    }

    /// The record, as CloudTrail keeps it.
    pub fn json(&self) -> String {
        self.record().to_string()
    }

    /// The event that EventBridge makes of it: what a queue's message says.
    pub fn envelope(&self) -> String {
        let envelope = Json::object()
            .with("version", "0")
            .with("id", uuid(&format!("envelope {}", self.wall_ms()), self.number))
            .with("detail-type", DETAIL_TYPE)
            .with("source", self.source())
            .with("account", self.caller.account.as_str())
            .with("time", iso(self.wall_ms()))
            .with("region", self.caller.region.as_str())
            .with("resources", Json::List(Vec::new()))
            .with("detail", self.record());
        envelope.to_string()
    }

    /// The same record in a world whose clock began that much later.
    pub(crate) fn starting_at(&self, now_ms: u64) -> Self {
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        Self { zero_wall_ms: self.zero_wall_ms.saturating_sub(now_ms), ..self.clone() }
    }

    fn record(&self) -> Json {
        let who = self.caller.identity();
        let service = self.action().service();
        let error = self.answer.as_ref().err();
        let console = who.from_console.then_some("true");
        Json::object()
            .with("eventVersion", "1.11")
            .with("userIdentity", user_identity(&self.caller, &who, self.wall_ms()))
            .with("eventTime", iso(self.wall_ms()))
            .with("eventSource", self.event_source())
            .with("eventName", self.event_name())
            .with("awsRegion", self.caller.region.as_str())
            .with("sourceIPAddress", &who.source_ip)
            .with("userAgent", &who.user_agent)
            .with_some("errorCode", self.error_code())
            .with_some("errorMessage", error.map(|error| &error.message))
            .with("requestParameters", parameters::of(&self.request, self.wrapped))
            .with("responseElements", self.response_elements())
            .with("requestID", self.request_id())
            .with("eventID", self.event_id())
            .with("readOnly", false)
            .with("eventType", "AwsApiCall")
            .with("managementEvent", true)
            .with("recipientAccountId", self.caller.account.as_str())
            .with("eventCategory", "Management")
            .with("tlsDetails", tls(service, self.caller.region.as_str()))
            .with_some("sessionCredentialFromConsole", console)
    }

    fn response_elements(&self) -> Json {
        match &self.answer {
            Ok(answer) => elements::of(self.action(), answer, &self.request_id(), self.zero_wall_ms),
            Err(_) => Json::Null,
        }
    }
}

fn tls(service: Service, region: &str) -> Json {
    let host = service.event_source().split('.').next().unwrap_or_default();
    Json::object()
        .with("tlsVersion", "TLSv1.3")
        .with("cipherSuite", "TLS_AES_128_GCM_SHA256")
        .with("clientProvidedHostHeader", format!("{host}.{region}.amazonaws.com"))
}

fn user_identity(caller: &Caller, who: &UserIdentity, wall_ms: i64) -> Json {
    let (kind, name) = match &who.kind {
        IdentityKind::Root => ("Root", None),
        IdentityKind::User { name, .. } => ("IAMUser", Some(name)),
        IdentityKind::Role { .. } => ("AssumedRole", None),
        IdentityKind::Service { name } => {
            return Json::object().with("type", "AWSService").with("invokedBy", name);
        }
    };
    // A user's own key opens no session; a console session's or a role's does.
    let session = who.access_key_id.starts_with("ASIA");
    Json::object()
        .with("type", kind)
        .with_some("principalId", caller.principal_id())
        .with_some("arn", caller.arn())
        .with("accountId", caller.account.as_str())
        .with("accessKeyId", &who.access_key_id)
        .with_some("userName", name)
        .with_some("sessionContext", session.then(|| session_context(caller, who, wall_ms)))
}

fn session_context(caller: &Caller, who: &UserIdentity, wall_ms: i64) -> Json {
    let issuer = match &who.kind {
        IdentityKind::Role { name, path, .. } => Json::object()
            .with("type", "Role")
            .with("principalId", role_id(&caller.account, path, name))
            .with_some("arn", caller.role_arn())
            .with("accountId", caller.account.as_str())
            .with("userName", name),
        _ => Json::object(),
    };
    let attributes = Json::object()
        .with("creationDate", iso(who.session_began_ms.unwrap_or(wall_ms)))
        .with("mfaAuthenticated", if who.mfa { "true" } else { "false" });
    Json::object()
        .with("sessionIssuer", issuer)
        .with("webIdFederationData", Json::object())
        .with("attributes", attributes)
        .with_some("sourceIdentity", who.source_identity.as_ref())
}

/// IAM's id of EventBridge where it sends to a queue.
pub(crate) fn eventbridge_sender() -> String {
    unique_id("AIDA", "events.amazonaws.com")
}
