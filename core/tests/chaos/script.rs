//! What people, other tools and the machine room do to the operator, drawn up front as a list: so it can be cut down to
//! the shortest that still fails.

use ec2sim::Seeded;

use crate::knobs::Knobs;

/// Times from the start of a run.
pub const CHAOS_MS: u64 = 1_200_000;
/// The first minutes are quiet but for the knobs, so that something comes to be that can be lost.
const SETTLED_MS: u64 = 90_000;

macro_rules! whats {
    ($($(#[doc = $doc:literal])* $name:ident,)+) => {
        /// One kind of act. Much of it AWS or the API server refuses, which is as it should be.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum What {
            $($(#[doc = $doc])* $name,)+
        }

        impl What {
            pub const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

whats! {
    // In AWS.
    /// Somebody with rights on one side deletes the live peerings of a pair.
    DeletePeering,
    /// A request from the other end, left pending.
    RequestReversed,
    /// Another tool makes the peering from the other end.
    PeerReversed,
    /// Another tool makes the peering in the declared direction.
    PeerSame,
    /// Another tool deletes the peering and makes it anew, tagged as its own.
    RecreateAsOther,
    RejectPeering,
    AcceptPeering,
    DeleteRoute,
    /// A declared route is pointed at a transit gateway.
    RepointRoute,
    /// A declared route is pointed at another pair's peering.
    RepointToPeering,
    /// Somebody adds the route before we do.
    AddRoute,
    TagHold,
    LiftHold,
    /// Another installation's owner tag on the live peering.
    TagOtherOwner,
    /// That tag is taken away again.
    UntagOtherOwner,
    /// Our own tags are removed.
    RemoveOurTags,
    ChangeDeclaredTag,
    SwitchDns,
    SwitchVpcDns,
    AddCidr,
    RemoveCidr,
    /// A table stops to be selected, or begins to.
    RetagTable,
    NewTable,
    DeleteTable,
    /// A table that would be selected and belongs to a gateway.
    NewEdgeTable,
    DeleteVpc,
    /// An account may not do something any more.
    Deny,
    AllowAll,
    ShrinkQuota,
    RestoreQuota,

    // In Kubernetes.
    DeleteObject,
    /// Declares what is not declared.
    Declare,
    /// A second object of the same pair.
    DeclareTwin,
    /// A new name for the same pair in one commit: the old one deleted, the new one made.
    Rename,
    EditTags,
    EditRoutes,
    EditDns,
    EditDeletionPolicy,
    EditAdoption,
    ToggleSuspend,
    RequestReconcile,
    EditPolicyRef,
    EditPolicy,
    DeletePolicy,
    MakePolicies,
    SuspendAccount,
    UngrantAccount,
    DeleteAccount,
    /// The foreign account is not on the list any more.
    DisallowPeer,
    /// The foreign account gets an AwsAccount of its own.
    ManageForeign,
    /// The role can't be assumed.
    BreakRole,
    /// The credentials are another account's.
    WrongCredentials,
    MendAccounts,
    /// Status is lost, as after a restore from a backup. The annotation stays.
    LoseStatus,
    LoseStatusAndAnnotation,
    /// Restored from a backup: another uid, no status, the annotation there.
    RestoreFromBackup,

    /// Somebody decides about a loss: approves the plan, rejects it, or approves another.
    Decide,
    DeleteIncident,
    /// Somebody puts an incident of their own where ours would be.
    PlantIncident,

    // In the machine room.
    Kill,
    Pause,
    CutFromApi,
    CutFromAws,
    DeleteLease,

    // Of events: only where the operator hears of them.
    /// One whom policies may authorize deletes the live peerings of a pair.
    DeleteAsAuthorized,
    /// One who looks like them: another path, another kind, no second factor, only the session's name.
    DeleteAlike,
    /// Two people delete at the same moment, one of them an officer.
    RaceToDelete,
    /// A message tells of a deletion that did not happen.
    ForgeDeletion,
    /// A message tells of a deletion in a place where it was not.
    ForgeElsewhere,
    DenyHistory,
    /// The queue can't be read any more.
    CloseQueue,
    /// Somebody stops the trail, or starts it again.
    StopTrail,
    StartTrail,
    /// Another list of officers, and other rules about them.
    EditAuthorized,
}

impl What {
    pub fn is_of_events(self) -> bool {
        self >= Self::DeleteAsAuthorized
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Act {
    pub at_ms: u64,
    pub what: What,
    /// Picks whom or what it is done to.
    pub pick: u64,
}

/// The acts of one seed.
pub fn draw(seed: u64, knobs: &Knobs) -> Vec<Act> {
    let mut dice = Seeded::new(seed ^ 0x6163_7473, ec2sim::Knobs::default());
    let total: u64 = knobs.acts.values().map(|weight| u64::from(*weight)).sum();
    let pause_ms = 5_000 + dice.below(30_000);
    let mut acts = Vec::new();
    let mut at_ms = SETTLED_MS;
    if total == 0 {
        return acts;
    }
    loop {
        at_ms += dice.below(2 * pause_ms);
        if at_ms >= CHAOS_MS {
            return acts;
        }
        let mut number = dice.below(total);
        for (what, weight) in &knobs.acts {
            if number < u64::from(*weight) {
                acts.push(Act { at_ms, what: *what, pick: dice.below(1 << 40) });
                break;
            }
            number -= u64::from(*weight);
        }
    }
}
