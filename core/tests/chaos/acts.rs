//! The acts of a script, done. What AWS or the API server refuses is refused: nobody asks what came of it.

use ec2sim::{Action, AuthorizeRules, Calm, PeeringId, Request, RuleEndSpec, RuleSpec};
use peerkeeper_core::desired::{Adoption, DeletionPolicy, Destinations, LossAction, Reaction, TableSelector};
use peerkeeper_core::ids::{HOLD_TAG_KEY, ORIGIN_TAG_KEY, ObjectKey, OwnerTag};
use peerkeeper_core::incident::{Decision, DecisionVerdict};
use peerkeeper_core::limits::Level;
use peerkeeper_core::memory::{Life, Memory};
use peerkeeper_core::write::{Write, WriteCall};

use crate::common::cluster::{Account, Object};
use crate::common::rig::{self, PROD, Place, SHARED};
use crate::sabotage::Sabotage;
use crate::scene::FOREIGN;
use crate::script::{Act, What};
use crate::stage::{START_MS, Stage};

const GATEWAY: &str = "tgw-0123456789abcdef0";
const OTHERS: &str = "elsewhere/net/theirs";

/// Small numbers out of one drawn one.
pub struct Pick(u64);

impl Pick {
    pub fn of(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap().max(1);
        let picked = self.0 % bound;
        self.0 /= bound;
        usize::try_from(picked).unwrap()
    }
}

impl Stage {
    pub fn act(&mut self, index: usize) {
        let Act { what, pick, at_ms } = self.acts[index];
        if self.calm {
            return;
        }
        let before = self.world.log().filter(|m| m.result.is_ok()).count();
        let versions = self.api.truth.versions;
        let mut pick = Pick(pick);
        let index = pick.of(self.scene.templates.len());
        let acted = self.in_aws(what, index, &mut pick)
            || self.in_kubernetes(what, index, &mut pick)
            || self.in_the_machine_room(what, &mut pick);
        let done = self.world.log().filter(|m| m.result.is_ok()).count() > before
            || self.api.truth.versions > versions
            || acted;
        if done {
            self.reach.hit("act", what);
        }
        self.mark(("act", at_ms, done));
        let world = &self.world;
        self.judge.enter(world);
        self.say(|| format!("--- {what:?} (template {index}): {}", if done { "done" } else { "refused" }));
    }

    fn ends(&self, index: usize) -> (Place, Place) {
        let template = &self.scene.templates[index];
        (self.scene.places[template.from].clone(), self.scene.places[template.to].clone())
    }

    pub fn live_of(&self, index: usize) -> Vec<PeeringId> {
        let (from, to) = self.ends(index);
        self.world.live_peerings_of(&from.vpc, &to.vpc)
    }

    fn call(&mut self, by: &Place, request: Request) {
        let _ = self.world.call(&by.owner(), request, &mut Calm);
    }

    fn tag(&mut self, by: &Place, id: &str, tags: &[(&str, &str)]) {
        let _ = self.world.tag(&by.owner(), id, tags);
    }

    fn untag(&mut self, by: &Place, id: &str, keys: &[&str]) {
        let tags = keys.iter().map(|key| ((*key).to_owned(), None)).collect();
        self.call(by, Request::DeleteTags { resources: vec![id.to_owned()], tags });
    }

    /// Somebody has a VPC's default group refer to the other's, where AWS lets it: it goes stale with the peering.
    fn refer_across(&mut self, at: &Place, to: &Place) {
        let (Some(group), Some(other)) =
            (self.world.default_group(&at.vpc), self.world.default_group(&to.vpc))
        else {
            return;
        };
        let end = RuleEndSpec::group_of(to.account, other.to_string());
        let rules = AuthorizeRules {
            group_id: group.to_string(),
            rules: vec![RuleSpec::tcp(443, end)],
            ..AuthorizeRules::default()
        };
        self.call(at, Request::AuthorizeSecurityGroupIngress(rules.clone()));
        self.call(at, Request::AuthorizeSecurityGroupEgress(rules));
    }

