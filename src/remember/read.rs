//! Status -> memory.

use super::{Carried, wall};
use crate::api::{VpcPeeringStatus, memory as api, status};
use peerkeeper_core::desired::{LossAction, PairAt};
use peerkeeper_core::drift::{Aspect, Deviation, Drift, DriftEnd, Stage};
use peerkeeper_core::few::Few;
use peerkeeper_core::ids::{
    AccountRegion, Cidr, Destination, PeeringId, RouteTableId, Side, Sides, Slot, VpcAt,
};
use peerkeeper_core::incident::IncidentRef;
use peerkeeper_core::limits::Level;
use peerkeeper_core::memory::{
    Act, Attribution, Case, ClosedLoss, Culprit, Episode, How, Latch, Life, LossClass, LossOutcome, Memory,
    Origin, Owned, Past, Proof, RefusedRequest, StaleAt, StaleRules,
};
use peerkeeper_core::misuse::{Ends, OwnCall};
use peerkeeper_core::observed::Ending;
use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

/// A memory that can't be understood. Whoever meets it changes nothing, in AWS or in memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{field} is {value}, which this version of Peerkeeper does not understand ({why}); nothing is changed. Run the version that wrote it, or put back the memory that was there; to begin anew without one, remove status.memory"
)]
pub struct RememberError {
    /// Where it is, such as `status.memory.slots[3].how`.
    pub field: String,
    pub value: String,
    pub why: String,
}

impl RememberError {
    fn new(field: impl Into<String>, value: impl fmt::Debug, why: impl fmt::Display) -> Self {
        let value: String = format!("{value:?}").chars().take(120).collect();
        Self { field: field.into(), value, why: why.to_string() }
    }
}

type Read<T> = Result<T, RememberError>;

const MEMORY: &str = "status.memory";

/// What is remembered of the object, and what a newer version remembers beside it.
pub fn memory(status: Option<&VpcPeeringStatus>) -> Read<(Memory, Carried)> {
    let Some(stored) = status.and_then(|status| status.memory.as_ref()) else {
        return Ok((Memory::default(), Carried::default()));
    };
    // Without `..`: a field that is forgotten here is forgotten for ever.
    let api::Memory {
        pair: stored_pair,
        life: stored_life,
        origin: stored_origin,
        past,
        slots: groups,
        cidrs: stored_cidrs,
        cidrs_at_spec,
        settled_generation,
        episode: stored_episode,
        last_loss,
        case: stored_case,
        stale_rules,
        own,
        drift: stored_drift,
        held_by,
        refused: stored_refused,
        spent,
        create_intent,
        tag_keys: stored_tag_keys,
        requested_at,
        taken_from,
        extra,
    } = stored;
    let memory = Memory {
        pair: stored_pair.as_ref().map(pair).transpose()?,
        life: stored_life.as_ref().map(life).transpose()?.unwrap_or_default(),
        origin: stored_origin.as_ref().map(origin).transpose()?,
        past: indexed("past", past, one_past)?,
        slots: slots(groups)?,
        cidrs: cidrs("cidrs", stored_cidrs.as_ref())?,
        cidrs_at_spec: cidrs("cidrsAtSpec", cidrs_at_spec.as_ref())?,
        settled_generation: settled_generation.unwrap_or_default(),
        episode: stored_episode.as_ref().map(episode).transpose()?,
        last_loss: last_loss.as_ref().map(closed_loss).transpose()?,
        case: stored_case
            .as_ref()
            .map(|stored| with_stale_rules(case(stored)?, stale_rules.as_deref()))
            .transpose()?,
        own: indexed("own", own, own_calls)?.into_iter().flatten().collect(),
        drift: stored_drift.as_deref().map(drift).transpose()?.map(Box::new),
        held_by: held_by.as_ref().map(|held_by| side("heldBy", held_by)).transpose()?,
        refused: stored_refused.as_ref().map(refused).transpose()?,
        spent: indexed("spent", spent, |field, one| {
            Ok((word(&format!("{field}.act"), one.act.as_str(), Act::parse)?, wall(one.at)))
        })?,
        create_intent: create_intent.map(wall),
        tag_keys: tag_keys(stored_tag_keys.as_ref()),
        requested_at: requested_at.as_deref().map(Arc::from),
        taken_from: taken_from.as_deref().map(Arc::from),
    };
    Ok((memory, Carried(extra.clone())))
}

fn parse<T: FromStr<Err: fmt::Display>>(field: &str, text: &str) -> Read<T> {
    text.parse().map_err(|why| RememberError::new(format!("{MEMORY}.{field}"), text, why))
}

fn parse_some<T: FromStr<Err: fmt::Display>>(field: &str, text: Option<&String>) -> Read<Option<T>> {
    text.map(|text| parse(field, text)).transpose()
}

