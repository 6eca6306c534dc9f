//! Who may write: the arithmetic of the Lease elector.
//!
//! One `coordination.k8s.io` Lease names the replica that may write to AWS and to the cluster. The rules:
//!
//! - A holder counts its lease from before the winning update was **sent**, on its own monotonic clock, and for a
//!   little less than the lease's duration ([`Terms::drift_permille`]).
//! - A candidate takes over only when the record has not changed for its whole duration, counted on the candidate's
//!   own monotonic clock from when it first **saw** the record so. Wall clocks are never compared.
//! - Every update carries the resourceVersion it is based on, so of two that race one fails.
//! - A Lease that doesn't exist has no resourceVersion, and may have existed a moment ago, with a holder. Who creates
//!   it gains nothing yet: the new record is waited for like any other, by its creator too.
//!
//! The update that a holder counts from reached the API server after the holder's count began, and before any
//! candidate saw its effect, where the candidate's count begins. So the holder's time is over before another's starts.
//!
//! There is no "am I the leader" to ask, only [`Elector::may_write`] at a moment, for as long as a write takes.
//!
//! What no lease can rule out: a process frozen between the question and the write (a paused virtual machine). A
//! write that lands late is therefore made harmless elsewhere: it names what it expects to find, and the next sweep
//! repairs it.

use crate::time::Mono;

/// The timing of the lease. All replicas should run with the same terms; `duration_ms` is in the record, so replicas
/// whose durations differ (during a rollout) are safe too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    duration_ms: u64,
    renew_every_ms: u64,
    retry_every_ms: u64,
    request_timeout_ms: u64,
    drift_permille: u64,
}

/// A record that claims more was not written by a replica of ours.
const LONGEST_DURATION_MS: u64 = 3_600_000;

impl Terms {
    /// Terms that follow from the lease's duration in seconds (the API has whole seconds): renewed at a third of it,
    /// retried at a tenth, a request given up after a fifth, so that two requests in a row may fail before it is lost.
    /// Clocks of two replicas may differ in speed by 5 %. `None` outside 3 s ..= 1 h.
    pub fn of_duration_s(duration_s: u32) -> Option<Terms> {
        let duration_ms = u64::from(duration_s) * 1000;
        (3_000..=LONGEST_DURATION_MS).contains(&duration_ms).then_some(Terms {
            duration_ms,
            renew_every_ms: duration_ms / 3,
            retry_every_ms: duration_ms / 10,
            request_timeout_ms: duration_ms / 5,
            drift_permille: 50,
        })
    }

    /// How long a record may stay unchanged before another may take the lease, in milliseconds.
    pub fn duration_ms(self) -> u64 {
        self.duration_ms
    }

    /// After this long without an answer a request is given up, and counts as having had any outcome.
    pub fn request_timeout_ms(self) -> u64 {
        self.request_timeout_ms
    }

    /// How long a write may take at most, in milliseconds: it may start only while the lease outlasts it. Renewed at a
    /// third of its duration, hardly two thirds of it are left at the worst; half of that leaves room for one renewal that
    /// fails.
    pub fn longest_write_ms(self) -> u64 {
        self.duration_ms / 3
    }

    /// How long a holder may rely on an update, counted from before it was sent.
    fn held_ms(self) -> u64 {
        self.duration_ms * (1000 - self.drift_permille) / 1000
    }
}

/// The Lease object as one read showed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub version: Version,
    /// `spec.holderIdentity`; `None` where it is absent or empty, which is how a holder gives the lease back.
    pub holder: Option<Identity>,
    /// `spec.leaseDurationSeconds`, in milliseconds; 0 where it is absent.
    pub duration_ms: u64,
}

/// A resourceVersion: opaque, compared for equality only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub String);

/// The name of one process among the replicas.
///
/// It must be new with every start (a pod name plus something random): a holder takes a record with its own name for
/// its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub String);

/// What an update of the Lease is based on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// The object did not exist: create it; that it exists by now is a conflict.
    Absent,
    /// Update with this resourceVersion; another, or a missing object, is a conflict.
    Version(Version),
}

