//! The control endpoint.

use crate::client::{Client, EU, US, first, start, start_at};

#[test]
fn calls_are_counted_logged_and_forgotten() {
    let server = start();
    let mut client = Client::of(&server);
    client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16");
    client.ec2("CreateVpc", "&CidrBlock=rubbish");
    client.ec2("DescribeVpcs", "");
    client.ec2("RunInstances", "");
    Client::at(&server.endpoint(), "444455556666").ec2("DescribeVpcs", "");
    let counted = client.look("calls");
    assert_eq!(counted["calls"]["CreateVpc"], 2);
    assert_eq!(counted["calls"]["DescribeVpcs"], 2);
    assert_eq!(counted["unknown"]["ec2:RunInstances"], 1);
    assert_eq!(client.look("calls?account=444455556666")["calls"], serde_json::json!({ "DescribeVpcs": 1 }));

    let requests = client.look("requests");
    let actions: Vec<_> = requests["requests"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["CreateVpc", "CreateVpc", "DescribeVpcs", "DescribeVpcs"]);
    assert_eq!(requests["requests"][0]["region"], EU);
    assert_eq!(requests["requests"][3]["key"], "444455556666");

    let log = client.look("log");
    let results: Vec<_> = log["log"].as_array().unwrap().iter().map(|one| one["error"].as_str()).collect();
    assert_eq!(results, [None, Some("InvalidParameterValue")]);
    assert_eq!(log["log"][0]["account"], US);

    client.obeyed("forget", "");
    assert_eq!(client.look("calls"), serde_json::json!({ "calls": {}, "unknown": {} }));
    assert_eq!(client.look("log"), serde_json::json!({ "log": [] }));
    assert!(client.ec2("DescribeVpcs", "").1.contains("<vpcId>"), "the world itself stays");
}

