#!/usr/bin/env python3
"""Drive the AWS CLI, unmodified, through subnets, gateways and security groups of a fresh ec2sim.

    awscli.py EC2SIM    EC2SIM is the simulator's binary (cargo build -p ec2sim prints where it is)

A rule that names a group of a peer VPC goes stale with the peering and heals with the next one; what depends on
something is refused with AWS's code. The CLI is taken from PATH; where it is missing this says so and ends with status
77, which is neither success nor failure.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
US, THEM, REGION = "111122223333", "444455556666", "eu-west-1"


class Refused(Exception):
    """What the CLI says of an error of AWS's: the code is in it."""


def client(endpoint):
    settings = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings |= {"AWS_ENDPOINT_URL": endpoint, "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": REGION,
                 "AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull,
                 "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
                 "NO_PROXY": "127.0.0.1"}

    def aws(account, *words):
        # An access key id of 12 digits is that account.
        done = subprocess.run(["aws", "ec2", *words, "--output", "json"], env=settings | {"AWS_ACCESS_KEY_ID": account},
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else {}

    return aws


def refused(code, aws, *words):
    try:
        aws(*words)
    except Refused as error:
        found = re.search(r"\((\S+)\)", str(error))
        expect(f"{words[1]}: the code of the refusal", found and found.group(1), code)
        return
    sys.exit(f"FAILED: {words} should have been refused with {code}")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAILED: {what}: {found!r}, expected {wanted!r}")
    print(f"  {what}: {found}", flush=True)


def subnets(aws, vpc):
    made = aws(US, "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.1.1.0/24", "--tag-specifications",
               "ResourceType=subnet,Tags=[{Key=tier,Value=private}]")["Subnet"]
    expect("addresses that are left", made["AvailableIpAddressCount"], 251)
    refused("InvalidSubnet.Conflict", aws, US, "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.1.0.0/22")
    aws(US, "modify-subnet-attribute", "--subnet-id", made["SubnetId"], "--map-public-ip-on-launch")
    found = aws(US, "describe-subnets", "--filters", "Name=tag:tier,Values=private")["Subnets"]
    expect("the subnet by its tag", [(s["SubnetId"], s["MapPublicIpOnLaunch"]) for s in found],
           [(made["SubnetId"], True)])
    gateway = aws(US, "create-internet-gateway")["InternetGateway"]["InternetGatewayId"]
    aws(US, "attach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", vpc)
    refused("DependencyViolation", aws, US, "delete-internet-gateway", "--internet-gateway-id", gateway)
    refused("DependencyViolation", aws, US, "delete-vpc", "--vpc-id", vpc)
    return made["SubnetId"], gateway


def peer(aws, ours, theirs):
    made = aws(US, "create-vpc-peering-connection", "--vpc-id", ours, "--peer-vpc-id", theirs, "--peer-owner-id", THEM)
    peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    aws(THEM, "accept-vpc-peering-connection", "--vpc-peering-connection-id", peering)
    return peering


def stale(aws, vpc):
    groups = aws(US, "describe-stale-security-groups", "--vpc-id", vpc)["StaleSecurityGroupSet"]
    pairs = [pair for group in groups for rule in group["StaleIpPermissions"] for pair in rule["UserIdGroupPairs"]]
    return [(pair["PeeringStatus"], pair["VpcPeeringConnectionId"]) for pair in pairs]


def groups(aws, ours, theirs):
    ids = {}
    for account, vpc, name in [(US, ours, "service"), (THEM, theirs, "clients")]:
        made = aws(account, "create-security-group", "--vpc-id", vpc, "--group-name", name, "--description", "a test")
        ids[name] = made["GroupId"]
    permission = json.dumps([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                              "UserIdGroupPairs": [{"UserId": THEM, "GroupId": ids["clients"], "Description": "peer"}]}])
    allow = ["authorize-security-group-ingress", "--group-id", ids["service"], "--ip-permissions", permission]
    refused("InvalidGroup.NotFound", aws, US, *allow)
    peering = peer(aws, ours, theirs)
    rule = aws(US, *allow)["SecurityGroupRules"][0]
    expect("the rule leads over", rule["ReferencedGroupInfo"]["VpcPeeringConnectionId"], peering)
    refused("InvalidPermission.Duplicate", aws, US, *allow)
    aws(US, "authorize-security-group-ingress", "--group-id", ids["service"], "--protocol", "tcp", "--port", "22",
        "--cidr", "10.2.0.0/16")
    named = aws(THEM, "describe-security-group-references", "--group-id", ids["clients"])["SecurityGroupReferenceSet"]
    expect("who names their group", [held["ReferencingVpcId"] for held in named], [ours])

    aws(THEM, "delete-vpc-peering-connection", "--vpc-peering-connection-id", peering)
    expect("stale without the peering", stale(aws, ours), [("deleted", peering)])
    again = peer(aws, ours, theirs)
    expect("stale with the next peering", stale(aws, ours), [])
    shown = aws(US, "describe-security-group-rules", "--security-group-rule-ids", rule["SecurityGroupRuleId"])
    info = shown["SecurityGroupRules"][0]["ReferencedGroupInfo"]
    expect("the rule heals on", (info["VpcPeeringConnectionId"], info["PeeringStatus"]), (again, "active"))
    aws(US, "revoke-security-group-ingress", "--group-id", ids["service"], "--security-group-rule-ids",
        rule["SecurityGroupRuleId"])
    aws(US, "revoke-security-group-ingress", "--group-id", ids["service"], "--protocol", "tcp", "--port", "22",
        "--cidr", "10.2.0.0/16")
    left = aws(US, "describe-security-groups", "--group-ids", ids["service"])["SecurityGroups"][0]
    expect("rules that are left", left["IpPermissions"], [])
    aws(US, "delete-security-group", "--group-id", ids["service"])
    aws(US, "delete-vpc-peering-connection", "--vpc-peering-connection-id", again)


def story(aws):
    ours = aws(US, "create-vpc", "--cidr-block", "10.1.0.0/16")["Vpc"]["VpcId"]
    theirs = aws(THEM, "create-vpc", "--cidr-block", "10.2.0.0/16")["Vpc"]["VpcId"]
    subnet, gateway = subnets(aws, ours)
    groups(aws, ours, theirs)
    aws(US, "delete-subnet", "--subnet-id", subnet)
    aws(US, "detach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", ours)
    aws(US, "delete-internet-gateway", "--internet-gateway-id", gateway)
    aws(US, "delete-vpc", "--vpc-id", ours)
    expect("VPCs that are left", aws(US, "describe-vpcs")["Vpcs"], [])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("aws"):
        print("SKIPPED: aws is not in PATH")
        sys.exit(SKIPPED)
    simulator = subprocess.Popen([str(Path(sys.argv[1]).resolve()), "--leash"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
    try:
        story(client(json.loads(simulator.stdout.readline())["endpoint"]))
    except Refused as error:
        sys.exit(f"FAILED: {error}")
    finally:
        simulator.stdin.close()
        simulator.wait(timeout=10)
    version = subprocess.run(["aws", "--version"], capture_output=True, text=True).stdout.split()
    print("passed with " + (version[0] if version else "aws"))


if __name__ == "__main__":
    main()
