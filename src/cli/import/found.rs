//! From what AWS shows to what would declare it. Values in, values out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use peerkeeper_core::desired::AccountRef;
use peerkeeper_core::ids::{
    AccountId, AccountRegion, Cidr, Destination, ObjectKey, OwnerTag, PeeringId, Side, Sides, Target, VpcAt,
    VpcId, VpcPair,
};
use peerkeeper_core::observed::{Peering, PeeringEnd, PeeringState, RouteTable, SideView, Tags, Vpc};

use super::choose::{self, Slots};
use super::write::{Declared, End, label};

/// As the schema allows on one side.
const ROUTES_MAX: usize = 16;
/// The schema leaves the rest of AWS's 50 to Peerkeeper itself.
const TAGS_MAX: usize = 45;
/// As long as a DNS label may be.
const NAME_MAX: usize = 63;

/// One place as an AwsAccount's credentials show it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub account: Arc<str>,
    pub view: SideView,
}

/// What was read, and what was asked for.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// By what may be named: of several AwsAccounts of one id, the first that grants the VPC stands.
    pub shown: BTreeMap<AccountRegion, Vec<Shown>>,
    /// Accounts that an AwsAccount has.
    pub ours: BTreeSet<AccountId>,
    /// The peerings of these are imported.
    pub wanted: BTreeSet<AccountRegion>,
    /// Pairs that manifests declare already.
    pub declared: BTreeMap<VpcPair, String>,
    /// Names that manifests have already.
    pub taken: BTreeSet<ObjectKey>,
    pub namespace: String,
    /// Those with an owner tag too, under the name that it says.
    pub owned: bool,
}

/// Whether an AwsAccount lets the namespace use the VPC.
pub type Grants<'a> = &'a dyn Fn(&str, &str, &Vpc) -> bool;

/// What is not written, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    pub id: PeeringId,
    pub ends: String,
    pub why: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.id, self.ends, self.why)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Found {
    pub declared: Vec<Declared>,
    pub left_out: Vec<LeftOut>,
}

impl Scene {
    fn peering(&self, at: AccountRegion, id: PeeringId) -> Option<&Arc<Peering>> {
        self.shown.get(&at)?.iter().find_map(|shown| shown.view.peerings.sweep.as_ref()?.get(id))
    }

    fn vpc(&self, at: VpcAt) -> Option<&Arc<Vpc>> {
        self.shown.get(&at.at)?.iter().find_map(|shown| shown.view.vpcs.sweep.as_ref()?.get(at.vpc))
    }

    fn tables(&self, at: VpcAt) -> Vec<Arc<RouteTable>> {
        let shown = self.shown.get(&at.at).and_then(|shown| shown.first());
        let reading = shown.and_then(|shown| shown.view.tables.sweep.as_ref());
        reading.into_iter().flat_map(|reading| reading.group(at.vpc).cloned()).collect()
    }

    /// Whether everything that a side's part of a manifest is made of was read.
    fn is_read(&self, at: AccountRegion) -> bool {
        let whole = |shown: &Shown| {
            let SideView { peerings, tables, vpcs, .. } = &shown.view;
            peerings.sweep.is_some() && tables.sweep.is_some() && vpcs.sweep.is_some()
        };
        self.shown.get(&at).is_some_and(|shown| shown.iter().any(whole))
    }

    /// Every peering that a wanted place shows, once.
    pub fn peerings(&self) -> BTreeMap<PeeringId, Arc<Peering>> {
        let views = self.wanted.iter().filter_map(|at| self.shown.get(at)).flatten();
        let readings = views.filter_map(|shown| shown.view.peerings.sweep.as_ref());
        let all = readings.flat_map(|reading| reading.iter().cloned());
        all.fold(BTreeMap::new(), |mut found, peering| {
            found.entry(peering.id).or_insert(peering);
            found
        })
    }

