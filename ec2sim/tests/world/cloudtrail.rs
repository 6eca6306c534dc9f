//! Audit records: which calls leave one, what it says, and who finds it when.

use std::collections::BTreeSet;
use std::sync::Arc;

use ec2sim::{
    AuthorizeRules, Caller, Choice, CreatePeering, CreateSubnet, Delay, Fault, Lookup, LookupKey, Page,
    Request, RevokeRules, RouteRequest, RuleEndSpec, RuleSpec, Script, Tags, TrailRecord, UserIdentity,
};
use serde_json::{Value, json};

use crate::rig::*;

fn watched() -> Rig {
    let mut rig = rig();
    rig.world.keep_history(true);
    rig
}

fn lookup(rig: &mut Rig, caller: &Caller, asked: Lookup) -> Page<Arc<TrailRecord>> {
    // A second later, as two a second are allowed.
    rig.world.advance(rig.world.now_ms() + 1_000);
    rig.ask(caller, Request::LookupEvents(asked)).unwrap().events().unwrap()
}

fn last(rig: &Rig, caller: &Caller) -> Value {
    let history = rig.world.history(caller);
    serde_json::from_str(&history.last().expect("a record").json()).expect("JSON")
}

fn names(records: &[Arc<TrailRecord>]) -> Vec<&'static str> {
    records.iter().map(|record| record.event_name()).collect()
}

/// Every path in a JSON value with the type of what is there.
fn shape(value: &Value, at: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            paths.insert(format!("{at} object"));
            members.iter().for_each(|(key, value)| shape(value, &format!("{at}.{key}"), paths));
        }
        Value::String(_) => drop(paths.insert(format!("{at} text"))),
        Value::Bool(_) => drop(paths.insert(format!("{at} bool"))),
        Value::Null => drop(paths.insert(format!("{at} null"))),
        _ => drop(paths.insert(format!("{at} other"))),
    }
}

fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    shape(value, "", &mut paths);
    paths
}

#[test]
fn a_record_has_the_shape_of_a_captured_one() {
    let captured: Value = serde_json::from_str(include_str!("../golden/delete_peering_record.json")).unwrap();
    let mut rig = watched();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let user = UserIdentity::user("x").key("ASIAEXAMPLEEXAMPLE00");
    let console = user.seen_from("198.51.100.7", "console.ec2.amazonaws.com");
    let user = Caller::new(US, EU).known_as(console);
    rig.ask(&user, delete(&id)).unwrap();
    let record = last(&rig, &user);
    let (wanted, made) = (shape_of(&captured), shape_of(&record));
    let missing: Vec<_> = wanted.difference(&made).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Newer versions say more.
    let more: Vec<_> = made.difference(&wanted).filter(|path| !path.starts_with(".tlsDetails")).collect();
    assert!(more.is_empty(), "{more:?}");
    for key in ["sourceIPAddress", "userAgent", "eventSource", "eventName", "recipientAccountId", "eventType"]
    {
        assert_eq!(record[key], captured[key], "{key}");
    }
    assert_eq!(record["eventVersion"], "1.11");
    assert_eq!(record["awsRegion"], EU);
    assert_eq!(record["requestParameters"], json!({"vpcPeeringConnectionId": id.as_str()}));
    assert_eq!(record["responseElements"]["requestId"], record["requestID"]);
    assert_eq!(rig.world.recorded_request_id(), record["requestID"].as_str());
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/x");
}

