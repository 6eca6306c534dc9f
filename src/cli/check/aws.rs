//! What AWS says: credentials, what may be read and written, quotas, the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all};
use peerkeeper_core::ids::{AccountRegion, Region};
use peerkeeper_core::observed::{SideView, Unseen, View};

use super::line::Line;
use super::places::{self, Places, Side};
use crate::aws::{AccountConfig, Aws, Caller, Leave, NarrowNeeds, Rehearsal, Unproved};
use crate::signal::{self, History, QueueUrl, Told};

/// The policies of `deploy/aws` that allow it.
const READ: &str = "attach the policy deploy/aws/member-read.json to the role";
const WRITE: &str = "attach the policy deploy/aws/member-write.json to the role; its conditions must name this VPC, and route tables need the tag peerkeeper.dev/managed=true";
const QUEUE: &str = "check the URL, and attach deploy/aws/operator-events.json to the role that reads it";

/// Every read of the operator's that is tried, by AWS's actions.
pub const READS: [&str; 7] = [
    "DescribeVpcPeeringConnections",
    "DescribeRouteTables",
    "DescribeVpcs",
    "DescribeManagedPrefixLists",
    "DescribeStaleSecurityGroups",
    "GetServiceQuota",
    "LookupEvents",
];
/// Every write that is tried.
pub const WRITES: [&str; 9] = [
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "ModifyVpcPeeringConnectionOptions",
    "CreateTags",
    "DeleteTags",
    "CreateRoute",
    "ReplaceRoute",
    "DeleteRoute",
];
/// What is asked only where there is something stale, and can't be tried before.
pub const UNTRIED: [&str; 3] =
    ["DescribeSecurityGroupRules", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"];

/// An id that no prefix list has and no event: the answer is empty, and the permission is known.
const NO_PREFIX_LIST: &str = "pl-00000000000000000";
const NO_EVENT: &str = "00000000-0000-0000-0000-000000000000";

/// Everything about AWS. One account that can't be reached holds up none of the others.
pub async fn check(
    aws: &Aws,
    accounts: &[AccountConfig],
    places: &Places,
    queues: &[QueueUrl],
    timeout: Duration,
) -> Vec<Line> {
    let history = History::new(aws.clone());
    let accounts = accounts.iter().map(|config| {
        let what = format!("AwsAccount {}", config.name);
        within(timeout, what, account(aws, &history, config, places, timeout)).boxed()
    });
    let queues = queues
        .iter()
        .map(|queue| within(timeout, format!("queue {queue}"), one(reach(aws, queue, timeout))).boxed());
    let all: Vec<BoxFuture<'_, Vec<Line>>> = accounts.chain(queues).collect();
    join_all(all).await.concat()
}

async fn one(line: impl Future<Output = Line>) -> Vec<Line> {
    vec![line.await]
}

/// What takes too long is said, and nothing waits for it.
async fn within(timeout: Duration, what: String, lines: impl Future<Output = Vec<Line>>) -> Vec<Line> {
    // What is within has as long for each of its parts.
    match tokio::time::timeout(timeout * 4, lines).await {
        Ok(lines) => lines,
        Err(_) => vec![late(what, timeout * 4)],
    }
}

fn late(what: String, timeout: Duration) -> Line {
    let detail = format!("no answer in {} s", timeout.as_secs());
    Line::fail(what, detail, "check network, proxy and endpoint, or raise --timeout")
}

/// The same, for one part.
async fn part(timeout: Duration, what: &str, lines: impl Future<Output = Vec<Line>>) -> Vec<Line> {
    match tokio::time::timeout(timeout, lines).await {
        Ok(lines) => lines,
        Err(_) => vec![late(what.to_owned(), timeout)],
    }
}

async fn account(
    aws: &Aws,
    history: &History,
    config: &AccountConfig,
    places: &Places,
    timeout: Duration,
) -> Vec<Line> {
    let what = format!("AwsAccount {}", config.name);
    let verified = tokio::time::timeout(timeout, aws.verify(&config.name)).await;
    let Caller { arn, account } = match verified {
        Ok(Ok(caller)) => caller,
        // Such an error says what to do, behind the last semicolon.
        Ok(Err(error)) => {
            return vec![with_remedy(what, &error.to_string(), "check its roleArn and accountId")];
        }
        Err(_) => return vec![late(what, timeout)],
    };
    let mut lines = vec![Line::ok(&what, format!("{arn} in {account}"))];
    let mine = places.iter().filter(|((name, _), _)| **name == *config.name);
    let mine: Vec<(Region, &Vec<Side>)> = mine.map(|((_, region), sides)| (*region, sides)).collect();
    if mine.is_empty() {
        let why = "no VpcPeering names this account, so that no Region and no VPC is known to try";
        lines.push(Line::not_checked(format!("{what} permissions"), why));
    }
    let asked = mine.into_iter().map(|(region, sides)| place(aws, history, config, region, sides, timeout));
    lines.extend(join_all(asked).await.concat());
    lines
}

fn with_remedy(what: impl Into<String>, error: &str, otherwise: &str) -> Line {
    let (detail, remedy) = error.rsplit_once("; ").unwrap_or((error, otherwise));
    Line::fail(what, detail, remedy)
}

async fn place(
    aws: &Aws,
    history: &History,
    config: &AccountConfig,
    region: Region,
    sides: &[Side],
    timeout: Duration,
) -> Vec<Line> {
    let what = format!("AwsAccount {} {region}", config.name);
    let reader = aws.reader();
    let swept = tokio::time::timeout(timeout, reader.sweep(&config.name, region)).await;
    if swept.is_err() {
        return vec![late(what, timeout)];
    }
    let view = reader.view(&config.name, region);
    let mut lines = vec![
        seen(&what, READS[0], &view.peerings, Line::fail),
        seen(&what, READS[1], &view.tables, Line::fail),
        seen(&what, READS[2], &view.vpcs, Line::fail),
    ];
    let at = AccountRegion { account: config.account_id, region };
    let (narrow, told, writes) = tokio::join!(
        part(timeout, &what, narrow(aws, config, region, &view, &what)),
        part(timeout, &what, one(events(history, &config.name, at, &what))),
        part(timeout, &what, writes(aws, &config.name, region, sides, &view, &what)),
    );
    lines.extend(narrow);
    lines.push(quota(&what, &view));
    lines.extend(told);
    lines.extend(places::quotas(&what, sides, &view));
    lines.extend(missing(&what, sides, &view));
    lines.extend(writes);
    lines
}

type Said = fn(String, String, String) -> Line;

fn seen<T: peerkeeper_core::observed::Resource>(what: &str, call: &str, view: &View<T>, said: Said) -> Line {
    let what = format!("{what} {call}");
    if view.narrow.is_some() || view.sweep.is_some() {
        return Line::ok(what, "");
    }
    match &view.unseen {
        Unseen::Denied { code, .. } => Line::fail(what, format!("refused with {code}"), READ),
        Unseen::Failed { why, .. } => {
            said(what, why.to_string(), "check network and endpoint, and try again".to_owned())
        }
        Unseen::Throttled => said(what, "throttled".to_owned(), "try again in a minute".to_owned()),
        other => said(what, format!("not answered: {other:?}"), "try again".to_owned()),
    }
}

/// Reads that only some objects need: without an answer, whether they would work is open.
async fn narrow(aws: &Aws, config: &AccountConfig, region: Region, view: &SideView, what: &str) -> Vec<Line> {
    let reader = aws.reader();
    let vpc = view.vpcs.sweep.iter().flat_map(|vpcs| vpcs.iter()).map(|vpc| vpc.id).min();
    let needs = NarrowNeeds {
        prefix_lists: NO_PREFIX_LIST.parse().into_iter().collect(),
        stale_rules_of: vpc.into_iter().collect(),
        ..NarrowNeeds::default()
    };
    let read = reader.read_narrow(&config.name, region, needs).await;
    let mut lines = vec![seen(what, READS[3], &read.prefix_lists, Line::warn)];
    lines.push(match vpc {
        Some(_) => seen(what, READS[4], &read.stale_rules, Line::warn),
        None => Line::not_checked(format!("{what} {}", READS[4]), "no VPC is shown to ask about"),
    });
    lines
}

/// The sweep asked for it.
fn quota(what: &str, view: &SideView) -> Line {
    let what = format!("{what} {}", READS[5]);
    let is_swept = view.peerings.sweep.is_some() && view.tables.sweep.is_some() && view.vpcs.sweep.is_some();
    match (view.routes_per_table, is_swept) {
        (Some(quota), _) => Line::ok(what, format!("{quota} routes per table")),
        (None, true) => {
            Line::warn(what, "the quota of routes per table could not be read, and is not heeded", READ)
        }
        (None, false) => Line::not_checked(what, "it is asked for after the three reads above"),
    }
}

async fn events(history: &History, name: &Arc<str>, at: AccountRegion, what: &str) -> Line {
    let what = format!("{what} {}", READS[6]);
    let open = "without it, who deleted a peering is known from a queue alone";
    match history.find(name, at, NO_EVENT).await {
        Told::Events(_) | Told::NotNeeded => Line::ok(what, ""),
        Told::Unavailable(why) => Line::fail(what, why.to_string(), format!("{READ}; {open}")),
        Told::Failed(why) => Line::warn(what, why.to_string(), format!("try again; {open}")),
    }
}

/// Declared VPCs that are not there: a wrong id, Region or account.
fn missing(what: &str, sides: &[Side], view: &SideView) -> Vec<Line> {
    let Some(vpcs) = &view.vpcs.sweep else { return Vec::new() };
    let declared: BTreeSet<_> = sides.iter().map(|side| side.vpc).collect();
    let absent = declared.into_iter().filter(|vpc| vpcs.get(*vpc).is_none());
    let line = |vpc| {
        Line::fail(format!("{what} {vpc}"), "AWS shows no such VPC there", "correct vpcId, region or account")
    };
    absent.map(line).collect()
}

async fn writes(
    aws: &Aws,
    name: &str,
    region: Region,
    sides: &[Side],
    view: &SideView,
    what: &str,
) -> Vec<Line> {
    let places::Rehearsed { canaries, attempts, left_out } = places::rehearsed(sides, view);
    let mut found: BTreeMap<&'static str, Found> = BTreeMap::new();
    let (refused, why) = match aws.rehearse(name, region, &canaries).await {
        Ok(rehearsal) => {
            found = rehearse(&rehearsal, &attempts).await;
            (rehearsal.refused, "nothing is there yet to try it on".to_owned())
        }
        Err(Unproved { why, refused }) => (refused, why),
    };
    for (action, error) in refused {
        found.entry(action).or_default().refused.get_or_insert((String::new(), error.to_string()));
    }
    let tried = WRITES.iter().filter(|action| is_written(action, sides));
    let mut lines: Vec<Line> =
        tried.map(|action| write_line(what, action, found.get(*action), &why)).collect();
    if left_out > 0 {
        let detail = format!("writes were tried for ten peerings; {left_out} more were left out");
        lines.push(Line::not_checked(format!("{what} writes"), detail));
    }
    lines
}

/// A request is made on one side and accepted on the other.
fn is_written(action: &str, sides: &[Side]) -> bool {
    match action {
        "CreateVpcPeeringConnection" => sides.iter().any(|side| side.is_requester),
        "AcceptVpcPeeringConnection" => sides.iter().any(|side| !side.is_requester),
        _ => true,
    }
}

/// What came of the attempts at one action.
#[derive(Default)]
struct Found {
    given: usize,
    /// The first: on what, and AWS's answer.
    refused: Option<(String, String)>,
    unsaid: Option<String>,
}

async fn rehearse(
    rehearsal: &Rehearsal,
    attempts: &BTreeSet<crate::aws::Attempt>,
) -> BTreeMap<&'static str, Found> {
    let mut found: BTreeMap<&'static str, Found> = BTreeMap::new();
    // One by one: an endpoint that stops heeding DryRun is asked nothing more.
    for attempt in attempts {
        let entry = found.entry(attempt.action()).or_default();
        match rehearsal.ask(attempt).await {
            Leave::Given => entry.given += 1,
            Leave::Refused(error) => {
                entry.refused.get_or_insert((attempt.object(), error.to_string()));
            }
            Leave::Unsaid(error) => entry.unsaid = Some(error.code.to_string()),
            Leave::NotHeeded => {
                entry.unsaid = Some("success, so that DryRun was not heeded".to_owned());
                break;
            }
        }
    }
    found
}

fn write_line(what: &str, action: &str, found: Option<&Found>, why: &str) -> Line {
    let what = format!("{what} {action}");
    match found {
        Some(Found { refused: Some((object, error)), .. }) => {
            let on = if object.is_empty() { String::new() } else { format!(" on {object}") };
            Line::fail(what, format!("refused{on}: {error}"), WRITE)
        }
        Some(Found { given, .. }) if *given > 0 => Line::ok(what, ""),
        Some(Found { unsaid: Some(code), .. }) => {
            Line::not_checked(what, format!("its dry run was answered with {code}, before permission"))
        }
        _ => Line::not_checked(what, why),
    }
}

async fn reach(aws: &Aws, queue: &QueueUrl, timeout: Duration) -> Line {
    let what = format!("queue {queue}");
    match tokio::time::timeout(timeout, signal::reach(aws, queue)).await {
        Err(_) => late(what, timeout),
        Ok(Ok(reached)) => Line::ok(what, format!("by {}, {} messages wait", reached.by, reached.messages)),
        Ok(Err(why)) => Line::fail(what, why, QUEUE),
    }
}
