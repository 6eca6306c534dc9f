//! Memories and reports that no reconcile would come to, and that must be crossed all the same.

use peerkeeper_core::desired::{LossAction, PairAt};
use peerkeeper_core::drift::{Aspect, Deviation, Drift, DriftEnd, Stage};
use peerkeeper_core::few::Few;
use peerkeeper_core::ids::{
    AccountId, AccountRegion, Cidr, Destination, PeeringId, RouteTableId, RuleId, Side, Sides, Slot, VpcAt,
};
use peerkeeper_core::incident::IncidentRef;
use peerkeeper_core::limits::Level;
use peerkeeper_core::memory::{
    Act, Attribution, Case, ClosedLoss, Culprit, Episode, How, Latch, Life, LossClass, LossOutcome, Memory,
    Origin, Owned, Past, Proof, RefusedRequest, StaleAt, StaleRules,
};
use peerkeeper_core::misuse::{Ends, OwnCall};
use peerkeeper_core::observed::Ending;
use peerkeeper_core::plan::{Condition, Count, Report, State, Truth};
use peerkeeper_core::reason::{ConditionType, Reason};
use peerkeeper_core::time::Wall;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};
use std::sync::Arc;

pub fn pcx(number: u64) -> PeeringId {
    format!("pcx-{number:017x}").parse().unwrap()
}

pub fn rtb(number: u64) -> RouteTableId {
    format!("rtb-{number:017x}").parse().unwrap()
}

pub fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

pub fn to(text: &str) -> Destination {
    text.parse().unwrap()
}

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn ids() -> impl Strategy<Value = PeeringId> {
    prop_oneof![(0..6_u64).prop_map(pcx), any::<u32>().prop_map(|n| format!("pcx-{n:08x}").parse().unwrap())]
}

fn accounts() -> impl Strategy<Value = AccountId> {
    (0..999_999_999_999_u64).prop_map(account)
}

fn texts() -> impl Strategy<Value = Arc<str>> {
    vec(any::<char>(), 0..40).prop_map(|chars| chars.into_iter().collect::<String>().into())
}

fn walls() -> impl Strategy<Value = Wall> {
    (-1_000_000_000..10_000_000_000_i64).prop_map(Wall)
}

fn endings() -> impl Strategy<Value = Ending> {
    select(vec![Ending::Deleted, Ending::Rejected, Ending::Expired, Ending::Failed, Ending::Absent])
}

fn classes() -> impl Strategy<Value = LossClass> {
    select(vec![
        LossClass::VpcGone,
        LossClass::Authorized,
        LossClass::WithdrawnByPeer,
        LossClass::Decommissioning,
        LossClass::Unexpected,
    ])
}

fn cidrs() -> impl Strategy<Value = Cidr> {
    prop_oneof![
        (any::<u32>(), 0..=32_u8)
            .prop_map(|(ip, len)| cidr(&format!("{}/{len}", std::net::Ipv4Addr::from(ip)))),
        (any::<u128>(), 0..=128_u8)
            .prop_map(|(ip, len)| cidr(&format!("{}/{len}", std::net::Ipv6Addr::from(ip)))),
    ]
}

fn destinations() -> impl Strategy<Value = Destination> {
    prop_oneof![
        (0..8_u8).prop_map(|n| to(&format!("10.{n}.0.0/16"))),
        (0..4_u8).prop_map(|n| to(&format!("2001:db8:{n}::/56"))),
        (0..3_u64).prop_map(|n| to(&format!("pl-{n:017x}"))),
        cidrs().prop_map(Destination::Cidr),
    ]
}

fn lives() -> impl Strategy<Value = Life> {
    prop_oneof![
        Just(Life::NeverSeen),
        (ids(), option::of(ids())).prop_map(|(id, replaces)| Life::Requested { id, replaces }),
        ids().prop_map(Life::Established),
        (ids(), any::<i64>()).prop_map(|(lost, generation)| Life::Released { lost, generation }),
    ]
}

fn pairs() -> impl Strategy<Value = PairAt> {
    let end = || {
        let regions = select(vec!["eu-west-1", "us-gov-east-1", "cn-north-1"]);
        (accounts(), regions, any::<u64>()).prop_map(|(account, region, vpc)| VpcAt {
            at: AccountRegion { account, region: region.parse().unwrap() },
            vpc: format!("vpc-{vpc:017x}").parse().unwrap(),
        })
    };
    (end(), end()).prop_map(|(requester, accepter)| PairAt { sides: Sides::new(requester, accepter) })
}

