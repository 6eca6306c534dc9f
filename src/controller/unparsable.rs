//! An object that can't be parsed stops nobody else: the error is said on it, and it is left as it is.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use peerkeeper_core::ids::ObjectKey;
use peerkeeper_core::reason::{ConditionType, Reason};
use serde_json::json;

use super::shell::Shell;

/// Conditions take messages of up to 32 kB; an error that long helps nobody.
const MESSAGE_MAX: usize = 2000;

pub async fn report(shell: &Shell, key: &ObjectKey, why: &str) {
    if !shell.leadership.is_leading() {
        return;
    }
    let (generation, before) = match shell.cluster.raw_conditions(key).await {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(object = %key, %error, "an object that can't be parsed could not be told so");
            return;
        }
    };
    let message: String =
        format!("{why}; write the object again as its schema says").chars().take(MESSAGE_MAX).collect();
    let old: Vec<Condition> = serde_json::from_value(before).unwrap_or_default();
    let said = |kind: ConditionType| old.iter().find(|condition| condition.type_ == kind.as_str());
    let is_same = said(ConditionType::Ready)
        .is_some_and(|ready| ready.reason == Reason::InvalidObject.as_str() && ready.message == message);
    if is_same {
        return;
    }
    let condition = |kind: ConditionType, status: &str| {
        let since = said(kind)
            .filter(|c| c.status == status)
            .map_or_else(|| Time(Timestamp::now()), |c| c.last_transition_time.clone());
        Condition {
            type_: kind.as_str().to_owned(),
            status: status.to_owned(),
            reason: Reason::InvalidObject.as_str().to_owned(),
            message: message.clone(),
            last_transition_time: since,
            observed_generation: Some(generation),
        }
    };
    let conditions =
        json!([condition(ConditionType::Ready, "False"), condition(ConditionType::Stalled, "True")]);
    let said = shell.leadership.guard(shell.cluster.say_unparsable(key, &conditions));
    if let Err(error) = said.await {
        tracing::warn!(object = %key, %error, "an object that can't be parsed could not be told so");
    }
}
