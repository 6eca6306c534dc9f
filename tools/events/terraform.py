#!/usr/bin/env python3
"""The Terraform modules of deploy/aws/events: formatted, valid, applied to moto, and proved there as live.py does.

    terraform.py    run with moto's Python (tools/moto/serve.py setup prints it)

Terraform is taken from PATH; its AWS provider from the directory that TF_PLUGIN_MIRROR names, a filesystem mirror, which
`terraform providers mirror DIRECTORY` makes: no test fetches anything from the internet. Where either is missing it
says so and ends with status 77, which is neither success nor failure.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import live
from live import ALONE, ELSEWHERE, EVENTS, HERE, HUB, MEMBER, Moto, Place, expect

SKIPPED = 77
PLACES = {"alone": (ALONE, HERE), "hub": (HUB, HERE), "member": (MEMBER, ELSEWHERE)}


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


class Terraform:
    def __init__(self, folder):
        self.program = shutil.which("terraform") or skip("terraform is not in PATH")
        self.environment = {
            **os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "NO_PROXY": "127.0.0.1",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            # moto is not there for the metadata of an instance.
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        rc = folder / "terraform.rc"
        rc.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{os.environ.get("TF_PLUGIN_MIRROR")}" }} }}\n')
        self.environment["TF_CLI_CONFIG_FILE"] = str(rc)

    def run(self, folder, *words, may_fail=False):
        done = subprocess.run([self.program, *words, "-no-color"], cwd=folder, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode != 0 and not may_fail:
            sys.exit(f"FAILED: terraform {' '.join(words)} in {folder.name}:\n{done.stdout}\n{done.stderr}")
        return done


def configuration(moto):
    """All modules together, each in its own place of moto's."""
    endpoints = "\n".join(f'    {service} = "{moto.endpoint}"' for service in ["events", "iam", "kms", "sqs", "sts"])
    providers = []
    for name, (account, region) in PLACES.items():
        keys = moto.keys(account)
        providers.append(f'''provider "aws" {{
  alias      = "{name}"
  region     = "{region}"
  access_key = "{keys['aws_access_key_id']}"
  secret_key = "{keys['aws_secret_access_key']}"
  token      = "{keys['aws_session_token']}"
  endpoints {{
{endpoints}
  }}
}}''')
    modules = f'''module "single" {{
  source            = "./events/terraform/single"
  consumer_role_arn = "arn:aws:iam::{HUB}:role/peerkeeper-operator"
  providers         = {{ aws = aws.alone }}
}}

module "hub" {{
  source             = "./events/terraform/hub"
  customer_key       = true
  member_account_ids = ["{MEMBER}"]
  organization_id    = "o-a1b2c3d4e5"
  providers          = {{ aws = aws.hub }}
}}

module "member" {{
  source      = "./events/terraform/member"
  hub_bus_arn = module.hub.bus_arn
  providers   = {{ aws = aws.member }}
}}

output "single" {{ value = module.single }}
output "hub" {{ value = module.hub }}
'''
    return "\n\n".join([*providers, modules])


def formatted(terraform):
    said = terraform.run(EVENTS / "terraform", "fmt", "-check", "-recursive", may_fail=True)
    expect("files that terraform fmt would change", (said.returncode, said.stdout), (0, ""))
    print("  terraform: the modules are formatted", flush=True)
    if "TF_PLUGIN_MIRROR" not in os.environ:
        skip("the modules are neither validated nor applied to moto: TF_PLUGIN_MIRROR names no AWS provider")


def applied(terraform, folder):
    terraform.run(folder, "init", "-input=false")
    terraform.run(folder, "validate")
    terraform.run(folder, "apply", "-auto-approve", "-input=false")
    terraform.run(folder, "plan", "-input=false", "-out=again")
    plan = json.loads(terraform.run(folder, "show", "-json", "again").stdout)
    expect("what a plan right after apply would change", differences(plan), [])
    shown = json.loads(terraform.run(folder, "output", "-json").stdout)
    return shown["single"]["value"], shown["hub"]["value"]


def differences(plan):
    """What differs for more than blanks in JSON: moto answers with a redrive policy laid out anew, so the provider
    would set it again, and can't say before that what the queue's policy is going to be."""
    found = []
    for each in plan["resource_changes"]:
        change, unknown = each["change"], sorted(each["change"].get("after_unknown") or {})
        if change["actions"] in (["no-op"], ["read"]):
            continue
        if change["actions"] != ["update"]:
            found.append((each["address"], change["actions"]))
        for name, after in (change["after"] or {}).items():
            if plain(after) != plain((change["before"] or {}).get(name)):
                found.append((each["address"], name))
        if unknown and (each["type"], unknown) != ("aws_sqs_queue_policy", ["policy"]):
            found.append((each["address"], unknown))
    return found


def plain(value):
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def patterns_and_policies(moto, single, hub):
    for name, (account, region) in PLACES.items():
        bus = "peerkeeper-events" if name == "hub" else "default"
        rules = Place(moto, account, region).events.list_rules(EventBusName=bus)["Rules"]
        found = {rule["Name"]: json.loads(rule["EventPattern"]) for rule in rules}
        files = {"peerkeeper-events": "pattern.json", "peerkeeper-events-watch": "watch.json"}
        expect(f"patterns of {name}", found, {
            rule: json.loads((EVENTS / file).read_text()) for rule, file in files.items()})
    sqs = Place(moto, ALONE).sqs
    settings = sqs.get_queue_attributes(QueueUrl=single["queue_url"], AttributeNames=["All"])["Attributes"]
    sids = [statement["Sid"] for statement in json.loads(settings["Policy"])["Statement"]]
    expect("the queue's policy", sids, ["TheseRulesSend", "NobodyElseSends", "TlsOnly", "ConsumerReceives"])
    expect("the hub's key", hub["key_arn"].startswith(f"arn:aws:kms:{HERE}:{HUB}:key/"), True)
    policy = json.loads(Place(moto, HUB).events.describe_event_bus(Name="peerkeeper-events")["Policy"])
    sids = [statement["Sid"] for statement in policy["Statement"]]
    expect("the bus's policy", sids, ["AccountsSend", "OrganizationSends"])


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="peerkeeper-events-") as folder:
        folder = Path(folder)
        terraform = Terraform(folder)
        # Terraform writes beside what it reads: into a copy.
        shutil.copytree(EVENTS, folder / "events")
        formatted(terraform)
        with Moto() as moto:
            (folder / "main.tf").write_text(configuration(moto))
            single, hub = applied(terraform, folder)
            print("  terraform: valid, applied to moto, and the next plan is empty", flush=True)
            patterns_and_policies(moto, single, hub)
            alone, collects = Place(moto, ALONE), Place(moto, HUB)
            live.prove(alone, alone, single["queue_url"])
            live.each_rule_tells_what_is_done_to_the_other(alone, alone, single["queue_url"])
            live.through_the_hub(Place(moto, MEMBER, ELSEWHERE), collects, hub["queue_url"])
            print("  terraform: single, and hub with member: told of what they should be, and of nothing else")


if __name__ == "__main__":
    main()