    /// True if it did something that neither AWS's log nor a version tells.
    fn in_aws(&mut self, what: What, index: usize, pick: &mut Pick) -> bool {
        let (from, to) = self.ends(index);
        let (by, other) =
            if pick.of(2) == 0 { (from.clone(), to.clone()) } else { (to.clone(), from.clone()) };
        match what {
            What::DeletePeering => {
                self.refer_across(&from, &to);
                self.refer_across(&to, &from);
                for id in self.live_of(index) {
                    let _ = self.world.delete_peering_as(by.account, by.region, &id);
                    self.maybe_forge(&id);
                }
            }
            What::RequestReversed => {
                let made = self.world.request_peering(&to.vpc, &from.vpc);
                if let (Ok(id), Some(Sabotage::ActivatesTwins)) = (made, self.sabotage) {
                    self.world.force_peering(&id, ec2sim::PeeringStatus::Active);
                }
            }
            What::PeerReversed => {
                let _ = self.world.peer(&to.vpc, &from.vpc);
            }
            What::PeerSame => {
                let _ = self.world.peer(&from.vpc, &to.vpc);
            }
            What::RecreateAsOther => {
                for id in self.live_of(index) {
                    let _ = self.world.delete_peering_as(by.account, by.region, &id);
                }
                if let Ok(id) = self.world.peer(&by.vpc, &other.vpc) {
                    self.tag(&from, id.as_str(), &[(OwnerTag::KEY, OTHERS)]);
                    self.tag(&to, id.as_str(), &[(OwnerTag::KEY, OTHERS)]);
                }
            }
            What::RejectPeering => {
                for id in self.live_of(index) {
                    let _ = self.world.reject_peering_as(by.account, by.region, &id);
                }
            }
            What::AcceptPeering => {
                for id in self.live_of(index) {
                    let _ = self.world.accept_peering_as(by.account, by.region, &id);
                }
            }
            What::DeleteRoute => {
                let _ = self.world.delete_route(&by.table, &other.cidr);
            }
            What::RepointRoute => {
                let _ = self.world.repoint_route(&by.table, &other.cidr, GATEWAY);
            }
            What::RepointToPeering => {
                let others = self.world.peerings().find(|view| {
                    view.status.is_live()
                        && (view.requester.vpc == by.vpc || view.accepter.vpc == by.vpc)
                        && view.requester.vpc != other.vpc
                        && view.accepter.vpc != other.vpc
                });
                if let Some(view) = others {
                    let _ = self.world.repoint_route(&by.table, &other.cidr, view.id.as_str());
                }
            }
            What::AddRoute => {
                let _ = self.world.add_route(&by.table, &other.cidr, GATEWAY);
            }
            What::TagHold => self.tag(&by, by.vpc.as_str(), &[(HOLD_TAG_KEY, "yes")]),
            What::LiftHold => self.lift_holds(),
            What::TagOtherOwner => {
                for id in self.live_of(index) {
                    self.tag(&by, id.as_str(), &[(OwnerTag::KEY, OTHERS)]);
                }
            }
            What::UntagOtherOwner => self.untag_others(),
            What::RemoveOurTags => {
                for id in self.live_of(index) {
                    self.untag(&by, id.as_str(), &[OwnerTag::KEY, ORIGIN_TAG_KEY]);
                }
            }
            What::ChangeDeclaredTag => {
                for id in self.live_of(index) {
                    self.tag(&by, id.as_str(), &[("team", "somebody-else")]);
                }
            }
            What::SwitchDns => {
                let on = pick.of(2) == 0;
                for id in self.live_of(index) {
                    let (requester, accepter) =
                        if by.vpc == from.vpc { (Some(on), None) } else { (None, Some(on)) };
                    let peering_id = id.to_string();
                    self.call(
                        &by,
                        Request::ModifyVpcPeeringConnectionOptions { peering_id, requester, accepter },
                    );
                }
            }
            What::SwitchVpcDns => {
                let on = Some(pick.of(2) == 0);
                let vpc_id = by.vpc.to_string();
                self.call(
                    &by,
                    Request::ModifyVpcAttribute {
                        vpc_id,
                        enable_dns_support: None,
                        enable_dns_hostnames: on,
                    },
                );
            }
            What::AddCidr => {
                // Some overlap the other's: AWS refuses them while the two are peered.
                let cidr = ["10.71.0.0/16", "10.72.0.0/16", "10.73.0.0/24", "10.4.0.0/17"][pick.of(4)];
                let vpc_id = by.vpc.to_string();
                self.call(&by, Request::AssociateVpcCidrBlock { vpc_id, cidr: cidr.to_owned() });
            }
            What::RemoveCidr => {
                let held = self.world.vpc(&by.vpc).and_then(|vpc| vpc.cidrs.last().cloned());
                if let Some(held) = held {
                    let association_id = held.id.to_string();
                    self.call(&by, Request::DisassociateVpcCidrBlock { association_id });
                }
            }
            What::RetagTable => {
                let tier = ["private", "public"][pick.of(2)];
                self.tag(&by, by.table.as_str(), &[("tier", tier)]);
            }
            What::NewTable => {
                let tables = self.world.route_tables().filter(|table| table.vpc == by.vpc).count();
                if tables < 4 {
                    let _ = self.world.create_table(&by.vpc, &[("tier", "private")]);
                }
            }
            What::NewEdgeTable => {
                let tables = self.world.route_tables().filter(|table| table.vpc == by.vpc).count();
                if tables < 4
                    && let Ok(table) = self.world.create_table(&by.vpc, &[("tier", "private")])
                {
                    let to = ec2sim::Attach::Gateway("igw-0123456789abcdef0".to_owned());
                    self.call(&by, Request::AssociateRouteTable { route_table_id: table.to_string(), to });
                }
            }
            What::DeleteTable => {
                let route_table_id = by.table.to_string();
                self.call(&by, Request::DeleteRouteTable { route_table_id });
            }
            What::DeleteVpc => {
                // The outer ones alone, and seldom: it is for good.
                if pick.of(3) == 0 && self.scene.templates[index].from != 0 {
                    let _ = self.world.delete_vpc_in_console(&to.vpc);
                }
            }
            What::Deny => {
                let denied: Vec<Action> = Action::ALL
                    .iter()
                    .copied()
                    .filter(|action| action.mutates() || format!("{action:?}").starts_with("Describe"))
                    .collect();
                let action = denied[pick.of(denied.len())];
                self.world.deny(by.account, by.region, action);
                return true;
            }
            What::AllowAll => {
                self.allow_all();
                return true;
            }
            What::ShrinkQuota => {
                let mut quotas = self.world.quotas(by.account, by.region);
                match pick.of(4) {
                    0 => quotas.routes_per_table = 1,
                    1 => quotas.active_peerings_per_vpc = 1,
                    2 => quotas.outstanding_requests = 0,
                    _ => quotas.tags_per_resource = 2,
                }
                self.world.set_quotas(by.account, by.region, quotas);
                return true;
            }
            What::RestoreQuota => {
                self.restore_quotas();
                return true;
            }
            _ => return self.of_events(what, index, &by, &other, pick),
        }
        false
    }

