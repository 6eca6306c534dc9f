#!/usr/bin/env python3
"""Drive Terraform's AWS provider, unmodified, through a whole life against a fresh ec2sim.

    run.py EC2SIM       EC2SIM is the simulator's binary (cargo build -p ec2sim prints where it is)

Apply, plan (nothing to do), change, plan (nothing to do), a peering deleted behind Terraform's back (the plan notices),
repair, destroy, and nothing is left. Terraform is taken from PATH; its AWS provider from the directory that
TF_PLUGIN_MIRROR names (a filesystem mirror), else from where Terraform finds it itself. Where either is missing it
says so and ends with status 77, which is neither success nor failure.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77
US, THEM = "111122223333", "444455556666"


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


class Failed(Exception):
    pass


class Simulator:
    def __init__(self, binary):
        self.process = subprocess.Popen(
            [binary, "--leash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{binary} ended before it was ready")
        self.endpoint = json.loads(line)["endpoint"]

    def ask(self, account, region, action, **members):
        """One call, signed only as far as ec2sim looks: who and where."""
        scope = f"{account}/20260101/{region}/ec2/aws4_request"
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **members}).encode()
        request = urllib.request.Request(self.endpoint + "/", body, {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"})
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read().decode()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


class Terraform:
    def __init__(self, terraform, folder, endpoint):
        self.terraform, self.folder = terraform, folder
        self.environment = {
            **os.environ, "TF_VAR_endpoint": endpoint, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1",
            "NO_PROXY": "127.0.0.1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        mirror = os.environ.get("TF_PLUGIN_MIRROR")
        if mirror:
            rc = folder / "terraform.rc"
            rc.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{mirror}" }} }}\n')
            self.environment["TF_CLI_CONFIG_FILE"] = str(rc)

    def run(self, *words, may_fail=False):
        began = time.monotonic()
        done = subprocess.run([self.terraform, *words, "-no-color"], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True)
        print(f"  terraform {' '.join(words)}: {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)
        if done.returncode != 0 and not may_fail:
            raise Failed(f"terraform {words[0]}:\n{done.stdout}\n{done.stderr}")
        return done

    def apply(self, changed):
        return self.run("apply", "-auto-approve", "-input=false", f"-var=changed={changed}")

    def plan(self, changed):
        """What it would do, and whether that is anything."""
        done = self.run("plan", "-detailed-exitcode", "-input=false", f"-var=changed={changed}", may_fail=True)
        if done.returncode not in (0, 2):
            raise Failed(f"terraform plan:\n{done.stdout}\n{done.stderr}")
        return done.returncode == 2, done.stdout

    def nothing_to_do(self, changed):
        something, text = self.plan(changed)
        if something:
            raise Failed(f"a plan right after apply is not empty:\n{text}")

    def output(self):
        shown = json.loads(self.run("output", "-json").stdout)
        return {name: held["value"] for name, held in shown.items()}


def expect(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, expected {wanted!r}")


def live(simulator, terraform):
    print("apply")
    terraform.apply("false")
    terraform.nothing_to_do("false")
    output = terraform.output()
    expect("account", output["account"], US)
    expect("seen", output["seen"], {
        "vpc": True, "subnets": 3, "peering_status": "active", "private_tables": 1, "default_group": True,
        "list_entries": 1})

    print("change")
    before = output["peering_id"]
    terraform.apply("true")
    terraform.nothing_to_do("true")
    output = terraform.output()
    expect("the peering after changes", output["peering_id"], before)
    expect("entries", output["seen"]["list_entries"], 2)

    print("a peering deleted behind its back")
    simulator.ask(THEM, "us-east-1", "DeleteVpcPeeringConnection", VpcPeeringConnectionId=before)
    blackholes = simulator.ask(US, "eu-west-1", "DescribeRouteTables", **{
        "Filter.1.Name": "route.state", "Filter.1.Value.1": "blackhole"})
    expect("a blackhole is shown", "<state>blackhole</state>" in blackholes, True)
    something, text = terraform.plan("true")
    expect("the plan sees it", something, True)
    expect("and would make it anew", "aws_vpc_peering_connection.far will be created" in text, True)
    terraform.apply("true")
    terraform.nothing_to_do("true")
    output = terraform.output()
    expect("another peering", output["peering_id"] != before, True)

    print("destroy")
    terraform.run("destroy", "-auto-approve", "-input=false", "-var=changed=true")
    for account, region in [(US, "eu-west-1"), (THEM, "eu-west-1"), (THEM, "us-east-1")]:
        for action in ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeInternetGateways",
                       "DescribeRouteTables", "DescribeManagedPrefixLists"]:
            left = re.findall(r"<item>", simulator.ask(account, region, action))
            expect(f"{action} of {account} in {region} after destroy", len(left), 0)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    terraform = shutil.which("terraform") or skip("terraform is not in PATH")
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="ec2sim-terraform-") as folder:
        folder = Path(folder)
        shutil.copy(HERE / "main.tf", folder)
        simulator = Simulator(binary)
        try:
            driver = Terraform(terraform, folder, simulator.endpoint)
            begun = driver.run("init", "-input=false", may_fail=True)
            if begun.returncode != 0:
                skip(f"the AWS provider is not to be had:\n{begun.stderr}")
            version = driver.run("version").stdout
            live(simulator, driver)
            print("passed with " + ", ".join(line.strip("+ ") for line in version.splitlines()[:4] if "v" in line))
        except Failed as failed:
            sys.exit(f"FAILED: {failed}")
        finally:
            simulator.stop()


if __name__ == "__main__":
    main()
