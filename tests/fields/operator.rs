//! The operator's loop over real API objects, in virtual time: watches, sweeps, turns and commits as the shell has them,
//! with the operator's own crossings between what users write and what the engine plans with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ec2sim::{Calm, Chance, World};
use k8s_openapi::jiff::Timestamp;
use peerkeeper::api::{ANNOTATION_ESTABLISHED, FINALIZER_CLEANUP, VpcPeering};
use peerkeeper::controller::state::{Brief, Known, KnownAccount, KnownNamespace, Place, State, Told};
use peerkeeper::declare::{self, VpcTags};
use peerkeeper::remember::{self, Checked, Removal};
use peerkeeper_core::desired::{AccountRef, Desired};
use peerkeeper_core::ids::{AccountId, AccountRegion, ObjectKey, Region, Side, Sides, VpcId};
use peerkeeper_core::memory::Act;
use peerkeeper_core::observed::{Needs, Resource, SideView, Unseen, View};
use peerkeeper_core::plan::{Finalizer, Truth};
use peerkeeper_core::recent::Recent;
use peerkeeper_core::time::{Mono, Now, Timing, Wall};
use peerkeeper_core::turn::{Commit, Committed, Done, Live, Reply, Step, Turn, TurnResult};
use peerkeeper_core::witness::Ask;
use peerkeeper_core::witness::Witness;
use peerkeeper_core::write::{NotSent, Outcome, WriteCall};
use serde_json::{Value, json};

use super::aws::Line;
use super::cluster::{Cluster, NAMESPACE, Name, name_of};
use super::schema::Kind;

/// The wall clock at the world's zero.
pub const EPOCH_S: i64 = 1_800_000_000;
const SWEEP_MS: u64 = 60_000;
const OWNER_ID: &str = "cluster-1";

/// Who may assume what: STS as these tests need it.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// The account of the operator's own credentials.
    pub own: String,
    /// By ARN: the external id that the role's trust policy asks for.
    pub roles: BTreeMap<String, Option<String>>,
}

/// Why nothing can be asked in an account's name.
#[derive(Debug)]
pub enum Trouble {
    Denied(String),
    WrongAccount(AccountId),
}

/// What somebody does to the cluster or to AWS while a turn is under way.
type Meanwhile = Box<dyn FnOnce(&mut Operator)>;

pub struct Operator {
    pub world: World,
    pub cluster: Cluster,
    pub iam: Iam,
    pub chance: Box<dyn Chance>,
    pub state: State,
    timing: Timing,
    started: Mono,
    snapshots: BTreeMap<Place, SideView>,
    next_sweep: BTreeMap<Place, u64>,
    wakes: BTreeMap<ObjectKey, u64>,
    hinted: BTreeSet<ObjectKey>,
    failures: BTreeMap<ObjectKey, u32>,
    /// What was last found of an account, by generation.
    checked: BTreeMap<Arc<str>, (Option<i64>, String)>,
    /// What was heard of who ended the peering of each object.
    pub witness: BTreeMap<ObjectKey, Witness>,
    /// Calls that changed something in AWS, and commits that changed something in the cluster.
    pub changes: u64,
    /// So many steps of turns from now.
    pub meanwhile: Option<(u32, Meanwhile)>,
}

/// One turn under way, with the object as it was read live and its own changes since.
struct Drive {
    key: ObjectKey,
    object: Option<VpcPeering>,
}

fn peering_name(key: &ObjectKey) -> Name {
    (Kind::VpcPeering, key.name.to_string())
}

impl Operator {
    pub fn new(mut world: World, iam: Iam) -> Self {
        world.keep_history(true);
        let mut state = State::default();
        state.limits.set_operator(100, 100);
        let labels = BTreeMap::from([
            ("team".to_owned(), "network".to_owned()),
            ("kubernetes.io/metadata.name".to_owned(), NAMESPACE.to_owned()),
        ]);
        state.namespaces.insert(NAMESPACE.into(), KnownNamespace { labels, terminating: false });
        Self {
            started: Mono(world.now_ms()),
            world,
            cluster: Cluster::new(),
            iam,
            chance: Box::new(Calm),
            state,
            timing: Timing::default(),
            snapshots: BTreeMap::new(),
            next_sweep: BTreeMap::new(),
            wakes: BTreeMap::new(),
            hinted: BTreeSet::new(),
            failures: BTreeMap::new(),
            checked: BTreeMap::new(),
            witness: BTreeMap::new(),
            changes: 0,
            meanwhile: None,
        }
    }