    /// Somebody is faster, by a moment.
    pub fn ambush(&mut self, call: &WriteCall) {
        let world = &mut self.world;
        let (account, region) = (call.at.account.to_string(), call.at.region.to_string());
        let (account, region) = (account.as_str(), region.as_str());
        let _ = match &call.write {
            Write::AddRoute { to, .. } | Write::Repoint { to, .. } => {
                world.delete_peering_as(account, region, &rig::pcx(*to))
            }
            Write::Remove(id, _) | Write::Options { id, .. } | Write::Tag { id, .. } => {
                world.delete_peering_as(account, region, &rig::pcx(*id))
            }
            Write::Untag { id, .. } => world.delete_peering_as(account, region, &rig::pcx(*id)),
            Write::Accept(id) => world.reject_peering_as(account, region, &rig::pcx(*id)),
            Write::DropRoute { slot, .. } => {
                world.delete_route(&rig::rtb(slot.table), &slot.destination.to_string())
            }
            Write::RevokeRule { .. } => {
                let theirs = ec2sim::Caller::new(account, region);
                world.call(&theirs, crate::common::aws::request(&call.write), &mut ec2sim::Calm).map(|_| ())
            }
            Write::Create { pair, .. } => {
                let ends = [&pair.sides.requester, &pair.sides.accepter];
                let [from, to] = ends.map(|end| ec2sim::VpcId::parse(&end.vpc.to_string()).unwrap());
                world.request_peering(&to, &from).map(|_| ())
            }
        };
        self.judge.enter(&self.world);
        self.say(|| format!("somebody is faster than: {call}"));
    }

