//! Security groups within one VPC.

use ec2sim::{
    AuthorizeRules, CreateGroup, CreatePrefixList, Describe, DescribeRulesAnew, GroupId, GroupView, Quotas,
    Request, RevokeRules, RuleEnd, RuleEndSpec, RuleSpec, RuleView, Tags, VpcId,
};

use crate::rig::*;

pub fn group(vpc: &VpcId, name: &str) -> Request {
    Request::CreateSecurityGroup(CreateGroup {
        vpc_id: Some(vpc.into()),
        name: name.to_owned(),
        description: format!("of {name}"),
        tags: Tags::new(),
    })
}

pub fn made(rig: &mut Rig, vpc: &VpcId, name: &str) -> GroupId {
    let owner = rig.world.owner_of(vpc).unwrap();
    rig.ask(&owner, group(vpc, name)).unwrap().group().unwrap().id
}

pub fn allow(group: &GroupId, rules: impl Into<Vec<RuleSpec>>) -> Request {
    let rules = rules.into();
    Request::AuthorizeSecurityGroupIngress(AuthorizeRules {
        group_id: group.into(),
        rules,
        tags: Tags::new(),
    })
}

pub fn revoke(group: &GroupId, rules: impl Into<Vec<RuleSpec>>) -> Request {
    let rules = rules.into();
    Request::RevokeSecurityGroupIngress(RevokeRules { group_id: group.into(), rules, rule_ids: Vec::new() })
}

pub fn net(text: &str) -> RuleEndSpec {
    RuleEndSpec::Cidr(text.to_owned())
}

fn seen(rig: &mut Rig, id: &GroupId) -> GroupView {
    let us = rig.us.clone();
    let page = rig.ask(&us, Request::DescribeSecurityGroups(Describe::ids([id]))).unwrap().groups().unwrap();
    page.items.into_iter().next().unwrap()
}

fn ingress(rig: &mut Rig, id: &GroupId) -> Vec<RuleView> {
    seen(rig, id).rules.into_iter().filter(|rule| !rule.is_egress).collect()
}

#[test]
fn a_vpc_comes_with_a_default_group_that_nobody_deletes() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let query = Describe::all().filter("vpc-id", [a.as_str()]).filter("group-name", ["default"]);
    let found = rig.ask(&us, Request::DescribeSecurityGroups(query)).unwrap().groups().unwrap().items;
    assert_eq!(found.len(), 1);
    let default = &found[0];
    assert_eq!(default.description, "default VPC security group");
    let [ingress]: [&RuleView; 1] =
        default.rules.iter().filter(|rule| !rule.is_egress).collect::<Vec<_>>().try_into().unwrap();
    assert!(
        matches!(&ingress.end, RuleEnd::Group(group) if group.id == default.id && group.peering.is_none())
    );
    let egress = default.rules.iter().find(|rule| rule.is_egress).unwrap();
    assert_eq!((egress.protocol.as_str(), egress.end.to_string().as_str()), ("-1", "0.0.0.0/0"));
    let drop = Request::DeleteSecurityGroup { group_id: (&default.id).into() };
    assert_eq!(rig.refused(&us, drop).0, "CannotDelete");
    rig.ask(&us, Request::DeleteVpc { vpc_id: (&a).into() }).unwrap();
    assert!(rig.world.security_group(&default.id).is_none(), "it goes with its VPC");
}

