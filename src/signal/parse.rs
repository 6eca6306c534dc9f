//! What a record says. Anybody may be able to write to a queue, so every byte here is somebody's claim: what can't be read
//! is [`Parsed::Poison`], what is none of our business [`Parsed::Ignored`], and nothing panics.
//!
//! The shapes are those of CloudTrail's records and EventBridge's envelopes as AWS documents them: EC2's older calls write
//! their parameters in lower camel case, its newer ones as they are, under the request's name.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use peerkeeper_core::ids::{AccountId, AccountRegion, Destination, Region};
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, Issuer, Tagged, TrailEvent};
use serde_json::{Map, Value};

/// Of one call that sets or removes tags, so many things and keys are looked at.
const TAGGED_MAX: usize = 64;

/// What came of reading one message or record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    Event(Arc<TrailEvent>),
    Ignored(Ignored),
    /// It can't be what it says it is, and why.
    Poison(String),
}

/// Why a record that can be read concerns nobody here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// AWS refused the call, or it was a dry run: the record's error code.
    Failed(Arc<str>),
    /// Another service's, or another kind of event: `source` and `detail-type`.
    Foreign(Arc<str>),
    /// A major version of CloudTrail's record that this version does not know.
    Version(Arc<str>),
    /// A call that bears on nothing declared.
    Call(Arc<str>),
}

impl Ignored {
    /// For metrics: one word, from a short list.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed_call",
            Self::Foreign(_) => "foreign",
            Self::Version(_) => "version",
            Self::Call(_) => "other_call",
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(code) => write!(f, "the call failed with {code}"),
            Self::Foreign(what) => write!(f, "an event of {what}"),
            Self::Version(version) => write!(f, "a record of version {version}, which is not known here"),
            Self::Call(name) => write!(f, "a call of {name}"),
        }
    }
}

/// Who reads the detail of an envelope: by its source, its detail-type and the major version of the record.
type Parser = fn(&Map<String, Value>) -> Result<Call, Unread>;

const API_CALL: &str = "AWS API Call via CloudTrail";

/// `source`, the record's `eventSource`, major version, parser.
const PARSERS: &[(&str, &str, &str, Parser)] = &[
    ("aws.ec2", "ec2.amazonaws.com", "1", ec2_call),
    ("aws.cloudtrail", "cloudtrail.amazonaws.com", "1", |record| {
        blinding(record, &["StopLogging", "DeleteTrail", "PutEventSelectors", "UpdateTrail"])
    }),
    ("aws.events", "events.amazonaws.com", "1", |record| {
        blinding(record, &["DisableRule", "DeleteRule", "RemoveTargets"])
    }),
];

/// Why a record becomes no event.
enum Unread {
    Ignored(Ignored),
    Poison(String),
}

impl From<Unread> for Parsed {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Ignored(why) => Self::Ignored(why),
            Unread::Poison(why) => Self::Poison(clean(&why, WHY_MAX)),
        }
    }
}

fn poison<T>(why: impl Into<String>) -> Result<T, Unread> {
    Err(Unread::Poison(why.into()))
}

/// No text of a record is kept longer than this, but for the record itself.
const TEXT_MAX: usize = 1024;
const ID_MAX: usize = 128;
const WHY_MAX: usize = 300;

/// Reads a message: EventBridge's envelope around CloudTrail's record.
pub fn envelope(body: &str) -> Parsed {
    read_envelope(body).map_or_else(Parsed::from, |event| Parsed::Event(Arc::new(event)))
}

/// Reads a record as LookupEvents gives it. One of another account or Region than was asked is none of ours.
pub fn record(text: &str, asked: AccountRegion) -> Parsed {
    let read = || {
        let record = object(text, "the record")?;
        let source = text_of(&record, "eventSource").unwrap_or_default();
        let Some((_, _, major, parser)) = PARSERS.iter().find(|(_, of, ..)| *of == source) else {
            return Err(Unread::Ignored(Ignored::Foreign(clean(source, ID_MAX).into())));
        };
        let event = read_record(&record, text.into(), Heard::History, major, *parser)?;
        if event.place != asked {
            return poison(format!("asked in {asked}, a record of {} came", event.place));
        }
        Ok(event)
    };
    read().map_or_else(Parsed::from, |event| Parsed::Event(Arc::new(event)))
}