#[test]
fn a_session_shows_its_role_with_the_path_its_key_and_its_second_factor() {
    let mut rig = watched();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let mut who =
        UserIdentity::role_at("/net/", "admin", "ada").with_mfa().with_source_identity("ada@example");
    who.session_began_ms = Some(1_623_138_812_000);
    who.from_console = true;
    let admin = rig.us.clone().known_as(who.key("ASIA0000000000000001"));
    rig.ask(&admin, delete(&id)).unwrap();
    let record = last(&rig, &admin);
    let identity = &record["userIdentity"];
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(identity["arn"], "arn:aws:sts::111122223333:assumed-role/admin/ada");
    assert_eq!(identity["accessKeyId"], "ASIA0000000000000001");
    assert!(identity["principalId"].as_str().unwrap().ends_with(":ada"));
    assert!(identity.get("userName").is_none());
    let context = &identity["sessionContext"];
    assert_eq!(context["sessionIssuer"]["arn"], "arn:aws:iam::111122223333:role/net/admin");
    assert_eq!(context["sessionIssuer"]["userName"], "admin");
    assert_eq!(
        context["attributes"],
        json!({"creationDate": "2021-06-08T07:53:32Z", "mfaAuthenticated": "true"})
    );
    assert_eq!(context["sourceIdentity"], "ada@example");
    assert_eq!(record["sessionCredentialFromConsole"], "true");
}

#[test]
fn root_services_and_users_with_keys_are_told_apart() {
    let mut rig = watched();
    let mut identity = |who: UserIdentity| {
        let caller = rig.us.clone().known_as(who);
        let tag = Request::CreateTags {
            resources: vec![(&rig.a).into()],
            tags: Tags::from([("a".to_owned(), "b".to_owned())]),
        };
        rig.ask(&caller, tag).unwrap();
        last(&rig, &caller)["userIdentity"].clone()
    };
    let root = identity(UserIdentity::root());
    assert_eq!((&root["type"], &root["arn"]), (&json!("Root"), &json!("arn:aws:iam::111122223333:root")));
    assert_eq!(root["principalId"], US);
    let service = identity(UserIdentity::service("vpc.amazonaws.com"));
    assert_eq!(service, json!({"type": "AWSService", "invokedBy": "vpc.amazonaws.com"}));
    let user = identity(UserIdentity::user("ada"));
    assert!(user["accessKeyId"].as_str().unwrap().starts_with("AKIA"));
    assert!(user.get("sessionContext").is_none(), "a user's own key opens no session");
}

#[test]
fn a_created_peering_is_recorded_with_what_was_asked_and_what_came_of_it() {
    let mut rig = watched();
    let us = rig.us.clone();
    rig.world.advance(1_500);
    let request = Request::CreateVpcPeeringConnection(CreatePeering {
        vpc_id: (&rig.a).into(),
        peer_vpc_id: (&rig.b).into(),
        peer_owner_id: Some(THEM.to_owned()),
        peer_region: Some(VA.to_owned()),
        tags: Tags::from([("team".to_owned(), "a \"b\"\n".to_owned())]),
    });
    let id = rig.ask(&us, request).unwrap().peering().unwrap().id;
    let record = last(&rig, &us);
    let tag = json!({"items": [{"resourceType": "vpc-peering-connection",
        "tags": [{"key": "team", "value": "a \"b\"\n"}]}]});
    assert_eq!(
        record["requestParameters"],
        json!({"vpcId": rig.a.as_str(), "peerVpcId": rig.b.as_str(), "peerOwnerId": THEM, "peerRegion": VA,
            "tagSpecificationSet": tag})
    );
    let peering = &record["responseElements"]["vpcPeeringConnection"];
    assert_eq!(peering["vpcPeeringConnectionId"], id.as_str());
    assert_eq!(peering["status"]["code"], "initiating-request");
    assert_eq!(peering["expirationTime"], rig.world.wall_at(7 * DAY + 1_500));
    assert_eq!(peering["requesterVpcInfo"]["cidrBlockSet"], json!({"items": [{"cidrBlock": "10.1.0.0/16"}]}));
    assert_eq!(peering["accepterVpcInfo"], json!({"ownerId": THEM, "vpcId": rig.b.as_str(), "region": VA}));
    assert_eq!(record["eventTime"], "2026-01-01T00:00:01Z");

    let them = rig.them.clone();
    rig.ask(&them, accept(&id)).unwrap();
    let record = last(&rig, &them);
    assert_eq!(record["awsRegion"], VA);
    assert_eq!(record["responseElements"]["vpcPeeringConnection"]["status"]["code"], "provisioning");
    assert_eq!(record["responseElements"]["vpcPeeringConnection"]["tagSet"], json!({}));
}