/// What the shell shall do next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Read the Lease from etcd, not from a cache, and hand the answer to [`Elector::observed`].
    Read(Request),
    /// Write our identity and duration, with one more `leaseTransitions`; the answer goes to [`Elector::written`].
    /// With [`Base::Absent`] this only puts the record there; the lease is acquired on it later.
    Acquire(Request, Base),
    /// Write our identity, duration and a new `renewTime`; the answer goes to [`Elector::written`].
    Renew(Request, Base),
    /// Write an empty holder; the answer goes to [`Elector::written`].
    Release(Request, Version),
    /// The lease is lost, or may be. Drop all that was begun with it, then exit, or call [`Elector::stood_down`].
    StepDown,
    /// Nothing before this moment, unless an answer arrives.
    Wait(Mono),
    /// After [`Elector::shut_down`]: nothing more to do.
    Finished,
}

/// Tells the answers of requests apart: an answer to any but the latest request is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(pub u64);

/// The end of a read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Observed {
    Record(Record),
    /// The API server says that there is no such Lease.
    Absent,
    /// Any error or timeout: nothing is known.
    Failed,
}

/// The end of an acquisition, a renewal or a release.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// Done, and this is the new resourceVersion.
    Ok(Version),
    /// Certainly not done: another resourceVersion, already exists, or not found.
    Conflict,
    /// Certainly not done: refused for another reason (forbidden, invalid).
    Error,
    /// It may or may not have been done: no answer, a broken connection, an answer of 5xx.
    Timeout,
}

/// Where an elector stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Watches the record, and waits for its time.
    Standby(Watch),
    /// Holds the lease until `deadline`, if no renewal comes before.
    Leading { since: Mono, deadline: Mono, grip: Grip },
    /// Held the lease, and may not any more.
    Lost,
    /// Shut down, the lease given back where that was possible.
    Finished,
}

/// What a candidate saw last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Watch {
    /// Nothing yet.
    Blind,
    /// The Lease is there as in `lease`, or isn't there. The first of the reads that showed it so ended at `since`, the
    /// last at `until`.
    Sees { lease: Option<Record>, since: Mono, until: Mono },
}

/// What a holder knows of its record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Grip {
    /// The next renewal is based on this.
    On(Base),
    /// A renewal had no answer: read before the next. The lease is ours until the deadline all the same.
    Unsure,
    /// Somebody else wrote the record: no write until a read shows that it is ours still.
    Contested,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asked {
    Read,
    Create,
    Acquire,
    Renew,
    Release,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    request: Request,
    asked: Asked,
    sent: Mono,
}

/// The elector of one process: a machine without clock or connection.
///
/// The shell calls [`Elector::next`], does what it says, and hands answers back; between calls it may sleep as long as
/// [`Step::Wait`] allows. At most one request is out at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Elector {
    me: Identity,
    terms: Terms,
    standing: Standing,
    pending: Option<Pending>,
    /// No request before this moment.
    not_before: Mono,
    requests: u64,
    stopping: bool,
}

impl Elector {
    pub fn new(me: Identity, terms: Terms) -> Elector {
        Elector {
            me,
            terms,
            standing: Standing::Standby(Watch::Blind),
            pending: None,
            not_before: Mono(0),
            requests: 0,
            stopping: false,
        }
    }

    /// Whether a write that is given up after `write_timeout_ms` may start at `now`.
    pub fn may_write(&self, now: Mono, write_timeout_ms: u64) -> bool {
        match &self.standing {
            Standing::Leading { deadline, grip, .. } => {
                !self.stopping && *grip != Grip::Contested && deadline.since_ms(now) > write_timeout_ms
            }
            Standing::Standby(_) | Standing::Lost | Standing::Finished => false,
        }
    }

    /// Since when this process has led without a break; `None` if it doesn't lead at `now`.
    pub fn leading_since(&self, now: Mono) -> Option<Mono> {
        match self.standing {
            Standing::Leading { since, deadline, .. } if now < deadline => Some(since),
            _ => None,
        }
    }

    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Who holds the lease as far as a candidate saw, for logs and `/readyz`.
    pub fn holder(&self) -> Option<&Identity> {
        match &self.standing {
            Standing::Standby(Watch::Sees { lease: Some(record), .. }) => record.holder.as_ref(),
            Standing::Leading { .. } => Some(&self.me),
            _ => None,
        }
    }

    /// What to do at `now`. `writes_in_flight`: own AWS writes that were started and have not ended.
    pub fn next(&mut self, now: Mono, writes_in_flight: usize) -> Step {
        self.expire(now);
        if let Some(wait) = self.wait_for_answer(now) {
            return wait;
        }
        match self.standing.clone() {
            Standing::Finished => Step::Finished,
            Standing::Lost if self.stopping => self.finish(),
            Standing::Lost => Step::StepDown,
            Standing::Standby(_) if self.stopping => self.finish(),
            Standing::Standby(watch) => self.next_as_candidate(now, watch),
            Standing::Leading { deadline, grip, .. } if self.stopping => {
                self.next_as_leaver(now, deadline, grip, writes_in_flight)
            }
            Standing::Leading { deadline, grip, .. } => self.next_as_leader(now, deadline, grip),
        }
    }

