"""Two servers, the people who call them, and what they see there."""

import datetime
import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Callable, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from sources import Source

TOOLS = Path(__file__).resolve().parents[2]
IRELAND, VIRGINIA = "eu-west-1", "us-east-1"
# No retries: a 500 is an answer here. No validation: the server is asked, and not boto3.
SETTINGS = Config(retries={"max_attempts": 0}, proxies={}, read_timeout=30, parameter_validation=False)
ID = re.compile(r"\b(pcx|vpc|rtb|rtbassoc|subnet|sg|sgr|pl|igw|vpc-cidr-assoc)-[0-9a-f]{8,17}\b")
NO_CLOCK = "no clock to move"
SCENARIOS: dict[str, Callable] = {}


class NoClock(Exception):
    """This server's time can't be moved."""


class Server:
    """A process that is one AWS, and ends with us."""

    name: str
    command: list[str]
    stderr = None

    def __init__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        first = self.process.stdout.readline()
        if not first:
            sys.exit(f"{self.name}: `{' '.join(self.command)}` ended before it was ready")
        self.endpoint = json.loads(first)["endpoint"]
        # One each: the servers are asked at the same time, and a session is no place for two threads.
        self.session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any")
        self.clients = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def keys(self, account):
        raise NotImplementedError

    def client(self, service, account, region):
        key = (service, account, region)
        if key not in self.clients:
            self.clients[key] = self.client_with(service, region, **self.keys(account))
        return self.clients[key]

    def client_with(self, service, region, **keys):
        return self.session.client(service, region, endpoint_url=self.endpoint, config=SETTINGS, **keys)

    def pass_time(self, **span):
        raise NotImplementedError

    def next_second(self):
        """What is allowed so many times a second is allowed again."""

    def make_bucket(self, account, name):
        """For a trail's logs, where that matters."""

    def declare_role(self, arn, trusted, external_id):
        raise NotImplementedError

    def only_declared_roles(self, on):
        raise NotImplementedError