#[test]
fn routes_are_recorded_by_destination_and_target() {
    let mut rig = watched();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let table = rig.main_table(&rig.a);
    let route = |destination: &str| RouteRequest::new(&table, destination);
    rig.ask(&us, Request::CreateRoute(route("10.2.0.0/16").peering(&id))).unwrap();
    let wanted = json!({"routeTableId": table.as_str(), "destinationCidrBlock": "10.2.0.0/16",
        "vpcPeeringConnectionId": id.as_str()});
    assert_eq!(last(&rig, &us)["requestParameters"], wanted);
    rig.ask(&us, Request::ReplaceRoute(route("10.2.0.0/16").target("igw-1"))).unwrap();
    assert_eq!(last(&rig, &us)["requestParameters"]["gatewayId"], "igw-1");
    rig.ask(&us, Request::CreateRoute(route("fd00::/8").target("nat-1"))).unwrap();
    assert_eq!(last(&rig, &us)["requestParameters"]["destinationIpv6CidrBlock"], "fd00::/8");
    rig.ask(&us, Request::DeleteRoute(route("10.2.0.0/16"))).unwrap();
    let record = last(&rig, &us);
    assert_eq!(
        record["requestParameters"],
        json!({"routeTableId": table.as_str(), "destinationCidrBlock": "10.2.0.0/16"})
    );
    assert_eq!(record["responseElements"]["_return"], true);
}

#[test]
fn the_options_of_a_peering_are_recorded_in_either_form() {
    let mut rig = watched();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let request = Request::ModifyVpcPeeringConnectionOptions {
        peering_id: (&id).into(),
        requester: Some(false),
        accepter: None,
    };
    rig.ask(&us, request.clone()).unwrap();
    let plain = json!({"vpcPeeringConnectionId": id.as_str(),
        "requesterPeeringConnectionOptions": {"allowDnsResolutionFromRemoteVpc": false}});
    assert_eq!(last(&rig, &us)["requestParameters"], plain);
    let mut wrapped = Script::new().pick(Choice::ParametersWrapped, 1);
    rig.world.call(&us, request, &mut wrapped).unwrap();
    let inside = &last(&rig, &us)["requestParameters"]["ModifyVpcPeeringConnectionOptionsRequest"];
    assert_eq!(inside["VpcPeeringConnectionId"], id.as_str());
    assert_eq!(inside["RequesterPeeringConnectionOptions"]["AllowDnsResolutionFromRemoteVpc"], false);
}

#[test]
fn what_is_refused_is_recorded_and_what_never_arrived_is_not() {
    // Fault, errorCode in the record, and whether there is one.
    let cases = [
        (Fault::Throttled, Some(Some("Client.RequestLimitExceeded"))),
        (Fault::Internal, Some(Some("Server.InternalError"))),
        (Fault::Unavailable, Some(Some("Server.Unavailable"))),
        (Fault::InternalAfterEffect, Some(Some("Server.InternalError"))),
        (Fault::ResetBeforeEffect, None),
        (Fault::TimeoutAfterEffect, Some(None)),
        (Fault::Denied, Some(Some("Client.UnauthorizedOperation"))),
        (Fault::Expired, None),
    ];
    assert_eq!(cases.len(), Fault::ALL.len());
    for (fault, wanted) in cases {
        let mut rig = watched();
        let us = rig.us.clone();
        let id = rig.world.peer(&rig.a, &rig.b).unwrap();
        let before = rig.world.history(&us).len();
        rig.world.call(&us, delete(&id), &mut Script::new().fault_next(fault)).unwrap_err();
        let history = rig.world.history(&us);
        assert_eq!(history.len() - before, usize::from(wanted.is_some()), "{fault:?}");
        if let Some(code) = wanted {
            let record = last(&rig, &us);
            assert_eq!(record.get("errorCode").and_then(Value::as_str), code, "{fault:?}");
            assert_eq!(record["responseElements"].is_null(), code.is_some(), "{fault:?}");
            assert_eq!(record["requestParameters"]["vpcPeeringConnectionId"], id.as_str(), "{fault:?}");
        }
        assert_eq!(rig.world.recorded_request_id().is_some(), wanted.is_some(), "{fault:?}");
    }
}

