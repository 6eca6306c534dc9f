//! The peering itself: find, adopt, create, accept, wait. Returns the id once it is active.

use crate::desired::{AccountRef, Adoption, Grant};
use crate::few::Few;
use crate::ids::{PeeringId, Side};
use crate::memory::{Life, LossOutcome, Origin, RefusedRequest};
use crate::observed::{Ending, PeeringState, Seen};
use crate::reason::Reason;
use crate::write::{OursBecause, PeeringProof, Write};

use super::draft::{Draft, Offer};
use super::loss;
use super::report::State;
use super::sight::{IdState, Ownership, Row};
use super::tags;

pub(crate) fn plan(draft: &mut Draft<'_>) -> Option<PeeringId> {
    remove_own_twins(draft);
    forget_old_intent(draft);
    match draft.memory.life {
        Life::NeverSeen => begin(draft),
        Life::Requested { id, replaces } => requested(draft, id, replaces),
        Life::Established(id) => established(draft, id),
        Life::Released { lost, generation } => released(draft, lost, generation),
    }
}

/// Nothing is remembered: find one of the pair, or ask for one.
fn begin(draft: &mut Draft<'_>) -> Option<PeeringId> {
    if let Some(id) = established_before(draft) {
        draft.memory.life = Life::Established(id);
        draft.memory.pair = Some(draft.sight().pair);
        return established(draft, id);
    }
    if let Some(id) = draft.input.desired.established
        && draft.memory.ending_of(id).is_none()
        && matches!(draft.sight().id_state(id, &draft.memory), IdState::Unknown(_) | IdState::Between(_))
    {
        // It was once ours; until AWS says what became of it, making another could make two.
        draft.state = State::Unknown;
        draft.working(
            Reason::AwsUnavailable,
            format!("{id} was established before and is not shown yet; AWS is asked again"),
        );
        draft.poll();
        return None;
    }
    find_or_ask(draft)
}

fn find_or_ask(draft: &mut Draft<'_>) -> Option<PeeringId> {
    match choose(draft) {
        Choice::Take(id) => take(draft, id, None),
        Choice::Blocked => None,
        Choice::NoneLive => {
            ask(draft);
            None
        }
    }
}

/// The annotation's peering, if it ended: then this is a loss, though status was dropped. A live one is found by its pair.
fn established_before(draft: &Draft<'_>) -> Option<PeeringId> {
    // One whose end is remembered was dealt with: status is not lost, and it is no new loss.
    let id = draft.input.desired.established.filter(|id| draft.memory.ending_of(*id).is_none())?;
    let sight = draft.sight();
    // A record that shows another pair is not ours, whatever the annotation says; one that is absent can't be asked.
    let shown_elsewhere = Side::BOTH.into_iter().any(|side| {
        let readings = draft.input.observed.get(side).peerings.readings();
        readings
            .filter_map(|r| r.get(id))
            .any(|p| crate::observed::Resource::group(&**p) != sight.pair.pair())
    });
    let ended = matches!(sight.id_state(id, &draft.memory), IdState::Ended(_));
    let nothing_live = sight.live().next().is_none();
    (ended && nothing_live && !shown_elsewhere).then_some(id)
}

enum Choice {
    Take(PeeringId),
    NoneLive,
    /// There is one and it is not to be had, or we can't see well enough. It has been said.
    Blocked,
}

