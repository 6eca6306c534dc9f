"""What becomes known of a call: CloudTrail's history, EventBridge's rules, the message in a queue."""

import json

from lab import IRELAND, VIRGINIA, Refused, accept, delete, reject, request, scenario, vpc
from sources import CAPTURED, EVENTS, EVENT_PATTERNS, EVENT_SHAPE, LOOKUP, RECORDS

PATTERN = {
    "source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventSource": ["ec2.amazonaws.com"],
               "eventName": ["DeleteVpcPeeringConnection", "RejectVpcPeeringConnection"],
               "errorCode": [{"exists": False}]},
}


def lost_peering(on, us, them):
    """A peering from Ireland to Virginia that the accepter deletes; rejecting it afterwards is refused."""
    ours, theirs = on.ec2(us), on.ec2(them, VIRGINIA)
    a, b = vpc(ours, "10.1.0.0/16"), vpc(theirs, "10.2.0.0/16")
    peering = request(ours, a, b, PeerOwnerId=them, PeerRegion=VIRGINIA)
    accept(theirs, peering)
    delete(theirs, peering)
    try:
        reject(theirs, peering)
    except theirs.exceptions.ClientError:
        pass
    return peering


@scenario
def history(on):
    """CloudTrail's history of calls"""
    us, them = on.account("us"), on.account("them")
    peering = lost_peering(on, us, them)

    def lookup(account, region, name):
        on.server.next_second()
        trail = on.aws("cloudtrail", account, region)
        by_name = [{"AttributeKey": "EventName", "AttributeValue": name}]
        found = trail.lookup_events(LookupAttributes=by_name)["Events"]
        return [json.loads(event["CloudTrailEvent"]) for event in found]

    def record(*path, name="DeleteVpcPeeringConnection"):
        held = lookup(them, VIRGINIA, name)[0]
        for step in path:
            held = held[step]
        return held

    gone = "DeleteVpcPeeringConnection"
    on.see("deletions, where they were called", LOOKUP, 1, lambda: len(lookup(them, VIRGINIA, gone)))
    on.see("deletions, in the caller's other Region", LOOKUP, 0, lambda: len(lookup(them, IRELAND, gone)))
    on.see("deletions, in the other owner's account", RECORDS, 0, lambda: len(lookup(us, IRELAND, gone)))
    on.see("what a record says of its place", RECORDS, ["<them>", VIRGINIA, "ec2.amazonaws.com"], lambda: [
        record(name) for name in ("recipientAccountId", "awsRegion", "eventSource")])
    on.see("parameters of a deletion", CAPTURED, {"vpcPeeringConnectionId": "pcx-..."},
           lambda: record("requestParameters"))
    on.see("the answer to a deletion", CAPTURED, True, lambda: record("responseElements", "_return"))
    on.see("what else is said", CAPTURED, {"eventCategory": "Management", "eventType": "AwsApiCall",
                                           "managementEvent": True, "readOnly": False},
           lambda: {name: record(name) for name in ("eventCategory", "eventType", "managementEvent", "readOnly")})
    on.see("which peering it is", CAPTURED, True,
           lambda: record("requestParameters", "vpcPeeringConnectionId") == peering)
    on.see("a call that was refused", RECORDS, "Client.InvalidStateTransition",
           lambda: record("errorCode", name="RejectVpcPeeringConnection"))
    on.see("the answer to one that was refused", RECORDS, None,
           lambda: record("responseElements", name="RejectVpcPeeringConnection"))

    on.see("the answer to an acceptance", CAPTURED, True, lambda: {
        "accepterVpcInfo", "requesterVpcInfo", "status", "vpcPeeringConnectionId",
    } <= set(record("responseElements", "vpcPeeringConnection", name="AcceptVpcPeeringConnection")))

    def three():
        on.server.next_second()
        trail = on.aws("cloudtrail", them, VIRGINIA)
        for _ in range(3):
            trail.lookup_events()

    on.see("three lookups in a second", LOOKUP, Refused("ThrottlingException"), three)


@scenario
def events(on):
    """EventBridge's rule, and the message in its queue"""
    us, them = on.account("us"), on.account("them")
    trail, rules, sqs = (on.aws(service, them, VIRGINIA) for service in ("cloudtrail", "events", "sqs"))
    on.server.make_bucket(them, "logs-of-them")
    trail.create_trail(Name="all", S3BucketName="logs-of-them", IsMultiRegionTrail=True)
    trail.start_logging(Name="all")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    told = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [told]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    rules.put_rule(Name="peerings", EventPattern=json.dumps(PATTERN))
    on.see("a queue as a rule's target", EVENTS, 0, lambda: rules.put_targets(
        Rule="peerings", Targets=[{"Id": "queue", "Arn": arn}])["FailedEntryCount"])
    peering = lost_peering(on, us, them)

    def receive():
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    heard = receive()
    on.see("calls that it tells: the deletion, and not the refused rejection", EVENT_PATTERNS,
           ["DeleteVpcPeeringConnection"], lambda: [event["detail"]["eventName"] for event in heard])
    members = ["account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version"]
    on.see("members of the message", EVENT_SHAPE, [members], lambda: [sorted(event) for event in heard])
    on.see("whose call it was, and where", EVENT_SHAPE, [["<them>", VIRGINIA]],
           lambda: [[event["account"], event["region"]] for event in heard])
    on.see("resources of the event", EVENTS, [[]], lambda: [event["resources"] for event in heard])
    on.see("which peering is gone", EVENTS, [True], lambda: [
        event["detail"]["requestParameters"]["vpcPeeringConnectionId"] == peering for event in heard])
    trail.stop_logging(Name="all")
    lost_peering(on, us, them)
    on.see("deletions told when the trail logs no more", EVENTS, 0, lambda: len(receive()))
    on.see("a trail that is not there", LOOKUP._replace(title="CloudTrail: StartLogging"), Refused(
        "TrailNotFoundException"), lambda: trail.start_logging(Name="none"))
    on.see("whether it logs", RECORDS._replace(title="CloudTrail: GetTrailStatus"), False,
           lambda: trail.get_trail_status(Name="all")["IsLogging"])
