//! What became of everything, told without ids that one run gives otherwise than the next.

use std::collections::{BTreeMap, BTreeSet};

use ec2sim::{PeeringStatus, Target, World};
use serde_json::Value;

use super::schema::Kind;
use super::stage::Stage;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The truth in AWS: live peerings with their tags and options, and where every route leads.
    pub aws: BTreeSet<String>,
    /// What each object says.
    pub said: BTreeMap<String, BTreeSet<String>>,
}

impl Look {
    pub fn at(stage: &Stage) -> Self {
        Self { aws: aws(&stage.operator.world), said: said(stage) }
    }

    /// The status and reason of the peering's Ready condition.
    pub fn ready(&self) -> String {
        let hub = self.said.get("hub").into_iter().flatten();
        let ready = hub.filter_map(|said| said.strip_prefix("Ready=")).next();
        ready.unwrap_or("no Ready condition").to_owned()
    }

    /// Line by line: what should be and is not, and what is and should not be.
    pub fn differs_from(&self, should: &Self) -> String {
        let (is, should) = (self.lines(), should.lines());
        let less = should.difference(&is).map(|line| format!("  - {line}\n"));
        less.chain(is.difference(&should).map(|line| format!("  + {line}\n"))).collect()
    }

    fn lines(&self) -> BTreeSet<String> {
        let said = self.said.iter().flat_map(|(name, said)| said.iter().map(move |s| format!("{name}: {s}")));
        self.aws.iter().cloned().chain(said).collect()
    }

    pub fn without_dns(mut self) -> Self {
        self.aws = self.aws.iter().map(|line| line.replace("dns true", "dns false")).collect();
        for said in self.said.values_mut() {
            said.retain(|said| !said.starts_with("DnsInSync="));
        }
        self
    }
}

fn aws(world: &World) -> BTreeSet<String> {
    let peerings = world.peerings().filter(|view| !view.status.has_ended()).map(|view| {
        let (requester, accepter) = (&view.requester, &view.accepter);
        let tags_of = |side: &ec2sim::PeeringSide| {
            let caller = ec2sim::Caller::new(side.owner.clone(), side.region.clone());
            world.peering_as(&caller, &view.id).map(|seen| seen.tags).unwrap_or_default()
        };
        format!(
            "{} -> {} {}: {:?} dns {}, {:?} dns {}",
            requester.vpc,
            accepter.vpc,
            view.status,
            tags_of(requester),
            requester.allow_dns_resolution_from_remote_vpc.unwrap_or(false),
            tags_of(accepter),
            accepter.allow_dns_resolution_from_remote_vpc.unwrap_or(false),
        )
    });
    let routes = world.route_tables().flat_map(|table| {
        let line = |route: &ec2sim::RouteView| {
            format!("{} {} to {} {}", table.id, route.destination, target(world, &route.target), route.state)
        };
        table.routes.iter().map(line).collect::<Vec<_>>()
    });
    peerings.chain(routes).collect()
}

fn target(world: &World, target: &Target) -> String {
    let Target::Peering(id) = target else { return target.to_string() };
    match world.peering(id) {
        Some(view) if view.status == PeeringStatus::Active => {
            format!("{} -> {}", view.requester.vpc, view.accepter.vpc)
        }
        Some(view) => view.status.to_string(),
        None => "a purged peering".to_owned(),
    }
}

fn said(stage: &Stage) -> BTreeMap<String, BTreeSet<String>> {
    let names = stage.operator.cluster.names();
    let objects = names.iter().filter_map(|name| Some((name, stage.operator.cluster.raw(name)?)));
    objects
        .filter(|(name, object)| name.0 != Kind::PeeringPolicy && !is_drift_that_was(&name.1, object))
        .map(|(name, object)| (timeless(&name.1), said_by(object)))
        .collect()
}

/// What a drift's incident is called without the moment when it began: that is how the object came here, not where it is.
fn timeless(name: &str) -> String {
    name.split_once(DRIFT).map_or_else(|| name.to_owned(), |(object, _)| format!("drift of {object}"))
}

/// The incident of a drift that has ended says nothing of now.
fn is_drift_that_was(name: &str, object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let is_resolved = |condition: &Value| condition["type"] == "Resolved" && condition["status"] == "True";
    name.contains(DRIFT) && conditions.into_iter().any(is_resolved)
}

const DRIFT: &str = "-drift-";

fn said_by(object: &Value) -> BTreeSet<String> {
    let status = &object["status"];
    let list = |name: &str| status[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let conditions = list("conditions").into_iter().map(|condition| {
        format!("{}={} {}", text(&condition["type"]), text(&condition["status"]), text(&condition["reason"]))
    });
    let exceptions = list("exceptions").into_iter().map(|exception| {
        let parts = ["side", "subject", "routeTableId", "destination", "reason"];
        format!("exception: {}", parts.map(|part| text(&exception[part])).join(" "))
    });
    let held = list("held").into_iter().map(|held| format!("held: {}", text(&held["reason"])));
    let rest = [
        format!("state: {}", text(&status["state"])),
        format!("routes: {}", text(&status["routes"]["summary"])),
        format!("deleting: {}", object["metadata"]["deletionTimestamp"].is_string()),
    ];
    conditions.chain(exceptions).chain(held).chain(rest).collect()
}