    pub fn now(&self) -> Now {
        let ms = self.world.now_ms();
        Now { mono: Mono(ms), wall: Wall(EPOCH_S + i64::try_from(ms / 1000).expect("small")) }
    }

    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_second(self.now().wall.0).expect("a moment")
    }

    // What users do.

    pub fn apply(&mut self, object: &Value) -> Result<(), Vec<String>> {
        if self.cluster.apply(object, &self.timestamp().to_string())? {
            self.saw(&name_of(object));
        }
        Ok(())
    }

    pub fn delete(&mut self, name: &Name) {
        let now = self.timestamp().to_string();
        self.cluster.delete(name, &now);
        self.saw(name);
    }

    // What the watches show.

    fn saw(&mut self, name: &Name) {
        match name.0 {
            Kind::VpcPeering => self.saw_peering(&name.1),
            Kind::PeeringPolicy => {
                let key = ObjectKey::new(NAMESPACE, name.1.as_str());
                match self.cluster.policy(&name.1) {
                    Some(policy) => drop(self.state.policies.insert(key, Arc::new(policy))),
                    None => drop(self.state.policies.remove(&key)),
                }
                self.wake_all();
            }
            Kind::AwsAccount => self.saw_account(&name.1),
            Kind::PeeringIncident => {
                let incident = self.cluster.incident(&name.1).expect("nobody deletes one");
                self.hint(&ObjectKey::new(NAMESPACE, incident.spec.peering_ref.name));
            }
        }
    }

    fn saw_peering(&mut self, name: &str) {
        let key = ObjectKey::new(NAMESPACE, name);
        let Some(object) = self.cluster.peering(name) else {
            let neighbours = self.state.claims.neighbours_of(&key);
            self.state.forget(&key);
            self.wakes.remove(&key);
            self.witness.remove(&key);
            return neighbours.iter().for_each(|other| self.hint(other));
        };
        let desired = declare::desired(&object, false, OWNER_ID).map_err(|error| error.to_string());
        let brief = Brief::of(&object);
        let before = self.state.peerings.remove(&key).filter(|known| known.brief.uid == brief.uid);
        let version = object.metadata.resource_version.clone();
        let is_echo = before.as_ref().is_some_and(|known| known.own_version == version);
        let (recent, quiet, own_version, told) = match before {
            Some(known) => (known.recent, known.quiet, known.own_version, known.told),
            None => (None, false, None, None),
        };
        let memory = remember::memory(object.status.as_ref());
        let known = Known { brief, desired: desired.clone(), recent, quiet, own_version, told };
        self.state.peerings.insert(key.clone(), known);
        if let (Ok(desired), Ok((memory, _))) = (desired, memory) {
            let granted = self.grants(&desired).both_allow();
            self.state.enter(&desired, &memory, granted);
        }
        if !is_echo {
            self.hint(&key);
            self.state.claims.same_pair(&key).iter().for_each(|other| self.hint(other));
        }
    }

    fn saw_account(&mut self, name: &str) {
        let name: Arc<str> = name.into();
        let Some(object) = self.cluster.account(&name) else {
            self.state.accounts.remove(&name);
            if let Some(gone) = self.state.declared.remove(&name) {
                self.state.limit_account(gone.account);
            }
            self.snapshots.retain(|place, _| place.0 != name);
            self.checked.remove(&name);
            return self.wake_all();
        };
        let before = self.state.accounts.remove(&name);
        let same_spec = before
            .as_ref()
            .is_some_and(|known| known.object.metadata.generation == object.metadata.generation);
        let unusable = before.filter(|_| same_spec).and_then(|known| known.unusable);
        let account = declare::account(&object).expect("the schema admits it, so it can be read");
        let id = account.account;
        self.state.declared.insert(name.clone(), account);
        self.state.accounts.insert(name.clone(), KnownAccount { object: Arc::new(object), unusable });
        self.state.limit_account(id);
        let noted = self.state.removals_by_policy();
        self.state.limits.set_noted(noted);
        if !same_spec {
            // Whatever was read with the old credentials is forgotten.
            self.snapshots.retain(|place, _| place.0 != name);
            self.next_sweep.retain(|place, _| place.0 != name);
            self.wake_users(&name);
            self.check_account(&name);
        }
    }

    fn wake_all(&mut self) {
        let keys: Vec<ObjectKey> = self.state.peerings.keys().cloned().collect();
        keys.iter().for_each(|key| self.hint(key));
    }

    fn wake_users(&mut self, account: &str) {
        let keys: Vec<ObjectKey> = self.state.objects_using(account).cloned().collect();
        keys.iter().for_each(|key| self.hint(key));
    }

    pub fn hint(&mut self, key: &ObjectKey) {
        self.hinted.insert(key.clone());
        self.wakes.insert(key.clone(), self.world.now_ms());
    }

    fn wake_at(&mut self, key: &ObjectKey, at_ms: u64) {
        let at_ms = at_ms.max(self.world.now_ms() + 1);
        let due = self.wakes.entry(key.clone()).or_insert(at_ms);
        *due = (*due).min(at_ms);
    }

    // Whose credentials they are.

    pub(super) fn identity(&self, name: &str) -> Result<AccountId, Trouble> {
        let Some(account) = self.state.declared.get(name) else {
            return Err(Trouble::Denied("no such AwsAccount".to_owned()));
        };
        let found = match &account.role_arn {
            None => self.iam.own.parse().expect("an account id"),
            Some(arn) => {
                let wanted = self.iam.roles.get(&**arn);
                match wanted {
                    Some(id) if id.is_none() || id.as_deref() == account.external_id.as_deref() => {
                        account.account
                    }
                    _ => {
                        return Err(Trouble::Denied(format!("AccessDenied: not authorized to assume {arn}")));
                    }
                }
            }
        };
        if found == account.account { Ok(found) } else { Err(Trouble::WrongAccount(found)) }
    }

    fn check_account(&mut self, name: &Arc<str>) {
        let identity = self.identity(name);
        let generation = self.state.declared.get(name).map(|account| account.generation);
        let found = (generation, format!("{identity:?}"));
        if self.checked.insert(name.clone(), found.clone()) == Some(found) {
            return;
        }
        let checked = match &identity {
            Ok(account) => Checked::Usable { account: *account, caller_arn: "arn:aws:sts::operator".into() },
            Err(Trouble::WrongAccount(found)) => {
                Checked::WrongAccount { found: *found, caller_arn: "arn:aws:sts::operator".into() }
            }
            Err(Trouble::Denied(why)) => Checked::AccessDenied { why: why.as_str().into() },
        };
        let unusable = match identity {
            Err(Trouble::Denied(why)) => Some(why),
            _ => None,
        };
        let Some(known) = self.state.accounts.get_mut(name) else { return };
        let news = known.unusable != unusable;
        known.unusable = unusable;
        let declared = self.state.declared.get(name).map(|account| account.account);
        if news {
            self.wake_users(name);
        }
        let now = self.timestamp();
        self.change_account(name, |object| {
            let (status, generation) =
                (object.status.as_ref(), object.metadata.generation.unwrap_or_default());
            remember::account_status(status, generation, declared, &checked, now)
        });
    }

    fn change_account(
        &mut self,
        name: &str,
        change: impl FnOnce(&peerkeeper::api::AwsAccount) -> peerkeeper::api::AwsAccountStatus,
    ) {
        let Some(object) = self.cluster.account(name) else { return };
        let status = serde_json::to_value(change(&object)).expect("JSON");
        let version = object.metadata.resource_version.unwrap_or_default();
        let full = (Kind::AwsAccount, name.to_owned());
        let stored = self.cluster.change(&full, &version, |object| object["status"] = status);
        assert!(stored.is_some(), "nobody else writes it");
        self.saw(&full);
    }

    // Time.

    pub fn run_s(&mut self, seconds: u64) {
        let end = self.world.now_ms() + seconds * 1000;
        while self.world.now_ms() < end {
            self.run_one(end);
        }
    }

    /// Until nothing has changed, in AWS or in the cluster, for longer than the engine ever waits before it looks again
    /// by itself.
    pub fn settle(&mut self) {
        const QUIET_S: u64 = 420;
        const SLICE_S: u64 = 60;
        let (mut quiet_s, mut rounds) = (0, 0);
        while quiet_s < QUIET_S {
            let before = self.changes;
            self.run_s(SLICE_S);
            quiet_s = if self.changes == before { quiet_s + SLICE_S } else { 0 };
            rounds += 1;
            assert!(rounds < 120, "it does not come to rest within two hours\n{}", self.say());
        }
    }

    fn run_one(&mut self, end_ms: u64) {
        let places = self.state.places();
        let now = self.world.now_ms();
        self.next_sweep.retain(|place, _| places.contains(place));
        for place in places {
            self.next_sweep.entry(place).or_insert(now);
        }
        let sweep = self.next_sweep.iter().map(|(place, due)| (*due, place.clone())).min();
        let wake = self.wakes.iter().map(|(key, due)| (*due, key.clone())).min();
        let due = sweep.iter().map(|(due, _)| *due).chain(wake.iter().map(|(due, _)| *due)).min();
        match due {
            Some(due) if due <= end_ms => self.world.advance(due),
            _ => return self.world.advance(end_ms),
        }
        if let Some((_, place)) = sweep.filter(|(sweep, _)| Some(*sweep) == due) {
            self.sweep(&place);
        } else if let Some((_, key)) = wake {
            self.wakes.remove(&key);
            self.turn(&key);
        }
    }

    // What AWS says.

    fn line(&mut self) -> Line<'_> {
        Line { world: &mut self.world, chance: self.chance.as_mut(), reversed: false }
    }

    pub fn at(&self, place: &Place) -> Option<AccountRegion> {
        let account = self.state.declared.get(&place.0)?.account;
        Some(AccountRegion { account, region: place.1 })
    }

    fn sweep(&mut self, place: &Place) {
        self.next_sweep.insert(place.clone(), self.world.now_ms() + SWEEP_MS);
        let first = !self.has_been_tried(place);
        let mut view = self.snapshots.remove(place).unwrap_or_default();
        let Some(at) = self.at(place) else { return };
        let identity = self.identity(&place.0);
        let well = identity.is_ok();
        match identity {
            Err(trouble) => blind(&mut view, &trouble),
            Ok(caller) => {
                let quota = self.world.quotas(at.account.to_string().as_str(), at.region.as_str());
                view.caller = Some(caller);
                view.routes_per_table = u32::try_from(quota.routes_per_table).ok();
                let mut line = self.line();
                line.sweep(at, &mut view);
            }
        }
        self.check_account(&place.0);
        let concerned: Vec<ObjectKey> = self
            .state
            .objects_at(place)
            .filter(|(_, known)| first || !known.quiet || well && has_changed(known, place, &view))
            .map(|(key, _)| key.clone())
            .collect();
        self.snapshots.insert(place.clone(), view);
        let now = self.world.now_ms();
        concerned.iter().for_each(|key| self.wake_at(key, now));
    }

    fn has_been_tried(&self, place: &Place) -> bool {
        let view = self.snapshots.get(place);
        view.is_some_and(|view| view.peerings.sweep.is_some() || view.peerings.unseen != Unseen::NotRead)
    }

    fn vpc_tags(&self, account: &str, region: Region, vpc: VpcId) -> VpcTags {
        let Some(view) = self.snapshots.get(&(Arc::from(account), region)) else { return VpcTags::Unread };
        let found = view.vpcs.readings().find(|reading| reading.speaks_of(vpc));
        match found.map(|reading| reading.get(vpc)) {
            None => VpcTags::Unread,
            Some(None) => VpcTags::NoSuchVpc,
            Some(Some(vpc)) => VpcTags::Read(vpc.tags.clone()),
        }
    }

    fn grants(&self, desired: &Desired) -> Sides<peerkeeper_core::desired::Grant> {
        self.state.grants(desired, &|name, region, vpc| self.vpc_tags(name, region, vpc))
    }

    pub fn place_of(desired: &Desired, side: Side) -> Option<Place> {
        let spec = desired.sides.get(side);
        match &spec.account {
            AccountRef::Managed(name) => Some((name.clone(), spec.region)),
            AccountRef::Foreign(_) => None,
        }
    }

    fn observe(&mut self, live: &Live, needs: &Needs) -> Sides<SideView> {
        let mut views = Sides::default();
        for side in Side::BOTH {
            if live.grants.get(side).readable() {
                *views.get_mut(side) = self.observe_side(&live.desired, side, needs);
            }
        }
        views
    }

    fn observe_side(&mut self, desired: &Desired, side: Side, needs: &Needs) -> SideView {
        let Some(place) = Self::place_of(desired, side) else { return SideView::default() };
        let mut view = self.snapshots.get(&place).cloned().unwrap_or_default();
        let Some(at) = self.at(&place) else { return view };
        let asks = needs.peerings.contains(&side)
            || needs.vpcs.contains(&side)
            || needs.tables.contains_key(&side)
            || needs.prefix_lists.contains_key(&side)
            || needs.stale_rules.contains(&side);
        if !asks {
            return view;
        }
        if let Err(trouble) = self.identity(&place.0) {
            blind(&mut view, &trouble);
            return view;
        }
        let mut line = self.line();
        line.narrow(at, side, (desired.pair(), desired.sides.get(side).vpc), needs, &mut view);
        view
    }

    // Turns.

    fn turn(&mut self, key: &ObjectKey) {
        let swept = match self.state.peerings.get(key).map(|known| &known.desired) {
            Some(Ok(desired)) => self.state.places_of(desired).iter().all(|place| self.has_been_tried(place)),
            _ => true,
        };
        if !swept {
            return;
        }
        let known = self.state.peerings.get_mut(key);
        let recent = known.and_then(|known| known.recent.take()).unwrap_or_else(|| Recent::new(self.started));
        let hinted = self.hinted.remove(key);
        let mut turn = Turn::new(key.clone(), recent, self.timing, hinted);
        let mut drive = Drive { key: key.clone(), object: None };
        let mut reply = Reply::Start;
        loop {
            self.let_happen();
            reply = match turn.next(self.now(), reply) {
                Step::ReadLive => self.read_live(&mut drive),
                Step::Lookup(other) => Reply::Exists(self.cluster.raw(&peering_name(&other)).is_some()),
                Step::Observe(needs) => {
                    let live = turn.live().cloned();
                    let views = live.map(|live| self.observe(&live, &needs)).unwrap_or_default();
                    Reply::Observed(Box::new(views))
                }
                Step::Commit(commit) => {
                    let desired = turn.live().expect("it was read").desired.clone();
                    Reply::Committed(self.commit(&mut drive, &desired, *commit))
                }
                Step::Write(calls) => {
                    let desired = turn.live().expect("it was read").desired.clone();
                    Reply::Wrote(calls.iter().map(|call| self.send(&desired, call)).collect())
                }
                Step::Done(done) => return self.conclude(key, done, turn.into_recent()),
            };
        }
    }

    fn let_happen(&mut self) {
        match self.meanwhile.take() {
            Some((0, happen)) => happen(self),
            Some((steps, happen)) => self.meanwhile = Some((steps - 1, happen)),
            None => {}
        }
    }

    fn read_live(&mut self, drive: &mut Drive) -> Reply {
        let Some(object) = self.cluster.peering(&drive.key.name) else { return Reply::Live(None) };
        let read = declare::desired(&object, false, OWNER_ID).map_err(|error| error.to_string());
        let read = read.and_then(|desired| {
            let (memory, _) = remember::memory(object.status.as_ref()).map_err(|error| error.to_string())?;
            Ok((desired, memory))
        });
        let (desired, memory) = match read {
            Ok(read) => read,
            Err(why) => {
                let generation = object.metadata.generation.unwrap_or_default();
                let status = remember::invalid(object.status.as_ref(), generation, &why, self.timestamp());
                self.store_status(&drive.key, &version_of(&object), &status);
                return Reply::NoAnswer(why.into());
            }
        };
        let grants = self.grants(&desired);
        if self.state.enter(&desired, &memory, grants.both_allow()) {
            self.state.claims.same_pair(&drive.key).iter().for_each(|other| self.hint(other));
        }
        let live = Live {
            policy: self.state.policy_of(&drive.key.namespace, &Brief::of(&object)),
            claims: self.state.claims.view(&drive.key),
            limits: self.state.limits.view(&drive.key),
            grants,
            witness: self.witness.get(&drive.key).cloned().unwrap_or_default(),
            incident: self.incidents_seen(&desired, &memory),
            memory,
            has_finalizer: object.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER_CLEANUP),
            version: version_of(&object).into(),
            told: remember::told(object.status.as_ref()),
            desired,
        };
        drive.object = Some(object);
        Reply::Live(Some(Box::new(live)))
    }

    fn commit(&mut self, drive: &mut Drive, desired: &Desired, mut commit: Commit) -> Committed {
        let spent =
            |act: Act| commit.memory.spent.iter().rev().find(|(spent, _)| *spent == act).map(|(_, at)| *at);
        let at = commit.reserve.and_then(|room| spent(room.act)).unwrap_or(self.now().wall);
        if let Some(room) = commit.reserve {
            if let Err(latch) = self.state.limits.reserve(&drive.key, room, at) {
                return Committed::OverLimit(latch);
            }
            if room.act == Act::Finalize {
                self.note_removal(desired, at);
            }
        }
        let recorded = self.make_incidents(desired, &mut commit);
        match self.store(drive, &commit) {
            Some(version) => {
                let memory = commit.memory.clone();
                let granted = self.grants(desired).both_allow();
                if self.state.enter(desired, &memory, granted) {
                    self.state.claims.same_pair(&drive.key).iter().for_each(|other| self.hint(other));
                }
                self.tell_incidents(desired, &commit);
                Committed::Stored { version: version.into(), recorded }
            }
            None => {
                if let Some(room) = commit.reserve {
                    self.state.limits.release(&drive.key, room.act, at);
                }
                Committed::Conflict
            }
        }
    }

    fn note_removal(&mut self, desired: &Desired, at: Wall) {
        let removal = Removal {
            at,
            object: desired.key.clone(),
            uid: desired.uid.clone(),
            policy: self.state.policy_key(&desired.key).map(|key| key.to_string().into()),
        };
        let keep_since = at.plus_s(-self.state.limits.longest_window_s());
        for side in Side::BOTH {
            if let AccountRef::Managed(name) = &desired.sides.get(side).account {
                self.change_account(name, |object| {
                    remember::note_removal(object.status.as_ref(), &removal, keep_since).expect("room")
                });
            }
        }
    }

    /// Metadata first, then status, each onto the version before.
    fn store(&mut self, drive: &mut Drive, commit: &Commit) -> Option<String> {
        let (name, mut version) = (peering_name(&drive.key), commit.version.to_string());
        if commit.finalizer == Finalizer::Drop {
            self.changes += 1;
            let stored = self.cluster.change(&name, &version, |object| {
                object["metadata"]["finalizers"] = json!([]);
            });
            self.saw(&name);
            return stored;
        }
        let before = version.clone();
        version = self.cluster.change(&name, &version, |object| {
            let metadata = &mut object["metadata"];
            if commit.finalizer == Finalizer::Add {
                metadata["finalizers"] = json!([FINALIZER_CLEANUP]);
            }
            if let Some(id) = commit.established {
                metadata["annotations"][ANNOTATION_ESTABLISHED] = json!(id.to_string());
            }
        })?;
        let object = drive.object.as_mut()?;
        let (_, carried) = remember::memory(object.status.as_ref()).expect("it was read at the turn's start");
        let now = self.timestamp();
        let status = remember::status(&commit.memory, &carried, &commit.report, object.status.as_ref(), now);
        if let Some(known) = self.state.peerings.get_mut(&drive.key) {
            known.told = Some(Told::from(&commit.report));
        }
        let stored = self.store_status(&drive.key, &version, &status)?;
        if stored != before {
            self.changes += 1;
        }
        // What is read back is what was remembered: the memory of the next step comes from here.
        let read = self.cluster.peering(&drive.key.name).and_then(|object| object.status);
        let (memory, _) = remember::memory(read.as_ref()).expect("what was written can be read");
        assert_eq!(memory, commit.memory, "what was remembered is not what was stored");
        drive.object.as_mut()?.status = read;
        Some(stored)
    }

    fn store_status(
        &mut self,
        key: &ObjectKey,
        version: &str,
        status: &peerkeeper::api::VpcPeeringStatus,
    ) -> Option<String> {
        let status = serde_json::to_value(status).expect("JSON");
        let stored = self.cluster.change(&peering_name(key), version, |object| object["status"] = status)?;
        if let Some(known) = self.state.peerings.get_mut(key) {
            known.own_version = Some(stored.clone());
        }
        self.saw(&peering_name(key));
        Some(stored)
    }

    fn send(&mut self, desired: &Desired, call: &WriteCall) -> Outcome {
        let Some(place) = Self::place_of(desired, call.side) else {
            return Outcome::NotSent(NotSent::Credentials("no AwsAccount on that side".into()));
        };
        if self.identity(&place.0).is_err() {
            return Outcome::NotSent(NotSent::Credentials("the account can't be used".into()));
        }
        let outcome = self.line().send(call);
        // What was refused is tried again now and then, and changes nothing.
        if !matches!(outcome, Outcome::Refused(_)) {
            self.changes += 1;
        }
        outcome
    }

    fn conclude(&mut self, key: &ObjectKey, done: Done, recent: Recent) {
        let now = self.world.now_ms();
        let pending = recent.sent().next().is_some() || recent.refused().next().is_some();
        if let Some(known) = self.state.peerings.get_mut(key) {
            let in_sync = known.told.is_some_and(|told| matches!(told.ready, Some((Truth::True, _))));
            known.quiet = done.result == TurnResult::Settled && !pending && done.wake.is_none() && in_sync;
            known.recent = Some(recent);
            if done.result == TurnResult::Settled {
                self.state.limits.expect_nothing(key);
            }
        }
        let failures = self.failures.entry(key.clone()).or_default();
        match done.result {
            TurnResult::Settled => {
                *failures = 0;
                if let Some(at) = done.wake {
                    self.wake_at(key, at.0);
                }
            }
            TurnResult::Gone => {}
            TurnResult::More => self.wake_at(key, now),
            TurnResult::Conflict => self.wake_at(key, now + 100),
            TurnResult::Failed(_) | TurnResult::NotLeading => {
                *failures += 1;
                let pause_ms = (500 << (*failures).min(10)).min(300_000);
                self.wake_at(key, now + pause_ms);
            }
        }
        // Who made a loss is what acts may wait for; who made a drift is told and decides nothing.
        for ask in done.ask {
            if let Ask::Ending(lost) = ask {
                self.look_up(key, lost);
            }
        }
    }

    /// What every object says, for a test that failed.
    pub fn say(&self) -> String {
        let one = |name: Name| {
            let object = self.cluster.raw(&name).cloned().unwrap_or_default();
            format!(
                "{}: spec {}\n  conditions {:#}\n",
                name.1, object["spec"], object["status"]["conditions"]
            )
        };
        self.cluster.names().into_iter().map(one).collect()
    }
}

