#!/usr/bin/env python3
"""The whole story on this machine: a declared peering is made, deleted behind the operator's back, flagged, restored.

Everything is real but AWS itself: etcd, the Kubernetes API server and kubectl of tools/controlplane, and the operator's
own binary. ec2sim plays EC2 and STS, and boto3 is the person at the console. Nothing is left running, and no AWS account
and no container engine is needed.

    demo.py OPERATOR EC2SIM    the two binaries; `make demo` builds them and calls this
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "deploy" / "examples"
ACCOUNTS = {"requester": ("111122223333", "eu-west-1"), "accepter": ("444455556666", "us-east-1")}
PATIENCE_S = 120
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
STARTED = time.monotonic()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def tell(text):
    """One line of the timeline."""
    print(f"{paint('2', f'{time.monotonic() - STARTED:6.1f} s')}  {text}", flush=True)


def chapter(text):
    print(f"\n{paint('1;36', text)}", flush=True)


def show(command, output):
    print(paint("2", f"          $ {command}"))
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
    """EC2 as somebody with credentials of each account sees it, by a client that is not the operator's."""

    def __init__(self, endpoint):
        import boto3  # from the environment that tools/moto/serve.py makes

        self.clients = {
            # ec2sim takes an access key id of 12 digits for the account.
            side: boto3.client("ec2", region_name=region, endpoint_url=endpoint, aws_access_key_id=account, aws_secret_access_key="demo")
            for side, (account, region) in ACCOUNTS.items()
        }

    def network(self, side, cidr):
        """A VPC with one private route table beside its main one."""
        ec2 = self.clients[side]
        vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_tags(Resources=[table], Tags=[{"Key": "tier", "Value": "private"}])
        return vpc

    def routes(self, side, vpc):
        """Table, destination, peering and state of every route to a peering."""
        tables = self.clients[side].describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        for table in tables["RouteTables"]:
            for route in table["Routes"]:
                if "VpcPeeringConnectionId" in route:
                    yield table["RouteTableId"], route["DestinationCidrBlock"], route["VpcPeeringConnectionId"], route["State"]