    /// The answer to a [`Step::Read`], at the moment it was received.
    pub fn observed(&mut self, now: Mono, request: Request, observed: Observed) {
        self.expire(now);
        if self.answered(request).is_none() {
            return;
        }
        let lease = match observed {
            Observed::Failed => return self.retry_later(now),
            Observed::Absent => None,
            Observed::Record(record) => Some(record),
        };
        match &mut self.standing {
            Standing::Standby(watch) => {
                watch.see(now, lease);
                self.not_before = now;
            }
            Standing::Leading { grip, .. } => {
                let base = match lease {
                    // Deleted under us. Nobody else takes it before our deadline: creating it again is a renewal, and
                    // fails if somebody was faster.
                    None => Base::Absent,
                    Some(record) if record.holder.as_ref() == Some(&self.me) => Base::Version(record.version),
                    Some(_) => return self.standing = Standing::Lost,
                };
                // Against somebody who keeps writing the record we don't race at full speed.
                let contested = *grip == Grip::Contested;
                *grip = Grip::On(base);
                self.not_before = if contested { now.plus_ms(self.terms.retry_every_ms) } else { now };
            }
            Standing::Lost | Standing::Finished => {}
        }
    }

    /// The answer to a [`Step::Acquire`], [`Step::Renew`] or [`Step::Release`], at the moment it was received.
    pub fn written(&mut self, now: Mono, request: Request, written: Written) {
        self.expire(now);
        let Some(Pending { asked, sent, .. }) = self.answered(request) else { return };
        match (asked, &mut self.standing) {
            (Asked::Create | Asked::Acquire, Standing::Standby(watch)) => match written {
                Written::Ok(version) if asked == Asked::Create => {
                    let (holder, duration_ms) = (Some(self.me.clone()), self.terms.duration_ms);
                    watch.see(now, Some(Record { version, holder, duration_ms }));
                }
                Written::Ok(version) => self.lead(now, sent, version),
                Written::Conflict => {
                    *watch = Watch::Blind;
                    self.retry_later(now);
                }
                // If it was done after all, the next attempt is a conflict, and the record waited for anew.
                Written::Timeout | Written::Error => self.retry_later(now),
            },
            (Asked::Renew, Standing::Leading { deadline, grip, .. }) => match written {
                Written::Ok(version) => {
                    *deadline = (*deadline).max(sent.plus_ms(self.terms.held_ms()));
                    *grip = Grip::On(Base::Version(version));
                    self.not_before = sent.plus_ms(self.terms.renew_every_ms);
                }
                Written::Conflict => {
                    *grip = Grip::Contested;
                    self.not_before = now;
                }
                Written::Timeout => {
                    *grip = Grip::Unsure;
                    self.retry_later(now);
                }
                Written::Error => self.retry_later(now),
            },
            // Given back, or left to run out: others wait for it no longer than its duration.
            (Asked::Release, _) => self.standing = Standing::Finished,
            (Asked::Read | Asked::Create | Asked::Acquire | Asked::Renew, _) => {}
        }
    }

    /// Stop leading: no write may start from now on. Keep calling [`Elector::next`] until [`Step::Finished`]; while
    /// writes are in flight the lease is still renewed, and it is released only when none is.
    pub fn shut_down(&mut self) {
        self.stopping = true;
    }

    /// After [`Step::StepDown`]: all that was begun under the lost lease has ended or can't write any more.
    pub fn stood_down(&mut self, now: Mono) {
        if self.standing == Standing::Lost {
            self.standing = Standing::Standby(Watch::Blind);
            self.retry_later(now);
        }
    }

    /// A lease whose deadline has come is lost, even where a renewal under way might still succeed: whatever the shell
    /// did meanwhile, it was told at every moment that it may not write.
    fn expire(&mut self, now: Mono) {
        if let Standing::Leading { deadline, .. } = self.standing
            && now >= deadline
        {
            self.standing = Standing::Lost;
        }
    }