fn version_of(object: &VpcPeering) -> String {
    object.metadata.resource_version.clone().unwrap_or_default()
}

fn blind(view: &mut SideView, trouble: &Trouble) {
    let unseen = match trouble {
        Trouble::Denied(why) => Unseen::Denied { call: "AssumeRole".into(), code: why.as_str().into() },
        Trouble::WrongAccount(found) => {
            *view = SideView { caller: Some(*found), ..SideView::default() };
            Unseen::WrongAccount { found: Some(*found) }
        }
    };
    view.peerings.unseen = unseen.clone();
    view.tables.unseen = unseen.clone();
    view.vpcs.unseen = unseen.clone();
    view.prefix_lists.unseen = unseen.clone();
    view.stale_rules.unseen = unseen;
}

/// Whether this sweep says anything else of the object than the one before: the shell's way to wake few.
fn has_changed(known: &Known, place: &Place, view: &SideView) -> bool {
    let Ok(desired) = &known.desired else { return true };
    let here = |side: &Side| Operator::place_of(desired, *side).as_ref() == Some(place);
    differs(&view.peerings, desired.pair())
        || Side::BOTH.into_iter().filter(here).any(|side| {
            let vpc = desired.sides.get(side).vpc;
            differs(&view.vpcs, vpc) || differs(&view.tables, vpc)
        })
}

fn differs<T: Resource>(view: &View<T>, group: T::Group) -> bool {
    match (&view.sweep, &view.before) {
        (Some(new), Some(old)) => !new.group(group).eq(old.group(group)),
        _ => true,
    }
}
