#!/usr/bin/env python3
"""Let boto3, which is not ours, hear of a deleted peering from a fresh ec2sim, and ask who it was.

    boto3_events.py EC2SIM    EC2SIM is the simulator's binary (cargo build -p ec2sim prints where it is)

Run it with the Python of moto's environment. A trail, a rule and a queue are set up by their services' own calls; the
peering's other owner deletes it; the message comes to who waits for it, boto3 checks its digests, CloudTrail knows the
same event; forged, poisoned and wrong ones are met as on AWS.
"""

import datetime
import json
import subprocess
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

US, THEM, HUB = "111122223333", "444455556666", "999900001111"
IRELAND, VIRGINIA = "eu-west-1", "us-east-1"
PATTERN = {
    "source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventSource": ["ec2.amazonaws.com"], "eventName": ["DeleteVpcPeeringConnection"],
               "errorCode": [{"exists": False}]},
}


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAILED: {what}: {found!r}, expected {wanted!r}")
    print(f"  {what}: {found}", flush=True)


def refused(what, code, call):
    try:
        call()
    except ClientError as error:
        return expect(what, error.response["Error"]["Code"], code)
    sys.exit(f"FAILED: {what} should have been refused with {code}")


def clients(endpoint):
    settings = Config(retries={"max_attempts": 0}, proxies={})

    def client(service, account, region):
        return boto3.client(service, region, endpoint_url=endpoint, config=settings,
                            aws_access_key_id=account, aws_secret_access_key="any")

    return client


def set_up(aws):
    sqs = aws("sqs", HUB, IRELAND)
    dead = "arn:aws:sqs:eu-west-1:999900001111:dead"
    sqs.create_queue(QueueName="dead")
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    url = sqs.create_queue(QueueName="events", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    trail, events = aws("cloudtrail", THEM, VIRGINIA), aws("events", THEM, VIRGINIA)
    trail.create_trail(Name="all", S3BucketName="logs", IsMultiRegionTrail=True)
    trail.start_logging(Name="all")
    events.put_rule(Name="peerings", EventPattern=json.dumps(PATTERN))
    put = events.put_targets(Rule="peerings", Targets=[{"Id": "hub", "Arn": arn}])
    expect("targets that were refused", put["FailedEntryCount"], 0)
    return sqs, url


def peering(aws):
    ours, theirs = aws("ec2", US, IRELAND), aws("ec2", THEM, VIRGINIA)
    a = ours.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    b = theirs.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    made = ours.create_vpc_peering_connection(VpcId=a, PeerVpcId=b, PeerOwnerId=THEM, PeerRegion=VIRGINIA)
    peering_id = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    return peering_id


def hear_of_a_deletion(aws, sqs, url):
    peering_id = peering(aws)
    heard = []

    def wait():
        answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["All"])
        heard.append((time.monotonic(), answer.get("Messages", [])))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)
    answer = aws("ec2", THEM, VIRGINIA).delete_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
    deleted = time.monotonic()
    waiting.join()
    expect("messages", len(heard[0][1]), 1)
    expect("it came at once", heard[0][0] - deleted < 5, True)
    event = json.loads(heard[0][1][0]["Body"])
    expect("its origin", (event["account"], event["region"]), (THEM, VIRGINIA))
    expect("what was deleted", event["detail"]["requestParameters"]["vpcPeeringConnectionId"], peering_id)
    expect("the answer's request id is the record's",
           answer["ResponseMetadata"]["RequestId"] == event["detail"]["requestID"], True)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=heard[0][1][0]["ReceiptHandle"])
    return event["detail"]


def look_it_up(aws, record):
    trail = aws("cloudtrail", THEM, VIRGINIA)
    by_name = [{"AttributeKey": "EventName", "AttributeValue": record["eventName"]}]
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    found = trail.lookup_events(LookupAttributes=by_name, StartTime=since)["Events"]
    expect("events found", len(found), 1)
    expect("CloudTrail keeps the same record", json.loads(found[0]["CloudTrailEvent"]) == record, True)
    here = aws("cloudtrail", US, IRELAND).lookup_events(LookupAttributes=by_name)["Events"]
    expect("events found in the other owner's account", len(here), 0)
    trail.lookup_events()
    refused("a third lookup within the second", "ThrottlingException", trail.lookup_events)


def doubtful_messages(aws, sqs, url):
    stranger = aws("sqs", US, IRELAND)
    refused("a stranger's message", "AccessDenied", lambda: stranger.send_message(QueueUrl=url, MessageBody="forged"))
    attributes = {"n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\0\1"}}
    sqs.send_message(QueueUrl=url, MessageBody="pöison", MessageAttributes=attributes)
    for _ in range(2):
        message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    expect("attributes", sorted(message["MessageAttributes"]), ["b", "n"])
    expect("a third receive", sqs.receive_message(QueueUrl=url).get("Messages"), None)
    dead = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    expect("dead letter", sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"], "pöison")
    refused("a wrong handle", "ReceiptHandleIsInvalid", lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle="x"))
    try:
        sqs.get_queue_url(QueueName="none")
        sys.exit("FAILED: there is no such queue")
    except sqs.exceptions.QueueDoesNotExist as error:
        expect("a missing queue", error.response["Error"]["Code"], "AWS.SimpleQueueService.NonExistentQueue")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # Time stands still: the second of a throttle does not pass on a slow machine.
    command = [sys.argv[1], "--leash", "--speed", "0"]
    simulator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        aws = clients(json.loads(simulator.stdout.readline())["endpoint"])
        sqs, url = set_up(aws)
        record = hear_of_a_deletion(aws, sqs, url)
        look_it_up(aws, record)
        doubtful_messages(aws, sqs, url)
    finally:
        simulator.stdin.close()
        simulator.wait(timeout=10)


if __name__ == "__main__":
    main()