/// One of a fixed set of words.
fn word<T>(field: &str, word: &str, read: impl Fn(&str) -> Option<T>) -> Read<T> {
    read(word).ok_or_else(|| RememberError::new(format!("{MEMORY}.{field}"), word, "an unknown word"))
}

fn indexed<A, B>(field: &str, list: &[A], read: impl Fn(&str, &A) -> Read<B>) -> Read<Vec<B>> {
    list.iter().enumerate().map(|(at, one)| read(&format!("{field}[{at}]"), one)).collect()
}

fn pair(pair: &api::Pair) -> Read<PairAt> {
    let end = |side: Side, end: &api::PairSide| {
        let field = |name: &str| format!("pair.{side}.{name}");
        Ok(VpcAt {
            at: AccountRegion {
                account: parse(&field("accountId"), &end.account_id)?,
                region: parse(&field("region"), &end.region)?,
            },
            vpc: parse(&field("vpcId"), &end.vpc_id)?,
        })
    };
    let (requester, accepter) =
        (end(Side::Requester, &pair.requester)?, end(Side::Accepter, &pair.accepter)?);
    Ok(PairAt { sides: Sides::new(requester, accepter) })
}

fn life(life: &api::Life) -> Read<Life> {
    let id = parse("life.peeringId", &life.peering_id)?;
    match &life.stage {
        api::LifeStage::Requested => {
            Ok(Life::Requested { id, replaces: parse_some("life.replaces", life.replaces.as_ref())? })
        }
        api::LifeStage::Established => Ok(Life::Established(id)),
        api::LifeStage::Released => {
            let absent =
                || RememberError::new(format!("{MEMORY}.life.generation"), "absent", "Released has one");
            Ok(Life::Released { lost: id, generation: life.generation.ok_or_else(absent)? })
        }
        api::LifeStage::Other(stage) => word("life.stage", stage, |_| None),
    }
}

fn origin(origin: &api::Origin) -> Read<Origin> {
    word("origin", origin.as_str(), Origin::parse)
}

fn ending(field: &str, state: &status::PeeringState) -> Read<Ending> {
    word(field, state.as_str(), Ending::parse)
}

fn one_past(field: &str, past: &api::PastPeering) -> Read<Past> {
    Ok(Past {
        id: parse(&format!("{field}.peeringId"), &past.peering_id)?,
        ending: ending(&format!("{field}.ending"), &past.ending)?,
    })
}

fn slots(groups: &[api::SlotGroup]) -> Read<BTreeMap<Slot, Owned>> {
    let mut slots = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        let field = |name: &str| format!("slots[{at}].{name}");
        let side = side(&field("side"), &group.side)?;
        let owned =
            Owned { how: how(&field("how"), &group.how)?, to: parse(&field("target"), &group.target)? };
        let tables: Vec<RouteTableId> =
            indexed(&field("routeTableIds"), &group.route_table_ids, |f, id| parse(f, id))?;
        let destinations: Vec<Destination> =
            indexed(&field("destinations"), &group.destinations, |f, one| parse(f, one))?;
        for &table in &tables {
            for &destination in &destinations {
                let slot = Slot { side, table, destination };
                if slots.insert(slot, owned).is_some_and(|before| before != owned) {
                    let (field, slot) = (format!("{MEMORY}.slots[{at}]"), slot.to_string());
                    return Err(RememberError::new(
                        field,
                        slot,
                        "an earlier group says otherwise of that route",
                    ));
                }
            }
        }
    }
    Ok(slots)
}

fn side(field: &str, side: &status::SideName) -> Read<Side> {
    match side {
        status::SideName::Requester => Ok(Side::Requester),
        status::SideName::Accepter => Ok(Side::Accepter),
        status::SideName::Other(other) => word(field, other, |_| None),
    }
}

fn how(field: &str, how: &api::SlotOrigin) -> Read<How> {
    match how {
        api::SlotOrigin::Intended => Ok(How::Intended),
        api::SlotOrigin::Created => Ok(How::Created),
        api::SlotOrigin::Adopted => Ok(How::Adopted),
        api::SlotOrigin::Other(other) => word(field, other, |_| None),
    }
}

fn cidrs(field: &str, words: Option<&api::PairWords>) -> Read<Sides<Few<Cidr>>> {
    let Some(words) = words else { return Ok(Sides::default()) };
    let read = |side: Side, words: &[String]| -> Read<Few<Cidr>> {
        indexed(&format!("{field}.{side}"), words, |field, cidr| parse(field, cidr))
            .map(|cidrs| cidrs.into_iter().collect())
    };
    Ok(Sides::new(read(Side::Requester, &words.requester)?, read(Side::Accepter, &words.accepter)?))
}