fn read_envelope(body: &str) -> Result<TrailEvent, Unread> {
    let envelope = object(body, "the message")?;
    let (Some(source), Some(kind)) = (text_of(&envelope, "source"), text_of(&envelope, "detail-type")) else {
        return poison("it has no source and detail-type: it is no event of EventBridge's");
    };
    let foreign =
        || Unread::Ignored(Ignored::Foreign(clean(&format!("{source}, {kind}"), 2 * ID_MAX).into()));
    let parser = PARSERS.iter().find(|(of, ..)| *of == source && kind == API_CALL);
    let (_, event_source, major, parser) = parser.ok_or_else(foreign)?;
    let Some(Value::Object(record)) = envelope.get("detail") else {
        return poison("it has no detail");
    };
    let said = text_of(record, "eventSource");
    if said != Some(*event_source) {
        return poison(format!("its source is {source}, its record's {}", said.unwrap_or("missing")));
    }
    let raw =
        member_text(body, "detail").map_or_else(|| Value::Object(record.clone()).to_string(), str::to_owned);
    let event = read_record(record, raw.into(), Heard::Queue, major, *parser)?;
    // EventBridge itself says whose event it forwards. A forger may write both, but not by accident only one.
    let agrees = |member: &str, own: String| match envelope.get(member) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(said)) if *said == own => Ok(()),
        Some(said) => poison(format!("its envelope says {member} {said}, its record {own}")),
    };
    agrees("account", event.place.account.to_string())?;
    agrees("region", event.place.region.to_string())?;
    Ok(event)
}

fn read_record(
    record: &Map<String, Value>,
    raw: Arc<str>,
    heard: Heard,
    major: &str,
    parser: Parser,
) -> Result<TrailEvent, Unread> {
    let version = must(record, "eventVersion")?;
    if version.split('.').next() != Some(major) {
        return Err(Unread::Ignored(Ignored::Version(clean(version, ID_MAX).into())));
    }
    if let Some(code) = record.get("errorCode").filter(|code| !code.is_null()) {
        let code = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
        return Err(Unread::Ignored(Ignored::Failed(clean(&code, ID_MAX).into())));
    }
    let call = parser(record)?;
    Ok(TrailEvent {
        id: short(record, "eventID")?,
        at: moment(must(record, "eventTime")?)?,
        place: place(record)?,
        call,
        actor: actor(record),
        heard,
        request_id: short(record, "requestID")?,
        record: raw,
    })
}

fn place(record: &Map<String, Value>) -> Result<AccountRegion, Unread> {
    let bad = |error: peerkeeper_core::ids::BadId| Unread::Poison(error.to_string());
    let account: AccountId = must(record, "recipientAccountId")?.parse().map_err(bad)?;
    let region: Region = must(record, "awsRegion")?.parse().map_err(bad)?;
    Ok(AccountRegion { account, region })
}

fn moment(text: &str) -> Result<Wall, Unread> {
    let parsed: Result<Timestamp, _> = text.parse();
    parsed.map(|at| Wall(at.as_second())).map_err(|_| Unread::Poison(format!("{text:?} is no time")))
}

// What was called.

fn ec2_call(record: &Map<String, Value>) -> Result<Call, Unread> {
    let name = must(record, "eventName")?;
    let asked = Parameters::of(record, name, "requestParameters", "Request");
    Ok(match name {
        "CreateVpcPeeringConnection" => Call::CreatePeering {
            requester: asked.id("vpcId")?,
            accepter: asked.id("peerVpcId")?,
            made: made(record, name),
        },
        "AcceptVpcPeeringConnection" => Call::AcceptPeering(asked.id("vpcPeeringConnectionId")?),
        "RejectVpcPeeringConnection" => Call::RejectPeering(asked.id("vpcPeeringConnectionId")?),
        "DeleteVpcPeeringConnection" => Call::DeletePeering(asked.id("vpcPeeringConnectionId")?),
        "ModifyVpcPeeringConnectionOptions" => Call::ModifyOptions(asked.id("vpcPeeringConnectionId")?),
        "CreateRoute" => {
            Call::CreateRoute { table: asked.id("routeTableId")?, destination: asked.destination()? }
        }
        "ReplaceRoute" => {
            Call::ReplaceRoute { table: asked.id("routeTableId")?, destination: asked.destination()? }
        }
        "DeleteRoute" => {
            Call::DeleteRoute { table: asked.id("routeTableId")?, destination: asked.destination()? }
        }
        "DeleteRouteTable" => Call::DeleteRouteTable(asked.id("routeTableId")?),
        "ReplaceRouteTableAssociation" => Call::ReplaceAssociation { table: asked.id("routeTableId")? },
        "DeleteVpc" => Call::DeleteVpc(asked.id("vpcId")?),
        "CreateTags" | "DeleteTags" => tags(&asked, name == "DeleteTags")?,
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => {
            // Of a default VPC's, the name may stand for the id.
            let group = asked.text("groupId").or_else(|| asked.text("groupName"));
            let group = group.ok_or_else(|| Unread::Poison(format!("{name} names no group")))?;
            Call::RevokeRules { group: clean(group, ID_MAX).into() }
        }
        other => return Err(Unread::Ignored(Ignored::Call(clean(other, ID_MAX).into()))),
    })
}