#[test]
fn names_are_unique_in_a_vpc_and_ids_are_the_callers_own() {
    let mut rig = rig();
    let (us, them, a) = (rig.us.clone(), rig.them.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    assert_eq!(rig.refused(&us, group(&a, "web")).0, "InvalidGroup.Duplicate");
    for (name, code) in
        [("default", "InvalidParameterValue"), ("sg-1", "InvalidParameterValue"), ("", "MissingParameter")]
    {
        assert_eq!(rig.refused(&us, group(&a, name)).0, code, "{name}");
    }
    let other = rig.world.create_vpc(US, EU, "10.3.0.0/16").unwrap();
    made(&mut rig, &other, "web");
    let nowhere = Request::CreateSecurityGroup(CreateGroup {
        vpc_id: None,
        name: "web".to_owned(),
        description: "x".to_owned(),
        tags: Tags::new(),
    });
    assert_eq!(rig.refused(&us, nowhere).0, "VPCIdNotSpecified");
    let look = Request::DescribeSecurityGroups(Describe::ids([&web]));
    assert_eq!(rig.refused(&them, look).0, "InvalidGroup.NotFound");
    let odd = Request::DeleteSecurityGroup { group_id: "sg-x".to_owned() };
    assert_eq!(rig.refused(&us, odd).0, "InvalidGroupId.Malformed");
    assert_eq!(rig.refused(&us, Request::DeleteVpc { vpc_id: (&a).into() }).0, "DependencyViolation");
    rig.ask(&us, Request::DeleteSecurityGroup { group_id: web.into() }).unwrap();
    rig.ask(&us, Request::DeleteVpc { vpc_id: a.into() }).unwrap();
}

#[test]
fn rules_are_added_once_in_canonical_form() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let added =
        rig.ask(&us, allow(&web, [RuleSpec::tcp(443, net("10.2.0.9/16")).described("peer")])).unwrap();
    let added = added.rules().unwrap().items;
    assert_eq!(added.len(), 1);
    assert!(added[0].id.as_str().starts_with("sgr-"));
    assert_eq!(added[0].end.to_string(), "10.2.0.0/16");
    assert_eq!(added[0].description.as_deref(), Some("peer"));
    let mut by_number = RuleSpec::tcp(443, net("10.2.0.0/16"));
    by_number.protocol = "6".to_owned();
    let (code, text) = rig.refused(&us, allow(&web, [by_number]));
    assert_eq!(code, "InvalidPermission.Duplicate");
    assert_eq!(
        text,
        "the specified rule \"peer: 10.2.0.0/16, TCP, from port: 443, to port: 443, ALLOW\" already exists"
    );
    let twice = [RuleSpec::tcp(80, net("10.2.0.0/16")), RuleSpec::tcp(80, net("10.2.0.0/16"))];
    let (code, text) = rig.refused(&us, allow(&web, twice));
    assert_eq!(
        (code, text.as_str()),
        ("InvalidParameterValue", "The same permission must not appear multiple times")
    );
    assert_eq!(ingress(&mut rig, &web).len(), 1, "all or none");
    let all =
        allow(&web, [RuleSpec { from_port: Some(1), to_port: Some(2), ..RuleSpec::all(net("0.0.0.0/0")) }]);
    let all = rig.ask(&us, all).unwrap().rules().unwrap().items.remove(0);
    assert_eq!((all.from_port, all.to_port), (None, None), "all traffic has no ports");
}

#[test]
fn bad_rules_are_refused() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let tcp = |from, to| RuleSpec { from_port: from, to_port: to, ..RuleSpec::tcp(1, net("10.0.0.0/8")) };
    let protocol = |text: &str| RuleSpec { protocol: text.to_owned(), ..tcp(Some(1), Some(1)) };
    let nowhere = RuleEndSpec::group("sg-0123456789abcdef0");
    let no_list = RuleEndSpec::PrefixList("pl-0123456789abcdef0".to_owned());
    for (spec, code) in [
        (tcp(None, Some(1)), "InvalidParameterValue"),
        (tcp(Some(2), Some(1)), "InvalidParameterValue"),
        (tcp(Some(-1), Some(65_536)), "InvalidParameterValue"),
        (protocol("carrier-pigeon"), "InvalidParameterValue"),
        (protocol("256"), "InvalidParameterValue"),
        (RuleSpec { to_port: Some(256), ..protocol("icmp") }, "InvalidParameterValue"),
        (RuleSpec::tcp(1, net("10.0.0.0/33")), "InvalidParameterValue"),
        (RuleSpec::tcp(1, net("10.0.0.0/8")).described("caf\u{e9}"), "InvalidParameterValue"),
        (RuleSpec::tcp(1, nowhere), "InvalidGroup.NotFound"),
        (RuleSpec::tcp(1, no_list), "InvalidPrefixListID.NotFound"),
    ] {
        let shown = format!("{spec:?}");
        assert_eq!(rig.refused(&us, allow(&web, [spec])).0, code, "{shown}");
    }
    assert_eq!(rig.refused(&us, allow(&web, [])).0, "MissingParameter");
    assert!(ingress(&mut rig, &web).is_empty());
}

