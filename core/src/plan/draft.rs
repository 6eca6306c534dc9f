//! The verdict while it is being made. Whatever proposes a write goes through [`Draft::offer`], so that no write escapes
//! the rules that hold for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::aws_code::RefusalKind;
use crate::desired::{AccountRef, Grant, PairAt, PolicySource, Reaction};
use crate::drift::Aspect;
use crate::ids::{HOLD_TAG_KEY, PeeringId, PrefixListId, Side, Sides};
use crate::incident::{Decided, Incident, Phase, ProposedPlan};
use crate::limits::Reserve;
use crate::memory::{Act, Life, LossClass, Memory};
use crate::misuse::{self, Ends};
use crate::observed::{Needs, Seen, Unseen};
use crate::reason::{ConditionType, Reason};
use crate::recent::Sent;
use crate::time::Mono;
use crate::witness::Ask;
use crate::write::{Write, WriteCall, WriteKey};

use super::report::{Condition, Count, Exception, Finding, Held, Report, State, Truth, Weight};
use super::sight::{IdState, Sight};
use super::{Finalizer, Input, Verdict};

pub(crate) struct Draft<'a> {
    pub input: &'a Input<'a>,
    pub memory: Memory,
    sight: Option<Sight<'a>>,
    pub wave: Vec<WriteCall>,
    /// Nothing is in the wave twice, though it may hold thousands of routes.
    wave_keys: BTreeSet<WriteKey>,
    pub findings: Vec<Finding>,
    pub exceptions: Vec<Exception>,
    pub held: Vec<Held>,
    pub routes: Sides<Count>,
    pub state: State,
    pub active: bool,
    /// `None` while no DNS option is declared.
    pub dns: Option<bool>,
    pub finalizer: Finalizer,
    pub reserve: Option<Reserve>,
    pub lookup: Option<crate::ids::ObjectKey>,
    /// How far the open loss is, for its incident.
    pub phase: Option<Phase>,
    /// What would be done about it.
    pub proposed: Option<ProposedPlan>,
    pub incidents: Vec<Incident>,
    /// What CloudTrail's history is to be asked.
    pub ask: BTreeSet<Ask>,
    /// What deviates and is left as it is: as declared, and as read.
    pub flagged: BTreeMap<Aspect, (Arc<str>, Arc<str>)>,
    /// What had been flagged and is as declared.
    pub sound: BTreeSet<Aspect>,
    /// The digest of what would put right what was flagged before, and what a person decided about that.
    pub drift_plan: Option<(Arc<str>, Decided)>,
    /// It was approved, and this forbids it.
    pub drift_held: Option<(Reason, String)>,
    /// Prefix lists that must be read before routes to them can be counted.
    pub lists: BTreeMap<Side, BTreeSet<PrefixListId>>,
    /// Sides whose stale security-group rules must be read.
    pub rules: BTreeSet<Side>,
    wake: Option<Mono>,
    /// Sides that writes wait to see: asked for before the turn ends.
    unseen: BTreeSet<Side>,
    /// A tag on a VPC that forbids every write: whose, and which VPC.
    pub hold_tag: Option<(Side, String)>,
}

impl<'a> Draft<'a> {
    pub fn new(input: &'a Input<'a>) -> Self {
        Self {
            input,
            memory: input.memory.clone(),
            sight: None,
            wave: Vec::new(),
            wave_keys: BTreeSet::new(),
            findings: Vec::new(),
            exceptions: Vec::new(),
            held: Vec::new(),
            routes: Sides::default(),
            state: State::Pending,
            active: false,
            dns: None,
            finalizer: Finalizer::Keep,
            reserve: None,
            lookup: None,
            phase: None,
            proposed: None,
            incidents: Vec::new(),
            ask: BTreeSet::new(),
            flagged: BTreeMap::new(),
            sound: BTreeSet::new(),
            drift_plan: None,
            drift_held: None,
            lists: BTreeMap::new(),
            rules: BTreeSet::new(),
            wake: None,
            unseen: BTreeSet::new(),
            hold_tag: None,
        }
    }

