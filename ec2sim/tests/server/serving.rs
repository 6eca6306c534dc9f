//! Bytes over sockets.

use ec2sim::server::{Aim, Disturbance};

use crate::client::{Client, US, first, start};

#[test]
fn one_connection_carries_many_requests() {
    let server = start();
    let mut client = Client::of(&server);
    for _ in 0..50 {
        assert_eq!(client.ec2("CreateVpc", "&CidrBlock=10.1.0.0/16").0, 200);
    }
    let (_, body) = client.ec2("DescribeVpcs", "");
    assert_eq!(body.matches("<vpcId>").count(), 50);
}

#[test]
fn two_requests_sent_at_once_are_answered_in_order() {
    let server = start();
    let mut client = Client::of(&server);
    client.send_ec2("CreateVpc", "&CidrBlock=10.1.0.0/16");
    client.send_ec2("DescribeVpcs", "");
    assert!(client.receive().unwrap().1.contains("<CreateVpcResponse"));
    assert!(client.receive().unwrap().1.contains("<DescribeVpcsResponse"));
}

#[test]
fn a_test_in_the_same_process_looks_at_the_world_and_changes_it() {
    let server = start();
    let vpc = server.with_world(|world| world.create_vpc(US, "eu-west-1", "10.1.0.0/16").unwrap());
    let (_, body) = Client::of(&server).ec2("DescribeVpcs", "");
    assert_eq!(first(&body, "vpcId"), vpc.as_str());
    assert_eq!(server.shared().calls(None)["DescribeVpcs"], 1);
}

#[test]
fn a_dropped_answer_ends_the_connection_and_the_call_took_effect() {
    let server = start();
    server.shared().disturb(Aim::at("CreateVpc"), Disturbance::Drop, Some(1));
    let mut client = Client::of(&server);
    client.send_ec2("CreateVpc", "&CidrBlock=10.1.0.0/16");
    assert_eq!(client.receive(), None);
    let (_, body) = Client::of(&server).ec2("DescribeVpcs", "");
    assert_eq!(body.matches("<vpcId>").count(), 1);
}

#[test]
fn a_held_request_blocks_no_other_and_is_not_carried_out_before_its_release() {
    let server = start();
    server.shared().disturb(Aim::at("CreateVpc").account(US), Disturbance::Hold, None);
    let (mut held, mut free) = (Client::of(&server), Client::of(&server));
    held.send_ec2("CreateVpc", "&CidrBlock=10.1.0.0/16");
    assert!(held.waits());
    let (_, body) = free.ec2("DescribeVpcs", "");
    assert_eq!(body.matches("<vpcId>").count(), 0);
    let mut other = Client::at(&server.endpoint(), "444455556666");
    assert_eq!(other.ec2("CreateVpc", "&CidrBlock=10.2.0.0/16").0, 200, "it is aimed at one account");
    server.shared().release("CreateVpc");
    assert_eq!(held.receive().unwrap().0, 200);
}

#[test]
fn a_held_request_lands_late_though_its_client_has_gone() {
    let server = start();
    server.shared().disturb(Aim::at("CreateVpc"), Disturbance::Hold, None);
    let mut held = Client::of(&server);
    held.send_ec2("CreateVpc", "&CidrBlock=10.1.0.0/16");
    assert!(held.waits());
    drop(held);
    let mut client = Client::of(&server);
    let mut vpcs = || client.ec2("DescribeVpcs", "").1.matches("<vpcId>").count();
    assert_eq!((0..20).map(|_| vpcs()).sum::<usize>(), 0);
    server.shared().mend(None);
    let start = std::time::Instant::now();
    while vpcs() == 0 {
        assert!(start.elapsed().as_secs() < 20, "it was lost with its client");
    }
}

#[test]
fn rubbish_gets_an_answer_or_the_door_and_the_server_lives() {
    let server = start();
    for rubbish in [
        &b"\x00\x01\x02\xff\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"DELETE /somewhere?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut client = Client::of(&server);
        client.send_raw(rubbish);
        if let Some((status, body)) = client.receive() {
            assert!(status >= 400, "{status} {body}");
        }
    }
    assert_eq!(Client::of(&server).ec2("DescribeVpcs", "").0, 200);
}

#[test]
fn a_body_without_end_is_refused() {
    let server = start();
    let mut client = Client::of(&server);
    let long = "x".repeat(5 << 20);
    client.send("POST / HTTP/1.1\r\nHost: x\r\n", &long);
    assert!(client.receive().is_none_or(|(status, _)| status == 413));
}
