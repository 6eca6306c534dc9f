//! Orders about the world itself: what no call can bring about.

use serde_json::{Value, json};

use super::order::{Order, named};
use crate::ids::{PeeringId, RouteTableId, VpcId};
use crate::queue::{QueueId, Receive};
use crate::request::{Action, Caller, Request};
use crate::trail::EventPattern;
use crate::view::{PeeringStatus, PeeringView};
use crate::wire::parse_pattern;
use crate::world::{Role, Throttling, Trust, Who, World};

type Answer = Result<Value, String>;

pub(crate) fn act(world: &mut World, mut order: Order) -> Answer {
    match order.must("do")?.as_str() {
        "force_peering" => force_peering(world, order),
        "deny" => permit(world, order, false),
        "allow" => permit(world, order, true),
        "quotas" => set_quotas(world, order),
        "break_target" => target(world, order, World::break_target),
        "mend_target" => target(world, order, World::mend_target),
        "propagate_route" => propagate(world, order),
        "delete_vpc_in_console" => delete_vpc(world, order),
        "throttle" => throttle(world, order),
        "deliver_events" => deliver_events(world, order),
        "open_queue" => open_queue(world, order),
        "keep_history" => {
            let on = order.truth("on")?.ok_or("on is missing")?;
            order.end()?;
            world.keep_history(on);
            Ok(json!({}))
        }
        "set_role" => set_role(world, order),
        "strict_roles" => {
            let on = order.truth("on")?.ok_or("on is missing")?;
            order.end()?;
            world.set_strict_roles(on);
            Ok(json!({}))
        }
        "scramble_ids" => {
            order.end()?;
            world.scramble_ids();
            Ok(json!({}))
        }
        other => Err(format!(
            "{other} is none of force_peering, deny, allow, quotas, break_target, mend_target, propagate_route, \
             delete_vpc_in_console, throttle, deliver_events, open_queue, keep_history, set_role, strict_roles, \
             scramble_ids"
        )),
    }
}

fn force_peering(world: &mut World, mut order: Order) -> Answer {
    let (id, status) = (order.must("id")?, order.must("status")?);
    order.end()?;
    let wanted = PeeringStatus::ALL.iter().find(|known| known.as_str() == status);
    let wanted = wanted.ok_or_else(|| format!("{status} is no status of a peering"))?;
    let there = PeeringId::parse(&id).is_some_and(|id| world.force_peering(&id, *wanted));
    if there { Ok(json!({})) } else { Err(format!("there is no peering {id}")) }
}

fn permit(world: &mut World, mut order: Order, allowed: bool) -> Answer {
    let (account, region) = (order.must("account")?, order.must("region")?);
    let action = order.must("action")?;
    order.end()?;
    let action = named(Action::ALL, &action)?;
    if allowed {
        world.allow(account, region, action)
    } else {
        world.deny(account, region, action)
    }
    Ok(json!({}))
}

/// Those that are named; the others stay.
fn set_quotas(world: &mut World, mut order: Order) -> Answer {
    let (account, region) = (order.must("account")?, order.must("region")?);
    let mut quotas = world.quotas(account.as_str(), region.as_str());
    for (name, quota) in [
        ("active_peerings_per_vpc", &mut quotas.active_peerings_per_vpc),
        ("outstanding_requests", &mut quotas.outstanding_requests),
        ("pending_peerings_per_vpc", &mut quotas.pending_peerings_per_vpc),
        ("routes_per_table", &mut quotas.routes_per_table),
        ("tables_per_vpc", &mut quotas.tables_per_vpc),
        ("ipv4_cidrs_per_vpc", &mut quotas.ipv4_cidrs_per_vpc),
        ("tags_per_resource", &mut quotas.tags_per_resource),
    ] {
        *quota = order.count(name)?.unwrap_or(*quota);
    }
    order.end()?;
    world.set_quotas(account, region, quotas);
    Ok(json!({}))
}

fn target(world: &mut World, mut order: Order, change: fn(&mut World, &str)) -> Answer {
    let id = order.must("id")?;
    order.end()?;
    change(world, &id);
    Ok(json!({}))
}