#[test]
fn a_refusal_by_ec2_and_a_dry_run_are_recorded_with_their_codes() {
    let mut rig = watched();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.refused(&us, reject(&id));
    let record = last(&rig, &us);
    assert_eq!(record["errorCode"], "Client.OperationNotPermitted");
    assert_eq!(record["errorMessage"], format!("User ({US}) cannot reject peering {id}"));
    rig.world.dry_run(&us, delete(&id), &mut Script::new());
    let record = last(&rig, &us);
    assert_eq!(
        (&record["eventName"], &record["errorCode"]),
        (&json!("DeleteVpcPeeringConnection"), &json!("Client.DryRunOperation"))
    );
    assert_eq!(
        rig.world.history(&us).len(),
        3,
        "the request, the refusal and the dry run; the acceptance is theirs"
    );
}

#[test]
fn a_record_is_in_the_callers_account_and_region_alone() {
    let mut rig = watched();
    let (us, them) = (rig.us.clone(), rig.them.clone());
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.ask(&them, delete(&id)).unwrap();
    assert_eq!(names(&lookup(&mut rig, &us, Lookup::all()).items), ["CreateVpcPeeringConnection"]);
    let theirs = lookup(&mut rig, &them, Lookup::all()).items;
    assert_eq!(names(&theirs), ["DeleteVpcPeeringConnection", "AcceptVpcPeeringConnection"], "newest first");
    assert!(lookup(&mut rig, &Caller::new(US, VA), Lookup::all()).items.is_empty());
}

#[test]
fn reads_leave_no_record_and_a_world_without_history_none_at_all() {
    let mut rig = rig();
    let us = rig.us.clone();
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    let before = rig.world.clone();
    rig.refused(&us, reject(&id));
    assert_eq!(rig.world, before);
    assert_eq!(rig.world.recorded_request_id(), None);
    rig.world.keep_history(true);
    rig.status(&us, &id);
    assert!(rig.world.history(&us).is_empty());
}

#[test]
fn an_event_is_found_by_each_attribute_and_only_after_its_delay() {
    let mut rig = watched();
    let ada = rig.us.clone().known_as(UserIdentity::role("admin", "ada").key("ASIA0000000000000001"));
    let id = rig.world.peer(&rig.a, &rig.b).unwrap();
    rig.world.advance(10 * 60_000);
    let mut slow = Script::new().delay_ms(Delay::EventHistory, 240_000);
    rig.world.call(&ada, delete(&id), &mut slow).unwrap();
    assert_eq!(rig.world.next_due().unwrap(), rig.world.now_ms() + 240_000);
    let by_name = || Lookup::by(LookupKey::EventName, "DeleteVpcPeeringConnection");
    assert!(lookup(&mut rig, &ada, by_name()).items.is_empty());
    rig.world.advance(rig.world.now_ms() + 240_000);
    let event = lookup(&mut rig, &ada, by_name()).items.remove(0);
    assert_eq!(event.event_time_ms(), rig.world.wall_at(600_000));

    let found =
        |rig: &mut Rig, key, value: &str| lookup(rig, &ada, Lookup::by(key, value)).items.contains(&event);
    for (key, value, other) in [
        (LookupKey::EventId, event.event_id(), "x"),
        (LookupKey::EventName, "DeleteVpcPeeringConnection".to_owned(), "DeleteVpc"),
        (LookupKey::ReadOnly, "false".to_owned(), "true"),
        (LookupKey::Username, "ada".to_owned(), "admin"),
        (LookupKey::ResourceType, "AWS::EC2::VPCPeeringConnection".to_owned(), "AWS::EC2::VPC"),
        (LookupKey::EventSource, "ec2.amazonaws.com".to_owned(), "sqs.amazonaws.com"),
        (LookupKey::AccessKeyId, "ASIA0000000000000001".to_owned(), "ASIA"),
    ] {
        assert!(found(&mut rig, key, &value), "{key:?}");
        assert!(!found(&mut rig, key, other), "{key:?}");
    }
    // Whether a peering's id is indexed is not known.
    assert!(!found(&mut rig, LookupKey::ResourceName, id.as_str()));
    let request = Request::LookupEvents(Lookup::by(LookupKey::ResourceName, id.as_str()));
    rig.world.advance(rig.world.now_ms() + 1_000);
    let mut indexed = Script::new().pick(Choice::PeeringIsIndexed, 1);
    let page = rig.world.call(&ada, request, &mut indexed).unwrap().events().unwrap();
    assert_eq!(names(&page.items), ["DeleteVpcPeeringConnection", "CreateVpcPeeringConnection"]);
}