    /// Places of ours that hold the other end of a wanted peering.
    pub fn far(&self) -> BTreeSet<AccountRegion> {
        let peerings = self.peerings();
        let live = peerings.values().filter(|peering| peering.state.is_live());
        let ends = live.flat_map(|peering| [peering.requester.at, peering.accepter.at]);
        ends.filter(|at| self.ours.contains(&at.account)).collect()
    }
}

/// What can be declared of everything that is wanted, in the order of names.
pub fn find(scene: &Scene, grants: Grants<'_>) -> Found {
    let mut found = Found::default();
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let mut pairs: BTreeMap<VpcPair, PeeringId> = BTreeMap::new();
    for (id, peering) in scene.peerings() {
        let candidate = Candidate::new(scene, peering);
        let why = candidate.why_not().or_else(|| {
            let first = *pairs.entry(candidate.pair()).or_insert(id);
            (first != id)
                .then(|| format!("{first} is active between these VPCs too, and one manifest declares one"))
        });
        match why {
            None => candidates.push(candidate),
            Some(why) => found.left_out.push(candidate.left_out(why)),
        }
    }
    let names = names(scene, &candidates);
    for candidate in candidates {
        let declared = match names.get(&candidate.peering.id) {
            Some(key) => candidate.declare(key, grants),
            None => {
                Err("its owner tag names a VpcPeering that is there already, or that another peering's names"
                    .to_owned())
            }
        };
        match declared {
            Ok(declared) => found.declared.push(declared),
            Err(why) => found.left_out.push(candidate.left_out(why)),
        }
    }
    found.declared.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    found.left_out.sort();
    found
}

/// What each is called: as its owner tag says; else by its Name tag where no other has that one; else by its VPCs, whose
/// ids stay when the peering is made anew.
fn names(scene: &Scene, candidates: &[Candidate<'_>]) -> BTreeMap<PeeringId, ObjectKey> {
    let mut taken: BTreeMap<ObjectKey, usize> = scene.taken.iter().map(|key| (key.clone(), 1)).collect();
    let key = |name: &str| ObjectKey::new(scene.namespace.as_str(), name);
    let by_tag = |candidate: &Candidate<'_>| candidate.name().map(|name| key(&name));
    for candidate in candidates {
        let wanted = candidate.owner().map(|owner| owner.object).or_else(|| by_tag(candidate));
        wanted.into_iter().for_each(|key| *taken.entry(key).or_default() += 1);
    }
    let is_alone = |key: &ObjectKey| taken.get(key) == Some(&1);
    let name = |candidate: &Candidate<'_>| match candidate.owner() {
        Some(owner) => is_alone(&owner.object).then_some(owner.object),
        None => {
            let pair = &candidate.peering;
            let ids = key(&format!("{}-{}", pair.requester.vpc, pair.accepter.vpc));
            Some(by_tag(candidate).filter(is_alone).unwrap_or(ids))
        }
    };
    candidates.iter().filter_map(|candidate| Some((candidate.peering.id, name(candidate)?))).collect()
}

/// One peering, with what each side of ours shows of it.
struct Candidate<'a> {
    scene: &'a Scene,
    peering: Arc<Peering>,
    /// By AWS's direction; `None` where we hold no credentials, or could not read.
    by: Sides<Option<&'a Arc<Peering>>>,
}

impl<'a> Candidate<'a> {
    fn new(scene: &'a Scene, peering: Arc<Peering>) -> Self {
        let by = Sides::from_fn(|side| scene.peering(peering.end(side).at, peering.id));
        Self { scene, peering, by }
    }

    fn pair(&self) -> VpcPair {
        VpcPair::new(self.peering.requester.vpc, self.peering.accepter.vpc)
    }

    fn seen(&self) -> impl Iterator<Item = &Arc<Peering>> {
        [self.by.requester, self.by.accepter].into_iter().flatten()
    }

    fn end(&self, side: Side) -> VpcAt {
        let end = self.peering.end(side);
        VpcAt { at: end.at, vpc: end.vpc }
    }

