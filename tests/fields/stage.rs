//! The world that declarations are about, the objects that were there before, and what people do to AWS meanwhile.

use std::collections::BTreeMap;

use ec2sim::{
    Caller, Calm, CreatePrefixList, PeeringStatus, PrefixListId, Request, RouteTableId, UserIdentity, VpcId,
    World,
};
use serde_json::{Value, json};

use super::cluster::NAMESPACE;
use super::operator::{Iam, Operator};
use super::schema::{Kind, kind_of, merge};

pub const PROD: &str = "111122223333";
pub const SHARED: &str = "444455556666";
/// Nobody gave us credentials for this one.
pub const FOREIGN: &str = "777788889999";
pub const EU: &str = "eu-west-1";
pub const VA: &str = "us-east-1";

/// What was there in AWS before anything was declared, by short names.
pub struct Land {
    pub vpcs: BTreeMap<&'static str, VpcId>,
    pub tables: BTreeMap<&'static str, RouteTableId>,
    pub lists: BTreeMap<&'static str, PrefixListId>,
}

impl Land {
    pub fn vpc(&self, name: &str) -> &VpcId {
        self.vpcs.get(name).unwrap_or_else(|| panic!("no VPC {name}"))
    }

    pub fn table(&self, name: &str) -> &RouteTableId {
        self.tables.get(name).unwrap_or_else(|| panic!("no route table {name}"))
    }

    /// Words like `{vpc:a}` become ids.
    pub fn fill(&self, patch: &Value) -> Value {
        let mut text = patch.to_string();
        let vpcs = self.vpcs.iter().map(|(name, id)| (format!("{{vpc:{name}}}"), id.to_string()));
        let tables = self.tables.iter().map(|(name, id)| (format!("{{rtb:{name}}}"), id.to_string()));
        let lists = self.lists.iter().map(|(name, id)| (format!("{{pl:{name}}}"), id.to_string()));
        for (word, id) in vpcs.chain(tables).chain(lists) {
            text = text.replace(&word, &id);
        }
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Two accounts of ours in two Regions and one that is not; VPCs to peer, one that overlaps, one without DNS names; route
/// tables and prefix lists.
fn land(world: &mut World) -> Land {
    let places = [
        ("a", PROD, EU, "10.1.0.0/16"),
        ("b", SHARED, VA, "10.2.0.0/16"),
        ("other", SHARED, VA, "10.9.0.0/16"),
        ("overlapping", SHARED, VA, "10.1.128.0/17"),
        ("nameless", SHARED, VA, "10.6.0.0/16"),
        ("foreign", FOREIGN, VA, "10.7.0.0/16"),
    ];
    let (mut vpcs, mut tables, mut lists) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (name, account, region, cidr) in places {
        let vpc = world.create_vpc(account, region, cidr).unwrap();
        let owner = Caller::new(account, region).named("human");
        world.tag(&owner, vpc.as_str(), &[("team", "network")]).unwrap();
        if name != "nameless" {
            for (support, hostnames) in [(Some(true), None), (None, Some(true))] {
                let request = Request::ModifyVpcAttribute {
                    vpc_id: (&vpc).into(),
                    enable_dns_support: support,
                    enable_dns_hostnames: hostnames,
                };
                world.call(&owner, request, &mut Calm).unwrap();
            }
        }
        vpcs.insert(name, vpc);
    }
    let second =
        Request::AssociateVpcCidrBlock { vpc_id: (&vpcs["b"]).into(), cidr: "10.3.0.0/16".to_owned() };
    world.as_human(SHARED, VA, second).unwrap();
    for (name, vpc, tier) in [
        ("a-private", "a", "private"),
        ("a-public", "a", "public"),
        ("b-private", "b", "private"),
        ("b-public", "b", "public"),
        ("other-private", "other", "private"),
        ("nameless-private", "nameless", "private"),
    ] {
        tables.insert(name, world.create_table(&vpcs[vpc], &[("tier", tier)]).unwrap());
    }
    for (name, account, region, entry, max_entries) in [
        ("a", PROD, EU, "10.2.0.0/16", 5),
        ("b", SHARED, VA, "10.1.0.0/16", 5),
        ("a-huge", PROD, EU, "10.2.0.0/16", 900),
    ] {
        let list = CreatePrefixList {
            name: name.to_owned(),
            max_entries,
            address_family: "IPv4".to_owned(),
            entries: vec![entry.into()],
            tags: BTreeMap::new(),
            client_token: None,
        };
        let made = world.as_human(account, region, Request::CreateManagedPrefixList(list)).unwrap();
        lists.insert(name, made.prefix_list().unwrap().id);
    }
    Land { vpcs, tables, lists }
}

/// What is declared before a change, and what had happened in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    Plain,
    /// The accepter's account is not ours; a human there accepts.
    Foreign,
    /// A human has peered the two VPCs already, and nothing of it may be adopted.
    Unowned,
    /// A human has peered the two VPCs already; it is adopted.
    Adopted,
    /// The policy allows one restore in an hour.
    OncePerPolicy,
    /// The requester's account allows one restore in an hour.
    OncePerAccount,
}

fn object(kind: Kind, name: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "peerkeeper.dev/v1alpha1", "kind": kind.as_str(), "metadata": {"name": name}, "spec": spec,
    });
    if kind != Kind::AwsAccount {
        object["metadata"]["namespace"] = json!(NAMESPACE);
    }
    object
}