/// Of several live ones: ours by tag, then the active, then the lowest id. (A remembered one never comes here.)
fn choose(draft: &mut Draft<'_>) -> Choice {
    if let Some(blind) = blindness(draft) {
        let what = "the peerings of this pair";
        draft.state = State::Unknown;
        draft.blind(what, &blind);
        return Choice::Blocked;
    }
    let mine = draft.input.desired.owner_tag();
    let rank = |(id, row): &(PeeringId, &Row)| {
        let tagged = row.owner(&mine).as_ref() == Some(&mine);
        (!tagged, !row.is_active(), *id)
    };
    // One that is about to be removed is none to be taken.
    let lasting = draft.sight().live().filter(|(id, row)| !is_own_twin(draft, *id, row));
    let best = lasting.min_by_key(rank).map(|(id, _)| id);
    let Some(id) = best else { return Choice::NoneLive };
    match ownership(draft, id) {
        Ownership::Ours => Choice::Take(id),
        Ownership::Nobody if draft.input.desired.adoption == Adoption::IfUnowned => Choice::Take(id),
        Ownership::Nobody => {
            draft.state = State::Stopped;
            draft.stuck(
                Reason::AdoptionDisabled,
                format!(
                    "{id} is live between these VPCs and nobody's; set adoption to IfUnowned, or delete it"
                ),
            );
            Choice::Blocked
        }
        Ownership::OtherOwner(owner) => {
            draft.state = State::Stopped;
            draft.stuck(
                Reason::OwnedElsewhere,
                format!("{id} carries the owner tag {owner}; it is left alone"),
            );
            Choice::Blocked
        }
        Ownership::OtherObject(key) => other_object(draft, id, key),
        Ownership::NotSeen => {
            wait_to_be_shown(draft, id);
            Choice::Blocked
        }
    }
}

/// Tags are seen only in the account that set them: taken for nobody's meanwhile, our own would count as adopted for ever.
fn wait_to_be_shown(draft: &mut Draft<'_>, id: PeeringId) {
    draft.working(Reason::WaitingForAws, format!("{id} is shown by one side only; whose it is follows"));
    draft.poll();
}

/// A tag of our installation that names another object counts only while that object exists.
fn other_object(draft: &mut Draft<'_>, id: PeeringId, key: crate::ids::ObjectKey) -> Choice {
    match draft.input.lookup {
        Some((asked, exists)) if *asked == key => {
            if !exists && draft.input.desired.adoption == Adoption::IfUnowned {
                return Choice::Take(id);
            }
            draft.state = State::Stopped;
            let message =
                format!("{id} carries the owner tag of VpcPeering {key}; delete that object, or this one");
            draft.stuck(Reason::OwnedElsewhere, message);
        }
        _ => draft.lookup = Some(key),
    }
    Choice::Blocked
}

/// Why the pair can't be judged: no side shows it now.
fn blindness(draft: &Draft<'_>) -> Option<crate::observed::Unseen> {
    let sight = draft.sight();
    // The requester's side shows every peering of its VPC, so it is enough; the other side alone is not, as a request
    // that is still being initiated is not visible there.
    sight.blind.requester.clone()
}

pub(crate) fn ownership(draft: &Draft<'_>, id: PeeringId) -> Ownership {
    let input = draft.input;
    let Some(row) = draft.sight().row(id) else { return Ownership::Nobody };
    // An id that Create returned may be another's: same direction, same id. Only the tag makes it ours.
    let remembered = draft.memory.peering() == Some(id) && draft.memory.origin.is_some();
    let mine = input.desired.owner_tag();
    match row.owner(&mine) {
        Some(owner) if owner == mine => Ownership::Ours,
        // A rename rewrites the tag of the object it took over from.
        Some(owner) if owner.owner_id == input.desired.owner_id && remembered => Ownership::Ours,
        Some(owner) if owner.owner_id == input.desired.owner_id => Ownership::OtherObject(owner.object),
        Some(owner) => Ownership::OtherOwner(owner),
        None if remembered => Ownership::Ours,
        None if row.is_unshown() => Ownership::NotSeen,
        None => Ownership::Nobody,
    }
}

/// Takes a live peering of the pair as this object's.
fn take(draft: &mut Draft<'_>, id: PeeringId, replaces: Option<PeeringId>) -> Option<PeeringId> {
    draft.memory.pair = Some(draft.sight().pair);
    if draft.memory.peering() != Some(id) || draft.memory.origin.is_none() {
        draft.memory.origin = Some(origin_of(draft, id, replaces));
    }
    draft.memory.refused = None;
    close_intent(draft, id);
    draft.memory.life = Life::Requested { id, replaces };
    requested(draft, id, replaces)
}