fn slots() -> impl Strategy<Value = Vec<(Slot, Owned)>> {
    let how = select(vec![How::Intended, How::Created, How::Adopted]);
    let side = select(Side::BOTH.to_vec());
    let one =
        (side, 0..10_u64, destinations(), how, ids()).prop_map(|(side, table, destination, how, to)| {
            (Slot { side, table: rtb(table), destination }, Owned { how, to })
        });
    vec(one, 0..60)
}

fn levels() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Policy), Just(Level::Operator), accounts().prop_map(Level::Account)]
}

fn episodes() -> impl Strategy<Value = Episode> {
    let latch = (levels(), any::<u32>(), any::<u32>()).prop_map(|(level, limit, demand)| Latch {
        level,
        limit,
        demand,
    });
    let actions = select(vec![LossAction::Restore, LossAction::RemoveRoutes, LossAction::Flag]);
    let found = (ids(), endings(), classes(), walls(), texts(), option::of(accounts()));
    let done = (any::<u32>(), actions, option::of(walls()), option::of(latch));
    (found, done).prop_map(
        |((lost, ending, class, detected, message, by_account), (routes, action, acted, latched))| Episode {
            lost,
            ending,
            class,
            detected,
            message,
            by_account,
            routes,
            action,
            acted,
            latched,
        },
    )
}

fn closed_losses() -> impl Strategy<Value = ClosedLoss> {
    let outcomes = select(vec![LossOutcome::Restored, LossOutcome::Replaced, LossOutcome::Released]);
    (ids(), classes(), option::of(accounts()), walls(), walls(), outcomes, option::of(ids())).prop_map(
        |(lost, class, by_account, detected, closed, outcome, successor)| ClosedLoss {
            lost,
            class,
            by_account,
            detected,
            closed,
            outcome,
            successor,
        },
    )
}

fn words() -> impl Strategy<Value = Arc<str>> {
    "[a-z0-9:/-]{0,40}".prop_map(Arc::from)
}

fn places() -> impl Strategy<Value = AccountRegion> {
    let regions = select(vec!["eu-west-1", "us-gov-east-1", "cn-north-1"]);
    (accounts(), regions)
        .prop_map(|(account, region)| AccountRegion { account, region: region.parse().unwrap() })
}

pub fn attributions() -> impl Strategy<Value = Attribution> {
    let culprits = || {
        (words(), walls(), places(), texts(), any::<bool>()).prop_map(
            |(event, at, place, principal, authorized)| Culprit { event, at, place, principal, authorized },
        )
    };
    prop_oneof![
        Just(Attribution::None),
        accounts().prop_map(Attribution::AccountOnly),
        culprits().prop_map(Attribution::EventOnly),
        (culprits(), select(vec![Proof::Agreement, Proof::History]))
            .prop_map(|(culprit, proof)| Attribution::Corroborated(culprit, proof)),
    ]
}

fn own_calls() -> impl Strategy<Value = OwnCall> {
    let ends = prop_oneof![ids().prop_map(Ends::Peering), any::<u64>().prop_map(|n| Ends::Routes(rtb(n)))];
    (ends, walls()).prop_map(|(ends, at)| OwnCall { ends, at })
}

fn cases() -> impl Strategy<Value = Case> {
    let incident = (texts(), any::<i64>()).prop_map(|(uid, generation)| IncidentRef { uid, generation });
    (ids(), option::of(incident), attributions(), texts(), option::of(stale_rules())).prop_map(
        |(of, incident, attribution, policy, stale)| Case { of, incident, attribution, policy, stale },
    )
}

pub fn stale_rules() -> impl Strategy<Value = StaleRules> {
    let at = (select(Side::BOTH.to_vec()), 0..3_u8, any::<bool>()).prop_map(|(side, group, is_egress)| {
        StaleAt { side, group: format!("sg-{group:08x}").parse().unwrap(), is_egress }
    });
    let id = any::<u32>().prop_map(|n| format!("sgr-{n:08x}").parse::<RuleId>().unwrap());
    (btree_map(id, at, 0..=StaleRules::MAX), any::<u32>(), any::<bool>())
        .prop_map(|(rules, total, revoked)| StaleRules { rules, total, revoked })
}

fn aspects() -> impl Strategy<Value = Aspect> {
    let sides = || select(Side::BOTH.to_vec());
    prop_oneof![
        slots()
            .prop_filter_map("some slot", |all| all.into_iter().next())
            .prop_map(|(slot, _)| Aspect::Route(slot)),
        sides().prop_map(Aspect::Dns),
        (sides(), words()).prop_map(|(side, key)| Aspect::Tag(side, key)),
        sides().prop_map(Aspect::Hold),
    ]
}