    fn is_ours(&self, side: Side) -> bool {
        self.scene.ours.contains(&self.peering.end(side).at.account)
    }

    fn left_out(&self, why: String) -> LeftOut {
        let end = |end: &PeeringEnd| format!("{} in {}", end.vpc, end.at);
        let ends = format!("{} -> {}", end(&self.peering.requester), end(&self.peering.accepter));
        LeftOut { id: self.peering.id, ends, why }
    }

    /// The owner tag, on whichever side shows one.
    fn owner(&self) -> Option<OwnerTag> {
        self.seen().find_map(|peering| peering.owner())
    }

    fn why_not(&self) -> Option<String> {
        let state = self.seen().map(|peering| &peering.state).find(|state| **state != PeeringState::Active);
        if let Some(state) = state {
            let said = self.seen().map(|peering| &*peering.message).find(|message| !message.is_empty());
            let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
            return Some(format!("is not active but {}{said}", state.as_str()));
        }
        if let Some(place) = self.scene.declared.get(&self.pair()) {
            return Some(format!("is declared already: {place}"));
        }
        let unread = Side::BOTH
            .into_iter()
            .find(|side| self.is_ours(*side) && !self.scene.is_read(self.end(*side).at));
        if let Some(side) = unread {
            return Some(format!("{} could not be read", self.end(side).at));
        }
        let owner = self.owner().filter(|_| !self.scene.owned)?;
        Some(format!(
            "carries the owner tag {owner}, so somebody keeps it already; --owned writes it too, under that name"
        ))
    }

    fn name(&self) -> Option<String> {
        self.seen().find_map(|peering| label(peering.tags.get("Name")?, NAME_MAX))
    }

    /// The side that asks must be ours; where it isn't, the other one asks in the manifest, and the peering is found by its
    /// pair all the same.
    fn asking(&self) -> Side {
        if self.is_ours(Side::Requester) { Side::Requester } else { Side::Accepter }
    }

    fn declare(&self, key: &ObjectKey, grants: Grants<'_>) -> Result<Declared, String> {
        let asking = self.asking();
        let mut notes = Vec::new();
        if asking == Side::Accepter {
            notes.push(format!(
                "Account {} asked for it, and asks for none here: made anew, it would be asked for from this side.",
                self.peering.requester.at.account
            ));
        }
        let accepter = self.declare_end(key, asking.peer(), grants, &mut notes)?;
        let requester = self.declare_end(key, asking, grants, &mut notes)?;
        Ok(Declared {
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            id: self.peering.id,
            notes,
            sides: Sides::new(requester, accepter),
            tags: self.tags(),
        })
    }

    fn declare_end(
        &self,
        key: &ObjectKey,
        side: Side,
        grants: Grants<'_>,
        notes: &mut Vec<String>,
    ) -> Result<End, String> {
        let VpcAt { at, vpc } = self.end(side);
        let region = at.region;
        if !self.is_ours(side) {
            let account = AccountRef::Foreign(at.account);
            return Ok(End { account, region, vpc, allow_dns: None, routes: Vec::new() });
        }
        let (all, peer) = (self.scene.tables(self.end(side)), self.cidrs(side.peer()));
        let slots = self.slots(&all, &peer, at.account, notes);
        let routes = choose::choose(&all, &peer, &slots);
        if routes.len() > ROUTES_MAX {
            let count = routes.len();
            return Err(format!(
                "its routes in {vpc} take {count} entries, and a manifest holds {ROUTES_MAX} on each side"
            ));
        }
        let allow_dns = self.by.get(side).and_then(|peering| peering.end(side).allow_dns);
        let account = AccountRef::Managed(self.account(key, self.end(side), grants));
        Ok(End { account, region, vpc, allow_dns, routes })
    }

