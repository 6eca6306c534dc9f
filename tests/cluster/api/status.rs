//! Status on a real API server.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::Api;
use kube::api::{Patch, PatchParams, ValidationDirective};
use peerkeeper::api::account::{AccountSpent, CredentialsMisuse, StrangeCall};
use peerkeeper::api::memory::{
    Act, Case, ClosedLoss, Culprit, Deviation, Drift, Episode, IncidentRef, Latch, Life, LifeStage,
    LimitLevel, Memory, Origin, OwnCalls, Pair, PairSide, PairWords, PastPeering, RefusedRequest, SlotGroup,
    SlotOrigin, Spent, StaleRules, StaleRulesOf,
};
use peerkeeper::api::status::{
    HeldAct, InventoryGroup, LastDeletion, PeeringState, RouteCounts, RouteException, SideName,
    SideRouteCounts,
};
use peerkeeper::api::{
    AwsAccount, AwsAccountStatus, ConditionType, Reason, Timestamp, VpcPeering, VpcPeeringStatus,
};
use serde_json::json;

use super::{account, peering, with_crds};

#[tokio::test]
async fn status_comes_back_as_it_was_written() {
    let cluster = with_crds();
    cluster.apply_ok(&peering().to_string());
    let peerings: Api<VpcPeering> = Api::namespaced(cluster.client().await, "default");
    let stored = peerings.get("good").await.expect("it is there");
    assert_eq!(stored.status, None);

    let status = full_status();
    let version = stored.metadata.resource_version.clone();
    let written = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering",
        "metadata": {"name": "good", "resourceVersion": version}, "status": status,
    });
    let strict = strict();
    peerings
        .patch_status("good", &strict, &Patch::Apply(&written))
        .await
        .expect("a status with every field is taken");
    let read = peerings.get("good").await.expect("it is there");
    assert_eq!(read.status.as_ref(), Some(&status));
    assert_eq!(read.metadata.generation, stored.metadata.generation, "status is a subresource of its own");

    let again = peerings.patch_status("good", &strict, &Patch::Apply(&written)).await;
    let conflict = again.expect_err("computed from a version that is no longer");
    assert!(matches!(&conflict, kube::Error::Api(status) if status.code == 409), "{conflict}");

    let printed = cluster.kubectl_ok(&["get", "vpcp"]);
    let columns: Vec<&str> = printed.lines().flat_map(str::split_whitespace).collect();
    assert_eq!(&columns[..6], ["NAME", "STATE", "PEERING", "ROUTES", "READY", "AGE"], "{printed}");
    assert_eq!(&columns[6..11], ["good", "deleted", "pcx-0123456789abcdef0", "3/4", "False"], "{printed}");
    let all = cluster.kubectl_ok(&["get", "peerkeeper", "--all-namespaces"]);
    assert!(all.contains("vpcpeering.peerkeeper.dev/good"), "every kind is in the category: {all}");
}

#[tokio::test]
async fn what_was_spent_in_an_account_comes_back_as_it_was_written() {
    let cluster = with_crds();
    cluster.apply_ok(&account().to_string());
    let spent = |second| AccountSpent {
        at: at(second),
        object: "network/prod-shared".to_owned(),
        uid: Some("6f1c2d3e-0000-4000-8000-000000000000".to_owned()),
        policy: Some("network/default".to_owned()),
    };
    let status = AwsAccountStatus {
        observed_generation: Some(1),
        conditions: vec![Condition {
            type_: ConditionType::Ready.to_string(),
            status: "True".to_owned(),
            reason: Reason::Usable.to_string(),
            message: "arn:aws:sts::111122223333:assumed-role/peerkeeper/peerkeeper".to_owned(),
            observed_generation: Some(1),
            last_transition_time: Time(at(0)),
        }],
        observed_account_id: Some("111122223333".to_owned()),
        caller_arn: Some("arn:aws:sts::111122223333:assumed-role/peerkeeper/peerkeeper".to_owned()),
        restores: vec![spent(1)],
        removals: vec![spent(2), spent(3)],
        credentials_misuse: Some(CredentialsMisuse {
            calls: vec![strange_call(4)],
            acknowledged: Some("e5".to_owned()),
            suspected: vec![strange_call(5)],
        }),
        own_calls: vec![OwnCalls { at: at(6), ids: words(&["pcx-0123456789abcdef0"]) }],
    };
    let accounts: Api<AwsAccount> = Api::all(cluster.client().await);
    let written = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": "AwsAccount", "metadata": {"name": "good"}, "status": status,
    });
    accounts.patch_status("good", &strict(), &Patch::Apply(&written)).await.expect("every field is taken");
    assert_eq!(accounts.get("good").await.expect("it is there").status, Some(status));
}