/// Of a call that may name a thousand things, as much as is about peerings and VPCs.
fn tags(asked: &Parameters<'_>, removed: bool) -> Result<Call, Unread> {
    let on: Arc<[Tagged]> = asked
        .items("resourcesSet", "resourceId")
        .filter_map(|id| {
            let peering = id.parse().ok().map(Tagged::Peering);
            peering.or_else(|| id.parse().ok().map(Tagged::Vpc))
        })
        .take(TAGGED_MAX)
        .collect();
    if on.is_empty() {
        return Err(Unread::Ignored(Ignored::Call(format!("{} of other things", asked.name).into())));
    }
    let keys = asked.items("tagSet", "key").take(TAGGED_MAX).map(|key| clean(key, ID_MAX).into()).collect();
    Ok(Call::Tags { removed, on, keys })
}

fn blinding(record: &Map<String, Value>, calls: &[&str]) -> Result<Call, Unread> {
    let name = must(record, "eventName")?;
    if calls.contains(&name) {
        return Ok(Call::Blind { name: name.into() });
    }
    Err(Unread::Ignored(Ignored::Call(clean(name, ID_MAX).into())))
}

/// The id in the answer, which need not be there.
fn made(record: &Map<String, Value>, name: &str) -> Option<peerkeeper_core::ids::PeeringId> {
    let answer = Parameters::of(record, name, "responseElements", "Response");
    let Value::Object(peering) = answer.get("vpcPeeringConnection")? else { return None };
    Parameters { of: Some(peering), name: "the answer" }.text("vpcPeeringConnectionId")?.parse().ok()
}

/// What was asked or answered, in either form.
struct Parameters<'a> {
    of: Option<&'a Map<String, Value>>,
    name: &'a str,
}

impl<'a> Parameters<'a> {
    fn of(record: &'a Map<String, Value>, name: &'a str, member: &str, wrapped_as: &str) -> Self {
        let Some(Value::Object(plain)) = record.get(member) else { return Self { of: None, name } };
        let of = match plain.get(&format!("{name}{wrapped_as}")) {
            Some(Value::Object(wrapped)) => wrapped,
            _ => plain,
        };
        Self { of: Some(of), name }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        let of = self.of?;
        of.get(key).or_else(|| {
            let mut chars = key.chars();
            let first = chars.next()?.to_ascii_uppercase();
            of.get(&format!("{first}{}", chars.as_str()))
        })
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    /// One member of each item of an EC2 list, which is wrapped in `items`.
    fn items(&self, list: &str, member: &'a str) -> impl Iterator<Item = &'a str> {
        let items = self.get(list).and_then(|list| list.get("items")).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(move |item| item.get(member)?.as_str())
    }

    fn id<T: std::str::FromStr<Err: fmt::Display>>(&self, key: &str) -> Result<T, Unread> {
        let text = self.text(key).ok_or_else(|| Unread::Poison(format!("{} names no {key}", self.name)))?;
        text.parse().map_err(|error: T::Err| Unread::Poison(format!("{}: {error}", self.name)))
    }

    fn destination(&self) -> Result<Destination, Unread> {
        const KEYS: [&str; 3] =
            ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"];
        match KEYS.iter().find(|key| self.text(key).is_some()) {
            Some(key) => self.id(key),
            None => poison(format!("{} names no destination", self.name)),
        }
    }
}

// Who called.

fn actor(record: &Map<String, Value>) -> Actor {
    let empty = Map::new();
    let inside = |of: &Map<String, Value>, key: &str| match of.get(key) {
        Some(Value::Object(found)) => found.clone(),
        _ => Map::new(),
    };
    let identity = match record.get("userIdentity") {
        Some(Value::Object(identity)) => identity,
        _ => &empty,
    };
    let session = inside(identity, "sessionContext");
    let shown = |of: &Map<String, Value>, key: &str| -> Option<Arc<str>> {
        text_of(of, key).filter(|text| !text.is_empty()).map(|text| clean(text, TEXT_MAX).into())
    };
    let mfa = match inside(&session, "attributes").get("mfaAuthenticated") {
        Some(Value::String(said)) if said == "true" => Some(true),
        Some(Value::String(said)) if said == "false" => Some(false),
        Some(Value::Bool(said)) => Some(*said),
        _ => None,
    };
    let invoked_by = shown(identity, "invokedBy");
    Actor {
        kind: kind(text_of(identity, "type").unwrap_or_default()),
        account: text_of(identity, "accountId").and_then(|id| id.parse().ok()),
        arn: shown(identity, "arn").unwrap_or_default(),
        principal_id: shown(identity, "principalId").or(invoked_by).unwrap_or_default(),
        issuer: issuer(&inside(&session, "sessionIssuer")),
        user_name: shown(identity, "userName"),
        access_key_id: shown(identity, "accessKeyId"),
        source_identity: shown(&session, "sourceIdentity"),
        mfa,
        source_address: shown(record, "sourceIPAddress").unwrap_or_default(),
        user_agent: shown(record, "userAgent").unwrap_or_default(),
    }
}

fn kind(word: &str) -> ActorKind {
    match word {
        "Root" => ActorKind::Root,
        "IAMUser" => ActorKind::IamUser,
        "AssumedRole" => ActorKind::AssumedRole,
        "FederatedUser" => ActorKind::FederatedUser,
        "AWSService" => ActorKind::AwsService,
        "AWSAccount" => ActorKind::AwsAccount,
        _ => ActorKind::Other,
    }
}

/// Of a role alone: its ARN keeps the path, unlike that of the session. What a member beside it says of the account or the
/// name is not taken where the ARN says otherwise.
fn issuer(issuer: &Map<String, Value>) -> Option<Issuer> {
    let arn = text_of(issuer, "arn").filter(|arn| arn.len() <= TEXT_MAX)?;
    let mut parts = arn.splitn(6, ':');
    let (scheme, _, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let path_and_name = resource.strip_prefix("role/")?;
    if (scheme, service, region) != ("arn", "iam", "") || path_and_name.chars().any(char::is_control) {
        return None;
    }
    let (path, name) = match path_and_name.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), path_and_name),
    };
    let account = account.parse().ok()?;
    (!name.is_empty()).then(|| Issuer { arn: arn.into(), account, path: path.into(), name: name.into() })
}

