//! Tags: the owner's, the origin's and the declared ones, on each side that we hold credentials for. A tag is visible only
//! in the account and Region that set it, so each side carries its own. They follow last: traffic comes first.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::desired::Reaction;
use crate::drift::{Aspect, NONE};
use crate::few::Few;
use crate::ids::{ORIGIN_TAG_KEY, OwnerTag, PeeringId, Side};
use crate::memory::Origin;
use crate::observed::Tags;
use crate::write::{TagSet, Write};

use super::draft::{Draft, Offer};
use super::drift;

pub(crate) fn plan(draft: &mut Draft<'_>, active: PeeringId) {
    // With routes still to be written, tags wait for the next wave.
    if !draft.wave.is_empty() {
        return;
    }
    let wanted = wanted(draft, Origin::Adopted);
    for side in Side::BOTH {
        if !draft.is_managed(side) || (side == Side::Accepter && draft.sight().pair.is_one_place()) {
            continue;
        }
        plan_side(draft, active, side, &wanted);
    }
}

/// Every tag that the peering is to carry; `unknown` is what an origin that nobody remembers counts as.
pub(crate) fn wanted(draft: &Draft<'_>, unknown: Origin) -> TagSet {
    let origin = draft.memory.origin.unwrap_or(unknown);
    let mut tags = draft.input.desired.tags.clone();
    tags.insert(OwnerTag::KEY.into(), draft.input.desired.owner_tag().to_string().into());
    tags.insert(ORIGIN_TAG_KEY.into(), origin.as_str().into());
    tags
}

fn plan_side(draft: &mut Draft<'_>, active: PeeringId, side: Side, wanted: &TagSet) {
    let Some(shown) = draft.sight().row(active).and_then(|row| row.tags(side)).cloned() else { return };
    let differs = |(key, value): &(&Arc<str>, &Arc<str>)| shown.get(key) != Some(*value);
    let set: TagSet =
        wanted.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect();
    let applied = draft.memory.tag_keys.get(side).clone();
    let gone: BTreeSet<Arc<str>> =
        applied.iter().filter(|key| !wanted.contains_key(*key) && shown.contains_key(key)).cloned().collect();
    let settled_before = draft.memory.settled_generation == draft.input.desired.generation;
    // The owner tag is not drift: without it the peering would be nobody's.
    let only_declared = !set.contains_key(OwnerTag::KEY) && !set.contains_key(ORIGIN_TAG_KEY);
    let known_before = set.keys().all(|key| applied.contains(key));
    for key in wanted.keys().filter(|key| !set.contains_key(*key)) {
        drift::sound(draft, Aspect::Tag(side, key.clone()));
    }
    let is_left = settled_before && known_before && only_declared && draft.on_drift() == Reaction::Flag;
    let set = if is_left { leave(draft, side, &shown, set) } else { Some(set) };
    let Some(set) = set else {
        draft.stuck(
            crate::reason::Reason::Drifted,
            format!("tags on the {side} side differ from what is declared; the policy's onDrift says Flag"),
        );
        return;
    };
    let keys: Few<Arc<str>> = wanted.keys().cloned().chain(gone.iter().cloned()).collect();
    *draft.memory.tag_keys.get_mut(side) = keys;
    if !set.is_empty() {
        let keys: Vec<Arc<str>> = set.keys().cloned().collect();
        if draft.offer(side, Write::Tag { id: active, set }) == Offer::Joined {
            keys.into_iter().for_each(|key| drift::repairing(draft, &Aspect::Tag(side, key)));
        }
    } else if !gone.is_empty() {
        draft.offer(side, Write::Untag { id: active, keys: gone });
    }
}

/// Flags what differs, but for what a person approved to have put right. `None`: something differs and nothing is approved.
fn leave(draft: &mut Draft<'_>, side: Side, shown: &Tags, set: TagSet) -> Option<TagSet> {
    let (is_whole, mut approved) = (set.is_empty(), TagSet::new());
    for (key, value) in set {
        let aspect = Aspect::Tag(side, key.clone());
        let after = shown.get(&key).map_or(NONE, |shown| &**shown);
        if drift::is_approved(draft, &aspect, after) {
            approved.insert(key, value);
        } else {
            drift::flag(draft, aspect, value, after);
        }
    }
    (is_whole || !approved.is_empty()).then_some(approved)
}