    pub fn lift_holds(&mut self) {
        for place in self.scene.places.clone() {
            self.untag(&place, place.vpc.as_str(), &[HOLD_TAG_KEY]);
        }
    }

    pub fn untag_others(&mut self) {
        for index in 0..self.scene.templates.len() {
            let (from, to) = self.ends(index);
            for id in self.live_of(index) {
                for by in [&from, &to] {
                    let tags = vec![(OwnerTag::KEY.to_owned(), Some(OTHERS.to_owned()))];
                    self.call(by, Request::DeleteTags { resources: vec![id.to_string()], tags });
                }
            }
        }
    }

    pub fn allow_all(&mut self) {
        for place in self.scene.places.clone() {
            for action in Action::ALL {
                self.world.allow(place.account, place.region, *action);
            }
        }
    }

    pub fn restore_quotas(&mut self) {
        for place in self.scene.places.clone() {
            self.world.set_quotas(place.account, place.region, ec2sim::Quotas::default());
        }
    }

    fn edit(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Object)) {
        let now_ms = self.now_ms();
        if self.api.truth.objects.contains_key(key) {
            self.api.truth.edit(key, change);
            self.api.changed(key, now_ms);
        }
    }

    /// A change that is none of the spec.
    fn alter(&mut self, key: &ObjectKey, change: impl FnOnce(&mut Object)) {
        let now_ms = self.now_ms();
        if self.api.truth.objects.contains_key(key) {
            self.api.truth.change(key, change);
            self.api.changed(key, now_ms);
        }
    }

    pub fn edit_rest(&mut self, change: impl FnOnce(&mut crate::common::cluster::Cluster)) {
        let now_ms = self.now_ms();
        self.api.truth.versions += 1;
        change(&mut self.api.truth);
        self.api.rest_changed(now_ms);
    }

    fn delete(&mut self, key: &ObjectKey) {
        let now_ms = self.now_ms();
        if self.api.truth.objects.contains_key(key) {
            self.api.truth.versions += 1;
            self.api.truth.delete(key);
            self.api.changed(key, now_ms);
        }
    }

    fn declare(&mut self, index: usize, name: &str) {
        let now_ms = self.now_ms();
        let created = self.replicas[0].clock.now(now_ms).wall;
        let object = self.scene.object(index, name, &mut self.api.truth, created);
        let key = object.key.clone();
        if !self.api.truth.objects.contains_key(&key) {
            self.api.truth.objects.insert(key.clone(), object);
            self.api.changed(&key, now_ms);
        }
    }

    fn in_kubernetes(&mut self, what: What, index: usize, pick: &mut Pick) -> bool {
        let key = self.scene.templates[index].object.key.clone();
        let twin = ObjectKey::new("net", format!("{}-too", key.name));
        // Whichever of the two is there.
        let key =
            if pick.of(2) == 0 && self.api.truth.objects.contains_key(&twin) { twin.clone() } else { key };
        match what {
            What::DeleteObject => self.delete(&key),
            What::Declare => self.declare(index, &key.name),
            What::DeclareTwin => self.declare(index, &twin.name),
            What::Rename => {
                let (old, new) = if self.api.truth.objects.contains_key(&twin) {
                    (twin.clone(), self.scene.templates[index].object.key.clone())
                } else {
                    (self.scene.templates[index].object.key.clone(), twin.clone())
                };
                self.declare(index, &new.name);
                self.delete(&old);
            }
            What::EditTags => {
                let value = ["1", "2"][pick.of(2)];
                self.edit(&key, |object| object.tags = [("n".into(), value.into())].into());
            }
            What::EditRoutes => self.edit_routes(&key, pick),
            What::EditDns => {
                let dns = [None, Some(true), Some(false)][pick.of(3)];
                self.edit(&key, |object| object.sides.requester.allow_dns = dns);
            }
            What::EditDeletionPolicy => {
                let policy = [None, Some(DeletionPolicy::Delete), Some(DeletionPolicy::Retain)][pick.of(3)];
                self.edit(&key, |object| object.deletion_policy = policy);
            }
            What::EditAdoption => {
                let adoption = [Adoption::IfUnowned, Adoption::Never][pick.of(2)];
                self.edit(&key, |object| object.adoption = adoption);
            }
            What::ToggleSuspend => self.edit(&key, |object| object.suspend = !object.suspend),
            What::RequestReconcile => {
                let at = self.now_ms().to_string();
                self.alter(&key, |object| object.requested_at = Some(at.as_str().into()));
            }
            What::EditPolicyRef => {
                let policy =
                    [None, Some("restore"), Some("remove"), Some("flag"), Some("missing")][pick.of(5)];
                self.edit(&key, |object| object.policy = policy.map(Into::into));
            }
            What::LoseStatus => self.lose_status(&key, true),
            What::LoseStatusAndAnnotation => self.lose_status(&key, false),
            What::RestoreFromBackup => self.restore_from_backup(&key),
            What::Decide | What::DeleteIncident | What::PlantIncident => {
                return self.meddle(what, &key, pick);
            }
            _ => return self.of_the_rest(what, pick),
        }
        false
    }

    /// People and strangers at the incidents. False if there is nothing to be at.
    fn meddle(&mut self, what: What, key: &ObjectKey, pick: &mut Pick) -> bool {
        let Some(object) = self.api.truth.objects.get(key).cloned() else { return false };
        let incidents = &mut self.api.truth.incidents;
        let lost = object.memory.case.as_ref().map(|case| case.of);
        match (what, lost, object.memory.life) {
            (What::PlantIncident, _, Life::Established(id)) => {
                let verdict =
                    if pick.of(2) == 0 { DecisionVerdict::Approve } else { DecisionVerdict::Pending };
                let decision = Decision { verdict, plan_digest: "sha256:0".into() };
                incidents.plant(key, (object.uid.clone(), id), decision);
            }
            (What::DeleteIncident, Some(lost), _) => incidents.delete(key, lost),
            (What::Decide, Some(lost), _) if incidents.digest(key, lost).is_some() => match pick.of(3) {
                0 => incidents.decide(key, lost, DecisionVerdict::Approve),
                1 => incidents.decide(key, lost, DecisionVerdict::Reject),
                _ => incidents.decide_on(key, lost, DecisionVerdict::Approve, "sha256:0"),
            },
            _ => return false,
        }
        self.touch(key);
        true
    }

    fn edit_routes(&mut self, key: &ObjectKey, pick: &mut Pick) {
        let way = pick.of(6);
        let table: peerkeeper_core::ids::RouteTableId = crate::common::aws::text(&self.scene.places[0].table);
        self.edit(key, |object| {
            for side in [&mut object.sides.requester, &mut object.sides.accepter] {
                let Some(route) = side.routes.first_mut() else { continue };
                match way {
                    0 => route.tables = TableSelector::All,
                    1 => route.tables = TableSelector::Main,
                    2 => route.tables = TableSelector::Ids([table].into()),
                    3 => {
                        let wide = ["10.0.0.0/8".parse().unwrap(), "172.16.0.0/12".parse().unwrap()];
                        route.destinations = Destinations::Cidrs(wide.into());
                    }
                    4 => {
                        let list = "pl-0123456789abcdef0".parse().unwrap();
                        route.destinations = Destinations::PrefixLists([list].into());
                    }
                    _ => {
                        route.tables = TableSelector::Tags([("tier".into(), "private".into())].into());
                        route.destinations = Destinations::PeerCidrs { exclude: Default::default() };
                    }
                }
            }
        });
    }

    fn lose_status(&mut self, key: &ObjectKey, keep_annotation: bool) {
        self.alter(key, |object| {
            object.memory = Memory::default();
            object.report = None;
            if !keep_annotation {
                object.established = None;
            }
        });
        if let Some(object) = self.api.truth.objects.get(key) {
            let uid = object.uid.clone();
            self.judge.status_lost(&uid);
        }
    }

    /// Deleted with everything else, and made again from its manifest with its annotations.
    fn restore_from_backup(&mut self, key: &ObjectKey) {
        let now_ms = self.now_ms();
        let truth = &mut self.api.truth;
        truth.versions += 1;
        truth.uids += 1;
        let (version, uid) = (truth.versions, truth.uids);
        let Some(object) = truth.objects.get_mut(key) else { return };
        object.version = version;
        object.uid = format!("uid-{uid}").into();
        object.generation = 1;
        object.deleting = false;
        object.memory = Memory::default();
        object.report = None;
        self.api.changed(key, now_ms);
    }

    fn of_the_rest(&mut self, what: What, pick: &mut Pick) -> bool {
        let name = ["prod", "shared"][pick.of(2)];
        let way = pick.of(9);
        match what {
            What::EditPolicy => self.edit_rest(|cluster| {
                let names: Vec<_> = cluster.policies.keys().cloned().collect();
                let Some(policy) = names.get(way % 3).and_then(|name| cluster.policies.get_mut(name)) else {
                    return;
                };
                match way / 3 {
                    0 => {
                        let actions = [LossAction::Restore, LossAction::RemoveRoutes, LossAction::Flag];
                        policy.action = actions[way % 3];
                    }
                    1 => policy.approval = policy.approval.map_or(Some(Level::Policy), |_| None),
                    _ => {
                        policy.on_repointed_route = Reaction::Restore;
                        policy.on_drift = Reaction::Restore;
                    }
                }
            }),
            What::DeletePolicy => self.edit_rest(|cluster| {
                let names: Vec<_> = cluster.policies.keys().cloned().collect();
                if let Some(name) = names.get(way % 3) {
                    cluster.policies.remove(name);
                }
            }),
            What::MakePolicies => self.make_policies(),
            What::SuspendAccount => {
                self.edit_rest(|cluster| {
                    cluster.accounts.get_mut(name).into_iter().for_each(|account| account.suspend = true);
                });
            }
            What::UngrantAccount => {
                self.edit_rest(|cluster| {
                    cluster.accounts.get_mut(name).into_iter().for_each(|account| account.granted = false);
                });
            }
            What::DeleteAccount => self.edit_rest(|cluster| drop(cluster.accounts.remove(name))),
            What::DisallowPeer => self.edit_rest(|cluster| {
                cluster.accounts.values_mut().for_each(|account| account.allowed_peers.clear());
            }),
            What::ManageForeign => {
                let like = self.scene.accounts["prod"].clone();
                self.edit_rest(|cluster| {
                    let foreign = Account {
                        name: "foreign".into(),
                        id: FOREIGN.parse().unwrap(),
                        allowed_peers: Default::default(),
                        removals: Vec::new(),
                        ..like
                    };
                    cluster.accounts.insert("foreign".into(), foreign);
                });
            }
            What::BreakRole => self.break_account(name, true),
            What::WrongCredentials => self.break_account(name, false),
            What::MendAccounts => self.mend_accounts(),
            _ => return false,
        }
        true
    }

    /// Nothing that any watch shows: AWS's own side of it.
    fn break_account(&mut self, name: &str, role: bool) {
        let now_ms = self.now_ms();
        let Some(account) = self.api.truth.accounts.get_mut(name) else { return };
        if role {
            account.unusable = Some("AccessDenied".into());
        } else {
            let other = if name == "prod" { SHARED } else { PROD };
            account.answers_as = Some(other.parse().unwrap());
        }
        self.api.rest_changed(now_ms);
    }

    pub fn make_policies(&mut self) {
        let policies = self.scene.policies.clone();
        self.edit_rest(|cluster| {
            for (name, policy) in policies {
                cluster.policies.entry(name).or_insert(policy);
            }
        });
    }

    pub fn mend_accounts(&mut self) {
        let accounts = self.scene.accounts.clone();
        self.edit_rest(|cluster| {
            cluster.accounts.remove("foreign");
            for (name, account) in accounts {
                let allowed_peers = account.allowed_peers.clone();
                cluster.accounts.entry(name).or_insert(account).allowed_peers = allowed_peers;
            }
            for account in cluster.accounts.values_mut() {
                account.granted = true;
                account.suspend = false;
                account.unusable = None;
                account.answers_as = None;
            }
        });
    }

    fn in_the_machine_room(&mut self, what: What, pick: &mut Pick) -> bool {
        let replica = pick.of(2);
        let for_ms = 1_000 * (2 + u64::try_from(pick.of(60)).unwrap());
        let until = self.now_ms() + for_ms;
        match what {
            What::Kill => {
                if !self.replicas[replica].up {
                    return false;
                }
                self.crash(replica);
            }
            What::Pause => self.replicas[replica].paused_until = until,
            What::CutFromApi => self.replicas[replica].no_api_until = until,
            What::CutFromAws => self.replicas[replica].no_aws_until = until,
            What::DeleteLease => self.api.lease = None,
            _ => return false,
        }
        true
    }

    /// Faults end, people stop, and what holds the operator up is taken back.
    pub fn calm_down(&mut self) {
        self.calm = true;
        self.dice.calm = true;
        if self.world.throttling().is_some() {
            self.world.set_throttling(Some(ec2sim::Throttling::aws()));
        }
        self.allow_all();
        self.restore_quotas();
        self.lift_holds();
        self.mend_accounts();
        self.make_policies();
        for place in self.scene.places.clone() {
            let vpc_id = place.vpc.to_string();
            let on = Some(true);
            self.call(
                &place,
                Request::ModifyVpcAttribute { vpc_id, enable_dns_support: None, enable_dns_hostnames: on },
            );
        }
        for key in self.api.truth.objects.keys().cloned().collect::<Vec<_>>() {
            if self.api.truth.object(&key).suspend {
                self.edit(&key, |object| object.suspend = false);
            }
        }
        let now_ms = self.now_ms();
        for replica in &mut self.replicas {
            replica.paused_until = replica.paused_until.min(now_ms);
            replica.no_api_until = 0;
            replica.no_aws_until = 0;
        }
        let world = &self.world;
        self.judge.enter(world);
        self.say(|| format!("=== calm, {} s after the start", (now_ms - START_MS) / 1000));
    }
}
