#!/usr/bin/env python3
"""deploy/aws/events on moto, whose EventBridge nobody here wrote: what should be told arrives, and nothing else.

    live.py         run with moto's Python (tools/moto/serve.py setup prints it)

single.yaml is deployed in one account; hub.yaml in another, with member.yaml there and in a third account and another
Region. Events as CloudTrail makes them are put on the default buses, and the queues are read. moto evaluates neither
policies nor roles, and leaves QueuePolicy and EventBusPolicy out of a stack: that those let through what they should is
not shown here.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "deploy/aws/events"
HERE, ELSEWHERE = "eu-west-1", "us-east-1"
ALONE, MEMBER, ANOTHER, HUB = "111122223333", "444455556666", "777788889999", "999900001111"
DETAIL_TYPE = "AWS API Call via CloudTrail"


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"FAILED: {what}: {found!r}, expected {wanted!r}")


class Moto:
    """moto on a free port, until it is left."""

    def __enter__(self):
        command = [sys.executable, str(ROOT / "tools/moto/serve.py"), "up"]
        # It complains of every resource that it leaves out of a stack: worth reading only when something fails.
        self.complaints = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.complain()
            raise SystemExit("FAILED: moto ended before it was ready")
        self.endpoint = json.loads(line)["endpoint"]
        return self

    def __exit__(self, failure, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        if failure:
            self.complain()

    def complain(self):
        self.complaints.seek(0)
        print(self.complaints.read(), file=sys.stderr)

    def keys(self, account):
        """Of a role in that account: moto gives them to whoever asks."""
        asked = self.client("sts", {"aws_access_key_id": "any", "aws_secret_access_key": "any"})
        role = f"arn:aws:iam::{account}:role/any"
        given = asked.assume_role(RoleArn=role, RoleSessionName="any")["Credentials"]
        return {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"]}

    def client(self, service, keys, region=HERE):
        settings = Config(retries={"max_attempts": 0}, proxies={})
        return boto3.client(service, region, endpoint_url=self.endpoint, config=settings, **keys)


class Place:
    """An account in a Region."""

    def __init__(self, moto, account, region=HERE):
        self.name, keys = f"{account} in {region}", moto.keys(account)
        self.events, self.sqs, self.formation = (
            moto.client(service, keys, region) for service in ("events", "sqs", "cloudformation"))

    def deploy(self, template, **parameters):
        """The stack's outputs."""
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        body = (EVENTS / template).read_text()
        stack = template.removesuffix(".yaml")
        self.formation.create_stack(StackName=stack, TemplateBody=body, Parameters=given,
                                    Capabilities=["CAPABILITY_IAM"])
        made = self.formation.describe_stacks(StackName=stack)["Stacks"][0]
        expect(f"{template} for {self.name}", made["StackStatus"], "CREATE_COMPLETE")
        return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}

    def put(self, *events):
        """On the default bus, where CloudTrail's events come."""
        answer = self.events.put_events(Entries=[
            {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
            for source, detail_type, detail in events])
        expect("events that were refused", answer["FailedEntryCount"], 0)

    def heard(self, url):
        """The event ids of everything in the queue, in order; then it is empty. moto delivers before it answers."""
        ids = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            for message in messages:
                body = json.loads(message["Body"])
                expect("detail-type", body["detail-type"], DETAIL_TYPE)
                expect("source", body["source"].startswith("aws."), True)
                ids.append(body["detail"]["eventID"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(ids)


def call(service, name, **more):
    """A call as CloudTrail reports it; the event is known again by its name."""
    return f"aws.{service}", DETAIL_TYPE, {
        "eventVersion": "1.11", "eventSource": f"{service}.amazonaws.com", "eventName": name, "eventID": name,
        "awsRegion": HERE, "eventType": "AwsApiCall", "readOnly": False, "managementEvent": True,
        "userIdentity": {"type": "IAMUser", "accountId": ALONE, "userName": "somebody"},
        "requestParameters": {"vpcPeeringConnectionId": "pcx-0123456789abcdef0"},
        "responseElements": {"_return": True}, **more}


def wanted():
    """Service and name of each call that has to be told, and whether both rules tell of it."""
    pattern, watch = (json.loads((EVENTS / file).read_text()) for file in ("pattern.json", "watch.json"))
    twice = set(watch["detail"]["eventName"])
    rules = {"DisableRule", "DeleteRule", "RemoveTargets"}
    service = lambda name: "events" if name in rules else "cloudtrail" if name in twice else "ec2"
    return [(service(name), name, name in twice) for name in pattern["detail"]["eventName"]]


def unwanted():
    """Events that differ from what is wanted in one thing each."""
    deletion = call("ec2", "DeleteVpcPeeringConnection", responseElements=None)
    yield "a call that was refused", call(
        "ec2", "DeleteVpcPeeringConnection", errorCode="Client.UnauthorizedOperation", responseElements=None)
    yield "a dry run", call("ec2", "DeleteVpcPeeringConnection", errorCode="Client.DryRunOperation")
    yield "an attempt to silence a rule", call("events", "DisableRule", errorCode="AccessDenied")
    yield "another call of EC2", call("ec2", "RunInstances")
    yield "a call that reads", call("ec2", "DescribeVpcPeeringConnections", readOnly=True)
    yield "another service's call of that name", call("elasticloadbalancing", "DeleteRule")
    yield "an event of one's own", ("my.app", *deletion[1:])
    yield "another service's word", (*deletion[:2], {**deletion[2], "eventSource": "iam.amazonaws.com"})
    yield "no call", (deletion[0], "EC2 Instance State-change Notification", deletion[2])


def prove(teller, listener, url):
    """That teller's events reach the queue as they should."""
    for what, event in unwanted():
        teller.put(event)
        expect(f"told of {what}", listener.heard(url), [])
    for service, name, twice in wanted():
        teller.put(call(service, name))
        expect(f"told of {name}", listener.heard(url), [name, name] if twice else [name])


def each_rule_tells_what_is_done_to_the_other(place, listener, url, bus="default"):
    """Of the two rules on a bus of the place, each is left without its target in turn. (moto goes on sending for a
    disabled one.)"""
    names = sorted(rule["Name"] for rule in place.events.list_rules(EventBusName=bus)["Rules"])
    expect("rules", names, ["peerkeeper-events", "peerkeeper-events-watch"])
    for name in names:
        rule = {"Rule": name, "EventBusName": bus}
        targets = place.events.list_targets_by_rule(**rule)["Targets"]
        expect(f"targets of {name}", len(targets), 1)
        place.events.remove_targets(Ids=[targets[0]["Id"]], **rule)
        place.put(call("events", "RemoveTargets"))
        expect(f"told that {name} has no target", set(listener.heard(url)), {"RemoveTargets"})
        place.events.put_targets(Targets=targets, **rule)


def single(moto):
    place = Place(moto, ALONE)
    made = place.deploy("single.yaml")
    url = made["QueueUrl"]
    expect("the URL ends with the queue's name", url.rsplit("/", 1)[1], "peerkeeper-events")
    prove(place, place, url)
    each_rule_tells_what_is_done_to_the_other(place, place, url)
    settings = place.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(settings["RedrivePolicy"])
    expect("the dead-letter queue", redrive["deadLetterTargetArn"].rsplit(":", 1)[1], "peerkeeper-events-dead")
    expect("encryption", settings["SqsManagedSseEnabled"], "true")
    print(f"  single.yaml: {len(wanted())} calls are told of, {len(list(unwanted()))} other events are not")


def with_a_customer_key(moto):
    place = Place(moto, ANOTHER)
    made = place.deploy("single.yaml", Name="keyed", Encryption="CustomerKey")
    key = place.sqs.get_queue_attributes(QueueUrl=made["QueueUrl"], AttributeNames=["All"])["Attributes"]
    expect("the queue's key", key["KmsMasterKeyId"], made["KeyArn"])
    place.put(call("ec2", "DeleteVpcPeeringConnection"))
    expect("told", place.heard(made["QueueUrl"]), ["DeleteVpcPeeringConnection"])
    print("  single.yaml with a key of one's own: the queue is encrypted by it")


def hub_and_members(moto):
    hub = Place(moto, HUB)
    made = hub.deploy("hub.yaml", MemberAccountIds=f"{MEMBER},{HUB}")
    expect("the bus", made["BusArn"], f"arn:aws:events:{HERE}:{HUB}:event-bus/peerkeeper-events")
    url, bus = made["QueueUrl"], made["BusArn"]
    hub.put(call("ec2", "DeleteVpcPeeringConnection"))
    expect("told before there are members", hub.heard(url), [])
    for place in (Place(moto, MEMBER, ELSEWHERE), hub):
        place.deploy("member.yaml", HubBusArn=bus)
        through_the_hub(place, hub, url)
        each_rule_tells_what_is_done_to_the_other(place, hub, url)
    # What is done to the hub's own rules passes the hub's account as a member's.
    each_rule_tells_what_is_done_to_the_other(hub, hub, url, "peerkeeper-events")
    print("  hub.yaml and member.yaml: so it is with calls in another account and Region, and in the hub's own")


def through_the_hub(place, hub, url):
    """Two rules forward what would silence them, and two pass it on: it comes at least once, and is told by its id."""
    for what, event in unwanted():
        place.put(event)
        expect(f"told of {what} by {place.name}", hub.heard(url), [])
    for service, name, _ in wanted():
        place.put(call(service, name))
        expect(f"told of {name} by {place.name}", set(hub.heard(url)), {name})


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    with Moto() as moto:
        single(moto)
        with_a_customer_key(moto)
        hub_and_members(moto)


if __name__ == "__main__":
    main()