/// This is what was asked for last: AWS makes no second one in the same direction. One from the other end is not, and the
/// request may still show up beside it.
fn close_intent(draft: &mut Draft<'_>, id: PeeringId) {
    if draft.sight().row(id).is_some_and(|row| is_asked_from_here(draft, row)) {
        draft.memory.create_intent = None;
    }
}

pub(crate) fn is_asked_from_here(draft: &Draft<'_>, row: &Row) -> bool {
    row.any().is_some_and(|p| p.requester.vpc == draft.sight().pair.sides.requester.vpc)
}

/// A peering with our tag is what the tag beside it says; one of anybody else's making was adopted. What replaces a lost
/// one inherits from it, if it was our doing.
fn origin_of(draft: &Draft<'_>, id: PeeringId, replaces: Option<PeeringId>) -> Origin {
    let Some(row) = draft.sight().row(id) else { return Origin::Adopted };
    let mine = draft.input.desired.owner_tag();
    let ours = row.owner(&mine).is_some_and(|owner| owner == mine);
    if !ours {
        return Origin::Adopted;
    }
    let inherited = replaces.and(draft.memory.origin);
    let tagged = row.origin_tag().and_then(Origin::parse);
    tagged.or(inherited).unwrap_or(Origin::Adopted)
}

fn requested(draft: &mut Draft<'_>, id: PeeringId, replaces: Option<PeeringId>) -> Option<PeeringId> {
    draft.state = if replaces.is_some() { State::Restoring } else { State::Creating };
    match draft.sight().id_state(id, &draft.memory) {
        IdState::Ended(ending) => {
            ended_before_active(draft, id, replaces, ending);
            None
        }
        IdState::Between(state) => {
            draft.working(Reason::WaitingForAws, format!("{id} is {}", state.as_str()));
            draft.poll();
            None
        }
        IdState::Unknown(unseen) => {
            draft.blind(&id.to_string(), &unseen);
            draft.poll();
            None
        }
        IdState::Live(state) => live(draft, id, replaces, &state),
    }
}

fn live(
    draft: &mut Draft<'_>,
    id: PeeringId,
    replaces: Option<PeeringId>,
    state: &PeeringState,
) -> Option<PeeringId> {
    if !confirm_ours(draft, id, replaces) {
        return None;
    }
    close_intent(draft, id);
    draft.memory.refused = None;
    match state {
        PeeringState::Active => {
            draft.memory.life = Life::Established(id);
            draft.state = if draft.memory.episode.is_some() { State::Restoring } else { State::Active };
            draft.active = true;
            remember_cidrs(draft, id);
            Some(id)
        }
        PeeringState::PendingAcceptance if another_is_active(draft, id) => {
            // AWS accepts no second one: what can't become active is let go.
            let_go(draft, id, replaces);
            match choose(draft) {
                Choice::Take(active) if active != id => take(draft, active, replaces),
                _ => None,
            }
        }
        PeeringState::PendingAcceptance => {
            accept(draft, id);
            None
        }
        _ => {
            draft.state = if replaces.is_some() { State::Restoring } else { State::Provisioning };
            draft.working(Reason::WaitingForAws, format!("{id} is {}", state.as_str()));
            draft.poll();
            None
        }
    }
}