fn strange_call(second: i64) -> StrangeCall {
    StrangeCall {
        event_id: format!("e{second}"),
        at: at(second),
        region: "eu-west-1".to_owned(),
        call: "DeleteRoute".to_owned(),
        id: "rtb-0123456789abcdef0".to_owned(),
        principal: "arn:aws:sts::111122223333:assumed-role/peerkeeper/stolen".to_owned(),
        access_key_id: Some("ASIAEXAMPLE".to_owned()),
        source_address: "198.51.100.7".to_owned(),
        user_agent: "aws-cli".to_owned(),
    }
}

/// Unknown fields are refused, as an operator's own writes are.
fn strict() -> PatchParams {
    PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::apply("test").force() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).expect("a moment")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Every field filled: what the schema lacks would be refused, or pruned and missing when read back.
fn full_status() -> VpcPeeringStatus {
    VpcPeeringStatus {
        observed_generation: Some(1),
        conditions: ConditionType::ALL
            .iter()
            .map(|condition| Condition {
                type_: condition.to_string(),
                status: "False".to_owned(),
                reason: Reason::DeletedUnexpectedly.to_string(),
                message: "Deleted by 111122223333".to_owned(),
                observed_generation: Some(1),
                last_transition_time: Time(at(0)),
            })
            .collect(),
        state: Some(PeeringState::Deleted),
        peering_id: Some("pcx-0123456789abcdef0".to_owned()),
        routes: Some(RouteCounts {
            summary: "3/4".to_owned(),
            requester: SideRouteCounts { declared: 2, in_sync: 1 },
            accepter: SideRouteCounts { declared: 2, in_sync: 2 },
        }),
        inventory: vec![InventoryGroup {
            side: SideName::Accepter,
            route_table_ids: words(&["rtb-0123456789abcdef0"]),
            destinations: words(&["10.20.0.0/16", "2001:db8:1234::/56"]),
        }],
        exceptions: vec![RouteException {
            side: SideName::Requester,
            subject: "private".to_owned(),
            route_table_id: Some("rtb-0123456789abcdef1".to_owned()),
            destination: Some("10.30.0.0/16".to_owned()),
            reason: Reason::Occupied.to_string(),
            message: "leads to nat-0123456789abcdef0".to_owned(),
        }],
        exceptions_total: Some(1),
        held: vec![HeldAct {
            what: "restore pcx-0123456789abcdef0".to_owned(),
            reason: Reason::LimitReached.to_string(),
            release: "raise spec.limits.maxRestores of the PeeringPolicy".to_owned(),
        }],
        last_deletion: Some(LastDeletion {
            peering_id: "pcx-0123456789abcdef0".to_owned(),
            detected_at: at(1),
            class: Some("Unexpected".to_owned()),
            state: Some(PeeringState::Deleted),
            status_message: Some("Deleted by 111122223333".to_owned()),
            by_account_id: Some("111122223333".to_owned()),
            routes_affected: Some(4),
            action: Some("Restore".to_owned()),
            outcome: Some("Restored".to_owned()),
            restored_peering_id: Some("pcx-0123456789abcdef1".to_owned()),
            resolved_at: Some(at(2)),
        }),
        memory: Some(full_memory()),
    }
}

fn full_drift() -> Drift {
    Drift {
        of: "pcx-0123456789abcdef0".to_owned(),
        since: at(13),
        found: vec![Deviation {
            aspect: "Route".to_owned(),
            side: SideName::Requester,
            route_table_id: Some("rtb-0123456789abcdef1".to_owned()),
            destination: Some("10.20.0.0/16".to_owned()),
            key: Some("team".to_owned()),
            before: "pcx-0123456789abcdef0".to_owned(),
            after: "none".to_owned(),
            seen_at: at(13),
            stage: "Repairing".to_owned(),
            approved: true,
            attribution: "Corroborated".to_owned(),
            account_id: Some("111122223333".to_owned()),
            by: Some("History".to_owned()),
            culprit: Some(Culprit {
                event_id: "0c8b3b1f".to_owned(),
                at: at(12),
                account_id: "111122223333".to_owned(),
                region: "eu-west-1".to_owned(),
                principal: "arn:aws:iam::111122223333:user/eve".to_owned(),
                authorized: false,
            }),
        }],
        more: 3,
        incident: Some(IncidentRef { uid: "5d0c6d0f".to_owned(), generation: 1 }),
        acted_at: Some(at(14)),
        closed_at: Some(at(15)),
        end: Some("Restored".to_owned()),
    }
}

