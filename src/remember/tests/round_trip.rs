//! What is stored is what was remembered, and nothing that can't be understood passes for nothing.

use super::made_up::{in_sync, memories, pcx, rtb, slot, to};
use crate::api::{Timestamp, VpcPeeringStatus};
use crate::remember::{Carried, memory, rectangles::rectangles, status};
use peerkeeper_core::ids::Side;
use peerkeeper_core::memory::{How, Life, Memory};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// As the API server hands it back.
fn stored(status: &VpcPeeringStatus) -> VpcPeeringStatus {
    serde_json::from_str(&serde_json::to_string(status).unwrap()).unwrap()
}

fn read(memory_json: Value) -> Result<Memory, String> {
    let status: VpcPeeringStatus = serde_json::from_value(json!({ "memory": memory_json })).unwrap();
    memory(Some(&status)).map(|(memory, _)| memory).map_err(|why| why.to_string())
}

proptest! {
    #[test]
    fn any_memory_is_read_back_as_it_was(remembered in memories()) {
        let status = stored(&status(&remembered, &Carried::default(), &in_sync(0), None, NOW));
        let (again, carried) = memory(Some(&status)).unwrap();
        prop_assert_eq!(again, remembered);
        prop_assert_eq!(carried, Carried::default());
    }

    #[test]
    fn storing_again_what_was_read_changes_nothing(remembered in memories()) {
        let first = stored(&status(&remembered, &Carried::default(), &in_sync(4), None, NOW));
        let (again, carried) = memory(Some(&first)).unwrap();
        let later = "2030-01-01T00:00:00Z".parse().unwrap();
        prop_assert_eq!(status(&again, &carried, &in_sync(4), Some(&first), later), first);
    }

    #[test]
    fn rectangles_cover_their_cells_exactly_and_once(
        cells in prop::collection::btree_set((0..12_u64, 0..12_u8), 0..100)
    ) {
        let cells: BTreeSet<_> = cells.into_iter().map(|(t, d)| (rtb(t), to(&format!("10.{d}.0.0/16")))).collect();
        let mut covered = Vec::new();
        for rectangle in rectangles(&cells) {
            for table in &rectangle.tables {
                covered.extend(rectangle.destinations.iter().map(|destination| (*table, *destination)));
            }
        }
        let once: BTreeSet<_> = covered.iter().copied().collect();
        prop_assert_eq!(covered.len(), once.len());
        prop_assert_eq!(once, cells);
    }
}

#[test]
fn what_is_declared_as_one_rectangle_is_stored_as_one() {
    let cells = (0..40).flat_map(|t| (0..30).map(move |d| (rtb(t), to(&format!("10.{d}.0.0/16"))))).collect();
    assert_eq!(rectangles(&cells).len(), 1);
}

#[test]
fn no_status_and_no_memory_are_an_empty_memory() {
    assert_eq!(memory(None), Ok((Memory::default(), Carried::default())));
    assert_eq!(memory(Some(&VpcPeeringStatus::default())), Ok((Memory::default(), Carried::default())));
}

#[test]
fn fields_of_a_newer_version_are_carried_unchanged() {
    let newer =
        json!({"origin": "created", "learnedLater": {"deeply": [1, {"nested": true}]}, "alsoNew": null});
    let before: VpcPeeringStatus = serde_json::from_value(json!({ "memory": newer })).unwrap();
    let (mut remembered, carried) = memory(Some(&before)).unwrap();
    remembered.life = Life::Established(pcx(1));
    let after = serde_json::to_value(status(&remembered, &carried, &in_sync(0), Some(&before), NOW)).unwrap();
    assert_eq!(after["memory"]["learnedLater"], newer["learnedLater"]);
    assert!(after["memory"].as_object().unwrap().contains_key("alsoNew"));
    assert_eq!(after["memory"]["life"]["stage"], "Established");
}

