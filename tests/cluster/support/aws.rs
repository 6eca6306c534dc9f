//! Who plays AWS: `ec2sim`, which behaves like it, or moto, which nobody here wrote. The same orders for both, so that
//! one test can run on either.

use std::collections::BTreeMap;

use super::client::{Call, Clients, Fault};
use super::ec2sim::Ec2sim;
use super::moto::Moto;

pub enum Aws {
    Sim(Ec2sim),
    Moto(Moto),
}

impl Aws {
    pub fn clients(&self) -> Clients {
        match self {
            Aws::Sim(sim) => sim.clients(),
            Aws::Moto(moto) => moto.clients(),
        }
    }

    /// EC2 as a person in the given account; not the operator's code.
    pub async fn ec2(&self, account: &str, region: &str) -> aws_sdk_ec2::Client {
        self.clients().ec2(account, region).await
    }

    /// The simulator, for what moto can't do.
    #[track_caller]
    pub fn sim(&self) -> &Ec2sim {
        match self {
            Aws::Sim(sim) => sim,
            Aws::Moto(_) => panic!("moto can't do this: the test needs ec2sim"),
        }
    }

    /// moto shows no blackholes, and the creator's tags to both sides.
    pub fn is_moto(&self) -> bool {
        matches!(self, Aws::Moto(_))
    }

    /// How often each action was asked for since the start or `forget_calls`.
    #[track_caller]
    pub fn calls(&mut self) -> BTreeMap<String, u64> {
        match self {
            Aws::Sim(sim) => sim.calls(None),
            Aws::Moto(moto) => moto.calls(),
        }
    }

    /// The same, of one account's credentials alone.
    #[track_caller]
    pub fn calls_of(&mut self, account: &str) -> BTreeMap<String, u64> {
        match self {
            Aws::Sim(sim) => sim.calls(Some(account)),
            Aws::Moto(moto) => moto.calls_of(account),
        }
    }

    /// Ends all faults; what is held goes on.
    #[track_caller]
    pub fn mend(&mut self) {
        match self {
            Aws::Sim(sim) => sim.mend(None),
            Aws::Moto(moto) => moto.mend(),
        }
    }

    /// Ends the faults that were narrowed to one account.
    #[track_caller]
    pub fn mend_account(&mut self, account: &str) {
        match self {
            Aws::Sim(sim) => sim.mend(Some(account)),
            Aws::Moto(moto) => moto.mend_account(account),
        }
    }
}

macro_rules! alike {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) $(-> $answer:ty)?;)*) => {
        impl Aws {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $name(&mut self, $($arg: $type),*) $(-> $answer)? {
                    match self {
                        Aws::Sim(sim) => sim.$name($($arg),*),
                        Aws::Moto(moto) => moto.$name($($arg),*),
                    }
                }
            )*
        }
    };
}

alike! {
    /// Every call since the start or `forget_calls`, in order.
    log() -> Vec<Call>;
    forget_calls();
    /// Requests wait, not yet carried out, until `release` or `mend`.
    hold(fault: Fault<'_>);
    release(action: &str);
    /// Requests are answered with an error and not carried out.
    refuse(fault: Fault<'_>, code: &str);
    /// Requests are carried out, and their answers lost.
    drop_answer(fault: Fault<'_>);
}
