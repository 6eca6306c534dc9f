//! Report and memory -> the whole status.

use super::{
    Carried, clip,
    conditions::{Said, conditions},
    rectangles::rectangles,
    timestamp, write,
};
use crate::api::{ConditionType, Reason, Timestamp, VpcPeeringStatus, status as api};
use peerkeeper_core::ids::{RouteTableId, Side};
use peerkeeper_core::memory::{ClosedLoss, Episode, How, Memory};
use peerkeeper_core::plan::{Count, Exception, Held, Report, Truth};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// What a status may take: a third of what etcd takes for a whole object.
///
/// Memory must be stored whole or not at all, so what is shown gives way to it: first the inventory, which repeats it for
/// people, then the exceptions, whose total is counted. 10,000 routes fit in all the shapes that declarations lead to,
/// and in wild ones too. Only thousands of IPv6 host routes, each strewn and remembered differently from its neighbours,
/// take memory itself beyond this, to some 650 KiB, which etcd still takes. A status that the API server refuses stops
/// the object before anything is changed.
pub const STATUS_MAX_BYTES: usize = 512 * 1024;
/// What is left free of that, since the sizes of parts do not quite add up to that of the whole.
pub(super) const SPARE_BYTES: usize = 8 * 1024;
/// The inventory repeats what memory holds, for people: it is what gives way first.
const INVENTORY_MAX_BYTES: usize = 64 * 1024;
const EXCEPTION_MESSAGE_MAX_BYTES: usize = 400;
const SUBJECT_MAX_BYTES: usize = 160;
const HELD_MAX_BYTES: usize = 400;

/// The status to store. It depends on nothing but its arguments, and on `now` only where the status of a condition
/// changes: an object in sync is written once and then not again.
///
/// `carried` is what [`super::memory`] returned beside the memory.
pub fn status(
    memory: &Memory,
    carried: &Carried,
    report: &Report,
    previous: Option<&VpcPeeringStatus>,
    now: Timestamp,
) -> VpcPeeringStatus {
    let before = previous.map(|previous| previous.conditions.as_slice()).unwrap_or_default();
    let said = report.conditions.iter().map(Said::from);
    let mut status = VpcPeeringStatus {
        observed_generation: Some(report.observed_generation),
        conditions: conditions(said, before, report.observed_generation, now),
        state: Some(api::PeeringState::from(report.aws_state.to_string())),
        peering_id: report.peering.map(|id| id.to_string()),
        routes: Some(counts(report)),
        inventory: Vec::new(),
        exceptions: report.exceptions.iter().take(Report::EXCEPTIONS_MAX).map(exception).collect(),
        exceptions_total: (report.exceptions_total > 0).then_some(i64::from(report.exceptions_total)),
        held: report.held.iter().take(Report::HELD_MAX).map(held).collect(),
        last_deletion: last_deletion(report, previous.and_then(|previous| previous.last_deletion.as_ref())),
        memory: Some(write::memory(memory, carried)),
    };
    let exceptions = std::mem::take(&mut status.exceptions);
    let mut room = (STATUS_MAX_BYTES - SPARE_BYTES).saturating_sub(size_bytes(&status));
    status.exceptions = as_fits(exceptions, &mut room);
    room = room.min(INVENTORY_MAX_BYTES);
    status.inventory = as_fits(inventory(memory, report), &mut room);
    status
}

/// The first of them, as many as there is room for.
pub(super) fn as_fits<T: serde::Serialize>(
    list: impl IntoIterator<Item = T>,
    room_bytes: &mut usize,
) -> Vec<T> {
    let fits = |one: &T| {
        let left = room_bytes.checked_sub(size_bytes(one) + 1);
        *room_bytes = left.unwrap_or(0);
        left.is_some()
    };
    list.into_iter().take_while(fits).collect()
}

/// The status of an object that can't be read. Everything else stays as it was, memory above all.
pub fn invalid(
    previous: Option<&VpcPeeringStatus>,
    generation: i64,
    why: &str,
    now: Timestamp,
) -> VpcPeeringStatus {
    let mut status = previous.cloned().unwrap_or_default();
    let said = [(ConditionType::Ready, Truth::False), (ConditionType::Stalled, Truth::True)];
    let said = said.map(|(kind, truth)| Said {
        kind: kind.as_str(),
        truth,
        reason: Reason::InvalidObject.as_str(),
        message: why,
    });
    let fresh = conditions(said, &status.conditions, generation, now);
    // What the others say was true when it was last looked; that work goes on would not be.
    let replaced = [ConditionType::Ready, ConditionType::Stalled, ConditionType::Reconciling];
    status.conditions.retain(|before| replaced.iter().all(|kind| kind.as_str() != before.type_));
    status.conditions.splice(0..0, fresh);
    status.observed_generation = Some(generation);
    status
}

