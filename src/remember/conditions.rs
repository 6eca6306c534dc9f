//! The report's conditions as Kubernetes knows them, and back.

use super::clip;
use crate::api::{ConditionType, Timestamp, VpcPeeringStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use peerkeeper_core::plan::{self, Truth};
use std::{collections::BTreeMap, sync::Arc};

const MESSAGE_MAX_BYTES: usize = 2048;

/// One condition to be shown.
pub(super) struct Said<'a> {
    pub kind: &'a str,
    pub truth: Truth,
    pub reason: &'a str,
    pub message: &'a str,
}

impl<'a> From<&'a plan::Condition> for Said<'a> {
    fn from(condition: &'a plan::Condition) -> Self {
        let plan::Condition { kind, truth, reason, message } = condition;
        Said { kind: kind.as_str(), truth: *truth, reason: reason.as_str(), message }
    }
}

/// Conditions of ours, each with the moment at which its status last changed.
pub(super) fn conditions<'a>(
    said: impl IntoIterator<Item = Said<'a>>,
    previous: &[Condition],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let one = |Said { kind, truth, reason, message }: Said<'a>| {
        let status = truth_word(truth);
        let before = previous.iter().find(|before| before.type_ == kind && before.status == status);
        Condition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: clip(message, MESSAGE_MAX_BYTES),
            observed_generation: Some(generation),
            // Whole seconds, which is what the API server keeps: what is read back equals what was written.
            last_transition_time: before.map_or_else(
                || Time(super::timestamp(super::wall(now))),
                |before| before.last_transition_time.clone(),
            ),
        }
    };
    said.into_iter().map(one).collect()
}

fn truth_word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "True",
        Truth::False => "False",
        Truth::Unknown => "Unknown",
    }
}

/// What the conditions said, with their reasons, for telling transitions. Conditions of others are left out.
pub fn told(status: Option<&VpcPeeringStatus>) -> BTreeMap<ConditionType, (Truth, Arc<str>)> {
    let one = |condition: &Condition| {
        let kind = ConditionType::ALL.iter().find(|kind| kind.as_str() == condition.type_)?;
        let truth = [Truth::True, Truth::False, Truth::Unknown]
            .into_iter()
            .find(|t| truth_word(*t) == condition.status)?;
        Some((*kind, (truth, Arc::from(condition.reason.as_str()))))
    };
    status.iter().flat_map(|status| &status.conditions).filter_map(one).collect()
}