#[test]
fn pages_go_back_in_time_through_a_window_and_a_token_is_bound_to_its_query() {
    let mut rig = watched();
    let us = rig.us.clone();
    for second in 1..=7 {
        rig.world.advance(second * 1_000);
        rig.world.tag(&us, rig.a.as_str(), &[("n", &second.to_string())]).unwrap();
    }
    let wall = |rig: &Rig, at_ms| Some(rig.world.wall_at(at_ms));
    let window = Lookup {
        start_ms: wall(&rig, 2_000),
        end_ms: wall(&rig, 6_000),
        max_results: Some(2),
        ..Lookup::by(LookupKey::EventName, "CreateTags")
    };
    let (mut times, mut token, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let page = lookup(&mut rig, &us, Lookup { next_token: token, ..window.clone() });
        sizes.push(page.items.len());
        times.extend(page.items.iter().map(|record| record.at_ms));
        // What is recorded meanwhile is newer than the page.
        rig.world.tag(&us, rig.a.as_str(), &[("x", "y")]).unwrap();
        token = page.next_token;
        if token.is_none() {
            break;
        }
        let other = Lookup { next_token: token.clone(), start_ms: None, ..window.clone() };
        rig.world.advance(rig.world.now_ms() + 1_000);
        assert_eq!(rig.refused(&us, Request::LookupEvents(other)).0, "InvalidNextTokenException");
    }
    assert_eq!(times, [6_000, 5_000, 4_000, 3_000, 2_000]);
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn lookups_are_checked_and_two_a_second() {
    let mut rig = watched();
    let us = rig.us.clone();
    let twice = vec![(LookupKey::EventName, "a".to_owned()), (LookupKey::Username, "b".to_owned())];
    for (asked, code) in [
        (Lookup { attributes: twice, ..Lookup::all() }, "InvalidLookupAttributesException"),
        (Lookup { start_ms: Some(2), end_ms: Some(1), ..Lookup::all() }, "InvalidTimeRangeException"),
        (Lookup { max_results: Some(51), ..Lookup::all() }, "InvalidMaxResultsException"),
        (Lookup { max_results: Some(0), ..Lookup::all() }, "InvalidMaxResultsException"),
        (Lookup { next_token: Some("x".to_owned()), ..Lookup::all() }, "InvalidNextTokenException"),
    ] {
        rig.world.advance(rig.world.now_ms() + 1_000);
        assert_eq!(rig.refused(&us, Request::LookupEvents(asked)).0, code);
    }
    rig.world.advance(rig.world.now_ms() + 1_000);
    let ask = |rig: &mut Rig, caller: &Caller| rig.ask(caller, Request::LookupEvents(Lookup::all())).is_ok();
    assert!(ask(&mut rig, &us) && ask(&mut rig, &us));
    assert_eq!(rig.refused(&us, Request::LookupEvents(Lookup::all())).0, "ThrottlingException");
    assert!(ask(&mut rig, &Caller::new(US, VA)), "each Region has its own");
    rig.world.advance(rig.world.now_ms() + 499);
    assert!(!ask(&mut rig, &us));
    rig.world.advance(rig.world.now_ms() + 1);
    let mut moved = rig.world.from_now();
    let again = Request::LookupEvents(Lookup::all());
    assert!(moved.call(&us, again.clone(), &mut Script::new()).is_ok());
    assert!(moved.call(&us, again, &mut Script::new()).is_err(), "a moved world remembers what was spent");
}

#[test]
fn history_is_kept_for_ninety_days() {
    let mut rig = watched();
    let us = rig.us.clone();
    rig.world.tag(&us, rig.a.as_str(), &[("old", "")]).unwrap();
    rig.world.advance(90 * DAY - 1_000);
    assert_eq!(lookup(&mut rig, &us, Lookup::all()).items.len(), 1);
    assert!(lookup(&mut rig, &us, Lookup::all()).items.is_empty());
    rig.world.tag(&us, rig.a.as_str(), &[("new", "")]).unwrap();
    assert_eq!(rig.world.history(&us).len(), 1, "what is too old leaves with the next record");
}

#[test]
fn every_call_that_changes_something_has_its_parameters_recorded() {
    let mut rig = watched();
    let us = rig.us.clone();
    let tags = || Tags::from([("k".to_owned(), "v".to_owned())]);
    let vpc = rig.world.create_vpc(US, EU, "10.9.0.0/16").unwrap();
    let request = Request::CreateRouteTable { vpc_id: (&vpc).into(), client_token: None, tags: tags() };
    let table = rig.ask(&us, request).unwrap().route_table().unwrap().id;
    assert_eq!(
        last(&rig, &us)["responseElements"]["routeTable"]["routeSet"]["items"][0]["gatewayId"],
        "local"
    );
    let to = ec2sim::Attach::Subnet("subnet-1".to_owned());
    let tie = rig.ask(&us, Request::AssociateRouteTable { route_table_id: (&table).into(), to }).unwrap();
    let tie = tie.association().unwrap();
    let moved = Request::ReplaceRouteTableAssociation {
        association_id: (&tie).into(),
        route_table_id: rig.main_table(&vpc).into(),
    };
    let tie = rig.ask(&us, moved).unwrap().association().unwrap();
    assert_eq!(last(&rig, &us)["responseElements"]["newAssociationId"], tie.as_str());
    let cidr = Request::AssociateVpcCidrBlock { vpc_id: (&vpc).into(), cidr: "10.10.0.0/16".to_owned() };
    let cidr = rig.ask(&us, cidr).unwrap().cidr_association().unwrap();
    let list = ec2sim::CreatePrefixList {
        name: "l".to_owned(),
        max_entries: 5,
        address_family: "IPv4".to_owned(),
        entries: vec!["10.0.0.0/8".into()],
        client_token: None,
        tags: tags(),
    };
    let list = rig.ask(&us, Request::CreateManagedPrefixList(list)).unwrap().prefix_list().unwrap().id;
    let (add, remove) = (vec!["10.1.0.0/16".into()], vec![]);
    let modify = Request::ModifyManagedPrefixList {
        prefix_list_id: (&list).into(),
        current_version: None,
        name: None,
        max_entries: None,
        add,
        remove,
    };
    for request in [
        modify,
        Request::DeleteManagedPrefixList { prefix_list_id: (&list).into() },
        Request::DisassociateVpcCidrBlock { association_id: (&cidr.id).into() },
        Request::DisassociateRouteTable { association_id: (&tie).into() },
        Request::DeleteRouteTable { route_table_id: (&table).into() },
        Request::ModifyVpcAttribute {
            vpc_id: (&vpc).into(),
            enable_dns_support: None,
            enable_dns_hostnames: Some(true),
        },
        Request::CreateTags { resources: vec![(&vpc).into()], tags: tags() },
        Request::DeleteTags { resources: vec![(&vpc).into()], tags: vec![("k".to_owned(), None)] },
        Request::DeleteVpc { vpc_id: (&vpc).into() },
    ] {
        rig.ask(&us, request).unwrap();
    }
    let history = rig.world.history(&us);
    for record in &history {
        let json: Value = serde_json::from_str(&record.json()).unwrap();
        assert!(json["requestParameters"].is_object(), "{}", record.event_name());
        assert!(json["responseElements"]["requestId"].is_string() || json["responseElements"].is_object());
    }
    let ids: BTreeSet<String> = history.iter().map(|record| record.event_id()).collect();
    assert_eq!(ids.len(), history.len(), "no two events share an id");
    let recorded: BTreeSet<&str> = history.iter().map(|record| record.event_name()).collect();
    assert_eq!(recorded.len(), 15, "{recorded:?}");
}

#[test]
fn tags_are_recorded_by_resource_key_and_value() {
    let mut rig = watched();
    let us = rig.us.clone();
    let request =
        Request::DeleteTags { resources: vec![(&rig.a).into()], tags: vec![("k".to_owned(), None)] };
    rig.ask(&us, request).unwrap();
    let wanted = json!({"resourcesSet": {"items": [{"resourceId": rig.a.as_str()}]}, "tagSet": {"items": [{"key": "k"}]}});
    assert_eq!(last(&rig, &us)["requestParameters"], wanted);
}

#[test]
fn a_world_moved_to_time_zero_tells_the_same_history() {
    let mut rig = watched();
    let us = rig.us.clone();
    rig.world.advance(5_000);
    rig.world.tag(&us, rig.a.as_str(), &[("n", "1")]).unwrap();
    let mut slow = Script::new().delay_ms(Delay::EventHistory, 60_000);
    let tag = Request::CreateTags {
        resources: vec![(&rig.a).into()],
        tags: Tags::from([("a".into(), "b".into())]),
    };
    rig.world.call(&us, tag, &mut slow).unwrap();
    rig.world.advance(7_000);
    let mut moved = Rig {
        world: rig.world.from_now(),
        us: rig.us.clone(),
        them: rig.them.clone(),
        a: rig.a.clone(),
        b: rig.b.clone(),
    };
    assert_eq!(lookup(&mut moved, &us, Lookup::all()).items.len(), 1);
    moved.world.advance(60_000);
    let items = lookup(&mut moved, &us, Lookup::all()).items;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].wall_ms(), moved.world.wall_at(0) - 2_000);
}