fn counts(report: &Report) -> api::RouteCounts {
    let side = |Count { declared, in_sync }: &Count| api::SideRouteCounts {
        declared: i64::from(*declared),
        in_sync: i64::from(*in_sync),
    };
    let (requester, accepter) = (side(&report.routes.requester), side(&report.routes.accepter));
    let summary =
        format!("{}/{}", requester.in_sync + accepter.in_sync, requester.declared + accepter.declared);
    api::RouteCounts { summary, requester, accepter }
}

/// The routes of ours that lead to the peering, without those that the report takes exception to. None while the
/// peering has ended: they lead nowhere then.
fn inventory(memory: &Memory, report: &Report) -> Vec<api::InventoryGroup> {
    let state = api::PeeringState::from(report.aws_state.to_string());
    if !matches!(state, api::PeeringState::Active | api::PeeringState::Unknown) {
        return Vec::new();
    }
    let wrong: BTreeSet<_> = report.exceptions.iter().filter_map(|exception| exception.slot).collect();
    let mut cells: BTreeMap<Side, BTreeSet<_>> = BTreeMap::new();
    for (slot, owned) in &memory.slots {
        let leads_there = owned.how != How::Intended && Some(owned.to) == report.peering;
        if leads_there && !wrong.contains(slot) {
            cells.entry(slot.side).or_default().insert((slot.table, slot.destination));
        }
    }
    let groups = cells.iter().flat_map(|(side, cells)| {
        rectangles(cells).into_iter().map(|rectangle| api::InventoryGroup {
            side: write::side(*side),
            route_table_ids: write::texts(&rectangle.tables),
            destinations: write::texts(&rectangle.destinations),
        })
    });
    groups.collect()
}

fn exception(exception: &Exception) -> api::RouteException {
    let Exception { side, slot, subject, reason, message } = exception;
    let named: Option<RouteTableId> = subject.parse().ok();
    api::RouteException {
        side: write::side(*side),
        subject: clip(subject, SUBJECT_MAX_BYTES),
        route_table_id: slot.map(|slot| slot.table).or(named).map(|table| table.to_string()),
        destination: slot.map(|slot| slot.destination.to_string()),
        reason: reason.as_str().to_owned(),
        message: clip(message, EXCEPTION_MESSAGE_MAX_BYTES),
    }
}

fn held(held: &Held) -> api::HeldAct {
    let Held { what, reason, release } = held;
    api::HeldAct {
        what: clip(what, HELD_MAX_BYTES),
        reason: reason.as_str().to_owned(),
        release: clip(release, HELD_MAX_BYTES),
    }
}

/// The loss that is open, else the last one that was settled.
fn last_deletion(report: &Report, previous: Option<&api::LastDeletion>) -> Option<api::LastDeletion> {
    match (&report.loss, &report.last_loss) {
        (Some(open), _) => Some(open_loss(open)),
        (None, Some(closed)) => Some(settled_loss(closed, previous)),
        (None, None) => None,
    }
}

fn open_loss(loss: &Episode) -> api::LastDeletion {
    api::LastDeletion {
        peering_id: loss.lost.to_string(),
        detected_at: timestamp(loss.detected),
        class: Some(loss.class.as_str().to_owned()),
        state: Some(write::ending(loss.ending)),
        status_message: (!loss.message.is_empty()).then(|| clip(&loss.message, write::MESSAGE_MAX_BYTES)),
        by_account_id: loss.by_account.map(|account| account.to_string()),
        routes_affected: Some(i64::from(loss.routes)),
        action: Some(write::action(loss.action).to_owned()),
        outcome: None,
        restored_peering_id: None,
        resolved_at: None,
    }
}

/// What was only known while it was open is kept as it was shown then.
fn settled_loss(loss: &ClosedLoss, previous: Option<&api::LastDeletion>) -> api::LastDeletion {
    let lost = loss.lost.to_string();
    let shown =
        previous.filter(|shown| shown.peering_id == lost && shown.detected_at == timestamp(loss.detected));
    api::LastDeletion {
        peering_id: lost,
        detected_at: timestamp(loss.detected),
        class: Some(loss.class.as_str().to_owned()),
        state: shown.and_then(|shown| shown.state.clone()),
        status_message: shown.and_then(|shown| shown.status_message.clone()),
        by_account_id: loss.by_account.map(|account| account.to_string()),
        routes_affected: shown.and_then(|shown| shown.routes_affected),
        action: shown.and_then(|shown| shown.action.clone()),
        outcome: Some(loss.outcome.as_str().to_owned()),
        restored_peering_id: loss.successor.map(|id| id.to_string()),
        resolved_at: Some(timestamp(loss.closed)),
    }
}

/// As JSON, which is what the API server and etcd count.
pub(super) fn size_bytes(value: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What can't be written as JSON can't be stored either; whoever stores it says so.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}