/// Whether a reading bears out that the peering is ours; if it turns out to be another's, it is let go.
fn confirm_ours(draft: &mut Draft<'_>, id: PeeringId, replaces: Option<PeeringId>) -> bool {
    match ownership(draft, id) {
        Ownership::Ours => {
            if draft.memory.origin.is_none() {
                draft.memory.origin = Some(origin_of(draft, id, replaces));
            }
            true
        }
        Ownership::Nobody if draft.input.desired.adoption == Adoption::IfUnowned => {
            draft.memory.origin = Some(Origin::Adopted);
            true
        }
        Ownership::NotSeen => {
            wait_to_be_shown(draft, id);
            false
        }
        Ownership::OtherOwner(owner) if draft.memory.origin.is_some() => {
            // Hands off, but not forgotten: a retagged peering that is then deleted is a loss all the same.
            draft.state = State::Stopped;
            let message = format!(
                "{id} was ours and now carries the owner tag {owner}; it is left alone until that tag is removed"
            );
            draft.stuck(Reason::OwnedElsewhere, message);
            false
        }
        _ => {
            draft.memory.life = before_it(draft, replaces);
            close_intent(draft, id);
            // Says why.
            let _ = choose(draft);
            false
        }
    }
}

/// Somebody else's request that we took up stands beside an active one. (One with our tag is removed as a twin.)
fn another_is_active(draft: &Draft<'_>, id: PeeringId) -> bool {
    let mine = draft.input.desired.owner_tag();
    let asked_by_us = draft.sight().row(id).and_then(|row| row.owner(&mine)) == Some(mine);
    !asked_by_us && draft.sight().live().any(|(other, row)| other != id && row.is_active())
}

fn accept(draft: &mut Draft<'_>, id: PeeringId) {
    let Some(side) = draft.sight().accepting_side(id) else { return };
    if draft.input.grants.get(side).is_foreign() {
        draft.state = State::AwaitingAcceptance;
        let account = draft.sight().pair.at(side);
        draft.working(
            Reason::AwaitingAcceptance,
            format!("{id} waits to be accepted in {account}, within seven days of the request"),
        );
        return;
    }
    draft.offer(side, Write::Accept(id));
}

/// A request that ended before it was ever active is not asked again by itself.
fn ended_before_active(draft: &mut Draft<'_>, id: PeeringId, replaces: Option<PeeringId>, ending: Ending) {
    let input = draft.input;
    draft.memory.remember_end(id, ending);
    let message = draft.sight().row(id).map(Row::message).unwrap_or_default();
    draft.memory.life = before_it(draft, replaces);
    draft.memory.refused = Some(RefusedRequest {
        id,
        ending,
        message,
        at: input.now.wall,
        generation: input.desired.generation,
        requested_at: input.desired.requested_at.clone(),
    });
    draft.memory.create_intent = None;
    if replaces.is_none() {
        draft.memory.origin = None;
    }
    draft.state = State::Stopped;
    say_refused(draft);
}

fn say_refused(draft: &mut Draft<'_>) {
    let Some(refused) = draft.memory.refused.clone() else { return };
    let reason = match refused.ending {
        Ending::Deleted | Ending::Absent => Reason::RequestDeleted,
        Ending::Rejected => Reason::RequestRejected,
        Ending::Expired => Reason::RequestExpired,
        Ending::Failed => Reason::RequestFailed,
    };
    let text = if refused.message.is_empty() { String::new() } else { format!(" ({})", refused.message) };
    let message = format!(
        "the request {} ended as {}{text} before it was active; change the spec, or set the annotation peerkeeper.dev/reconcile-requested-at, to ask again",
        refused.id,
        refused.ending.as_str(),
    );
    draft.stuck(reason, message);
}

fn established(draft: &mut Draft<'_>, id: PeeringId) -> Option<PeeringId> {
    match draft.sight().id_state(id, &draft.memory) {
        IdState::Live(PeeringState::Active) => live(draft, id, None, &PeeringState::Active),
        IdState::Live(state) | IdState::Between(state) => {
            draft.state = State::Unknown;
            draft.working(Reason::WaitingForAws, format!("{id} is {}", state.as_str()));
            draft.poll();
            None
        }
        IdState::Unknown(unseen) => {
            draft.state = State::Unknown;
            draft.blind(&id.to_string(), &unseen);
            None
        }
        IdState::Ended(ending) => {
            draft.memory.remember_end(id, ending);
            loss::open(draft, id, ending);
            replacement(draft, id)
        }
    }
}