#[test]
fn what_blinds_is_recorded_with_what_it_blinds() {
    let mut rig = watched();
    let us = rig.us.clone();
    let queue = crate::events::queue_in(&mut rig.world, US, EU, "q");
    rig.world.deliver_events(US, EU, &ec2sim::EventPattern::ec2(["DeleteVpc"]), &queue).unwrap();
    let narrowed = Request::PutRule {
        name: "peering-events".to_owned(),
        pattern: ec2sim::EventPattern::ec2(["CreateVpc"]),
        enabled: true,
    };
    rig.ask(&us, narrowed).unwrap();
    let record = last(&rig, &us);
    assert_eq!((&record["eventSource"], &record["awsRegion"]), (&json!("events.amazonaws.com"), &json!(EU)));
    let pattern: Value =
        serde_json::from_str(record["requestParameters"]["eventPattern"].as_str().unwrap()).unwrap();
    assert_eq!(
        pattern["detail"],
        json!({"eventSource": ["ec2.amazonaws.com"], "eventName": ["CreateVpc"],
        "errorCode": [{"exists": false}]})
    );
    rig.ask(&us, Request::StopLogging { name: "peering-events".to_owned() }).unwrap();
    let record = last(&rig, &us);
    assert_eq!(record["eventSource"], "cloudtrail.amazonaws.com");
    assert_eq!(record["requestParameters"], json!({"name": "peering-events"}));
    assert!(record["responseElements"].is_null());
    rig.ask(&us, Request::DeleteQueue { queue }).unwrap();
    let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/q";
    assert_eq!(last(&rig, &us)["requestParameters"], json!({"queueUrl": url}));
}