/// A memory with something in every field, as JSON.
fn full() -> Value {
    let loss = json!({"lost": "pcx-00000001", "class": "Unexpected", "byAccountId": "111122223333",
        "detectedAt": "2026-05-04T03:02:01Z", "closedAt": "2026-05-04T04:02:01Z", "outcome": "Restored",
        "successor": "pcx-00000002"});
    let episode = json!({"lost": "pcx-00000001", "ending": "deleted", "class": "Unexpected",
        "detectedAt": "2026-05-04T03:02:01Z", "byAccountId": "111122223333", "routes": 2, "action": "Restore",
        "latched": {"level": "Account", "accountId": "111122223333", "limit": 1, "demand": 2}});
    let side = json!({"accountId": "111122223333", "region": "eu-west-1", "vpcId": "vpc-0a1b2c3d"});
    json!({
        "pair": {"requester": side, "accepter": side},
        "life": {"stage": "Requested", "peeringId": "pcx-00000002", "replaces": "pcx-00000001"},
        "origin": "created",
        "past": [{"peeringId": "pcx-00000001", "ending": "deleted"}],
        "slots": [{"side": "requester", "target": "pcx-00000001", "how": "Created",
            "routeTableIds": ["rtb-00000001"], "destinations": ["10.0.0.0/16"]}],
        "cidrs": {"requester": ["10.0.0.0/16"], "accepter": ["10.1.0.0/16"]},
        "cidrsAtSpec": {"requester": ["10.0.0.0/16"]},
        "episode": episode,
        "lastLoss": loss,
        "own": [{"ids": ["rtb-00000001", "pcx-00000001"], "at": "2026-05-04T03:02:01Z"}],
        "case": {"of": "pcx-00000001", "incident": {"uid": "u", "generation": 1}, "attribution": "Corroborated",
            "by": "History", "policy": "0123456789abcdef", "culprit": {"eventId": "e", "at": "2026-05-04T03:02:01Z",
            "accountId": "111122223333", "region": "eu-west-1", "principal": "arn", "authorized": true}},
        "staleRules": {"peeringId": "pcx-00000001", "total": 2, "revoked": true, "rules": [{"side": "requester",
            "groupId": "sg-00000001", "direction": "egress", "ruleIds": ["sgr-00000001", "sgr-00000002"]}]},
        "refused": {"peeringId": "pcx-00000003", "ending": "failed", "at": "2026-05-04T03:02:01Z", "generation": 1},
        "spent": [{"act": "Restore", "at": "2026-05-04T03:02:01Z"}],
    })
}

/// Every text in it that means something, by its path.
fn words(at: String, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(n, one)| words(format!("{at}/{n}"), one, found))
        }
        Value::Object(all) => all.iter().for_each(|(key, one)| words(format!("{at}/{key}"), one, found)),
        _ => {}
    }
}

#[test]
fn a_memory_with_any_word_that_is_not_understood_is_an_error_that_names_the_field() {
    assert!(read(full()).is_ok());
    let mut paths = Vec::new();
    words(String::new(), &full(), &mut paths);
    paths.retain(|path| !path.ends_with("At") && !path.ends_with("/at"));
    // Opaque: whatever they are, they are compared and never read.
    let opaque = ["/uid", "/eventId", "/principal", "/case/policy"];
    paths.retain(|path| !opaque.iter().any(|end| path.ends_with(end)));
    assert!(paths.len() > 30, "{paths:?}");
    for path in paths {
        let mut edited = full();
        *edited.pointer_mut(&path).unwrap() = json!("Unheard-of");
        let error = read(edited).expect_err(&path);
        let dotted = path.split('/').skip(1).fold("status.memory".to_owned(), |so_far, part| {
            match part.parse::<usize>() {
                Ok(n) => format!("{so_far}[{n}]"),
                Err(_) => format!("{so_far}.{part}"),
            }
        });
        assert!(error.starts_with(&format!("{dotted} is \"Unheard-of\"")), "{path}: {error}");
        assert!(error.contains("nothing is changed"), "{error}");
    }
}

#[test]
fn a_released_life_without_its_generation_and_an_account_s_latch_without_its_account_are_errors() {
    let error = read(json!({"life": {"stage": "Released", "peeringId": "pcx-00000001"}})).unwrap_err();
    assert!(error.starts_with("status.memory.life.generation"), "{error}");
    let mut latched = full();
    latched.pointer_mut("/episode/latched").unwrap().as_object_mut().unwrap().remove("accountId");
    let error = read(latched).unwrap_err();
    assert!(error.starts_with("status.memory.episode.latched.accountId"), "{error}");
}

#[test]
fn groups_that_contradict_each_other_are_an_error() {
    let mut edited = full();
    let mut other = edited["slots"][0].clone();
    other["how"] = json!("Adopted");
    edited["slots"].as_array_mut().unwrap().push(other);
    let error = read(edited).unwrap_err();
    assert!(error.starts_with("status.memory.slots[1]"), "{error}");
}

#[test]
fn slots_are_stored_the_same_whichever_way_they_came() {
    let mut slots: Vec<_> = (0..5).map(|n| slot(Side::Requester, n, "10.0.0.0/16", How::Created)).collect();
    let memory = |slots: &[_]| Memory { slots: slots.iter().copied().collect(), ..Memory::default() };
    let forwards = status(&memory(&slots), &Carried::default(), &in_sync(5), None, NOW);
    slots.reverse();
    assert_eq!(status(&memory(&slots), &Carried::default(), &in_sync(5), None, NOW), forwards);
}
