"""What the demo stands on: processes that end with it, a client of AWS that is not the operator's, kubectl, and how it talks."""

import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATTERN = (ROOT / "deploy" / "aws" / "events" / "pattern.json").read_text()
# The accounts and Regions of deploy/examples.
PLACES = {"requester": ("111122223333", "eu-west-1"), "accepter": ("444455556666", "us-east-1")}
PATIENCE_S = 120
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
STARTED = time.monotonic()
GREEN, RED, YELLOW, FAINT, TITLE = "32", "31", "33", "2", "1;36"


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def tell(text):
    """One line of the timeline."""
    print(f"{paint(FAINT, f'{time.monotonic() - STARTED:6.1f} s')}  {text}", flush=True)


def chapter(text):
    print(f"\n{paint(TITLE, text)}", flush=True)


def show(command, output):
    print(paint(FAINT, f"          $ {command}"))
    for line in output.rstrip().splitlines():
        print(f"          {line}", flush=True)


class Child:
    """A process that this script started and ends by its process id. `leashed` ones end by themselves with our pipe."""

    def __init__(self, name, command, **options):
        self.name = name
        self.process = subprocess.Popen(command, **options)

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        elif self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def leashed(name, *command):
    """Starts one of our servers and returns it with what it says when it is ready."""
    child = Child(name, [*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = child.process.stdout.readline()
    if not line:
        child.stop()
        raise SystemExit(f"demo: {name} did not start; its own words are above")
    return child, json.loads(line)


class Aws:
    """AWS as somebody with credentials of each account sees it, by a client that is not the operator's."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        # ec2sim takes an access key id of 12 digits for the account.
        self.keys = {side: {"aws_access_key_id": account, "aws_secret_access_key": "demo"} for side, (account, _) in PLACES.items()}
        self.ec2 = {side: self.client("ec2", side) for side in PLACES}

    def client(self, service, side, **credentials):
        import boto3  # from the environment that tools/moto/serve.py makes

        return boto3.client(service, region_name=PLACES[side][1], endpoint_url=self.endpoint, **(credentials or self.keys[side]))

    def person(self, side, role, name):
        """EC2 as a session of this role sees it."""
        arn = f"arn:aws:iam::{PLACES[side][0]}:role/{role}"
        given = self.client("sts", side).assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        return self.client("ec2", side, aws_access_key_id=given["AccessKeyId"], aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"])

    def order(self, **order):
        """What ec2sim does for its tests and AWS for nobody."""
        urllib.request.urlopen(f"{self.endpoint}/_ec2sim/world", data=json.dumps(order).encode()).close()

    def network(self, side, cidr):
        """A VPC with one private route table beside its main one."""
        ec2 = self.ec2[side]
        vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_tags(Resources=[table], Tags=[{"Key": "tier", "Value": "private"}])
        return vpc

    def routes(self, side, vpc):
        """Table, destination, peering and state of every route to a peering."""
        tables = self.ec2[side].describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        for table in tables["RouteTables"]:
            for route in table["Routes"]:
                if "VpcPeeringConnectionId" in route:
                    yield table["RouteTableId"], route["DestinationCidrBlock"], route["VpcPeeringConnectionId"], route["State"]


def hear_of_everything(aws, queues):
    """What deploy/aws/events makes in each account: a rule that sends what concerns peerings to these queues."""
    for side in PLACES:
        trail, events = aws.client("cloudtrail", side), aws.client("events", side)
        trail.create_trail(Name="all", S3BucketName="logs")
        trail.start_logging(Name="all")
        events.put_rule(Name="peerkeeper-events", EventPattern=PATTERN)
        events.put_targets(Rule="peerkeeper-events", Targets=[{"Id": queue.name, "Arn": queue.arn} for queue in queues])


class Queue:
    def __init__(self, aws, name):
        account, region = PLACES["requester"]
        self.name = name
        self.arn = f"arn:aws:sqs:{region}:{account}:{name}"
        self.sqs = aws.client("sqs", "requester")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.address = f"{self.url},region={region}"

    def message_of(self, call, thing):
        """The message that tells of this call."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                if json.loads(message["Body"])["detail"]["eventName"] == call and thing in message["Body"]:
                    return message["Body"]
        raise SystemExit(f"demo: no message tells of {call} of {thing}")

    def forge(self, genuine, was, says):
        """Sends a copy of a genuine message, under a new id, that names something else."""
        body = json.loads(genuine.replace(was, says))
        body["id"] = body["detail"]["eventID"] = str(uuid.uuid4())
        body["detail"]["requestID"] = str(uuid.uuid4())
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body["time"] = body["detail"]["eventTime"] = now
        self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(body))


class Cluster:
    """kubectl against the API server of tools/controlplane."""

    def __init__(self, said):
        self.server = said["server"]
        self.kubeconfig = said["kubeconfig"]
        self.binary = said["kubectl"]

    def kubectl(self, *arguments, given=None, quiet=False, shown=None):
        done = subprocess.run([self.binary, "--kubeconfig", self.kubeconfig, *arguments], input=given, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"demo: kubectl {' '.join(arguments)} failed:\n{done.stderr}")
        if not quiet:
            show("kubectl " + (shown or " ".join(arguments)), done.stdout)
        return done.stdout

    def read(self, kind, namespace, name):
        """The object; an empty one while there is none."""
        return json.loads(self.kubectl("get", kind, "-n", namespace, name, "-o", "json", "--ignore-not-found", quiet=True) or "{}")

    def wait_for(self, what, kind, namespace, name, probe):
        """This object's status, once it is as wanted."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            status = self.read(kind, namespace, name).get("status", {})
            if probe(status):
                return status
            time.sleep(0.2)
        self.kubectl("get", kind, "-n", namespace, name, "-o", "yaml")
        raise SystemExit(f"demo: waited {PATIENCE_S} s for {what}")


def condition(status, kind):
    return next((found for found in status.get("conditions", []) if found["type"] == kind), {"status": "Unknown", "reason": "", "message": ""})


def is_true(kind):
    return lambda status: condition(status, kind)["status"] == "True"


def is_corroborated(incident):
    """Whether it is known who did it, and not from a message alone."""
    return incident.get("attribution", {}).get("level") == "Corroborated"
