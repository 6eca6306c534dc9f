//! The way in, for rooms that ask services other than EC2: credentials that are good in somebody's name, calls that are
//! counted and logged like all others, errors by the same table.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use peerkeeper_core::aws_code::RefusalKind;
use peerkeeper_core::ids::{AccountRegion, Region};

use super::accounts::{Account, Session};
use super::errors::{CallError, IdentityError};

/// Somebody's way to AWS's services in one Region.
#[derive(Clone)]
pub struct Door {
    session: Arc<Session>,
    /// `None`: the operator's own credentials, whosever they are.
    account: Option<Arc<Account>>,
    region: Region,
}

impl Door {
    pub(super) fn new(session: Arc<Session>, account: Option<Arc<Account>>, region: Region) -> Self {
        Self { session, account, region }
    }

    /// What a service's client is made from. It has no retries, and this deadline for a whole call.
    pub fn sdk_config(&self, timeout: Duration) -> SdkConfig {
        let key = self.account.as_ref().map_or_else(|| self.session.own_key(), |account| account.key());
        self.session.sdk_for(self.region, timeout, key)
    }

    /// Makes sure of the credentials. Nothing may be sent in an AwsAccount's name before this said so; the operator's own
    /// are asked for when they are needed.
    pub async fn ready(&self) -> Result<(), IdentityError> {
        match &self.account {
            Some(account) => account.ready().await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Sends one call about what is at `at`, counts it and logs it.
    pub async fn call<O, E>(
        &self,
        at: AccountRegion,
        action: &'static str,
        send: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
    ) -> Result<O, CallError>
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let (answer, _) = self.session.call(at, action, send).await;
        if let Err(error) = &answer
            && error.kind() == RefusalKind::Credentials
        {
            match &self.account {
                Some(account) => account.distrust().await,
                None => self.session.distrust_own().await,
            }
        }
        answer
    }
}