fn propagate(world: &mut World, mut order: Order) -> Answer {
    let (table, vgw) = (order.must("route_table_id")?, order.must("gateway_id")?);
    let cidr = order.must("cidr")?;
    order.end()?;
    let net: ipnet::IpNet = cidr.parse().map_err(|_| format!("{cidr} is no CIDR"))?;
    let there = RouteTableId::parse(&table)
        .is_some_and(|table| world.propagate_route(&table, net.trunc().into(), &vgw));
    if there { Ok(json!({})) } else { Err(format!("there is no route table {table}")) }
}

fn delete_vpc(world: &mut World, mut order: Order) -> Answer {
    let id = order.must("id")?;
    order.end()?;
    let vpc = VpcId::parse(&id).ok_or_else(|| format!("{id} is no VPC's id"))?;
    world.delete_vpc_in_console(&vpc).map(|()| json!({})).map_err(|failure| failure.to_string())
}

/// AWS's token buckets, on or off.
fn throttle(world: &mut World, mut order: Order) -> Answer {
    let on = order.truth("on")?.ok_or("on is missing")?;
    order.end()?;
    world.set_throttling(on.then(Throttling::aws));
    Ok(json!({}))
}

fn queue(order: &mut Order) -> Result<QueueId, String> {
    let arn = order.must("queue_arn")?;
    QueueId::parse(&arn).ok_or_else(|| format!("{arn} is no queue's ARN"))
}

/// A trail, a rule and its queue, made if it is not there. `pattern` is EventBridge's, as an object; without it the
/// rule takes every call of EC2 that succeeded.
fn deliver_events(world: &mut World, mut order: Order) -> Answer {
    let (account, region) = (order.must("account")?, order.must("region")?);
    let (queue, pattern) = (queue(&mut order)?, order.take("pattern"));
    order.end()?;
    let pattern = match pattern {
        Some(pattern) => parse_pattern(&pattern.to_string()).map_err(|error| error.to_string())?,
        None => EventPattern::ec2(Vec::<String>::new()),
    };
    let owner = Caller::new(&queue.account, &queue.region);
    let there = world.can_wait(&owner, &Receive::from(&queue)) || world.has_message(&queue);
    if !there {
        let (name, attributes) = (queue.name.as_ref().to_owned(), Default::default());
        let create = Request::CreateQueue { name, attributes, tags: Default::default() };
        world.as_human(&queue.account, &queue.region, create).map_err(|failure| failure.to_string())?;
    }
    let done = world.deliver_events(account, region, &pattern, &queue);
    done.map(|()| json!({})).map_err(|failure| failure.to_string())
}

fn open_queue(world: &mut World, mut order: Order) -> Answer {
    let (queue, to) = (queue(&mut order)?, order.must("to")?);
    order.end()?;
    if world.open_queue(&queue, to) { Ok(json!({})) } else { Err(format!("there is no queue {queue}")) }
}

/// Who may assume a role: nobody but those in `trusts`, a list of objects with `account` or `principal`, an ARN, and
/// an `external_id` where one must be told.
fn set_role(world: &mut World, mut order: Order) -> Answer {
    let arn = order.must("arn")?;
    let wrong = "trusts is a list of those who may assume the role; an empty one is nobody";
    let trusts = match order.take("trusts") {
        Some(Value::Array(trusts)) => trusts.into_iter().map(trust).collect::<Result<Vec<_>, _>>()?,
        _ => return Err(wrong.to_owned()),
    };
    order.end()?;
    world.set_role(&arn, Role::trusting(trusts));
    Ok(json!({}))
}

fn trust(said: Value) -> Result<Trust, String> {
    let mut said = Order::parse(said.to_string().as_bytes())?;
    let who = match (said.text("account")?, said.text("principal")?) {
        (Some(account), None) => Who::Account(account.into()),
        (None, Some(arn)) => Who::Arn(arn),
        _ => return Err("each of trusts names an account or a principal".to_owned()),
    };
    let trust = Trust { who, external_id: said.text("external_id")? };
    said.end()?;
    Ok(trust)
}

/// The truth, without lag, tombstones included.
pub(crate) fn peerings(world: &World) -> Value {
    let show = |peering: PeeringView| {
        let side = |side: &crate::view::PeeringSide| json!({ "account": side.owner.as_str(), "region": side.region.as_str(), "vpc": side.vpc.as_str() });
        json!({
            "id": peering.id.as_str(), "status": peering.status.as_str(), "message": peering.message,
            "requester": side(&peering.requester), "accepter": side(&peering.accepter),
        })
    };
    json!({ "peerings": world.peerings().map(show).collect::<Vec<_>>() })
}
