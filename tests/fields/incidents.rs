//! What people decide about incidents; and CloudTrail's history, asked for who it was.

use std::sync::Arc;

use ec2sim::{Caller, IdentityKind, Request, TrailRecord};
use peerkeeper_core::ids::{AccountRegion, ObjectKey, PeeringId, Side};
use peerkeeper_core::time::Wall;
use peerkeeper_core::trail::{Actor, ActorKind, Call, Heard, Issuer, TrailEvent};
use peerkeeper_core::witness::Asked;
use serde_json::json;

use super::operator::{EPOCH_S, Operator};
use super::schema::Kind;

/// How long an answer of CloudTrail's history counts as new.
const ASK_EVERY_S: i64 = 30;

impl Operator {
    /// A person reads the plans that wait for one, and approves each.
    pub fn approve_all(&mut self) {
        for name in self.cluster.names().into_iter().filter(|name| name.0 == Kind::PeeringIncident) {
            let mut object = self.cluster.raw(&name).expect("it was listed").clone();
            if object["status"]["phase"] != "AwaitingApproval" && object["status"]["phase"] != "Held" {
                continue;
            }
            let digest = object["status"]["plan"]["digest"].clone();
            object["spec"]["decision"] = json!({"verdict": "Approve", "planDigest": digest, "decidedBy": "ada", "reason": "it was a mistake"});
            self.apply(&object).expect("the schema admits a decision");
        }
    }

    /// Asks the event histories of both sides who ended a peering.
    pub fn look_up(&mut self, key: &ObjectKey, lost: PeeringId) {
        let Some(Ok(desired)) = self.state.peerings.get(key).map(|known| known.desired.clone()) else {
            return;
        };
        let now = self.now().wall;
        // It is asked again as long as it does not know.
        let is_fresh = |asked: &Asked| matches!(asked, Asked::Answered(at) if now.since_s(*at) < ASK_EVERY_S);
        let known = self.witness.get(key);
        if known.is_some_and(|known| Side::BOTH.iter().any(|side| is_fresh(known.history.get(*side)))) {
            return;
        }
        let mut witness = self.witness.remove(key).unwrap_or_default();
        for side in Side::BOTH {
            let place = Self::place_of(&desired, side);
            let at = place.filter(|place| self.identity(&place.0).is_ok()).and_then(|place| self.at(&place));
            *witness.history.get_mut(side) = match at {
                None => Asked::Unavailable("no credentials".into()),
                Some(at) => {
                    let caller = Caller::new(at.account.to_string().as_str(), at.region.as_str());
                    let records = self.world.history(&caller);
                    let events = records.iter().filter_map(|record| event(record, at, lost)).map(Arc::new);
                    for event in events {
                        if !witness.events.contains(&event) {
                            witness.events.push(event);
                        }
                    }
                    Asked::Answered(now)
                }
            };
        }
        self.witness.insert(key.clone(), witness);
        self.hint(key);
    }
}

/// A call that was done and ended this peering.
fn event(record: &TrailRecord, at: AccountRegion, lost: PeeringId) -> Option<TrailEvent> {
    let is_of = |id: &String| *id == lost.to_string();
    let call = match &record.request {
        Request::DeleteVpcPeeringConnection { peering_id } if is_of(peering_id) => Call::DeletePeering(lost),
        Request::RejectVpcPeeringConnection { peering_id } if is_of(peering_id) => Call::RejectPeering(lost),
        _ => return None,
    };
    record.answer.as_ref().ok()?;
    Some(TrailEvent {
        id: record.event_id().into(),
        at: Wall(EPOCH_S + i64::try_from(record.at_ms / 1000).expect("small")),
        place: at,
        call,
        actor: actor(&record.caller, at),
        heard: Heard::History,
        request_id: record.request_id().into(),
        record: record.json().into(),
    })
}

fn actor(caller: &Caller, at: AccountRegion) -> Actor {
    let identity = caller.identity();
    let (kind, issuer, user_name) = match &identity.kind {
        IdentityKind::Root => (ActorKind::Root, None, None),
        IdentityKind::User { name, .. } => (ActorKind::IamUser, None, Some(name.as_str().into())),
        IdentityKind::Role { name, path, .. } => {
            let arn = caller.role_arn().unwrap_or_default().into();
            let issuer =
                Issuer { arn, account: at.account, path: path.as_str().into(), name: name.as_str().into() };
            (ActorKind::AssumedRole, Some(issuer), None)
        }
        IdentityKind::Service { .. } => (ActorKind::AwsService, None, None),
    };
    Actor {
        kind,
        account: Some(at.account),
        arn: caller.arn().unwrap_or_default().into(),
        principal_id: caller.principal_id().unwrap_or_default().into(),
        issuer,
        user_name,
        access_key_id: None,
        source_identity: identity.source_identity.as_deref().map(Arc::from),
        mfa: Some(identity.mfa),
        source_address: identity.source_ip.as_str().into(),
        user_agent: identity.user_agent.as_str().into(),
    }
}