#[test]
fn what_happens_to_the_network_around_is_recorded_too() {
    let mut rig = watched();
    let us = rig.us.clone();
    let group = ec2sim::CreateGroup {
        vpc_id: Some((&rig.a).into()),
        name: "web".to_owned(),
        description: "d".to_owned(),
        tags: Tags::new(),
    };
    let group = rig.ask(&us, Request::CreateSecurityGroup(group)).unwrap().group().unwrap().id;
    assert_eq!(last(&rig, &us)["responseElements"]["groupId"], group.as_str());
    let rule = RuleSpec::tcp(443, RuleEndSpec::Cidr("10.2.0.0/16".to_owned())).described("peer");
    let add = AuthorizeRules { group_id: (&group).into(), rules: vec![rule.clone()], tags: Tags::new() };
    rig.ask(&us, Request::AuthorizeSecurityGroupIngress(add)).unwrap();
    let permission = json!({"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {},
        "ipRanges": {"items": [{"cidrIp": "10.2.0.0/16", "description": "peer"}]}, "ipv6Ranges": {}, "prefixListIds": {}});
    let record = last(&rig, &us);
    let wanted = json!({"groupId": group.as_str(), "ipPermissions": {"items": [permission]}});
    assert_eq!(record["requestParameters"], wanted);
    let added = &record["responseElements"]["securityGroupRuleSet"]["items"][0];
    assert_eq!((&added["cidrIpv4"], &added["isEgress"]), (&json!("10.2.0.0/16"), &json!(false)));
    let rule_ids = vec![added["securityGroupRuleId"].as_str().unwrap().to_owned()];
    let revoke = RevokeRules { group_id: (&group).into(), rules: vec![], rule_ids: rule_ids.clone() };
    rig.ask(&us, Request::RevokeSecurityGroupIngress(revoke)).unwrap();
    let wanted = json!({"groupId": group.as_str(), "ipPermissions": {},
        "securityGroupRuleIds": {"items": [{"securityGroupRuleId": rule_ids[0]}]}});
    assert_eq!(last(&rig, &us)["requestParameters"], wanted);

    let subnet = CreateSubnet {
        vpc_id: (&rig.a).into(),
        cidr: "10.1.1.0/24".to_owned(),
        tags: Tags::from([("tier".to_owned(), "private".to_owned())]),
        ..CreateSubnet::default()
    };
    let subnet = rig.ask(&us, Request::CreateSubnet(subnet)).unwrap().subnet().unwrap().id;
    let record = last(&rig, &us);
    assert_eq!(record["requestParameters"]["tagSpecificationSet"]["items"][0]["resourceType"], "subnet");
    assert_eq!(record["responseElements"]["subnet"]["subnetId"], subnet.as_str());
    let gateway =
        rig.ask(&us, Request::CreateInternetGateway { tags: Tags::new() }).unwrap().gateway().unwrap();
    let (gateway_id, vpc_id) = ((&gateway.id).into(), (&rig.a).into());
    rig.ask(&us, Request::AttachInternetGateway { gateway_id, vpc_id }).unwrap();
    let wanted = json!({"internetGatewayId": gateway.id.as_str(), "vpcId": rig.a.as_str()});
    assert_eq!(last(&rig, &us)["requestParameters"], wanted);
    for record in rig.world.history(&us) {
        let json: Value = serde_json::from_str(&record.json()).unwrap();
        assert!(json["requestParameters"].is_object(), "{}", record.event_name());
    }
}