    /// Looks at both sides. The pair's accounts must be known by then.
    pub fn look(&mut self, pair: PairAt) {
        let input = self.input;
        let sight = Sight::new(pair, input.observed, input.recent, input.now, input.timing);
        for side in Side::BOTH {
            if let Seen::Present(vpc) = sight.vpc(side)
                && vpc.tags.contains_key(HOLD_TAG_KEY)
            {
                self.hold_tag = Some((side, vpc.id.to_string()));
            }
        }
        self.sight = Some(sight);
    }

    /// Only after [`Draft::look`].
    #[expect(clippy::expect_used, reason = "plan() looks before any module asks")]
    pub fn sight(&self) -> &Sight<'a> {
        self.sight.as_ref().expect("the pair was looked at")
    }

    pub fn sight_is_missing(&self) -> bool {
        self.sight.is_none()
    }

    /// Under a policy that was named and does not exist nothing is repaired.
    pub fn on_drift(&self) -> Reaction {
        match &self.input.policy.source {
            PolicySource::Missing(_) => Reaction::Flag,
            PolicySource::BuiltIn | PolicySource::Named(_) => self.input.policy.on_drift,
        }
    }

    pub fn granted(&self, side: Side) -> bool {
        matches!(self.input.grants.get(side), Grant::Granted(_))
    }

    pub fn wake_at(&mut self, at: Mono) {
        self.wake = Some(self.wake.map_or(at, |known| known.min(at)));
    }

    pub fn wake_in_s(&mut self, seconds: i64) {
        let ms = u64::try_from(seconds.max(1)).unwrap_or(1).saturating_mul(1000);
        self.wake_at(self.input.now.mono.plus_ms(ms));
    }

    /// AWS is working on it: look again soon, less and less often.
    pub fn poll(&mut self) {
        let timing = self.input.timing;
        let delay =
            timing.poll_ms.saturating_mul(1 << self.input.recent.polls.min(10)).min(timing.stale_ms / 3);
        self.wake_at(self.input.now.mono.plus_ms(delay));
    }

    pub fn working(&mut self, reason: Reason, message: impl Into<String>) {
        self.find(Weight::Working, reason, message.into());
    }

    pub fn stuck(&mut self, reason: Reason, message: impl Into<String>) {
        self.find(Weight::Stuck, reason, message.into());
    }

    fn find(&mut self, weight: Weight, reason: Reason, message: String) {
        self.findings.push(Finding { weight, reason, message });
    }

    /// AWS's word is missing. Nothing destructive follows; it is said, and asked again.
    pub fn blind(&mut self, what: &str, unseen: &Unseen) {
        let (weight, reason, message) = match unseen {
            Unseen::NotRead => {
                (Weight::Working, Reason::AwsUnavailable, format!("{what} has not been read yet"))
            }
            Unseen::Denied { call, code } => (
                Weight::Working,
                Reason::AccessDenied,
                format!("{what} can't be read: {call} was denied with {code}; check the role's policies"),
            ),
            Unseen::Throttled => {
                (Weight::Working, Reason::Throttled, format!("{what} can't be read: AWS asks to slow down"))
            }
            Unseen::Failed { call, why } => (
                Weight::Working,
                Reason::AwsUnavailable,
                format!("{what} can't be read: {call} failed: {why}; it is tried again"),
            ),
            Unseen::WrongAccount { found } => {
                let found = found.map_or_else(|| "no account".to_owned(), |id| id.to_string());
                let message = format!(
                    "{what} can't be read: the credentials of {} answer as {found}, which is not its spec.accountId; check its spec.roleArn, or the operator's own credentials where it has none",
                    self.wrong_accounts()
                );
                (Weight::Stuck, Reason::WrongAccount, message)
            }
            Unseen::TooOld { .. } => (
                Weight::Blind,
                Reason::ObservationStale,
                format!("{what} was not read for more than three sweeps"),
            ),
            Unseen::Settling { .. } => (
                Weight::Working,
                Reason::WaitingForAws,
                format!("{what}: a change of ours is not visible yet"),
            ),
            Unseen::Unproved => (
                Weight::Working,
                Reason::AwsUnavailable,
                format!("{what} is not shown by AWS; more readings must prove that it is gone"),
            ),
        };
        self.find(weight, reason, message);
    }

    /// The AwsAccounts whose credentials are another account's.
    fn wrong_accounts(&self) -> String {
        let wrong = |side: &Side| {
            matches!(self.input.observed.get(*side).peerings.unseen, Unseen::WrongAccount { .. })
        };
        let names: BTreeSet<String> = Side::BOTH
            .into_iter()
            .filter(wrong)
            .filter_map(|side| match &self.input.desired.sides.get(side).account {
                AccountRef::Managed(name) => Some(format!("AwsAccount {name}")),
                AccountRef::Foreign(_) => None,
            })
            .collect();
        names.into_iter().collect::<Vec<_>>().join(" and ")
    }

    pub fn except(&mut self, exception: Exception) {
        self.exceptions.push(exception);
    }

    pub fn hold(&mut self, what: impl Into<String>, reason: Reason, release: impl Into<String>) {
        self.held.push(Held { what: what.into(), reason, release: release.into() });
    }

    /// Proposes a write. It joins the wave unless something common to all writes forbids it, which is then said.
    pub fn offer(&mut self, side: Side, write: Write) -> Offer {
        let call = WriteCall { side, at: self.sight().pair.at(side), write };
        if let Some((reason, release)) = self.forbids(side) {
            self.hold(call.to_string(), reason, release);
            return Offer::Held;
        }
        // What it rests on is what this side shows. The other side's word is not enough: it knows nothing of the tags here,
        // and may be as old as three sweeps.
        if let Some(unseen) = self.sight().blind.get(side).clone() {
            self.blind(&format!("the peerings of this pair on the {side} side"), &unseen);
            self.unseen.insert(side);
            return Offer::Unseen;
        }
        let (recent, now) = (self.input.recent, self.input.now.mono);
        if recent.pending(call.key()).is_some() {
            self.poll();
            return Offer::UnderWay;
        }
        if let Some(refused) = recent.refusal(call.key(), now) {
            self.wake_at(refused.until);
            return Offer::Refused;
        }
        if self.wave_keys.insert(call.key()) {
            self.wave.push(call);
        }
        Offer::Joined
    }

    /// What forbids every write on this side now, and what releases it.
    pub fn forbids(&self, side: Side) -> Option<(Reason, String)> {
        let desired = self.input.desired;
        if desired.suspend && !desired.deleting {
            return Some((Reason::Suspended, "set spec.suspend to false".to_owned()));
        }
        if let Some((_, vpc)) = &self.hold_tag {
            return Some((Reason::Held, format!("remove the tag {HOLD_TAG_KEY} from {vpc}")));
        }
        if let Some(withdrawn) = self.frozen() {
            return Some(withdrawn);
        }
        match self.input.grants.get(side) {
            Grant::Granted(_) => None,
            Grant::Suspended(account) => Some((
                Reason::AccountSuspended,
                format!("set spec.suspend of the AwsAccount of {account} to false"),
            )),
            Grant::Misused { account, name, event } => {
                Some((Reason::OperatorCredentialsMisused, misuse::release(*account, name, event)))
            }
            _ => {
                Some((Reason::AccessDenied, format!("make the role of the {side} side's AwsAccount usable")))
            }
        }
    }

    /// Both sides' owners must allow what is done on either: one that does not freezes the object, but for its end.
    fn frozen(&self) -> Option<(Reason, String)> {
        let release = |side: Side| match self.input.grants.get(side) {
            Grant::NoAccount { name } => Some(format!("create AwsAccount {name}")),
            Grant::NotGranted { name, .. } => Some(format!("have AwsAccount {name} grant it")),
            Grant::ForeignRefused { account, .. } => Some(format!("have account {account} allowed")),
            Grant::Granted(_)
            | Grant::Suspended(_)
            | Grant::Misused { .. }
            | Grant::Foreign(_)
            | Grant::Unusable { .. } => None,
        };
        let release = Side::BOTH.into_iter().find_map(release).filter(|_| !self.input.desired.deleting)?;
        Some((Reason::AccessWithdrawn, release))
    }

    /// Says what AWS refused and what is not visible yet, for everything this object tried.
    fn tell_recent(&mut self) {
        let now = self.input.now.mono;
        let refused: Vec<_> = self.input.recent.refused().cloned().collect();
        for refused in refused {
            let (call, refusal) = (&refused.call, &refused.refusal);
            let text = format!("{} was refused in {} with {refusal}", call.action(), call.at);
            match refusal.kind() {
                RefusalKind::Denied => self.working(
                    Reason::AccessDenied,
                    format!("{text}; allow it in the role's policy, it is tried again"),
                ),
                RefusalKind::Credentials => self.working(
                    Reason::AccessDenied,
                    format!("{text}; check the account's role and trust policy"),
                ),
                RefusalKind::Throttled => self.working(Reason::Throttled, text),
                RefusalKind::Quota => {
                    self.stuck(Reason::QuotaReached, format!("{text}; raise the quota or free room"))
                }
                RefusalKind::DnsUnsupported => self.stuck(
                    Reason::DnsHostnamesDisabled,
                    format!("{text}; enable DNS hostnames and DNS support on both VPCs"),
                ),
                RefusalKind::Moved | RefusalKind::NotFound | RefusalKind::PeeringExists => {
                    self.working(Reason::WaitingForAws, format!("{text}; it is observed again"));
                }
                RefusalKind::Unavailable | RefusalKind::DryRun => self.working(Reason::AwsUnavailable, text),
                RefusalKind::Invalid | RefusalKind::Unlisted => self.stuck(Reason::AwsRefused, text),
            }
        }
        let mut settling = self.input.recent.sent();
        if let Some((_, Sent { call: first, .. })) = settling.next() {
            let more = settling.count();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.working(Reason::WaitingForAws, format!("waiting until AWS shows: {first}{rest}"));
            self.poll();
        }
        if let Some(at) = self.input.recent.next_change(now, self.input.timing) {
            self.wake_at(at);
        }
    }

    /// What must be read freshly before the wave is sent: just what it touches.
    fn needs(&self) -> Needs {
        let (prefix_lists, peerings) = (self.lists.clone(), self.unseen.clone());
        let mut needs = Needs { prefix_lists, peerings, stale_rules: self.rules.clone(), ..Needs::default() };
        for call in &self.wave {
            match &call.write {
                Write::Create { .. } => {
                    let readable =
                        Side::BOTH.into_iter().filter(|side| self.input.grants.get(*side).readable());
                    let sides: BTreeSet<Side> = readable.collect();
                    needs.vpcs.extend(sides.iter().copied());
                    needs.peerings.extend(sides);
                }
                Write::Accept(_)
                | Write::Remove(..)
                | Write::Options { .. }
                | Write::Tag { .. }
                | Write::Untag { .. } => {
                    needs.peerings.insert(call.side);
                }
                Write::AddRoute { slot, .. }
                | Write::Repoint { slot, .. }
                | Write::DropRoute { slot, .. } => {
                    needs.peerings.insert(call.side);
                    needs.tables.entry(call.side).or_default().insert(slot.table);
                }
                Write::RevokeRule { .. } => {
                    needs.peerings.insert(call.side);
                    needs.stale_rules.insert(call.side);
                }
            }
        }
        needs
    }

    pub fn finish(mut self) -> Verdict {
        super::case::follow(&mut self);
        super::drift::note_hold(&mut self);
        super::drift::follow(&mut self);
        self.tell_recent();
        self.memory.requested_at = self.input.desired.requested_at.clone();
        self.count_remembered();
        if !self.wave.is_empty() && !self.input.desired.deleting {
            self.finalizer = Finalizer::Add;
        }
        let ends = self.wave.iter().filter_map(|call| Ends::of_write(&call.write));
        misuse::remember(&mut self.memory, ends, self.input.now.wall);
        let needs = self.needs();
        let established = match self.memory.life {
            Life::Established(id) => Some(id),
            _ => None,
        };
        let report = self.report();
        super::case::tell(&mut self);
        let Self { memory, wave, finalizer, reserve, lookup, incidents, ask, wake, .. } = self;
        Verdict { memory, wave, needs, report, finalizer, established, reserve, lookup, incidents, ask, wake }
    }

    /// While the peering is not active nothing is compared: what was there before is what is missing now.
    fn count_remembered(&mut self) {
        if self.active || self.input.desired.deleting {
            return;
        }
        for slot in self.memory.slots.keys() {
            self.routes.get_mut(slot.side).declared += 1;
        }
    }

    fn report(&mut self) -> Report {
        self.exceptions.sort();
        self.exceptions.dedup();
        let exceptions_total = u32::try_from(self.exceptions.len()).unwrap_or(u32::MAX);
        self.say_exceptions();
        if self.input.desired.deleting && self.findings.is_empty() {
            self.working(Reason::Deleting, "removing the routes, then the peering");
        }
        self.say_wave();
        let conditions = self.conditions();
        self.exceptions.truncate(Report::EXCEPTIONS_MAX);
        self.held.truncate(Report::HELD_MAX);
        Report {
            observed_generation: self.input.desired.generation,
            state: self.state,
            aws_state: self.aws_state(),
            peering: self.memory.peering(),
            conditions,
            routes: self.routes,
            exceptions: std::mem::take(&mut self.exceptions),
            exceptions_total,
            held: std::mem::take(&mut self.held),
            loss: self.memory.episode.clone(),
            last_loss: self.memory.last_loss.clone(),
        }
    }

    fn aws_state(&self) -> Arc<str> {
        // Of what nobody looked at, or could not see, nothing is known.
        let Some(sight) = &self.sight else { return "unknown".into() };
        let Some(id) = self.memory.peering() else {
            let is_seen = sight.blind.requester.is_none();
            return if is_seen { "absent" } else { "unknown" }.into();
        };
        match sight.id_state(id, &self.memory) {
            IdState::Live(state) | IdState::Between(state) => state.as_str().into(),
            IdState::Ended(ending) => ending.as_str().into(),
            IdState::Unknown(_) => "unknown".into(),
        }
    }

    /// Exceptions that leave a declared route undone make the object not ready.
    fn say_exceptions(&mut self) {
        let grave = |e: &&Exception| {
            !matches!(
                e.reason,
                Reason::DestinationWiderThanPeer | Reason::EdgeTable | Reason::OwnedByOtherAccount
            )
        };
        let Some(first) = self.exceptions.iter().find(grave).cloned() else { return };
        let count = self.exceptions.iter().filter(grave).count();
        let rest = if count > 1 {
            format!(" (and {} more, see status.exceptions)", count - 1)
        } else {
            String::new()
        };
        self.stuck(first.reason, format!("{} ({}): {}{rest}", first.subject, first.side, first.message));
    }

    fn say_wave(&mut self) {
        if let Some(first) = self.wave.first() {
            let more = self.wave.len() - 1;
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.working(Reason::Progressing, format!("{first}{rest}"));
        }
        if let Some(held) = self.held.first().cloned() {
            self.stuck(held.reason, format!("not done: {}; to release it, {}", held.what, held.release));
        }
    }

    fn conditions(&self) -> Vec<Condition> {
        // The gravest finding speaks; of equal ones the first, which is the cause of the later ones.
        let gravest = self
            .findings
            .iter()
            .enumerate()
            .max_by_key(|(at, f)| (f.weight, std::cmp::Reverse(*at)))
            .map(|(_, f)| f);
        let mut conditions = vec![self.ready(gravest)];
        let extra = |kind, finding: &Finding| Condition {
            kind,
            truth: Truth::True,
            reason: finding.reason,
            message: finding.message.clone(),
        };
        match gravest {
            Some(f) if f.weight == Weight::Working => conditions.push(extra(ConditionType::Reconciling, f)),
            Some(f) if f.weight == Weight::Stuck => conditions.push(extra(ConditionType::Stalled, f)),
            _ => {}
        }
        conditions.push(self.peering_active());
        conditions.push(self.routes_in_sync());
        conditions.extend(self.dns_in_sync());
        conditions.push(self.unexpectedly_deleted());
        conditions
    }

    fn ready(&self, gravest: Option<&Finding>) -> Condition {
        let kind = ConditionType::Ready;
        let Some(finding) = gravest else {
            let routes: u32 = self.routes.iter().map(|(_, count)| count.declared).sum();
            let id = self.memory.peering().map(|id| id.to_string()).unwrap_or_default();
            let message = format!("{id} is active, with {routes} routes in sync");
            return Condition { kind, truth: Truth::True, reason: Reason::InSync, message };
        };
        let truth = if finding.weight == Weight::Blind { Truth::Unknown } else { Truth::False };
        Condition { kind, truth, reason: finding.reason, message: finding.message.clone() }
    }

    fn peering_active(&self) -> Condition {
        let kind = ConditionType::PeeringActive;
        let id = self.memory.peering().map(|id| id.to_string()).unwrap_or_else(|| "the peering".to_owned());
        let state = self.aws_state();
        let message = match &*state {
            "unknown" => format!("the state of {id} is not known"),
            state => format!("{id} is {state}"),
        };
        let (truth, reason) = match &*state {
            "active" => (Truth::True, Reason::Active),
            "unknown" => (Truth::Unknown, Reason::PeeringNotActive),
            _ if self.state == State::Unknown => (Truth::Unknown, Reason::PeeringNotActive),
            _ => (Truth::False, Reason::PeeringNotActive),
        };
        Condition { kind, truth, reason, message }
    }

    fn routes_in_sync(&self) -> Condition {
        let kind = ConditionType::RoutesInSync;
        let declared: u32 = self.routes.iter().map(|(_, count)| count.declared).sum();
        let in_sync: u32 = self.routes.iter().map(|(_, count)| count.in_sync).sum();
        let message = format!("{in_sync} of {declared} declared routes lead to the peering");
        if !self.active {
            return Condition { kind, truth: Truth::False, reason: Reason::PeeringNotActive, message };
        }
        let (truth, reason) = match (declared, in_sync) {
            (0, _) if self.exceptions.is_empty() => (Truth::True, Reason::NothingDeclared),
            (d, s) if d == s && self.exceptions.iter().all(|e| e.slot.is_none()) => {
                (Truth::True, Reason::InSync)
            }
            _ => (Truth::False, Reason::RoutesMissing),
        };
        Condition { kind, truth, reason, message }
    }

    fn dns_in_sync(&self) -> Option<Condition> {
        let kind = ConditionType::DnsInSync;
        let (truth, reason, message) = match self.dns? {
            true => (Truth::True, Reason::InSync, "DNS resolution over the peering is as declared"),
            false if self.active => (
                Truth::False,
                Reason::Drifted,
                "DNS resolution over the peering differs from what is declared",
            ),
            false => {
                (Truth::False, Reason::PeeringNotActive, "DNS options can be set once the peering is active")
            }
        };
        Some(Condition { kind, truth, reason, message: message.to_owned() })
    }

    fn unexpectedly_deleted(&self) -> Condition {
        let kind = ConditionType::UnexpectedlyDeleted;
        if let Some(episode) = &self.memory.episode {
            let (reason, message) = super::loss::describe(episode, self.memory.case_of(episode.lost));
            // What the policy authorizes was to be expected.
            let truth = if episode.class == LossClass::Authorized { Truth::False } else { Truth::True };
            return Condition { kind, truth, reason, message };
        }
        let Some(last) = &self.memory.last_loss else {
            let message = "no loss is open".to_owned();
            return Condition { kind, truth: Truth::False, reason: Reason::NotLost, message };
        };
        let (reason, message) = super::loss::describe_closed(last, self.memory.case_of(last.lost));
        Condition { kind, truth: Truth::False, reason, message }
    }

    /// This plan takes room for such an act.
    pub fn reserves(&self, act: Act) -> bool {
        self.reserve.is_some_and(|reserve| reserve.act == act)
    }

    /// The current peering's id, if the pair's life has one.
    pub fn current(&self) -> Option<PeeringId> {
        self.memory.peering()
    }

    /// Spends an act under the limits, unless this object already has in the window. `Err` says which limit forbids it.
    pub fn admit(&mut self, act: Act) -> Result<(), crate::memory::Latch> {
        self.input.limits.admit(act, self.input.now.wall)?;
        self.memory.spend(act, self.input.now.wall);
        self.reserve = Some(Reserve { act, is_approved: false });
        Ok(())
    }
}

/// What became of a proposed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Joined,
    /// Sent before, and not visible yet.
    UnderWay,
    /// Refused a moment ago; its time to be tried again has not come.
    Refused,
    /// Something forbids it; it is on the list of what is held.
    Held,
    /// The side that it goes to can't be seen now.
    Unseen,
}