class Demo:
    def __init__(self, operator, ec2sim, folder):
        self.operator = operator
        self.ec2sim = ec2sim
        self.folder = folder
        self.children = []

    def kubectl(self, *arguments, given=None, quiet=False):
        command = [self.cluster["kubectl"], "--kubeconfig", self.cluster["kubeconfig"], *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"demo: kubectl {' '.join(arguments)} failed:\n{done.stderr}")
        if not quiet:
            show("kubectl " + " ".join(arguments), done.stdout)
        return done.stdout

    def status(self):
        return json.loads(self.kubectl("get", "vpcp", "-n", "network", "prod-shared", "-o", "json", quiet=True)).get("status", {})

    def wait_for(self, what, probe):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            status = self.status()
            if probe(status):
                return status
            time.sleep(0.2)
        self.kubectl("get", "vpcp", "-n", "network", "-o", "yaml")
        raise SystemExit(f"demo: waited {PATIENCE_S} s for {what}; the operator's log is {self.log}")

    def start(self):
        chapter("1. A cluster and an EC2, on this machine")
        child, self.cluster = leashed("the control plane", sys.executable, ROOT / "tools/controlplane/controlplane.py", "up", self.folder / "cluster")
        self.children.append(child)
        tell(f"a Kubernetes API server with etcd answers at {self.cluster['server']}")
        child, sim = leashed("ec2sim", self.ec2sim, "--leash")
        self.children.append(child)
        endpoint = sim["endpoint"]
        # Ids as on AWS, which say nothing of their age.
        urllib.request.urlopen(f"{endpoint}/_ec2sim/world", data=b'{"do": "scramble_ids"}').close()
        self.aws = Aws(endpoint)
        tell(f"ec2sim plays EC2 and STS at {endpoint}")
        self.vpcs = {"requester": self.aws.network("requester", "10.1.0.0/16"), "accepter": self.aws.network("accepter", "10.2.0.0/16")}
        for side, vpc in self.vpcs.items():
            tell(f"account {ACCOUNTS[side][0]} has {vpc} in {ACCOUNTS[side][1]}")
        self.kubectl("apply", "--server-side", "-f", "-", given=self.own("crd"), quiet=True)
        self.kubectl("create", "namespace", "peerkeeper-system", quiet=True)
        # An empty Lease can be taken at once; without one, the first leader waits out a full duration.
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "peerkeeper", "namespace": "peerkeeper-system"}}
        self.kubectl("apply", "-f", "-", given=json.dumps(lease), quiet=True)
        self.log = self.folder / "operator.log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment |= {
            "KUBECONFIG": self.cluster["kubeconfig"],
            "AWS_ACCESS_KEY_ID": ACCOUNTS["requester"][0],
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [self.operator, "run", "--aws-endpoint-url", endpoint, "--sweep-interval", "5s", "--health-address", "127.0.0.1:0"]
        with open(self.log, "w") as log:
            self.children.append(Child("the operator", command, env=environment, stderr=log, stdout=log))
        tell("the operator runs: its own binary, sweeping every 5 s")

    def own(self, *arguments):
        return subprocess.run([self.operator, *arguments], check=True, capture_output=True, text=True).stdout

    def declare(self):
        chapter("2. A peering is declared, with its routes on both sides")
        text = "\n---\n".join((EXAMPLES / name).read_text() for name in ("namespace.yaml", "accounts.yaml", "policy.yaml", "peering.yaml"))
        # The examples' VPC ids are placeholders.
        text = text.replace("vpc-0a1b2c3d4e5f60789", self.vpcs["requester"]).replace("vpc-0fedcba9876543210", self.vpcs["accepter"])
        self.kubectl("apply", "-f", "-", given=text)
        self.kubectl("wait", "-n", "network", "vpcp/prod-shared", "--for=condition=Ready", "--timeout", f"{PATIENCE_S}s")
        tell(paint("32", "Ready: created, accepted, active, routed on both sides"))
        self.kubectl("get", "vpcp", "-n", "network")
        self.old = self.status()["peeringId"]
        self.show_routes(self.old, "active")

    def show_routes(self, peering, state):
        """What EC2 itself says; and there must be one on each side, to this peering and in this state."""
        for side, vpc in self.vpcs.items():
            routes = list(self.aws.routes(side, vpc))
            for table, destination, target, seen in routes:
                colour = "32" if seen == "active" else "31"
                tell(f"EC2 in {ACCOUNTS[side][1]}: {table} sends {destination} to {target}: {paint(colour, seen)}")
            if [route[2:] for route in routes] != [(peering, state)]:
                raise SystemExit(f"demo: not one {state} route to {peering} in {ACCOUNTS[side][1]}: {routes}")

    def lose(self):
        chapter("3. Somebody in the other account deletes it")
        self.aws.clients["accepter"].delete_vpc_peering_connection(VpcPeeringConnectionId=self.old)
        tell(paint("31", f"DeleteVpcPeeringConnection {self.old}, by account {ACCOUNTS['accepter'][0]}"))
        self.show_routes(self.old, "blackhole")

        def flagged(status):
            return any(c["type"] == "UnexpectedlyDeleted" and c["status"] == "True" for c in status.get("conditions", []))

        status = self.wait_for("the flag", flagged)
        condition = next(c for c in status["conditions"] if c["type"] == "UnexpectedlyDeleted")
        tell(paint("33", f"flagged, nothing changed yet: {condition['reason']}: {condition['message']}"))
        # The columns say it in AWS's own words while it lasts.
        self.kubectl("get", "vpcp", "-n", "network")
        tell("the loss has a PeeringIncident, made before anything is changed")
        self.kubectl("get", "peeringincidents", "-n", "network")

    def restore(self):
        chapter("4. The policy says Restore")

        def restored(status):
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
            return ready and status.get("peeringId") != self.old

        status = self.wait_for("the restore", restored)
        tell(paint("32", f"restored as {status['peeringId']}; every route was pointed at it, and read back"))
        self.kubectl("get", "vpcp", "-n", "network")
        self.show_routes(status["peeringId"], "active")
        incident = f"prod-shared-{self.old}"
        until = time.monotonic() + PATIENCE_S
        while not (told := json.loads(self.kubectl("get", "peeringincident", "-n", "network", incident, "-o", "json", quiet=True)).get("status", {})).get("restoredPeeringId"):
            if time.monotonic() > until:
                raise SystemExit(f"demo: PeeringIncident {incident} does not tell the restore: {told}")
            time.sleep(0.2)
        tell(f"its incident tells how it went: {told['phase']}, as {told['restoredPeeringId']}")
        show(f"kubectl get peeringincident -n network {incident} -o jsonpath=...timeline", "\n".join(f"{entry.get('at', entry.get('time', ''))}  {entry.get('message', '')}" for entry in told.get("timeline", [])))
        self.kubectl("describe", "vpcp", "-n", "network", "prod-shared", quiet=True)
        self.kubectl("get", "events", "-n", "network", "--sort-by", ".metadata.creationTimestamp", "-o", "custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message")

    def retire(self):
        chapter("5. The declaration is deleted: the routes go, then the peering")
        self.kubectl("delete", "vpcp", "-n", "network", "prod-shared", "--timeout", f"{PATIENCE_S}s")
        left = [route for side, vpc in self.vpcs.items() for route in self.aws.routes(side, vpc)]
        tell(f"EC2 holds {len(left)} of its routes")
        if left:
            raise SystemExit("demo: routes were left behind")

    def stop(self):
        for child in reversed(self.children):
            child.stop()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="peerkeeper-demo-", ignore_cleanup_errors=True) as folder:
        demo = Demo(*sys.argv[1:], Path(folder))
        try:
            demo.start()
            demo.declare()
            demo.lose()
            demo.restore()
            demo.retire()
        except BaseException:
            log = getattr(demo, "log", None)
            if log and log.exists():
                print("\nThe operator's last words:", *log.read_text().splitlines()[-60:], sep="\n  ", file=sys.stderr)
            raise
        finally:
            demo.stop()
    chapter("Nothing is left running.")


main()