pub fn drifts() -> impl Strategy<Value = Drift> {
    let stages = select(Stage::ALL.to_vec());
    let deviations = (texts(), texts(), walls(), attributions(), any::<bool>(), stages).prop_map(
        |(before, after, seen, attribution, approved, stage)| Deviation {
            before,
            after,
            seen,
            attribution,
            approved,
            stage,
        },
    );
    let found = vec((aspects(), deviations), 0..6);
    let incident = (texts(), any::<i64>()).prop_map(|(uid, generation)| IncidentRef { uid, generation });
    let closed = option::of((walls(), select(DriftEnd::ALL.to_vec())));
    (ids(), walls(), found, any::<u32>(), option::of(incident), option::of(walls()), closed).prop_map(
        |(of, since, found, more, incident, acted, closed)| Drift {
            of,
            since,
            found: found.into_iter().collect(),
            more,
            incident,
            acted,
            closed,
        },
    )
}

fn refused_requests() -> impl Strategy<Value = RefusedRequest> {
    (ids(), endings(), texts(), walls(), any::<i64>(), option::of(texts())).prop_map(
        |(id, ending, message, at, generation, requested_at)| RefusedRequest {
            id,
            ending,
            message,
            at,
            generation,
            requested_at,
        },
    )
}

fn both<T: Ord + std::fmt::Debug>(
    one: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Sides<Few<T>>> {
    let some = || vec(one.clone(), 0..4).prop_map(|all| all.into_iter().collect::<Few<T>>());
    (some(), some()).prop_map(|(requester, accepter)| Sides::new(requester, accepter))
}

/// Any memory at all, likely or not.
pub fn memories() -> impl Strategy<Value = Memory> {
    let pasts = vec((ids(), endings()).prop_map(|(id, ending)| Past { id, ending }), 0..=Memory::PAST_MAX);
    let spent = vec((select(Act::ALL.to_vec()), walls()), 0..=Memory::SPENT_MAX);
    let origins = option::of(select(vec![Origin::Created, Origin::Adopted]));
    let cidr_sets = both(cidrs().boxed());
    let what = (option::of(pairs()), lives(), origins, pasts, slots(), cidr_sets, both(cidrs().boxed()));
    let losses = (
        option::of(episodes()),
        option::of(closed_losses()),
        option::of(cases()),
        vec(own_calls(), 0..10),
        (option::of(drifts().prop_map(Box::new)), option::of(select(Side::BOTH.to_vec()))),
        option::of(refused_requests()),
        spent,
    );
    let rest =
        (any::<i64>(), option::of(walls()), both(texts().boxed()), option::of(texts()), option::of(texts()));
    (what, losses, rest).prop_map(
        |(
            (pair, life, origin, past, slots, cidrs, cidrs_at_spec),
            (episode, last_loss, case, own, (drift, held_by), refused, spent),
            (settled_generation, create_intent, tag_keys, requested_at, taken_from),
        )| Memory {
            pair,
            life,
            origin,
            past,
            slots: slots.into_iter().collect(),
            cidrs,
            cidrs_at_spec,
            settled_generation,
            episode,
            last_loss,
            case,
            own,
            drift,
            held_by,
            refused,
            spent,
            create_intent,
            tag_keys,
            requested_at,
            taken_from,
        },
    )
}

/// A loss that is open.
pub fn episode(lost: u64) -> Episode {
    Episode {
        lost: pcx(lost),
        ending: Ending::Deleted,
        class: LossClass::Unexpected,
        detected: Wall(1_780_000_000),
        message: "Deleted by 444455556666".into(),
        by_account: Some(account(444_455_556_666)),
        routes: 7,
        action: LossAction::Restore,
        acted: None,
        latched: None,
    }
}

/// A peering in sync, with these routes.
pub fn in_sync(routes: u32) -> Report {
    let condition =
        |kind, truth, reason, message: &str| Condition { kind, truth, reason, message: message.to_owned() };
    Report {
        observed_generation: 3,
        state: State::Active,
        aws_state: "active".into(),
        peering: Some(pcx(1)),
        conditions: vec![
            condition(ConditionType::Ready, Truth::True, Reason::InSync, "all is well"),
            condition(ConditionType::PeeringActive, Truth::True, Reason::Active, "active"),
            condition(ConditionType::UnexpectedlyDeleted, Truth::False, Reason::NotLost, "no loss is open"),
        ],
        routes: Sides::new(Count { declared: routes, in_sync: routes }, Count::default()),
        exceptions: Vec::new(),
        exceptions_total: 0,
        held: Vec::new(),
        loss: None,
        last_loss: None,
    }
}

/// Slots of ours that lead to `pcx(1)`.
pub fn slot(side: Side, table: u64, destination: &str, how: How) -> (Slot, Owned) {
    (Slot { side, table: rtb(table), destination: to(destination) }, Owned { how, to: pcx(1) })
}