/// A live peering of the pair takes the lost one's place, whoever made it; without one, the policy decides.
fn replacement(draft: &mut Draft<'_>, lost: PeeringId) -> Option<PeeringId> {
    match choose(draft) {
        Choice::Take(id) => take(draft, id, Some(lost)),
        Choice::Blocked => {
            draft.state = State::Lost;
            None
        }
        Choice::NoneLive => {
            loss::act(draft, lost);
            None
        }
    }
}

fn released(draft: &mut Draft<'_>, lost: PeeringId, generation: i64) -> Option<PeeringId> {
    draft.state = State::Released;
    if draft.input.desired.generation != generation {
        draft.memory.life = Life::NeverSeen;
        draft.memory.origin = None;
        // The annotation may still name the lost peering, which is settled: it is no new loss.
        return find_or_ask(draft);
    }
    match choose(draft) {
        Choice::Take(id) => take(draft, id, Some(lost)),
        Choice::Blocked => None,
        Choice::NoneLive if loss::reopen(draft, lost) => None,
        Choice::NoneLive => {
            loss::say_released(draft, lost);
            None
        }
    }
}

/// Asks AWS for a new peering, in the declared direction, if nothing speaks against it.
pub(crate) fn ask(draft: &mut Draft<'_>) {
    if draft.state != State::Restoring {
        draft.state = State::Pending;
    }
    if !draft.access_is_whole()
        || has_ended_unseen(draft)
        || is_refused(draft)
        || has_failed_before(draft)
        || !vpcs_are_fit(draft)
    {
        return;
    }
    let pair = draft.sight().pair;
    // What replaces a lost peering inherits its origin: an adopted one stays adopted, and outlives its declaration.
    let tags = tags::wanted(draft, Origin::Created);
    let offer = draft.offer(Side::Requester, Write::Create { pair, tags });
    if offer == Offer::Joined {
        remember_tombstones(draft);
        draft.memory.pair = Some(pair);
        draft.memory.create_intent = Some(draft.input.now.wall);
    }
    if matches!(offer, Offer::Joined | Offer::UnderWay) && draft.state != State::Restoring {
        draft.state = State::Creating;
    }
}

/// The last request ended unheard, and nobody asked for another since.
fn is_refused(draft: &mut Draft<'_>) -> bool {
    let desired = draft.input.desired;
    let Some(refused) = &draft.memory.refused else { return false };
    let asked_again =
        desired.generation != refused.generation || desired.requested_at != refused.requested_at;
    if asked_again {
        draft.memory.refused = None;
        return false;
    }
    draft.state = State::Stopped;
    say_refused(draft);
    true
}

/// What we asked for last ended before any reading showed it live: AWS fails a request to a wrong VPC, or one that
/// overlaps, within moments, and asking again would only make another of these.
fn has_ended_unseen(draft: &mut Draft<'_>) -> bool {
    let Some(asked) = draft.memory.create_intent else { return false };
    // One asked for before the loss was acted upon was to be what was lost, or a twin of it.
    let episode = draft.input.memory.episode.as_ref();
    if episode.is_some_and(|episode| episode.acted.is_none_or(|acted| asked < acted)) {
        return false;
    }
    let Some((id, ending)) =
        tombstones(draft).into_iter().find(|(id, _)| draft.memory.ending_of(*id).is_none())
    else {
        return false;
    };
    let replaces = match draft.memory.life {
        Life::Established(lost) => Some(lost),
        _ => None,
    };
    ended_before_active(draft, id, replaces, ending);
    true
}

/// Those that have ended by the time that we ask anew are not what we ask for.
fn remember_tombstones(draft: &mut Draft<'_>) {
    for (id, ending) in tombstones(draft) {
        draft.memory.remember_end(id, ending);
    }
}