#[test]
fn rules_are_revoked_by_what_they_say_or_by_id() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let (ssh, https) = (RuleSpec::tcp(22, net("10.2.0.0/16")), RuleSpec::tcp(443, net("10.2.0.0/16")));
    rig.ask(&us, allow(&web, [ssh.clone(), https.clone()])).unwrap();
    assert_eq!(
        rig.refused(&us, revoke(&web, [RuleSpec::tcp(23, net("10.2.0.0/16"))])).0,
        "InvalidPermission.NotFound"
    );
    let (code, _) = rig.refused(&us, revoke(&web, [ssh.clone(), RuleSpec::tcp(23, net("10.2.0.0/16"))]));
    assert_eq!(code, "InvalidPermission.NotFound");
    assert_eq!(ingress(&mut rig, &web).len(), 2, "all or none");
    rig.ask(&us, revoke(&web, [ssh])).unwrap();
    let left = ingress(&mut rig, &web).remove(0);
    assert_eq!(left.from_port, Some(443));
    let by_id = |rule: &str| RevokeRules {
        group_id: (&web).into(),
        rules: Vec::new(),
        rule_ids: vec![rule.to_owned()],
    };
    let wrong_way = Request::RevokeSecurityGroupEgress(by_id(left.id.as_str()));
    assert_eq!(rig.refused(&us, wrong_way).0, "InvalidSecurityGroupRuleId.NotFound");
    rig.ask(&us, Request::RevokeSecurityGroupIngress(by_id(left.id.as_str()))).unwrap();
    assert!(ingress(&mut rig, &web).is_empty());
    let both = RevokeRules { rules: vec![https], ..by_id(left.id.as_str()) };
    assert_eq!(rig.refused(&us, Request::RevokeSecurityGroupIngress(both)).0, "InvalidParameterCombination");

    let out = seen(&mut rig, &web).rules.remove(0);
    rig.ask(&us, Request::RevokeSecurityGroupEgress(by_id(out.id.as_str()))).unwrap();
    assert!(seen(&mut rig, &web).rules.is_empty(), "the default egress rule is a rule like another");
}

#[test]
fn rules_are_modified_in_place() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let (ssh, https) = (RuleSpec::tcp(22, net("10.2.0.0/16")), RuleSpec::tcp(443, net("10.2.0.0/16")));
    let added = rig.ask(&us, allow(&web, [ssh, https.clone()])).unwrap().rules().unwrap().items;
    let modify = |spec: RuleSpec| Request::ModifySecurityGroupRules {
        group_id: (&web).into(),
        rules: vec![((&added[0].id).into(), spec)],
    };
    assert_eq!(rig.refused(&us, modify(https)).0, "InvalidPermission.Duplicate");
    rig.ask(&us, modify(RuleSpec::tcp(2222, net("10.2.0.0/16")).described("moved"))).unwrap();
    let moved = ingress(&mut rig, &web).into_iter().find(|rule| rule.id == added[0].id).unwrap();
    assert_eq!((moved.from_port, moved.description.as_deref()), (Some(2222), Some("moved")));

    let anew = |by_id| DescribeRulesAnew { group_id: (&web).into(), rules: Vec::new(), by_id };
    let by_id = anew(vec![((&added[0].id).into(), Some("by id".to_owned()))]);
    rig.ask(&us, Request::UpdateSecurityGroupRuleDescriptionsIngress(by_id)).unwrap();
    let rules = vec![RuleSpec::tcp(443, net("10.2.0.0/16")).described("by rule")];
    let by_rule = DescribeRulesAnew { rules, ..anew(Vec::new()) };
    rig.ask(&us, Request::UpdateSecurityGroupRuleDescriptionsIngress(by_rule)).unwrap();
    let texts: Vec<_> = ingress(&mut rig, &web).into_iter().filter_map(|rule| rule.description).collect();
    assert_eq!(texts, ["by id", "by rule"]);
    let missing = anew(vec![("sgr-0123456789abcdef0".to_owned(), None)]);
    let missing = Request::UpdateSecurityGroupRuleDescriptionsIngress(missing);
    assert_eq!(rig.refused(&us, missing).0, "InvalidSecurityGroupRuleId.NotFound");
}

