#!/usr/bin/env python3
"""What can be said of deploy/aws/events, and of the member role's template, without deploying them.

    check.py        run with moto's Python (tools/moto/serve.py setup prints it), which has cfn-lint and botocore

cfn-lint finds nothing, not even a warning; and it does find what is put into a copy. The event patterns of the
CloudFormation templates and of the Terraform modules are those of pattern.json and watch.json, and name nothing but
operations of AWS. What the templates have in common is the same in each.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import botocore.session
import yaml

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "deploy/aws/events"
PATTERNS = {"Calls": "pattern.json", "Watch": "watch.json"}
# What EventBridge takes of one pattern, without asking for a higher quota.
PATTERN_MAX_CHARACTERS = 2048
REGIONS = ["eu-west-1", "us-east-1"]


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"FAILED: {what}: {found!r}, expected {wanted!r}")


def lint(files):
    """cfn-lint's findings: its status is not 0 even for a warning alone."""
    program = Path(sys.executable).parent / "cfn-lint"
    if not program.exists():
        sys.exit(f"FAILED: there is no {program}: this is to be run with the Python that tools/moto/serve.py setup prints")
    done = subprocess.run([str(program), "--regions", *REGIONS, "--", *map(str, files)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def templates():
    found = sorted(EVENTS.glob("*.yaml"))
    expect("templates", [file.name for file in found], ["hub.yaml", "member.yaml", "single.yaml"])
    return found


def the_linter_is_content():
    files = [*templates(), ROOT / "deploy/aws/member-role.yaml"]
    status, said = lint(files)
    if status != 0:
        sys.exit(f"FAILED: cfn-lint ended with {status}:\n{said}")
    print(f"  cfn-lint: nothing to say about {len(files)} templates")


def the_linter_is_awake():
    """A linter that finds nothing anywhere would be content too."""
    whole = (EVENTS / "single.yaml").read_text()
    faults = {
        "a property that no queue has": ("VisibilityTimeout:", "VisibilityTime:"),
        "a resource that is not there": ("{Fn::GetAtt: [DeadLetters, Arn]}", "{Fn::GetAtt: [DeadLetter, Arn]}"),
        "a parameter that nothing uses": ("Parameters:", "Parameters:\n  Unused: {Type: String}"),
    }
    with tempfile.TemporaryDirectory(prefix="peerkeeper-events-") as folder:
        broken = Path(folder) / "broken.yaml"
        for what, (was, now) in faults.items():
            expect(f"single.yaml has {was}", was in whole, True)
            broken.write_text(whole.replace(was, now))
            status, said = lint([broken])
            if status == 0 or "broken.yaml" not in said:
                sys.exit(f"FAILED: cfn-lint does not mind {what}: status {status}\n{said}")
    print(f"  cfn-lint: finds {', '.join(faults)}")


def pattern(file):
    return json.loads((EVENTS / file).read_text())


class Template(yaml.SafeLoader):
    """YAML as CloudFormation reads it, but for its tags, which our templates do without; and no key comes twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{sorted(twice)} come twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read(template):
    return yaml.load(template.read_text(), Loader=Template)


def rules(template):
    resources = read(template)["Resources"]
    return {name: held for name, held in resources.items() if held["Type"] == "AWS::Events::Rule"}


def the_templates_have_the_patterns():
    for template in templates():
        found = rules(template)
        expect(f"rules of {template.name}", sorted(found), sorted(PATTERNS))
        for name, file in PATTERNS.items():
            properties = found[name]["Properties"]
            expect(f"{name} of {template.name}", properties["EventPattern"], pattern(file))
            expect(f"state of {name} of {template.name}", properties["State"], "ENABLED")
            expect(f"targets of {name} of {template.name}", len(properties["Targets"]), 1)
    print(f"  patterns: those of the templates are {' and '.join(PATTERNS.values())}")


def blocks(text, kind):
    """The bodies of Terraform's resources of that kind, by name; terraform fmt puts their closing brace alone."""
    return dict(re.findall(rf'^resource "{kind}" "(\w+)" {{\n(.*?)^}}$', text, re.MULTILINE | re.DOTALL))


def the_modules_read_the_patterns():
    """By construction: what is asked of them is that they read those files, and know no pattern besides."""
    for module in ["hub", "member", "single"]:
        text = "".join(file.read_text() for file in sorted((EVENTS / "terraform" / module).glob("*.tf")))
        found = blocks(text, "aws_cloudwatch_event_rule")
        expect(f"rules of module {module}", sorted(found), ["calls", "watch"])
        expect(f"patterns of module {module}", text.count("event_pattern"), 2)
        for name, file in PATTERNS.items():
            said = re.findall(r"event_pattern\s*=\s*(.*)", found[name.lower()])
            reads = f'jsonencode(jsondecode(file("${{path.module}}/../../{file}")))'
            expect(f"pattern of {name.lower()} of module {module}", said, [reads])
        targets = blocks(text, "aws_cloudwatch_event_target")
        expect(f"targets of module {module}", sorted(targets), ["calls", "watch"])
        for name, target in targets.items():
            rule = re.findall(r"^\s*rule\s*=\s*(.*)", target, re.MULTILINE)
            expect(f"rule of target {name} of module {module}", rule, [f"aws_cloudwatch_event_rule.{name}.name"])
    print("  patterns: the Terraform modules read the same files")


def the_patterns_are_what_they_should_be():
    whole, watch = pattern("pattern.json"), pattern("watch.json")
    for name, each in [("pattern.json", whole), ("watch.json", watch)]:
        expect(f"members of {name}", sorted(each), ["detail", "detail-type", "source"])
        expect(f"detail of {name}", sorted(each["detail"]), ["errorCode", "eventName", "eventSource"])
        expect(f"detail-type of {name}", each["detail-type"], ["AWS API Call via CloudTrail"])
        expect(f"errorCode of {name}: calls that failed, and dry runs", each["detail"]["errorCode"], [{"exists": False}])
        origins = [source.replace("aws.", "", 1) + ".amazonaws.com" for source in each["source"]]
        expect(f"eventSource of {name}", each["detail"]["eventSource"], origins)
        compact = len(json.dumps(each, separators=(",", ":")))
        expect(f"{name} fits, with {compact} characters", compact <= PATTERN_MAX_CHARACTERS, True)
    operations = names_by_service(whole)
    expect("services of pattern.json", list(operations), ["ec2", "cloudtrail", "events"])
    expect("services of watch.json", watch["source"], ["aws.cloudtrail", "aws.events"])
    expect("names of watch.json", watch["detail"]["eventName"], operations["cloudtrail"] + operations["events"])
    for service, names in operations.items():
        print(f"  {service}: {', '.join(names)}")


def names_by_service(whole):
    """Which service each call is of. One of two would make the pattern wider than it reads, one of none is mistyped."""
    session = botocore.session.get_session()
    services = [source.removeprefix("aws.") for source in whole["source"]]
    known = {service: set(session.get_service_model(service).operation_names) for service in services}
    sorted_out = {service: [] for service in services}
    names = whole["detail"]["eventName"]
    expect("names that come twice", sorted({name for name in names if names.count(name) > 1}), [])
    for name in names:
        of = [service for service in services if name in known[service]]
        expect(f"services with {name}", len(of), 1)
        sorted_out[of[0]].append(name)
    return sorted_out


def hub_and_single_have_the_same_queue():
    """CloudFormation has no modules without a bucket to keep them in, so the queue is written twice."""
    hub, single = read(EVENTS / "hub.yaml"), read(EVENTS / "single.yaml")
    for part in ["Parameters", "Conditions", "Outputs"]:
        for name, held in single[part].items():
            expect(f"{part} {name} of hub.yaml", hub[part].get(name), held)
    for name, held in single["Resources"].items():
        ours = json.loads(json.dumps(hub["Resources"].get(name)))
        if held["Type"] == "AWS::Events::Rule":
            bus = ours["Properties"].pop("EventBusName", None)
            expect(f"bus of {name} of hub.yaml", bus, {"Fn::GetAtt": ["Bus", "Name"]})
        expect(f"{name} of hub.yaml", ours, held)
    print("  hub.yaml and single.yaml: one and the same queue")


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    the_linter_is_content()
    the_linter_is_awake()
    the_patterns_are_what_they_should_be()
    the_templates_have_the_patterns()
    the_modules_read_the_patterns()
    hub_and_single_have_the_same_queue()


if __name__ == "__main__":
    main()