#[test]
fn the_clock_stands_leaps_and_runs() {
    let server = start_at(0.0);
    let mut client = Client::of(&server);
    assert_eq!(client.look("clock")["now_ms"], 0);
    assert_eq!(client.obeyed("clock", r#"{"advance_ms": 90000}"#)["now_ms"], 90_000);
    let vpc = |client: &mut Client, cidr| first(&client.ec2("CreateVpc", cidr).1, "vpcId");
    let (a, b) = (vpc(&mut client, "&CidrBlock=10.1.0.0/16"), vpc(&mut client, "&CidrBlock=10.2.0.0/16"));
    client.obeyed("weather", r#"{"delays_ms": {"Initiating": 4000}}"#);
    let (_, made) = client.ec2("CreateVpcPeeringConnection", &format!("&VpcId={a}&PeerVpcId={b}"));
    let id = first(&made, "vpcPeeringConnectionId");
    let status = |client: &mut Client| client.look("peerings")["peerings"][0]["status"].clone();
    assert_eq!(status(&mut client), "initiating-request");
    assert_eq!(client.look("clock")["next_due_ms"], 94_000);
    assert_eq!(client.obeyed("clock", r#"{"to_next_due": true}"#)["now_ms"], 94_000);
    assert_eq!(status(&mut client), "pending-acceptance");

    client.obeyed("world", &format!(r#"{{"do": "force_peering", "id": "{id}", "status": "expired"}}"#));
    assert_eq!(status(&mut client), "expired");

    client.obeyed("clock", r#"{"speed": 100000}"#);
    let before = client.look("clock")["now_ms"].as_u64().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let after = client.look("clock")["now_ms"].as_u64().unwrap();
    assert!(after - before >= 2_000_000, "{before} {after}");
}

#[test]
fn refusals_are_aimed_counted_and_mended() {
    let server = start();
    let mut client = Client::of(&server);
    let mut them = Client::at(&server.endpoint(), "444455556666");
    client.obeyed(
        "faults",
        r#"{"do": "refuse", "action": "DescribeVpcs", "account": "111122223333", "code": "RequestLimitExceeded", "times": 2}"#,
    );
    assert_eq!(client.look("faults")["faults"][0]["times"], 2);
    assert_eq!(them.ec2("DescribeVpcs", "").0, 200);
    for _ in 0..2 {
        let (status, body) = client.ec2("DescribeVpcs", "");
        assert_eq!((status, first(&body, "Code").as_str()), (503, "RequestLimitExceeded"));
    }
    assert_eq!(client.ec2("DescribeVpcs", "").0, 200);
    assert_eq!(client.look("faults")["faults"], serde_json::json!([]));

    client
        .obeyed("faults", r#"{"do": "refuse", "action": "*", "code": "AuthFailure", "region": "us-east-1"}"#);
    assert_eq!(client.ec2("DescribeVpcs", "").0, 200, "another Region");
    client.obeyed("faults", r#"{"do": "refuse", "action": "*", "code": "AuthFailure"}"#);
    assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 401);
    client.obeyed("faults", r#"{"do": "mend", "account": "111122223333"}"#);
    assert_eq!(client.ec2("DescribeVpcs", "").0, 401, "it was not aimed at that account");
    client.obeyed("faults", r#"{"do": "mend"}"#);
    let (_, body) = client.ec2("DescribeVpcs", "");
    assert_eq!(body.matches("<vpcId>").count(), 0, "what was refused did nothing");
}

#[test]
fn ratios_set_the_weather_and_calm_ends_it() {
    let server = start();
    let mut client = Client::of(&server);
    let shown =
        client.obeyed("weather", r#"{"fault_ratios": {"Throttled": 10000}, "action": "DescribeVpcs"}"#);
    assert_eq!(shown["fault_ratios"][0]["action"], "DescribeVpcs");
    assert_eq!(client.ec2("DescribeVpcs", "").0, 503);
    assert_eq!(client.ec2("DescribeRouteTables", "").0, 200);
    client.obeyed("weather", r#"{"fault_ratios": {"Throttled": 0}, "action": "DescribeVpcs"}"#);
    assert_eq!(client.ec2("DescribeVpcs", "").0, 200, "the rule of the same aim is replaced");
    client.obeyed("weather", r#"{"fault_ratios": {"Internal": 10000}}"#);
    assert_eq!(client.ec2("DescribeVpcs", "").0, 500);
    client.obeyed("weather", r#"{"calm": true}"#);
    assert_eq!(client.ec2("DescribeVpcs", "").0, 200);
}

#[test]
fn what_no_call_can_do_is_done_on_request() {
    let server = start();
    let mut client = Client::of(&server);
    client.obeyed(
        "world",
        r#"{"do": "deny", "account": "111122223333", "region": "eu-west-1", "action": "CreateVpc"}"#,
    );
    assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 403);
    client.obeyed(
        "world",
        r#"{"do": "allow", "account": "111122223333", "region": "eu-west-1", "action": "CreateVpc"}"#,
    );
    let vpc = first(&client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").1, "vpcId");
    client.obeyed(
        "world",
        r#"{"do": "quotas", "account": "111122223333", "region": "eu-west-1", "tables_per_vpc": 1}"#,
    );
    let (_, body) = client.ec2("CreateRouteTable", &format!("&VpcId={vpc}"));
    assert_eq!(first(&body, "Code"), "RouteTableLimitExceeded");
    client.obeyed("world", r#"{"do": "throttle", "on": true}"#);
    let refused = (0..150).filter(|_| client.ec2("DescribeVpcs", "").0 == 503).count();
    assert!((1..=50).contains(&refused), "{refused}");
    client.obeyed("reset", "");
    let (status, body) = client.ec2("DescribeVpcs", "");
    assert_eq!((status, body.matches("<vpcId>").count()), (200, 0));
}

#[test]
fn roles_trust_whom_the_order_says() {
    let server = start();
    let mut client = Client::of(&server);
    let assume = |members: &str| {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: \
             AWS4-HMAC-SHA256 Credential={US}/20260102/{EU}/sts/aws4_request, SignedHeaders=host, Signature=0\r\n"
        );
        let mut caller = Client::of(&server);
        caller.send(
            &head,
            &format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=test&RoleArn={members}"),
        );
        caller.receive().unwrap().0
    };
    let (role, other) =
        ("arn:aws:iam::444455556666:role/network", "arn:aws:iam::444455556666:role/undeclared");
    let trusting = |who: &str| format!(r#"{{"do": "set_role", "arn": "{role}", "trusts": [{who}]}}"#);
    client.obeyed("world", &trusting(r#"{"account": "111122223333", "external_id": "secret"}"#));
    assert_eq!(assume(role), 403);
    assert_eq!(assume(&format!("{role}&ExternalId=secret")), 200);
    client.obeyed("world", &trusting(r#"{"principal": "arn:aws:iam::111122223333:role/somebody"}"#));
    assert_eq!(assume(role), 403);
    client.obeyed("world", &trusting(r#"{"account": "111122223333"}"#));
    assert_eq!(assume(role), 200);
    client.obeyed("world", &trusting(""));
    assert_eq!(assume(role), 403);

    assert_eq!(assume(other), 200);
    client.obeyed("world", r#"{"do": "strict_roles", "on": true}"#);
    assert_eq!(assume(other), 403);
}

#[test]
fn a_wrong_order_says_what_is_wrong_and_changes_nothing() {
    let server = start();
    let mut client = Client::of(&server);
    for (path, order, named) in [
        ("faults", "[]", "object"),
        ("faults", "{", "object"),
        ("faults", "{}", "do is missing"),
        ("faults", r#"{"do": "dance"}"#, "dance"),
        ("faults", r#"{"do": "refuse", "action": "CreateVpc"}"#, "needs a code"),
        ("faults", r#"{"do": "drop", "actoin": "CreateVpc"}"#, "actoin"),
        ("faults", r#"{"do": "drop", "times": -1}"#, "times"),
        ("clock", r#"{"speed": -1}"#, "speed"),
        ("weather", r#"{"delays_ms": {"Lunch": 5}}"#, "Lunch"),
        ("weather", r#"{"delays_ms": {"Deleting": 5}, "fault_ratios": {"Internal": 10001}}"#, "10000"),
        ("world", r#"{"do": "force_peering", "id": "pcx-0", "status": "active"}"#, "pcx-0"),
        ("world", r#"{"do": "set_role", "arn": "arn:aws:iam::1:role/x"}"#, "trusts"),
        ("world", r#"{"do": "set_role", "arn": "arn:aws:iam::1:role/x", "trusts": [{}]}"#, "account"),
        ("world", r#"{"do": "strict_roles"}"#, "on"),
        ("world", r#"{"do": "deny", "account": "1", "region": "r", "action": "Dance"}"#, "Dance"),
        ("reset", r#"{"now": true}"#, "now"),
    ] {
        let (status, answer) = client.order(path, order);
        let error = answer["error"].as_str().unwrap();
        assert!(status == 400 && error.contains(named), "{path} {order}: {status} {error}");
    }
    assert_eq!(client.look("faults")["faults"], serde_json::json!([]));
    assert_eq!(client.look("weather")["delays_ms"], serde_json::json!({}));
    assert_eq!(client.order("nowhere", "{}").0, 404);
}
