#!/usr/bin/env python3
"""The patterns of deploy/aws/events on ec2sim, which reports the calls that are made of it.

    on_ec2sim.py EC2SIM     EC2SIM is the simulator's binary; run with moto's Python (tools/moto/serve.py setup prints it)

live.py shows what the patterns make of records that it writes itself; here each record is of a call, one that fails or is
a dry run among them. And ec2sim's rules, unlike moto's, are silent once they are disabled.
"""

import json
import subprocess
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from live import EVENTS, HERE, expect

PATTERNS = {"peerkeeper-events": "pattern.json", "peerkeeper-events-watch": "watch.json"}
QUEUE = f"arn:aws:sqs:{HERE}:111122223333:peerkeeper-events"


def refused(code, call):
    try:
        call()
    except ClientError as error:
        return expect("refused", error.response["Error"]["Code"], code)
    sys.exit(f"FAILED: this should have been refused with {code}")


def set_up(client):
    url = client("sqs").create_queue(QueueName="peerkeeper-events")["QueueUrl"]
    trail, events = client("cloudtrail"), client("events")
    trail.create_trail(Name="all", S3BucketName="logs")
    trail.start_logging(Name="all")
    for rule, file in PATTERNS.items():
        events.put_rule(Name=rule, EventPattern=(EVENTS / file).read_text())
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": QUEUE}])
    return url


def heard(sqs, url):
    """What the queue holds, by name and by the id of each record, which is the same however many rules told of it."""
    records = {}
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            record = json.loads(message["Body"])["detail"]
            records[record["eventID"]] = record["eventName"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(records.values())


def a_peerings_life(ec2, told):
    a, b = (ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"] for block in ("10.1.0.0/16", "10.2.0.0/16"))
    table = ec2.create_route_table(VpcId=a)["RouteTable"]["RouteTableId"]
    expect("told of what is none of ours", told(), [])
    asked = ec2.create_vpc_peering_connection(VpcId=a, PeerVpcId=b)["VpcPeeringConnection"]
    peering = {"VpcPeeringConnectionId": asked["VpcPeeringConnectionId"]}
    ec2.accept_vpc_peering_connection(**peering)
    route = {"RouteTableId": table, "DestinationCidrBlock": "10.2.0.0/16"}
    ec2.create_route(**route, **peering)
    expect("told of how it came to be", told(),
           ["AcceptVpcPeeringConnection", "CreateRoute", "CreateVpcPeeringConnection"])
    refused("DryRunOperation", lambda: ec2.delete_vpc_peering_connection(**peering, DryRun=True))
    refused("RouteAlreadyExists", lambda: ec2.create_route(**route, **peering))
    expect("told of a dry run and of a call that failed", told(), [])
    ec2.delete_vpc_peering_connection(**peering)
    expect("told of its deletion", told(), ["DeleteVpcPeeringConnection"])
    ec2.delete_route(**route)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc(VpcId=b)
    expect("told of what followed", told(), ["DeleteRoute", "DeleteRouteTable", "DeleteVpc"])


def silenced(events, trail, told):
    for rule in PATTERNS:
        events.disable_rule(Name=rule)
        expect(f"told that {rule} is disabled", told(), ["DisableRule"])
        events.enable_rule(Name=rule)
    for rule in PATTERNS:
        events.remove_targets(Rule=rule, Ids=["queue"])
        expect(f"told that {rule} has no target", told(), ["RemoveTargets"])
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": QUEUE}])
    trail.stop_logging(Name="all")
    expect("told that the trail is stopped", told(), ["StopLogging"])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    command = [sys.argv[1], "--leash", "--speed", "0"]
    simulator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        endpoint = json.loads(simulator.stdout.readline())["endpoint"]
        settings = Config(retries={"max_attempts": 0}, proxies={})

        def client(service):
            return boto3.client(service, HERE, endpoint_url=endpoint, config=settings,
                                aws_access_key_id="111122223333", aws_secret_access_key="any")

        url, sqs = set_up(client), client("sqs")
        a_peerings_life(client("ec2"), lambda: heard(sqs, url))
        silenced(client("events"), client("cloudtrail"), lambda: heard(sqs, url))
    finally:
        simulator.stdin.close()
        simulator.wait(timeout=10)
    print("  a peering's life is told of, and so is what would silence either rule or the trail")


if __name__ == "__main__":
    main()