// Small things.

fn object(text: &str, what: &str) -> Result<Map<String, Value>, Unread> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => poison(format!("{what} is no JSON object")),
        Err(error) => poison(format!("{what} is no JSON: {error}")),
    }
}

fn text_of<'a>(of: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    of.get(key)?.as_str()
}

fn must<'a>(of: &'a Map<String, Value>, key: &str) -> Result<&'a str, Unread> {
    text_of(of, key).ok_or_else(|| Unread::Poison(format!("its record has no {key}")))
}

/// An id that is compared and kept: neither empty nor endless.
fn short(of: &Map<String, Value>, key: &str) -> Result<Arc<str>, Unread> {
    let text = must(of, key)?;
    let fits = (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.into()) } else { poison(format!("its {key} is no id")) }
}

/// Fit for a log line and a status: no control characters, and no end of it.
fn clean(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut kept = String::new();
    for c in text.chars().map(plain) {
        if kept.len() + c.len_utf8() > most {
            break;
        }
        kept.push(c);
    }
    kept
}

/// The text of a member of a JSON object, byte for byte as it came. The text is known to be a JSON object.
fn member_text<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut found) = (0, 0_usize, None);
    let mut value_began: Option<(usize, bool)> = None;
    let mut key: Option<&str> = None;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at)?;
                if depth == 1 && value_began.is_none() {
                    key = text.get(at + 1..end);
                }
                at = end;
            }
            b':' if depth == 1 && value_began.is_none() => value_began = Some((at + 1, key == Some(wanted))),
            b'{' | b'[' => depth += 1,
            byte @ (b',' | b'}' | b']') => {
                if byte != b',' {
                    depth = depth.checked_sub(1)?;
                }
                let ends = (byte == b',' && depth == 1) || depth == 0;
                if ends && let Some((began, true)) = value_began.take_if(|_| ends) {
                    // Of two of one name the last counts, as for the parser.
                    found = text.get(began..at).map(str::trim);
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Where the string that begins at `at` has its closing quote.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut next = at + 1;
    while next < bytes.len() {
        match bytes[next] {
            b'\\' => next += 1,
            b'"' => return Some(next),
            _ => {}
        }
        next += 1;
    }
    None
}

#[cfg(test)]
#[path = "tests/parse.rs"]
mod tests;
