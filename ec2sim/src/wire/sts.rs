//! The Security Token Service.

use crate::request::Request;
use crate::wire::mapping::Mapping;
use crate::wire::value::Struct;

pub(crate) const OPERATIONS: &[Mapping] = &[Mapping {
    name: "GetCallerIdentity",
    reads: &[],
    ask: |_| Ok(Request::GetCallerIdentity {}),
    answer: |_, response| {
        let identity = response.identity()?;
        Some(
            Struct::new()
                .with("UserId", identity.user_id)
                .with("Account", identity.account.as_str())
                .with("Arn", identity.arn),
        )
    },
}];
