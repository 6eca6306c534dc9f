#!/usr/bin/env python3
"""The whole story on this machine: declared peerings are made, deleted behind the operator's back, flagged and restored;
or cleaned up, where the deletion was allowed; or held, until a person decides.

Everything is real but AWS itself: etcd, the Kubernetes API server and kubectl of tools/controlplane, and the operator's
own binary. ec2sim plays AWS, and boto3 is everybody who works there. Nothing is left running, and no AWS account and no
container engine is needed.

    demo.py OPERATOR EC2SIM    the two binaries; `make demo` builds them and calls this
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stage import GREEN, PATIENCE_S, PLACES, RED, ROOT, YELLOW, Aws, Child, Cluster, Queue, chapter, condition, hear_of_everything, is_corroborated, is_true, leashed, paint, show, tell

EXAMPLES = ROOT / "deploy" / "examples"
OTHERS = PLACES["accepter"][0]
# What deploy/examples leave out: who may delete, and how much may be restored without asking.
POLICIES = [
    {"metadata": {"name": "default", "namespace": "network"}, "spec": {
        "onUnexpectedDeletion": {"action": "Restore"},
        "authorizedPrincipals": [{"accountIds": [OTHERS], "roleName": "network-pipeline"}],
        "onAuthorizedDeletion": "RemoveRoutes",
    }},
    {"metadata": {"name": "default", "namespace": "apps"}, "spec": {
        "onUnexpectedDeletion": {"action": "Restore"}, "limits": {"window": "1h", "maxRestores": 2},
    }},
]


class Link:
    """A declared peering, and its two VPCs."""

    def __init__(self, namespace, name, vpcs):
        self.namespace, self.name, self.vpcs = namespace, name, vpcs

    def incident(self, peering):
        return f"{self.name}-{peering}"

    def manifest(self):
        def side(place, account):
            routes = [{"name": "private", "routeTables": {"matchTags": {"tier": "private"}}, "destinations": {"peerCidrs": "All"}}]
            return {"account": {"name": account}, "region": PLACES[place][1], "vpcId": self.vpcs[place], "routes": routes}

        spec = {"requester": side("requester", "default"), "accepter": side("accepter", "shared")}
        return {"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "VpcPeering", "metadata": {"name": self.name, "namespace": self.namespace}, "spec": spec}


class Demo:
    def __init__(self, operator, ec2sim, folder):
        self.operator = operator
        self.ec2sim = ec2sim
        self.folder = folder
        self.log = folder / "operator.log"
        self.children = []
        self.networks = 0

    # What the chapters do.

    def child(self, child, said):
        self.children.append(child)
        return said

    def link(self, namespace, name):
        self.networks += 1
        cidrs = {"requester": f"10.{2 * self.networks - 1}.0.0/16", "accepter": f"10.{2 * self.networks}.0.0/16"}
        return Link(namespace, name, {side: self.aws.network(side, cidr) for side, cidr in cidrs.items()})

    def apply(self, *objects):
        items = [{"apiVersion": "peerkeeper.dev/v1alpha1", "kind": "PeeringPolicy"} | given for given in objects]
        self.cluster.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def until_ready(self, *links):
        for link in links:
            self.cluster.kubectl("wait", "-n", link.namespace, f"vpcp/{link.name}", "--for=condition=Ready", "--timeout", f"{PATIENCE_S}s", quiet=True)

    def status(self, link):
        return self.cluster.read("vpcp", link.namespace, link.name).get("status", {})

    def peering(self, link):
        return self.status(link)["peeringId"]

    def delete(self, ec2, link, who):
        """What this chapter's person does, behind the operator's back."""
        lost = self.peering(link)
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=lost)
        tell(paint(RED, f"DeleteVpcPeeringConnection {lost} ({link.name}), by {who}"))
        return lost

    def until_restored(self, link, lost):
        def restored(status):
            return is_true("Ready")(status) and status.get("peeringId") != lost

        return self.cluster.wait_for(f"the restore of {link.name}", "vpcp", link.namespace, link.name, restored)["peeringId"]

    def incident(self, link, lost, what, probe):
        return self.cluster.wait_for(what, "peeringincident", link.namespace, link.incident(lost), probe)

    def show_routes(self, link):
        """What EC2 itself says."""
        routes = {side: list(self.aws.routes(side, vpc)) for side, vpc in link.vpcs.items()}
        for side, found in routes.items():
            for table, destination, target, seen in found:
                tell(f"EC2 in {PLACES[side][1]}: {table} sends {destination} to {target}: {paint(GREEN if seen == 'active' else RED, seen)}")
        return routes

    def show_active(self, link, peering):
        """There must be one on each side that leads to this peering."""
        for side, found in self.show_routes(link).items():
            if [route[2:] for route in found] != [(peering, "active")]:
                raise SystemExit(f"demo: not one active route to {peering} in {PLACES[side][1]}: {found}")

    def routes_left(self, link):
        return [route for side, vpc in link.vpcs.items() for route in self.aws.routes(side, vpc)]

    # The chapters.

    def start(self):
        chapter("1. A cluster and an EC2, on this machine")
        script = ROOT / "tools/controlplane/controlplane.py"
        self.cluster = Cluster(self.child(*leashed("the control plane", sys.executable, script, "up", self.folder / "cluster")))
        tell(f"a Kubernetes API server with etcd answers at {self.cluster.server}")
        endpoint = self.child(*leashed("ec2sim", self.ec2sim, "--leash"))["endpoint"]
        self.aws = Aws(endpoint)
        # Ids as on AWS, which say nothing of their age.
        self.aws.order(do="scramble_ids")
        tell(f"ec2sim plays AWS at {endpoint}")
        self.main, self.legacy = (self.link("network", name) for name in ("prod-shared", "legacy"))
        self.apps = [self.link("apps", name) for name in ("web", "data", "batch")]
        for side, vpc in self.main.vpcs.items():
            tell(f"account {PLACES[side][0]} has {vpc} in {PLACES[side][1]}")
        self.queue = Queue(self.aws, "peerkeeper-events")
        # An auditor's, who keeps what the operator is told.
        self.copies = Queue(self.aws, "copies")
        hear_of_everything(self.aws, [self.queue, self.copies])
        tell("CloudTrail's events of both accounts come to an SQS queue")
        self.cluster.kubectl("apply", "--server-side", "-f", "-", given=self.own("crd"), quiet=True)
        self.cluster.kubectl("create", "namespace", "peerkeeper-system", quiet=True)
        # An empty Lease can be taken at once; without one, the first leader waits out a full duration.
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "peerkeeper", "namespace": "peerkeeper-system"}}
        self.cluster.kubectl("apply", "-f", "-", given=json.dumps(lease), quiet=True)
        self.run_operator(endpoint)

    def run_operator(self, endpoint):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment |= {
            "KUBECONFIG": self.cluster.kubeconfig,
            "AWS_ACCESS_KEY_ID": PLACES["requester"][0],
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_REGION": PLACES["requester"][1],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [self.operator, "run", "--aws-endpoint-url", endpoint, "--event-queue-url", self.queue.address, "--health-address", "127.0.0.1:0"]
        with open(self.log, "w") as log:
            self.children.append(Child("the operator", command, env=environment, stderr=log, stdout=log))
        tell("the operator runs: its own binary, listening to the queue")

    def own(self, *arguments):
        return subprocess.run([self.operator, *arguments], check=True, capture_output=True, text=True).stdout

    def declare(self):
        chapter("2. Peerings are declared, with their routes on both sides")
        text = "\n---\n".join((EXAMPLES / name).read_text() for name in ("namespace.yaml", "accounts.yaml", "policy.yaml", "peering.yaml"))
        # The examples' VPC ids are placeholders.
        text = text.replace("vpc-0a1b2c3d4e5f60789", self.main.vpcs["requester"]).replace("vpc-0fedcba9876543210", self.main.vpcs["accepter"])
        self.cluster.kubectl("apply", "-f", "-", given=text)
        self.cluster.kubectl("create", "namespace", "apps", quiet=True)
        self.cluster.kubectl("label", "namespace", "apps", "team=network", quiet=True)
        self.apply(*POLICIES, *(link.manifest() for link in [self.legacy, *self.apps]))
        self.until_ready(self.main, self.legacy, *self.apps)
        tell(paint(GREEN, "Ready: created, accepted, active, routed on both sides"))
        self.cluster.kubectl("get", "vpcp", "-A")
        self.show_active(self.main, self.peering(self.main))

    def lose(self):
        chapter("3. Somebody in the other account deletes it")
        self.eve = self.aws.person("accepter", "admin", "eve")
        self.lost = self.delete(self.eve, self.main, f"eve, in account {OTHERS}")
        # Blackholes, but on a machine so slow that they are repaired already.
        self.show_routes(self.main)
        flagged = self.cluster.wait_for("the flag", "vpcp", "network", self.main.name, is_true("UnexpectedlyDeleted"))
        told = condition(flagged, "UnexpectedlyDeleted")
        tell(paint(YELLOW, f"an event told of it; looked, and flagged: {told['reason']}: {told['message']}"))
        tell("the loss has a PeeringIncident, made before anything is changed")
        self.cluster.kubectl("get", "peeringincidents", "-n", "network")

    def restore(self):
        chapter("4. The policy says Restore")
        restored = self.until_restored(self.main, self.lost)
        tell(paint(GREEN, f"restored as {restored}; every route was pointed at it, and read back"))
        self.cluster.kubectl("get", "vpcp", "-n", "network")
        self.show_active(self.main, restored)

        def is_told(status):
            return status.get("restoredPeeringId") and is_corroborated(status)

        told = self.incident(self.main, self.lost, "the incident to tell of the restore, and of eve", is_told)
        tell(f"its incident: {told['phase']}, as {told['restoredPeeringId']}; {told['who']} did it, as CloudTrail's history says too")
        timeline = "\n".join(f"{entry['at']}  {entry['message']}" for entry in told.get("timeline", []))
        show(f"kubectl get peeringincident -n network {self.main.incident(self.lost)} -o jsonpath=...timeline", timeline)
        self.cluster.kubectl("get", "events", "-n", "network", "--sort-by", ".metadata.creationTimestamp", "-o", "custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message")

    def authorized(self):
        chapter("5. A pipeline that may delete does: cleaned up instead of restored")
        link = self.legacy
        pipeline = self.aws.person("accepter", "network-pipeline", "job-4711")
        lost = self.delete(pipeline, link, "the role network-pipeline, which the policy authorizes")
        self.genuine = self.copies.message_of("DeleteVpcPeeringConnection", lost)

        def released(status):
            return condition(status, "Ready")["reason"] == "ReleasedByPolicy"

        ready = condition(self.cluster.wait_for("the clean-up", "vpcp", "network", link.name, released), "Ready")
        if left := self.routes_left(link):
            raise SystemExit(f"demo: routes were left behind: {left}")
        tell(paint(GREEN, f"the dead routes are gone, and nothing was created: {ready['reason']}: {ready['message']}"))
        self.authorized_loss = lost
        self.cluster.kubectl("get", "vpcp,peeringincidents", "-n", "network")

    def forged(self):
        chapter("6. A forged message: eve deletes, and blames the pipeline")
        lost = self.delete(self.eve, self.main, "eve")
        self.queue.forge(self.genuine, was=self.authorized_loss, says=lost)
        tell(paint(RED, "and sends a message to the queue: the genuine one about the pipeline, with this id in it"))
        restored = self.until_restored(self.main, lost)
        told = self.incident(self.main, lost, "the incident to name eve", is_corroborated)
        if told["class"] != "Unexpected" or not told["who"].endswith("/eve"):
            raise SystemExit(f"demo: the forged message was believed: {told}")
        tell(paint(GREEN, f"it achieved nothing: CloudTrail's own history says who it was; restored as {restored}"))
        self.cluster.kubectl("get", "peeringincidents", "-n", "network")

    def storm(self):
        chapter("7. Three are lost at once, and two an hour may be restored without asking")
        links = self.apps
        lost = {link: self.delete(self.eve, link, "eve") for link in links}

        def held(status):
            return status.get("phase") == "Held" and status.get("plan")

        plans = {link: self.incident(link, lost[link], "a decision to be asked for", held)["plan"] for link in links}
        tell(paint(YELLOW, "all are flagged, none is touched: is this an accident, or somebody's decision?"))
        self.cluster.kubectl("get", "vpcp,peeringincidents", "-n", "apps")
        for link in links:
            decision = {"spec": {"decision": {"verdict": "Approve", "planDigest": plans[link]["digest"], "decidedBy": self.whoami(), "reason": "not us"}}}
            name = link.incident(lost[link])
            self.cluster.kubectl("patch", "peeringincident", "-n", "apps", name, "--type", "merge", "-p", json.dumps(decision),
                                 shown=f"patch peeringincident -n apps {name} ... verdict: Approve, planDigest: {plans[link]['digest'][:15]}...")
        for link in links:
            self.until_restored(link, lost[link])
        tell(paint(GREEN, "approved by a person, restored by the operator"))
        self.cluster.kubectl("get", "vpcp,peeringincidents", "-n", "apps")

    def whoami(self):
        return json.loads(self.cluster.kubectl("auth", "whoami", "-o", "json", quiet=True))["status"]["userInfo"]["username"]

    def retire(self):
        chapter("8. The declaration is deleted: the routes go, then the peering")
        self.cluster.kubectl("delete", "vpcp", "-n", "network", "prod-shared", "--timeout", f"{PATIENCE_S}s")
        left = self.routes_left(self.main)
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
            for told in (demo.start, demo.declare, demo.lose, demo.restore, demo.authorized, demo.forged, demo.storm, demo.retire):
                told()
        except BaseException:
            if demo.log.exists():
                print("\nThe operator's last words:", *demo.log.read_text().splitlines()[-60:], sep="\n  ", file=sys.stderr)
            raise
        finally:
            demo.stop()
    chapter("Nothing is left running.")


main()
