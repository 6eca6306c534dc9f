//! What holds of subnets, gateways and groups whatever happens.

use std::collections::BTreeSet;

use ec2sim::{
    AuthorizeRules, Caller, CreateGroup, CreateSubnet, Describe, DescribeRulesAnew, GroupId, Knobs, Request,
    RevokeRules, RuleEnd, RuleEndSpec, RuleSpec, Seeded, Tags, VpcId, World,
};
use proptest::prelude::*;

use crate::rig::*;

/// Small numbers that are made into a request by what the world holds when its turn comes.
type Act = (u8, usize, usize, u8);

struct Play {
    world: World,
    chance: Seeded,
    vpcs: Vec<VpcId>,
    igws: Vec<String>,
}

fn caller(n: usize) -> Caller {
    if n % 3 < 2 { Caller::new(US, EU) } else { Caller::new(THEM, EU) }
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.refuse_unknown_ids();
        let cidrs = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"];
        let vpcs: Vec<_> = cidrs
            .iter()
            .enumerate()
            .map(|(n, cidr)| world.create_vpc(caller(n).account, EU, cidr).unwrap())
            .collect();
        world.peer(&vpcs[0], &vpcs[2]).unwrap();
        let igws = (0..3).map(|n| {
            let made =
                world.as_human(caller(n).account, EU, Request::CreateInternetGateway { tags: Tags::new() });
            made.unwrap().gateway().unwrap().id.into()
        });
        let igws = igws.collect();
        Self { world, chance: Seeded::new(seed, Knobs::rough()), vpcs, igws }
    }

    fn group(&self, n: usize) -> GroupId {
        let groups: Vec<_> = self.world.security_groups().map(|group| group.id).collect();
        groups[n % groups.len()].clone()
    }

    fn spec(&self, n: usize, m: u8) -> RuleSpec {
        let end = match m % 4 {
            0 => RuleEndSpec::Cidr(format!("10.{}.0.0/16", n % 4)),
            1 => RuleEndSpec::CidrIpv6("2001:db8::/32".to_owned()),
            2 => RuleEndSpec::group(self.group(n)),
            _ => RuleEndSpec::group_of(caller(n).account, self.group(n)),
        };
        RuleSpec::tcp(i32::from(m % 3), end)
    }

    fn request(&self, (kind, n, m, k): Act) -> (Caller, Request) {
        let (vpc, group) = (&self.vpcs[n % 3], self.group(m));
        let owner = self.world.owner_of(vpc).unwrap_or_else(|_| caller(n));
        let held = self.world.security_group(&group).unwrap();
        let of_group = Caller::new(&held.owner, EU);
        let rule = held.rules.get(n % held.rules.len().max(1)).map(|rule| String::from(&rule.id));
        let rule = rule.unwrap_or_else(|| "sgr-0123456789abcdef0".to_owned());
        let rules = vec![self.spec(n, k)];
        let group_id: String = (&group).into();
        let igw = self.igws[m % 3].clone();
        match kind % 14 {
            0 => (owner, create(vpc, &self.vpcs[m % 3], caller(m).account.as_str(), EU)),
            1 => {
                let peering = self.world.peerings().nth(m % 4).map(|peering| peering.id);
                let peering_id = peering.map_or_else(|| "pcx-0123456789abcdef0".to_owned(), String::from);
                let request = if k % 2 == 0 {
                    Request::AcceptVpcPeeringConnection { peering_id }
                } else {
                    Request::DeleteVpcPeeringConnection { peering_id }
                };
                (caller(n), request)
            }
            2 => {
                let cidr = format!("10.{}.{}.0/{}", n % 4, k % 8, 22 + m % 4);
                (
                    owner,
                    Request::CreateSubnet(CreateSubnet {
                        vpc_id: vpc.into(),
                        cidr,
                        ..CreateSubnet::default()
                    }),
                )
            }
            3 => (owner, Request::AttachInternetGateway { gateway_id: igw, vpc_id: vpc.into() }),
            4 => (owner, Request::DetachInternetGateway { gateway_id: igw, vpc_id: vpc.into() }),
            5 => {
                let (name, description) = (format!("g{}", k % 4), "random".to_owned());
                let vpc_id = Some(vpc.into());
                (
                    owner,
                    Request::CreateSecurityGroup(CreateGroup {
                        vpc_id,
                        name,
                        description,
                        tags: Tags::new(),
                    }),
                )
            }
            6 => (of_group, Request::DeleteSecurityGroup { group_id }),
            7 | 8 => {
                let tags = Tags::new();
                (of_group, Request::AuthorizeSecurityGroupIngress(AuthorizeRules { group_id, rules, tags }))
            }
            9 => (
                of_group,
                Request::RevokeSecurityGroupIngress(RevokeRules { group_id, rules, rule_ids: vec![] }),
            ),
            10 => (
                of_group,
                Request::ModifySecurityGroupRules { group_id, rules: vec![(rule, self.spec(n, k))] },
            ),
            11 => {
                let by_id = vec![(rule, Some("anew".to_owned()))];
                let anew = DescribeRulesAnew { group_id, rules: vec![], by_id };
                (of_group, Request::UpdateSecurityGroupRuleDescriptionsIngress(anew))
            }
            12 => {
                // The first one stays, so that there is always a group.
                let vpc = &self.vpcs[1 + n % 2];
                (caller(1 + n % 2), Request::DeleteVpc { vpc_id: vpc.into() })
            }
            _ => {
                let subnets = self.world.subnets().map(|subnet| String::from(&subnet.id)).collect::<Vec<_>>();
                let subnet_id = subnets.get(m % subnets.len().max(1)).cloned().unwrap_or_default();
                (caller(n), Request::DeleteSubnet { subnet_id })
            }
        }
    }

    fn act(&mut self, act: Act) {
        let (caller, request) = self.request(act);
        // Refusals and lost answers are part of the game.
        self.world.call(&caller, request, &mut self.chance).ok();
        self.world.advance(self.world.now_ms() + u64::from(act.3) * 2_000);
    }

    fn check(&self) {
        let mut names = BTreeSet::new();
        let active: Vec<_> = self
            .world
            .peerings()
            .filter(|peering| peering.status == ec2sim::PeeringStatus::Active)
            .map(|peering| (peering.id, peering.requester.vpc, peering.accepter.vpc))
            .collect();
        for group in self.world.security_groups() {
            assert!(self.world.vpc(&group.vpc).is_some(), "no group outlives its VPC");
            assert!(names.insert((group.vpc.clone(), group.name.clone())), "two groups of one name");
            let mut said = BTreeSet::new();
            for rule in &group.rules {
                let says =
                    (rule.is_egress, &rule.protocol, rule.from_port, rule.to_port, rule.end.to_string());
                assert!(said.insert(says), "two rules say the same");
                let RuleEnd::Group(named) = &rule.end else { continue };
                let Some(vpc) = &named.vpc else { continue };
                let link = active
                    .iter()
                    .find(|(_, one, two)| (one, two) == (&group.vpc, vpc) || (two, one) == (&group.vpc, vpc));
                match link {
                    Some((id, ..)) => {
                        assert_eq!(named.peering.as_ref(), Some(id), "a rule leads over the active peering")
                    }
                    None => assert_ne!(named.peering_status, Some("active")),
                }
            }
        }
        let subnets: Vec<_> = self.world.subnets().collect();
        for (n, one) in subnets.iter().enumerate() {
            for two in subnets[n + 1..].iter().filter(|two| two.vpc == one.vpc) {
                let (one, two) = (one.cidr_block, two.cidr_block);
                assert!(!one.contains(&two) && !two.contains(&one), "{one} and {two} overlap");
            }
        }
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec((any::<u8>(), 0..12usize, 0..12usize, any::<u8>()), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_of_a_network_hold(seed: u64, acts in acts()) {
        let (mut one, mut two) = (Play::new(seed), Play::new(seed));
        for act in acts {
            one.act(act);
            two.act(act);
            one.check();
        }
        prop_assert_eq!(&one.world, &two.world);
    }

    #[test]
    fn a_refused_change_of_a_network_changes_nothing(seed: u64, acts in acts()) {
        let mut play = Play::new(seed);
        for act in acts {
            let (caller, request) = play.request(act);
            let before = play.world.clone();
            let logged = play.world.log().len();
            play.world.call(&caller, request, &mut play.chance).ok();
            if play.world.log().nth(logged).is_some_and(|entry| entry.result.is_err()) {
                prop_assert_eq!(&before, &play.world, "{:?}", act);
            }
        }
    }

    #[test]
    fn a_network_left_alone_is_read_as_it_is(seed: u64, acts in acts()) {
        let mut play = Play::new(seed);
        for act in acts {
            play.act(act);
        }
        let mut moved = play.world.from_now();
        play.world.advance(play.world.now_ms() + 600_000);
        moved.advance(600_000);
        prop_assert_eq!(moved.from_now(), play.world.from_now());
        play.chance.knobs.faults.clear();
        for caller in [Caller::new(US, EU), Caller::new(THEM, EU)] {
            let ask = Request::DescribeSecurityGroups(Describe::all());
            let seen = play.world.call(&caller, ask, &mut play.chance).unwrap().groups().unwrap().items;
            let own = |owner: &ec2sim::AccountId| *owner == caller.account;
            let truth: Vec<_> = play.world.security_groups().filter(|group| own(&group.owner)).collect();
            prop_assert_eq!(seen, truth);
            let ask = Request::DescribeSubnets(Describe::all());
            let seen = play.world.call(&caller, ask, &mut play.chance).unwrap().subnets().unwrap().items;
            let truth: Vec<_> = play.world.subnets().filter(|subnet| own(&subnet.owner)).collect();
            prop_assert_eq!(seen, truth);
        }
    }

    #[test]
    fn no_text_however_odd_makes_a_network_panic(texts in prop::collection::vec(any::<String>(), 6), max: u32, port: i32) {
        let mut rig = rig();
        let (us, vpc_id) = (rig.us.clone(), String::from(&rig.a));
        let text = |n: usize| texts[n].clone();
        let group_id = String::from(&rig.world.default_group(&rig.a).unwrap());
        let query = Describe { ids: vec![text(0)], ..Describe::all().filter(&text(1), [text(2)]).page(max, Some(text(3))) };
        let ends = [RuleEndSpec::Cidr(text(4)), RuleEndSpec::CidrIpv6(text(4)), RuleEndSpec::PrefixList(text(4)), RuleEndSpec::group_of(text(5), text(4))];
        let spec = |end| RuleSpec { protocol: text(5), from_port: Some(port), to_port: None, end, description: Some(text(0)) };
        let rules: Vec<_> = ends.into_iter().map(spec).collect();
        let mut asked = vec![
            Request::CreateSubnet(CreateSubnet { vpc_id, cidr: text(1), ipv6_cidr: Some(text(2)), zone: Some(text(3)), tags: Tags::new() }),
            Request::DescribeSubnets(query.clone()),
            Request::DescribeInternetGateways(query.clone()),
            Request::DescribeSecurityGroups(query.clone()),
            Request::DescribeSecurityGroupRules(query.clone()),
            Request::DescribeNetworkAcls(query.clone()),
            Request::DescribeNetworkInterfaces(query.clone()),
            Request::DescribeAvailabilityZones(query),
            Request::DescribeSecurityGroupReferences { group_ids: vec![text(0)] },
            Request::ModifySecurityGroupRules { group_id: group_id.clone(), rules: vec![(text(1), rules[0].clone())] },
        ];
        for rule in rules {
            let rules = vec![rule];
            asked.push(Request::AuthorizeSecurityGroupEgress(AuthorizeRules { group_id: group_id.clone(), rules: rules.clone(), tags: Tags::new() }));
            asked.push(Request::RevokeSecurityGroupEgress(RevokeRules { group_id: group_id.clone(), rules, rule_ids: vec![text(2)] }));
        }
        for request in asked {
            let mutates = request.action().mutates();
            prop_assert!(rig.ask(&us, request).is_err() || mutates, "nonsense is refused");
        }
    }
}