class Ec2sim(Server):
    name = "ec2sim"

    def __init__(self, binary):
        # Time stands still, so that no slow machine changes what is seen; pass_time moves it.
        self.command = [binary, "--leash", "--speed", "0"]
        super().__init__()

    def keys(self, account):
        return {"aws_access_key_id": account, "aws_secret_access_key": "any"}

    def order(self, what, **members):
        request = urllib.request.Request(f"{self.endpoint}/_ec2sim/{what}", json.dumps(members).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def pass_time(self, **span):
        self.order("clock", advance_ms=datetime.timedelta(**span) // datetime.timedelta(milliseconds=1))

    def next_second(self):
        self.pass_time(seconds=1)

    def declare_role(self, arn, trusted, external_id):
        self.order("world", do="set_role", arn=arn, trusts=[{"account": trusted, "external_id": external_id}])

    def only_declared_roles(self, on):
        self.order("world", do="strict_roles", on=on)


class Moto(Server):
    name = "moto"
    # A traceback for each action that it has not: those are answers here.
    stderr = subprocess.DEVNULL

    def __init__(self):
        self.command = [sys.executable, str(TOOLS / "moto" / "serve.py"), "up"]
        super().__init__()
        self.sts = self.client_with("sts", VIRGINIA)

    def keys(self, account):
        """A key leads to its account if AssumeRole gave it; the role need not exist."""
        role = f"arn:aws:iam::{account}:role/anybody"
        return session_keys(self.sts.assume_role(RoleArn=role, RoleSessionName="fidelity")["Credentials"])

    def pass_time(self, **span):
        seconds = datetime.timedelta(**span).total_seconds()
        if seconds > 2:
            raise NoClock
        time.sleep(seconds)

    def make_bucket(self, account, name):
        self.client("s3", account, VIRGINIA).create_bucket(Bucket=name)

    def declare_role(self, arn, trusted, external_id):
        who = {"AWS": f"arn:aws:iam::{trusted}:root"}
        statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
        if external_id:
            statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam = self.client("iam", arn.split(":")[4], VIRGINIA)
        iam.create_role(RoleName=arn.rsplit("/", 1)[1], AssumeRolePolicyDocument=policy)

    def only_declared_roles(self, on):
        """AWS has no other roles, and moto none that would matter."""


def session_keys(credentials):
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


class Refused(NamedTuple):
    """What a call is refused with. Without a code, any that AWS may choose; without a text, whatever it says."""

    code: str | None = None
    text: str | None = None

    def like(self, wanted):
        """As much of this as somebody who wants `wanted` looks at; the code where nothing of the kind is wanted."""
        if not isinstance(wanted, Refused):
            return Refused(self.code)
        return Refused(wanted.code and self.code, wanted.text and self.text)

    def __str__(self):
        return ": ".join(["refused", *filter(None, self)])


class Seen(NamedTuple):
    """One probe on one server: what AWS does by that source, and what was seen."""

    scenario: str
    probe: str
    source: Source
    aws: str
    got: str

    @property
    def key(self):
        return (self.scenario, self.probe)

    @property
    def is_aws(self):
        return self.got == self.aws


class Scene:
    """One scenario on one server."""

    def __init__(self, name, server, number):
        self.name, self.server, self.number = name, server, number
        self.people = {}
        self.seen = []
        self.out_of_time = False

    def account(self, name):
        """An account of this scenario's own, shown by its name wherever AWS shows its id."""
        account = f"{100_000_000_000 + self.number * 100 + len(self.people):012}"
        self.people[account] = name
        return account

    def aws(self, service, account, region=IRELAND):
        return self.server.client(service, account, region)

    def ec2(self, account, region=IRELAND):
        return self.aws("ec2", account, region)

    def pass_time(self, **span):
        """Once it could not pass, it is never later any more."""
        if self.out_of_time:
            raise NoClock
        try:
            self.server.pass_time(**span)
        except NoClock:
            self.out_of_time = True
            raise

    def see(self, probe, source, aws, look):
        """What `look` returns, or is refused with, must be what AWS does."""
        if any(probe == seen.probe for seen in self.seen):
            raise ValueError(f"{self.name}: two probes are called {probe!r}")
        try:
            got = self.plain(look())
        except ClientError as error:
            got = self.refusal(error).like(aws) if was_refused(error) else http(error)
        except ResponseParserError:
            got = "HTTP 500"
        except NoClock:
            got = NO_CLOCK
        self.seen.append(Seen(self.name, probe, source, shown(aws), shown(got)))

    def refusal(self, error):
        said = error.response["Error"]
        return Refused(said["Code"], self.plain(said.get("Message", "")))

    def plain(self, value):
        """Without what differs from run to run: ids, and answers that say no more than that it was done."""
        if isinstance(value, dict):
            if "ResponseMetadata" in value:
                return "done"
            return {key: self.plain(held) for key, held in sorted(value.items())}
        if isinstance(value, (list, tuple)):
            return [self.plain(held) for held in value]
        if not isinstance(value, str):
            return value
        value = ID.sub(r"\1-...", value)
        for account, name in self.people.items():
            value = value.replace(account, f"<{name}>")
        return value


def was_refused(error):
    return error.response["ResponseMetadata"]["HTTPStatusCode"] < 500


def http(error):
    return f"HTTP {error.response['ResponseMetadata']['HTTPStatusCode']}"


def shown(value):
    """As it is compared, printed and published."""
    if isinstance(value, (str, Refused)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def scenario(look):
    """Its name is the function's; its first line of documentation is its title."""
    SCENARIOS[look.__name__.replace("_", "-")] = look
    return look


def play(name, server):
    scene = Scene(name, server, list(SCENARIOS).index(name) + 1)
    try:
        SCENARIOS[name](scene)
    except Exception:
        print(f"\nBROKEN on {server.name}: {name}, after {scene.seen[-1].probe if scene.seen else 'nothing'!r}",
              file=sys.stderr)
        raise
    return scene.seen


# What people do, in short.

def vpc(ec2, block):
    return ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]


def request(ec2, a, b, **more):
    asked = ec2.create_vpc_peering_connection(VpcId=a, PeerVpcId=b, **more)
    return asked["VpcPeeringConnection"]["VpcPeeringConnectionId"]


def accept(ec2, peering):
    return ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)


def reject(ec2, peering):
    return ec2.reject_vpc_peering_connection(VpcPeeringConnectionId=peering)


def delete(ec2, peering):
    return ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)


def peer(ec2, a, b):
    """An active peering of one account in one Region."""
    peering = request(ec2, a, b)
    accept(ec2, peering)
    return peering


def described(ec2, peering):
    found = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"]
    return found[0] if found else {}


def status(ec2, peering):
    return described(ec2, peering).get("Status", {}).get("Code", "not there")


def message(ec2, peering):
    return described(ec2, peering).get("Status", {}).get("Message", "none")


def tags(shown_with):
    return {tag["Key"]: tag["Value"] for tag in shown_with.get("Tags", [])}


def tag(key, value):
    return [{"Key": key, "Value": value}]


def by(name, *values):
    return [{"Name": name, "Values": list(values)}]