    /// The AwsAccount that grants the VPC; else the first of that account, whose refusal is then told.
    fn account(&self, key: &ObjectKey, at: VpcAt, grants: Grants<'_>) -> Arc<str> {
        let shown = || self.scene.shown.get(&at.at).into_iter().flatten();
        let vpc = self.scene.vpc(at);
        let granting =
            shown().find(|shown| vpc.is_some_and(|vpc| grants(&shown.account, &key.namespace, vpc)));
        granting.or_else(|| shown().next()).map(|shown| shown.account.clone()).unwrap_or_default()
    }

    /// As the engine knows them: the VPC's own account says, else the active peering.
    fn cidrs(&self, side: Side) -> BTreeSet<Cidr> {
        if let Some(vpc) = self.scene.vpc(self.end(side)) {
            return vpc.cidrs.iter().copied().collect();
        }
        let told = self.seen().map(|peering| &peering.end(side).cidrs).find(|cidrs| !cidrs.is_empty());
        told.into_iter().flatten().copied().collect()
    }

    /// The routes that lead to it and that can be declared; of the others a note.
    fn slots(
        &self,
        all: &[Arc<RouteTable>],
        peer: &BTreeSet<Cidr>,
        account: AccountId,
        notes: &mut Vec<String>,
    ) -> Slots {
        let target = Target::Peering(self.peering.id);
        let mut slots = Slots::new();
        for table in all {
            for route in table.routes.iter().filter(|route| route.target == target && !route.propagated) {
                match undeclarable(table, route.destination, peer, account) {
                    None => drop(slots.insert((table.id, route.destination))),
                    Some(why) => notes.push(format!(
                        "Not declared, and left as it is: route {} in {}, which {why}.",
                        route.destination, table.id
                    )),
                }
            }
        }
        slots
    }

    /// Those that every side of ours shows alike: declared, they change nothing, and what is made anew carries them too.
    fn tags(&self) -> BTreeMap<Arc<str>, Arc<str>> {
        let given = |key: &str| {
            let key = key.to_lowercase();
            // `<<` as a key merges maps in YAML, in quotes too.
            !key.starts_with("aws:") && !key.starts_with("peerkeeper.dev/") && key != "<<"
        };
        let sides: Vec<&Tags> = self.seen().map(|peering| &peering.tags).collect();
        let Some((first, others)) = sides.split_first() else { return BTreeMap::new() };
        let shared = first
            .iter()
            .filter(|(key, value)| given(key) && others.iter().all(|tags| tags.get(key) == Some(*value)));
        shared.take(TAGS_MAX).map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

fn undeclarable(
    table: &RouteTable,
    destination: Destination,
    peer: &BTreeSet<Cidr>,
    account: AccountId,
) -> Option<String> {
    if table.edge {
        return Some("is of a gateway's table".to_owned());
    }
    if table.owner != account {
        return Some(format!("belongs to account {}", table.owner));
    }
    match destination {
        Destination::Cidr(cidr) if !peer.is_empty() && !peer.iter().any(|block| block.overlaps(cidr)) => {
            let blocks: Vec<String> = peer.iter().map(ToString::to_string).collect();
            Some(format!("overlaps none of the peer's CIDRs ({})", blocks.join(", ")))
        }
        _ => None,
    }
}

/// The VPCs that the other ends are in and whose accounts are not ours, by the account that would have to allow them.
pub fn foreign(declared: &[Declared]) -> BTreeMap<Arc<str>, BTreeSet<AccountId>> {
    let mut foreign: BTreeMap<Arc<str>, BTreeSet<AccountId>> = BTreeMap::new();
    for Declared { sides, .. } in declared {
        if let (AccountRef::Managed(name), AccountRef::Foreign(id)) =
            (&sides.requester.account, &sides.accepter.account)
        {
            foreign.entry(name.clone()).or_default().insert(*id);
        }
    }
    foreign
}

/// The pair that a manifest declares, where both ids are such.
pub fn pair(requester: &str, accepter: &str) -> Option<VpcPair> {
    Some(VpcPair::new(requester.parse::<VpcId>().ok()?, accepter.parse().ok()?))
}
