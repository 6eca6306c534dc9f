//! Client tokens: a request that comes again with the token of an earlier one is that earlier one.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{Cx, State};
use crate::error::AwsError;
use crate::ids::{AccountId, Region};
use crate::request::{Action, Request};

type Key = (AccountId, Region, Action, String);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Given {
    /// Of the whole request: the same token with another request is refused.
    fingerprint: u64,
    made: String,
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Tokens(Arc<BTreeMap<Key, Given>>);

fn fingerprint(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

fn key(cx: &Cx<'_>, token: &str, request: &Request) -> Key {
    (cx.caller.account.clone(), cx.caller.region.clone(), request.action(), token.to_owned())
}

impl State {
    /// The id of what the first request with this token made.
    pub(crate) fn given_before(
        &self,
        cx: &Cx<'_>,
        token: Option<&str>,
        request: impl Fn() -> Request,
    ) -> Result<Option<String>, AwsError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        let request = request();
        let Some(given) = self.tokens.0.get(&key(cx, token, &request)) else { return Ok(None) };
        if given.fingerprint == fingerprint(&request) {
            return Ok(Some(given.made.clone()));
        }
        let message =
            format!("Parameters of the request with client token {token} differ from the first one's.");
        Err(AwsError::new("IdempotentParameterMismatch", message))
    }

    pub(crate) fn note_token(
        &mut self,
        cx: &Cx<'_>,
        token: Option<&str>,
        request: impl Fn() -> Request,
        made: &str,
    ) {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return };
        let request = request();
        let given = Given { fingerprint: fingerprint(&request), made: made.to_owned() };
        Arc::make_mut(&mut self.tokens.0).insert(key(cx, token, &request), given);
    }
}