/// Peerings of the pair with our tag that have ended.
fn tombstones(draft: &Draft<'_>) -> Vec<(PeeringId, Ending)> {
    let mine = draft.input.desired.owner_tag();
    let ended = draft.sight().rows.iter().filter_map(|(id, row)| match row.state() {
        Some(PeeringState::Ended(ending)) if row.owner(&mine).as_ref() == Some(&mine) => Some((*id, *ending)),
        _ => None,
    });
    ended.collect()
}

/// With status lost, tombstones still tell that a request of this pair failed, was rejected or expired.
fn has_failed_before(draft: &mut Draft<'_>) -> bool {
    let knows_nothing = draft.memory.life == Life::NeverSeen
        && draft.memory.past.is_empty()
        && draft.memory.requested_at.is_none();
    if !knows_nothing || draft.input.desired.requested_at.is_some() {
        return false;
    }
    let mine = draft.input.desired.owner_tag();
    let told = draft.sight().rows.iter().find_map(|(id, row)| match row.state() {
        Some(PeeringState::Ended(ending @ (Ending::Failed | Ending::Rejected | Ending::Expired))) => {
            (row.owner(&mine).as_ref() == Some(&mine)).then_some((*id, *ending))
        }
        _ => None,
    });
    let Some((id, ending)) = told else { return false };
    ended_before_active(draft, id, None, ending);
    true
}

/// Both VPCs are there, belong to the declared accounts, and do not overlap: AWS would only say `failed`.
fn vpcs_are_fit(draft: &mut Draft<'_>) -> bool {
    let mut cidrs = Vec::new();
    for side in Side::BOTH {
        if !draft.input.grants.get(side).readable() {
            continue;
        }
        let at = draft.sight().pair.sides.get(side).to_owned();
        match draft.sight().vpc(side) {
            Seen::Present(vpc) if vpc.owner != at.at.account => {
                let message = format!(
                    "{} belongs to account {}, which shares it; only its owner may peer it",
                    vpc.id, vpc.owner
                );
                draft.stuck(Reason::OwnedByOtherAccount, message);
                return false;
            }
            Seen::Present(vpc) => cidrs.push(vpc.cidrs.clone()),
            Seen::Absent(_) | Seen::Unknown(crate::observed::Unseen::Unproved) => {
                let message = format!(
                    "{} does not exist in {}; check the id, the account and the Region",
                    at.vpc, at.at
                );
                draft.stuck(Reason::VpcNotFound, message);
                return false;
            }
            Seen::Unknown(unseen) => {
                draft.blind(&at.vpc.to_string(), &unseen);
                return false;
            }
        }
    }
    !overlap(draft, &cidrs)
}

fn overlap(draft: &mut Draft<'_>, cidrs: &[Few<crate::ids::Cidr>]) -> bool {
    let [one, other] = cidrs else { return false };
    let clash = one.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))).find(|(a, b)| a.overlaps(*b));
    let Some((a, b)) = clash else { return false };
    draft.state = State::Stopped;
    draft.stuck(
        Reason::OverlappingCidrs,
        format!(
            "the VPCs overlap ({a} and {b}): AWS refuses such a peering, and no route could tell them apart"
        ),
    );
    true
}

/// Our own request beside a live peering of the same pair can't be accepted: somebody made one in the other direction at
/// the same moment. It is removed; true while one is left.
pub(crate) fn remove_own_twins(draft: &mut Draft<'_>) -> bool {
    let twins: Vec<PeeringId> =
        draft.sight().live().filter(|(id, row)| is_own_twin(draft, *id, row)).map(|(id, _)| id).collect();
    for id in &twins {
        let id = *id;
        let proof = PeeringProof { read: draft.sight().read_at(Side::Requester), why: OursBecause::Tagged };
        draft.offer(Side::Requester, Write::Remove(id, proof));
        // An object that goes remembers it until it has ended: not shown, or not found, it may still be there.
        if let Life::Requested { id: asked, replaces } = draft.memory.life
            && asked == id
            && !draft.input.desired.deleting
        {
            let_go(draft, id, replaces);
        }
    }
    !twins.is_empty()
}