fn tag_keys(words: Option<&api::PairWords>) -> Sides<Few<Arc<str>>> {
    let Some(words) = words else { return Sides::default() };
    let read = |words: &[String]| words.iter().map(|key| Arc::from(key.as_str())).collect();
    Sides::new(read(&words.requester), read(&words.accepter))
}

fn episode(episode: &api::Episode) -> Read<Episode> {
    Ok(Episode {
        lost: parse("episode.lost", &episode.lost)?,
        ending: ending("episode.ending", &episode.ending)?,
        class: word("episode.class", &episode.class, LossClass::parse)?,
        detected: wall(episode.detected_at),
        message: Arc::from(episode.status_message.as_str()),
        by_account: parse_some("episode.byAccountId", episode.by_account_id.as_ref())?,
        routes: episode.routes,
        action: word("episode.action", &episode.action, action)?,
        acted: episode.acted_at.map(wall),
        latched: episode.latched.as_ref().map(latch).transpose()?,
    })
}

fn action(word: &str) -> Option<LossAction> {
    let all = [LossAction::Restore, LossAction::RemoveRoutes, LossAction::Flag];
    all.into_iter().find(|action| super::write::action(*action) == word)
}

fn latch(latch: &api::Latch) -> Read<Latch> {
    let level = match (&latch.level, &latch.account_id) {
        (api::LimitLevel::Policy, _) => Level::Policy,
        (api::LimitLevel::Operator, _) => Level::Operator,
        (api::LimitLevel::Account, Some(account)) => {
            Level::Account(parse("episode.latched.accountId", account)?)
        }
        (api::LimitLevel::Account, None) => {
            let field = format!("{MEMORY}.episode.latched.accountId");
            return Err(RememberError::new(field, "absent", "level Account has one"));
        }
        (api::LimitLevel::Other(other), _) => word("episode.latched.level", other, |_| None)?,
    };
    Ok(Latch { level, limit: latch.limit, demand: latch.demand })
}

fn closed_loss(loss: &api::ClosedLoss) -> Read<ClosedLoss> {
    Ok(ClosedLoss {
        lost: parse("lastLoss.lost", &loss.lost)?,
        class: word("lastLoss.class", &loss.class, LossClass::parse)?,
        by_account: parse_some("lastLoss.byAccountId", loss.by_account_id.as_ref())?,
        detected: wall(loss.detected_at),
        closed: wall(loss.closed_at),
        outcome: word("lastLoss.outcome", &loss.outcome, LossOutcome::parse)?,
        successor: parse_some("lastLoss.successor", loss.successor.as_ref())?,
    })
}

fn case(case: &api::Case) -> Read<Case> {
    let api::Case { of, incident, attribution: level, account_id, by, culprit, policy } = case;
    Ok(Case {
        of: parse("case.of", of)?,
        incident: incident.as_ref().map(incident_ref),
        attribution: attribution("case", level, account_id.as_ref(), by.as_ref(), culprit.as_ref())?,
        policy: Arc::from(policy.as_str()),
        stale: None,
    })
}

fn incident_ref(api::IncidentRef { uid, generation }: &api::IncidentRef) -> IncidentRef {
    IncidentRef { uid: Arc::from(uid.as_str()), generation: *generation }
}

fn attribution(
    field: &str,
    level: &str,
    account_id: Option<&String>,
    by: Option<&String>,
    who: Option<&api::Culprit>,
) -> Read<Attribution> {
    let absent = |name: &str| {
        RememberError::new(
            format!("{MEMORY}.{field}.{name}"),
            "absent",
            format!("attribution {level} has one"),
        )
    };
    let who = who.map(|who| culprit(field, who)).transpose()?;
    Ok(match (level, who) {
        ("None", _) => Attribution::None,
        ("AccountOnly", _) => {
            let account = account_id.ok_or_else(|| absent("accountId"))?;
            Attribution::AccountOnly(parse(&format!("{field}.accountId"), account)?)
        }
        ("EventOnly", Some(who)) => Attribution::EventOnly(who),
        ("Corroborated", Some(who)) => {
            let by = by.ok_or_else(|| absent("by"))?;
            Attribution::Corroborated(who, word(&format!("{field}.by"), by, Proof::parse)?)
        }
        ("EventOnly" | "Corroborated", None) => return Err(absent("culprit")),
        (other, _) => word(&format!("{field}.attribution"), other, |_| None)?,
    })
}

/// An older version opens the case of another loss and carries these along: then they are of no loss that is known.
fn with_stale_rules(case: Case, stored: Option<&api::StaleRules>) -> Read<Case> {
    let stale = stored.map(stale_rules).transpose()?;
    Ok(Case { stale: stale.filter(|(of, _)| *of == case.of).map(|(_, stale)| stale), ..case })
}