fn account(name: &str, id: &str, role: Option<&str>) -> Value {
    let grants =
        json!([{"namespaceSelector": {"matchLabels": {"team": "network"}}, "vpcs": {"select": "All"}}]);
    let mut spec = json!({"accountId": id, "grants": grants});
    if let Some(role) = role {
        spec["roleArn"] = json!(role);
    }
    object(Kind::AwsAccount, name, spec)
}

pub fn role(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

/// The objects as users first applied them, in an order in which they can be: the VpcPeering is the last.
pub fn objects(base: Base) -> Vec<Value> {
    let route = json!({"name": "private", "routeTables": {"matchTags": {"tier": "private"}}, "destinations": {"peerCidrs": "All"}});
    let side = |account: &str, region: &str, vpc: &str| json!({"account": {"name": account}, "region": region, "vpcId": vpc, "routes": [route]});
    let mut hub = object(
        Kind::VpcPeering,
        "hub",
        json!({
            "requester": side("prod", EU, "{vpc:a}"), "accepter": side("shared", VA, "{vpc:b}"),
            "tags": {"team": "network"}, "policyRef": {"name": "restore"},
        }),
    );
    let mut prod = account("prod", PROD, None);
    let mut restore =
        object(Kind::PeeringPolicy, "restore", json!({"onUnexpectedDeletion": {"action": "Restore"}}));
    match base {
        Base::Plain | Base::Adopted => {}
        Base::Foreign => {
            hub["spec"]["accepter"] =
                json!({"account": {"id": FOREIGN}, "region": VA, "vpcId": "{vpc:foreign}"});
            prod["spec"]["allowedPeerAccounts"] = json!([FOREIGN]);
        }
        Base::Unowned => hub["spec"]["adoption"] = json!("Never"),
        Base::OncePerPolicy => restore["spec"]["limits"] = json!({"maxRestores": 1}),
        Base::OncePerAccount => prod["spec"]["limits"] = json!({"maxRestores": 1}),
    }
    let flag = object(Kind::PeeringPolicy, "flag", json!({"onUnexpectedDeletion": {"action": "Flag"}}));
    let mut closed = account("closed", PROD, None);
    closed["spec"]["grants"] = json!([]);
    // Of no loss of these objects, so whatever is decided there decides nothing.
    let stray = object(
        Kind::PeeringIncident,
        "stray",
        json!({"peeringRef": {"name": "hub", "uid": "of-another-hub"}, "peeringId": "pcx-0123456789abcdef0"}),
    );
    vec![
        prod,
        account("shared", SHARED, Some(&role(SHARED, "peerkeeper"))),
        closed,
        restore,
        flag,
        stray,
        hub,
    ]
}

/// One run: a world, its operator, and what is declared.
pub struct Stage {
    pub operator: Operator,
    pub land: Land,
    pub base: Base,
}

impl Stage {
    /// With the objects of `base`, each changed as `patches` say by kind and name, applied and brought to rest.
    pub fn with(base: Base, patches: &[(Kind, &str, &Value)]) -> Self {
        let mut stage = Self::bare(base);
        for mut object in objects(base) {
            for (kind, name, patch) in patches {
                if kind_of(&object) == *kind && object["metadata"]["name"] == **name {
                    merge(&mut object, patch);
                }
            }
            stage.apply(&object).unwrap_or_else(|refused| panic!("refused: {refused:?}\n{object:#}"));
        }
        stage.settle();
        stage
    }

    pub fn new(base: Base) -> Self {
        Self::with(base, &[])
    }

    /// Nothing is declared.
    pub fn bare(base: Base) -> Self {
        let mut world = World::new();
        world.advance(10_000_000);
        let land = land(&mut world);
        if matches!(base, Base::Unowned | Base::Adopted) {
            world.peer(land.vpc("a"), land.vpc("b")).unwrap();
        }
        let roles = [
            (role(SHARED, "peerkeeper"), None),
            (role(PROD, "peerkeeper"), None),
            (role(SHARED, "strict"), Some("right".to_owned())),
        ];
        let iam = Iam { own: PROD.to_owned(), roles: roles.into() };
        Self { operator: Operator::new(world, iam), land, base }
    }

    pub fn apply(&mut self, object: &Value) -> Result<(), Vec<String>> {
        let filled = self.land.fill(object);
        self.operator.apply(&filled)
    }

    /// The base object of that name, changed.
    pub fn changed(&self, kind: Kind, name: &str, patch: &Value) -> Value {
        let all = objects(self.base);
        let found = all.into_iter().find(|o| kind_of(o) == kind && o["metadata"]["name"] == name);
        let mut object = found.unwrap_or_else(|| panic!("no {} {name} in the base", kind.as_str()));
        merge(&mut object, patch);
        self.land.fill(&object)
    }

    /// Until it rests; who is asked to accept in the foreign account does.
    pub fn settle(&mut self) {
        self.operator.settle();
        let mut asked = Vec::new();
        for view in self.operator.world.peerings() {
            let is_foreign = &*view.accepter.owner.to_string() == FOREIGN;
            if is_foreign && view.status == PeeringStatus::PendingAcceptance {
                asked.push(view.id);
            }
        }
        for id in &asked {
            self.operator.world.accept_peering_as(FOREIGN, VA, id).unwrap();
        }
        if !asked.is_empty() {
            self.operator.settle();
        }
    }

    /// The live peering that the object remembers, else any of its VPCs.
    fn live(&self) -> Option<ec2sim::PeeringId> {
        let live = |view: &ec2sim::PeeringView| view.status == PeeringStatus::Active;
        self.operator.world.peerings().find(live).map(|view| view.id)
    }

    /// Calls of ours that would change something in AWS.
    pub fn own_writes(&self) -> usize {
        self.operator.world.log().filter(|call| &*call.caller.principal == super::aws::OPERATOR).count()
    }

    pub fn poke(&mut self, probe: Probe) {
        let (a, b) = (self.land.table("a-private").clone(), self.land.table("b-private").clone());
        match probe {
            Probe::Lose => self.lose(),
            Probe::LoseToUser => self.lose_to(UserIdentity::user("ada")),
            Probe::LoseToAdmin => self.lose_to(
                UserIdentity::role_at("/network/", "net-admin", "root")
                    .with_mfa()
                    .with_source_identity("ada@example.com"),
            ),
            Probe::LoseUnseen => {
                self.operator.world.keep_history(false);
                self.lose();
            }
            Probe::LoseAndApprove => {
                self.lose();
                self.settle();
                self.operator.approve_all();
            }
            Probe::LoseTwice => {
                self.lose();
                self.settle();
                self.operator.run_s(600);
                self.lose();
            }
            Probe::LoseWithStrayRoute => {
                let stray = self.land.table("a-public").clone();
                if let Some(id) = self.live() {
                    self.operator.world.add_route(&stray, "10.2.0.0/24", id.as_str()).unwrap();
                }
                self.operator.run_s(180);
                self.lose();
            }
            // Somebody was faster, or there was none: that is a way the world may be, too.
            Probe::DropRoute => drop(self.operator.world.delete_route(&a, "10.2.0.0/16")),
            Probe::Repoint => {
                drop(self.operator.world.repoint_route(&b, "10.1.0.0/16", "igw-0123456789abcdef0"))
            }
            Probe::Delete => self.operator.delete(&(Kind::VpcPeering, "hub".to_owned())),
        }
        self.settle();
    }

    /// To a session of the role "human".
    fn lose(&mut self) {
        self.lose_to(UserIdentity::role("human", "session"));
    }

    fn lose_to(&mut self, who: UserIdentity) {
        if let Some(view) = self.live().and_then(|id| self.operator.world.peering(&id)) {
            let side = &view.accepter;
            let caller = Caller::new(side.owner.clone(), side.region.clone()).known_as(who);
            let request = Request::DeleteVpcPeeringConnection { peering_id: (&view.id).into() };
            self.operator.world.call(&caller, request, &mut Calm).unwrap();
        }
    }
}

/// What shows a difference that is not seen at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// A human deletes the peering.
    Lose,
    /// The IAM user ada does.
    LoseToUser,
    /// A session of the role /network/net-admin does, opened with MFA; it calls itself root.
    LoseToAdmin,
    /// A human does, and CloudTrail's history will never tell.
    LoseUnseen,
    /// A human does, and a person approves every plan that waits for it.
    LoseAndApprove,
    /// And again once it is restored, ten minutes later.
    LoseTwice,
    /// A human adds a route to the peering to a table that nothing was declared for, then deletes the peering.
    LoseWithStrayRoute,
    /// A human deletes one of the declared routes.
    DropRoute,
    /// A human points one of the declared routes elsewhere.
    Repoint,
    /// The VpcPeering is deleted.
    Delete,
}
