//! AWS for whoever only looks.

use std::sync::Arc;

use super::{AccountConfig, Aws, AwsConfig, Caller, IdentityError, Meter, Reader, SetupError};

/// AWS, as far as its accounts have been declared, with no way to a [`Writer`](super::Writer) or a [`Door`](super::Door):
/// whoever is handed this, and nothing else of this room, can change nothing, whatever is written in it. Cheap to clone;
/// all clones are one.
///
/// It looks:
///
/// ```no_run
/// fn look(aws: &peerkeeper::aws::Looking) -> peerkeeper::aws::Reader {
///     aws.reader()
/// }
/// ```
///
/// What writes is not there, and what it is made of can't be taken out of it:
///
/// ```compile_fail,E0599
/// fn write(aws: &peerkeeper::aws::Looking) -> peerkeeper::aws::Writer {
///     aws.writer()
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn other_services(aws: &peerkeeper::aws::Looking, region: peerkeeper_core::ids::Region) {
///     let _ = aws.door(None, region);
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn whole(aws: &peerkeeper::aws::Looking) -> &peerkeeper::aws::Aws {
///     &aws.whole
/// }
/// ```
#[derive(Clone)]
pub struct Looking {
    whole: Aws,
}

impl Looking {
    /// As [`Aws::new`].
    pub async fn new(config: AwsConfig) -> Result<Self, SetupError> {
        Ok(Self { whole: Aws::new(config).await? })
    }

    /// Declares an account, or changes one. What was read in its name is forgotten if anything differs.
    pub fn set_account(&self, config: AccountConfig) {
        self.whole.set_account(config);
    }

    /// Who answers to the account's credentials, if that is the account declared.
    pub async fn verify(&self, name: &str) -> Result<Caller, IdentityError> {
        self.whole.verify(name).await
    }

    /// Whose the process's own credentials are, which no AwsAccount need declare.
    pub async fn own_caller(&self) -> Result<Caller, IdentityError> {
        self.whole.own_caller().await
    }

    pub fn reader(&self) -> Reader {
        self.whole.reader()
    }

    /// Counts of all calls, by account, Region, action and result.
    pub fn meter(&self) -> Arc<Meter> {
        self.whole.meter()
    }
}

impl Aws {
    /// The half of it that only looks. There is no way back.
    pub fn looking(&self) -> Looking {
        Looking { whole: self.clone() }
    }
}