fn full_memory() -> Memory {
    let side = |vpc_id: &str| PairSide {
        account_id: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        vpc_id: vpc_id.to_owned(),
    };
    let both = PairWords { requester: words(&["10.10.0.0/16"]), accepter: words(&["10.20.0.0/16"]) };
    Memory {
        pair: Some(Pair {
            requester: side("vpc-0a1b2c3d4e5f60789"),
            accepter: side("vpc-0fedcba9876543210"),
        }),
        life: Some(Life {
            stage: LifeStage::Released,
            peering_id: "pcx-0123456789abcdef0".to_owned(),
            replaces: Some("pcx-0123456789abcdef2".to_owned()),
            generation: Some(1),
        }),
        origin: Some(Origin::Created),
        past: vec![PastPeering {
            peering_id: "pcx-0123456789abcdef2".to_owned(),
            ending: PeeringState::Absent,
        }],
        slots: vec![SlotGroup {
            side: SideName::Requester,
            target: "pcx-0123456789abcdef0".to_owned(),
            how: SlotOrigin::Created,
            route_table_ids: words(&["rtb-0123456789abcdef1"]),
            destinations: words(&["10.20.0.0/16", "pl-0123456789abcdef0"]),
        }],
        cidrs: Some(both.clone()),
        cidrs_at_spec: Some(both.clone()),
        settled_generation: Some(1),
        episode: Some(Episode {
            lost: "pcx-0123456789abcdef0".to_owned(),
            ending: PeeringState::Deleted,
            class: "Unexpected".to_owned(),
            detected_at: at(3),
            status_message: "Deleted by 111122223333".to_owned(),
            by_account_id: Some("111122223333".to_owned()),
            routes: 4,
            action: "Restore".to_owned(),
            acted_at: Some(at(4)),
            latched: Some(Latch {
                level: LimitLevel::Account,
                account_id: Some("111122223333".to_owned()),
                limit: 10,
                demand: 50,
            }),
        }),
        last_loss: Some(ClosedLoss {
            lost: "pcx-0123456789abcdef2".to_owned(),
            class: "WithdrawnByPeer".to_owned(),
            by_account_id: Some("444455556666".to_owned()),
            detected_at: at(5),
            closed_at: at(6),
            outcome: "Replaced".to_owned(),
            successor: Some("pcx-0123456789abcdef0".to_owned()),
        }),
        case: Some(Case {
            of: "pcx-0123456789abcdef2".to_owned(),
            incident: Some(IncidentRef { uid: "5d0c6d0e".to_owned(), generation: 1 }),
            attribution: "Corroborated".to_owned(),
            account_id: Some("444455556666".to_owned()),
            by: Some("History".to_owned()),
            culprit: Some(Culprit {
                event_id: "0c8b3b1e".to_owned(),
                at: at(11),
                account_id: "444455556666".to_owned(),
                region: "eu-west-1".to_owned(),
                principal: "arn:aws:iam::444455556666:user/ada".to_owned(),
                authorized: true,
            }),
            policy: "0123456789abcdef".to_owned(),
        }),
        stale_rules: Some(Box::new(StaleRules {
            peering_id: "pcx-0123456789abcdef2".to_owned(),
            total: 101,
            revoked: true,
            rules: vec![StaleRulesOf {
                side: SideName::Accepter,
                group_id: "sg-0123456789abcdef1".to_owned(),
                direction: "ingress".to_owned(),
                rule_ids: words(&["sgr-0123456789abcdef1"]),
            }],
        })),
        own: vec![OwnCalls { at: at(12), ids: words(&["rtb-0123456789abcdef1"]) }],
        drift: Some(Box::new(full_drift())),
        held_by: Some(SideName::Accepter),
        refused: Some(RefusedRequest {
            peering_id: "pcx-0123456789abcdef3".to_owned(),
            ending: PeeringState::Expired,
            status_message: "Expired".to_owned(),
            at: at(7),
            generation: 1,
            requested_at: Some("now".to_owned()),
        }),
        spent: vec![Spent { act: Act::Restore, at: at(8) }, Spent { act: Act::Finalize, at: at(9) }],
        create_intent: Some(at(10)),
        tag_keys: Some(PairWords { requester: words(&["team"]), accepter: words(&["team"]) }),
        requested_at: Some("2026-05-04T03:02:01Z".to_owned()),
        taken_from: Some("6f1c2d3e-0000-4000-8000-000000000000".to_owned()),
        extra: [("learnedLater".to_owned(), json!({"deeply": [1, {"nested": true}]}))].into(),
    }
}