/// Beside what an object that goes remembers, a request is not wanted either, whether that is active or not.
fn is_own_twin(draft: &Draft<'_>, id: PeeringId, row: &Row) -> bool {
    let mine = draft.input.desired.owner_tag();
    let deleting = draft.input.desired.deleting;
    let leaves_no_room =
        |other: PeeringId, row: &Row| row.is_active() || deleting && draft.memory.peering() == Some(other);
    row.state() == Some(&PeeringState::PendingAcceptance)
        && row.owner(&mine).as_ref() == Some(&mine)
        && is_asked_from_here(draft, row)
        && draft.sight().live().any(|(other, row)| other != id && leaves_no_room(other, row))
}

/// Forgets a request. One that we may have made is still to be looked for, should the object go while AWS does not show it.
fn let_go(draft: &mut Draft<'_>, id: PeeringId, replaces: Option<PeeringId>) {
    draft.memory.life = before_it(draft, replaces);
    draft.memory.origin = draft.memory.origin.filter(|_| replaces.is_some());
    if draft.sight().row(id).is_some_and(|row| is_asked_from_here(draft, row)) {
        draft.memory.create_intent = Some(draft.input.now.wall);
    }
}

/// What an object was about before it took up, or made, what it lets go of: nothing, a loss, or one that was settled.
fn before_it(draft: &Draft<'_>, replaces: Option<PeeringId>) -> Life {
    let Some(lost) = replaces else { return Life::NeverSeen };
    let last = draft.memory.last_loss.as_ref();
    let settled = last.is_some_and(|loss| loss.lost == lost && loss.outcome == LossOutcome::Released);
    match settled && draft.memory.episode.is_none() {
        true => Life::Released { lost, generation: draft.input.desired.generation },
        false => Life::Established(lost),
    }
}

/// A create whose end we never learnt: after as long as AWS may take to show it, it has not happened.
fn forget_old_intent(draft: &mut Draft<'_>) {
    let settle_s = i64::try_from(draft.input.timing.settle_ms / 1000).unwrap_or(i64::MAX);
    let now = draft.input.now.wall;
    let under_way = draft.input.recent.pending(crate::write::WriteKey::Create).is_some();
    // It says nothing of a peering that is there, and is not worth a write.
    if let Life::Established(id) = draft.memory.life
        && draft.sight().row(id).is_some_and(Row::is_live)
    {
        return;
    }
    if draft.memory.create_intent.is_some_and(|at| now.since_s(at) > settle_s) && !under_way {
        draft.memory.create_intent = None;
    }
}

/// CIDRs are told only while the peering is active, so they are remembered for when it is not.
fn remember_cidrs(draft: &mut Draft<'_>, id: PeeringId) {
    let fresh_spec = draft.memory.settled_generation != draft.input.desired.generation;
    for side in Side::BOTH {
        let Some(cidrs) = draft.sight().cidrs(side, Some(id)) else { continue };
        if fresh_spec || draft.memory.cidrs_at_spec.get(side).is_empty() {
            *draft.memory.cidrs_at_spec.get_mut(side) = cidrs.clone();
        }
        *draft.memory.cidrs.get_mut(side) = cidrs;
    }
}

impl Draft<'_> {
    /// A side for which we hold credentials.
    pub fn is_managed(&self, side: Side) -> bool {
        matches!(self.input.desired.sides.get(side).account, AccountRef::Managed(_))
    }

    pub fn both_accounts_are_ours(&self) -> bool {
        Side::BOTH
            .into_iter()
            .all(|side| self.is_managed(side) && !matches!(self.input.grants.get(side), Grant::Foreign(_)))
    }
}