    /// While a request is out there is nothing to do but to wait; one that stays unanswered counts as `Timeout`.
    fn wait_for_answer(&mut self, now: Mono) -> Option<Step> {
        let Pending { request, asked, sent } = self.pending.clone()?;
        if matches!(self.standing, Standing::Lost | Standing::Finished) {
            self.pending = None;
            return None;
        }
        let timeout = sent.plus_ms(self.terms.request_timeout_ms);
        if now < timeout {
            let until = match self.standing {
                Standing::Leading { deadline, .. } => deadline.min(timeout),
                _ => timeout,
            };
            return Some(Step::Wait(until));
        }
        match asked {
            Asked::Read => self.observed(now, request, Observed::Failed),
            _ => self.written(now, request, Written::Timeout),
        }
        None
    }

    fn next_as_candidate(&mut self, now: Mono, watch: Watch) -> Step {
        if now < self.not_before {
            return Step::Wait(self.not_before);
        }
        let Watch::Sees { lease, since, until } = watch else {
            return Step::Read(self.ask(now, Asked::Read));
        };
        let Some(record) = lease else {
            return Step::Acquire(self.ask(now, Asked::Create), Base::Absent);
        };
        let free = self.free_at(&record, since);
        if now >= free {
            return Step::Acquire(self.ask(now, Asked::Acquire), Base::Version(record.version));
        }
        let read_again = until.plus_ms(self.terms.retry_every_ms);
        if now >= read_again {
            return Step::Read(self.ask(now, Asked::Read));
        }
        Step::Wait(read_again.min(free))
    }

    /// From when a candidate that has seen `record` unchanged since `since` may take it. Its own name in it gives no
    /// right: it may have created the record after another's was deleted.
    fn free_at(&self, record: &Record, since: Mono) -> Mono {
        match record.holder {
            None => since,
            Some(_) => since.plus_ms(record.claimed_ms().unwrap_or(self.terms.duration_ms)),
        }
    }

    fn next_as_leader(&mut self, now: Mono, deadline: Mono, grip: Grip) -> Step {
        if now < self.not_before {
            return Step::Wait(self.not_before.min(deadline));
        }
        match grip {
            Grip::On(base) => Step::Renew(self.ask(now, Asked::Renew), base),
            Grip::Unsure | Grip::Contested => Step::Read(self.ask(now, Asked::Read)),
        }
    }

    fn next_as_leaver(&mut self, now: Mono, deadline: Mono, grip: Grip, writes_in_flight: usize) -> Step {
        if writes_in_flight > 0 {
            return self.next_as_leader(now, deadline, grip);
        }
        match grip {
            Grip::On(Base::Version(version)) => Step::Release(self.ask(now, Asked::Release), version),
            // Without the record's version it can't be given back: it runs out.
            Grip::On(Base::Absent) | Grip::Unsure | Grip::Contested => self.finish(),
        }
    }

    fn lead(&mut self, now: Mono, sent: Mono, version: Version) {
        let deadline = sent.plus_ms(self.terms.held_ms());
        self.not_before = sent.plus_ms(self.terms.renew_every_ms);
        self.standing = if now < deadline {
            Standing::Leading { since: now, deadline, grip: Grip::On(Base::Version(version)) }
        } else {
            Standing::Standby(Watch::Blind)
        };
    }

    fn finish(&mut self) -> Step {
        self.standing = Standing::Finished;
        Step::Finished
    }

    fn ask(&mut self, now: Mono, asked: Asked) -> Request {
        self.requests += 1;
        let request = Request(self.requests);
        self.pending = Some(Pending { request, asked, sent: now });
        request
    }

    fn answered(&mut self, request: Request) -> Option<Pending> {
        self.pending.take_if(|pending| pending.request == request)
    }

    fn retry_later(&mut self, now: Mono) {
        self.not_before = now.plus_ms(self.terms.retry_every_ms);
    }
}

impl Watch {
    /// A read showed `lease`: if it is what was seen before, it has been so since then; else since now at the latest.
    fn see(&mut self, now: Mono, lease: Option<Record>) {
        match self {
            Watch::Sees { lease: seen, until, .. } if *seen == lease => *until = now,
            Watch::Sees { .. } | Watch::Blind => *self = Watch::Sees { lease, since: now, until: now },
        }
    }
}

impl Record {
    /// The duration written in it, if a replica of ours can have written it.
    fn claimed_ms(&self) -> Option<u64> {
        (1..=LONGEST_DURATION_MS).contains(&self.duration_ms).then_some(self.duration_ms)
    }
}