fn stale_rules(stored: &api::StaleRules) -> Read<(PeeringId, StaleRules)> {
    let api::StaleRules { peering_id, total, revoked, rules: groups } = stored;
    let of: PeeringId = parse("staleRules.peeringId", peering_id)?;
    let groups = indexed("staleRules.rules", groups, |field, group| {
        let api::StaleRulesOf { side: of, group_id, direction, rule_ids } = group;
        let ways = |word: &str| [false, true].into_iter().find(|way| super::write::direction(*way) == word);
        let at = StaleAt {
            side: side(&format!("{field}.side"), of)?,
            group: parse(&format!("{field}.groupId"), group_id)?,
            is_egress: word(&format!("{field}.direction"), direction, ways)?,
        };
        indexed(&format!("{field}.ruleIds"), rule_ids, |field, id| Ok((parse(field, id)?, at)))
    })?;
    let total = u32::try_from(*total)
        .map_err(|why| RememberError::new(format!("{MEMORY}.staleRules.total"), total, why))?;
    Ok((of, StaleRules { rules: groups.into_iter().flatten().collect(), total, revoked: *revoked }))
}

fn drift(drift: &api::Drift) -> Read<Drift> {
    let api::Drift { of, since, found, more, incident, acted_at, closed_at, end } = drift;
    let absent = || {
        RememberError::new(format!("{MEMORY}.drift.end"), "absent", "one that was closed at a time has one")
    };
    let closed = match closed_at {
        Some(at) => {
            let end = end.as_ref().ok_or_else(absent)?;
            Some((wall(*at), word("drift.end", end, DriftEnd::parse)?))
        }
        None => None,
    };
    Ok(Drift {
        of: parse("drift.of", of)?,
        since: wall(*since),
        found: indexed("drift.found", found, deviation)?.into_iter().collect(),
        more: *more,
        incident: incident.as_ref().map(incident_ref),
        acted: acted_at.map(wall),
        closed,
    })
}

fn deviation(field: &str, found: &api::Deviation) -> Read<(Aspect, Deviation)> {
    let at = side(&format!("{field}.side"), &found.side)?;
    let need = |name: &str, value: Option<&String>| {
        let absent = || {
            RememberError::new(
                format!("{MEMORY}.{field}.{name}"),
                "absent",
                format!("aspect {} has one", found.aspect),
            )
        };
        value.cloned().ok_or_else(absent)
    };
    let aspect = match found.aspect.as_str() {
        "Route" => {
            let table = need("routeTableId", found.route_table_id.as_ref())?;
            let destination = need("destination", found.destination.as_ref())?;
            Aspect::Route(Slot {
                side: at,
                table: parse(&format!("{field}.routeTableId"), &table)?,
                destination: parse(&format!("{field}.destination"), &destination)?,
            })
        }
        "Dns" => Aspect::Dns(at),
        "Tag" => Aspect::Tag(at, need("key", found.key.as_ref())?.into()),
        "Hold" => Aspect::Hold(at),
        other => word(&format!("{field}.aspect"), other, |_| None)?,
    };
    let api::Deviation { attribution: level, account_id, by, culprit, .. } = found;
    let deviation = Deviation {
        before: Arc::from(found.before.as_str()),
        after: Arc::from(found.after.as_str()),
        seen: wall(found.seen_at),
        attribution: attribution(field, level, account_id.as_ref(), by.as_ref(), culprit.as_ref())?,
        approved: found.approved,
        stage: word(&format!("{field}.stage"), &found.stage, Stage::parse)?,
    };
    Ok((aspect, deviation))
}

pub(super) fn own_calls(field: &str, calls: &api::OwnCalls) -> Read<Vec<OwnCall>> {
    indexed(&format!("{field}.ids"), &calls.ids, |field, id| {
        let ends = match id.parse() {
            Ok(table) => Ends::Routes(table),
            Err(_) => Ends::Peering(parse(field, id)?),
        };
        Ok(OwnCall { ends, at: wall(calls.at) })
    })
}

fn culprit(field: &str, culprit: &api::Culprit) -> Read<Culprit> {
    let api::Culprit { event_id, at, account_id, region, principal, authorized } = culprit;
    Ok(Culprit {
        event: Arc::from(event_id.as_str()),
        at: wall(*at),
        place: AccountRegion {
            account: parse(&format!("{field}.culprit.accountId"), account_id)?,
            region: parse(&format!("{field}.culprit.region"), region)?,
        },
        principal: Arc::from(principal.as_str()),
        authorized: *authorized,
    })
}

fn refused(refused: &api::RefusedRequest) -> Read<RefusedRequest> {
    Ok(RefusedRequest {
        id: parse("refused.peeringId", &refused.peering_id)?,
        ending: ending("refused.ending", &refused.ending)?,
        message: Arc::from(refused.status_message.as_str()),
        at: wall(refused.at),
        generation: refused.generation,
        requested_at: refused.requested_at.as_deref().map(Arc::from),
    })
}