#[test]
fn rules_carry_tags_and_are_described_in_pages() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let rules: Vec<_> = (1..=12).map(|port| RuleSpec::tcp(port, net("10.2.0.0/16"))).collect();
    let added = rig.ask(&us, allow(&web, rules)).unwrap().rules().unwrap().items;
    let (first, last) = (added[0].id.as_str(), added[11].id.as_str());
    let tags = [("team".to_owned(), "net".to_owned())].into();
    let both = Request::CreateTags { resources: vec![first.to_owned(), last.to_owned()], tags };
    rig.ask(&us, both).unwrap();
    rig.world.tag(&us, web.as_str(), &[("team", "web")]).unwrap();
    let rules_of = |rig: &mut Rig, query: Describe| {
        let answer = rig.ask(&us, Request::DescribeSecurityGroupRules(query)).unwrap();
        answer.rules().unwrap()
    };
    let tagged = rules_of(&mut rig, Describe::all().filter("tag:team", ["net"]));
    assert_eq!(tagged.items.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), [first, last]);

    let query = Describe::all().filter("group-id", [web.as_str()]);
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = rules_of(&mut rig, query.clone().page(5, token));
        found.extend(page.items.into_iter().map(|rule| rule.id));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 13, "twelve in and the one out that it came with");
    found.dedup();
    assert_eq!(found.len(), 13);
    let missing = Request::DescribeSecurityGroupRules(Describe::ids(["sgr-0123456789abcdef0"]));
    assert_eq!(rig.refused(&us, missing).0, "InvalidSecurityGroupRuleId.NotFound");
}

#[test]
fn a_group_that_another_names_stays() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let (web, db) = (made(&mut rig, &a, "web"), made(&mut rig, &a, "db"));
    let from_web = RuleSpec::tcp(5432, RuleEndSpec::group(&web));
    rig.ask(&us, allow(&db, [from_web.clone(), RuleSpec::all(RuleEndSpec::group(&db))])).unwrap();
    let drop = |id: &GroupId| Request::DeleteSecurityGroup { group_id: id.into() };
    assert_eq!(rig.refused(&us, drop(&web)).0, "DependencyViolation");
    rig.ask(&us, revoke(&db, [from_web])).unwrap();
    rig.ask(&us, drop(&web)).unwrap();
    rig.ask(&us, drop(&db)).unwrap();
}

#[test]
fn a_prefix_list_that_a_rule_names_stays() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let list = Request::CreateManagedPrefixList(CreatePrefixList {
        name: "peers".to_owned(),
        max_entries: 3,
        address_family: "IPv4".to_owned(),
        entries: Vec::new(),
        client_token: None,
        tags: Tags::new(),
    });
    let list = String::from(rig.ask(&us, list).unwrap().prefix_list().unwrap().id);
    let rule = RuleSpec::tcp(443, RuleEndSpec::PrefixList(list.clone()));
    rig.ask(&us, allow(&web, [rule.clone()])).unwrap();
    let drop = Request::DeleteManagedPrefixList { prefix_list_id: list };
    assert_eq!(rig.refused(&us, drop.clone()).0, "DependencyViolation");
    rig.ask(&us, revoke(&web, [rule])).unwrap();
    rig.ask(&us, drop).unwrap();
}

#[test]
fn sixty_rules_each_way_and_family() {
    let mut rig = rig();
    let (us, a) = (rig.us.clone(), rig.a.clone());
    let web = made(&mut rig, &a, "web");
    let many: Vec<_> = (0..60).map(|port| RuleSpec::tcp(port, net("10.2.0.0/16"))).collect();
    rig.ask(&us, allow(&web, many)).unwrap();
    let one_more = |end| allow(&web, [RuleSpec::tcp(99, end)]);
    let limit = "RulesPerSecurityGroupLimitExceeded";
    assert_eq!(rig.refused(&us, one_more(net("10.2.0.0/16"))).0, limit);
    assert_eq!(rig.refused(&us, one_more(RuleEndSpec::group(&web))).0, limit, "a group counts as IPv4 too");
    rig.ask(&us, one_more(RuleEndSpec::CidrIpv6("2001:db8::/32".to_owned()))).unwrap();
    let list = Request::CreateManagedPrefixList(CreatePrefixList {
        name: "v6".to_owned(),
        max_entries: 60,
        address_family: "IPv6".to_owned(),
        entries: Vec::new(),
        client_token: None,
        tags: Tags::new(),
    });
    let list = rig.ask(&us, list).unwrap().prefix_list().unwrap().id;
    assert_eq!(
        rig.refused(&us, one_more(RuleEndSpec::PrefixList(list.into()))).0,
        limit,
        "by its MaxEntries"
    );
    rig.world.set_quotas(US, EU, Quotas { rules_per_group: 61, groups_per_region: 2, ..Quotas::default() });
    rig.ask(&us, one_more(net("10.2.0.0/16"))).unwrap();
    assert_eq!(rig.refused(&us, group(&a, "third")).0, "SecurityGroupLimitExceeded");
}
