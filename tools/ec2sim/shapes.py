#!/usr/bin/env python3
"""The tables in ec2sim/src/wire/shapes/: what goes into each operation and what comes out, from AWS's service models.

    shapes.py            write them anew
    shapes.py --check    fail if they are not what would be written now

Run it with the Python of moto's environment (`make shapes` does): the models are those of the botocore that is pinned
there, so moto, boto3 and ec2sim go by the same ones. Only names and structure are taken, none of the models' prose.

To serve one more operation, add it below and run `make shapes`.
"""

import re
import sys
from pathlib import Path

import botocore
import botocore.loaders

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "ec2sim" / "src" / "wire" / "shapes"
PIN = ROOT / "tools" / "moto" / "requirements.txt"

# Model -> (module, name in credential scopes, operations).
SERVICES = {
    "ec2": ("ec2", "ec2", """
        CreateVpc DeleteVpc DescribeVpcs ModifyVpcAttribute DescribeVpcAttribute
        AssociateVpcCidrBlock DisassociateVpcCidrBlock
        CreateSubnet DeleteSubnet DescribeSubnets ModifySubnetAttribute
        AssociateSubnetCidrBlock DisassociateSubnetCidrBlock
        CreateRouteTable DeleteRouteTable DescribeRouteTables
        AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation
        CreateRoute ReplaceRoute DeleteRoute EnableVgwRoutePropagation DisableVgwRoutePropagation
        CreateManagedPrefixList ModifyManagedPrefixList DeleteManagedPrefixList DescribeManagedPrefixLists
        GetManagedPrefixListEntries GetManagedPrefixListAssociations DescribePrefixLists
        CreateVpcPeeringConnection AcceptVpcPeeringConnection RejectVpcPeeringConnection
        DeleteVpcPeeringConnection DescribeVpcPeeringConnections ModifyVpcPeeringConnectionOptions
        CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups
        AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress
        RevokeSecurityGroupIngress RevokeSecurityGroupEgress
        DescribeSecurityGroupRules ModifySecurityGroupRules
        UpdateSecurityGroupRuleDescriptionsIngress UpdateSecurityGroupRuleDescriptionsEgress
        DescribeStaleSecurityGroups DescribeSecurityGroupReferences
        CreateTags DeleteTags DescribeTags
        CreateInternetGateway DeleteInternetGateway DescribeInternetGateways
        AttachInternetGateway DetachInternetGateway
        DescribeNetworkAcls DescribeNetworkInterfaces
        DescribeAvailabilityZones DescribeAccountAttributes DescribeRegions
    """),
    "sts": ("sts", "sts", "GetCallerIdentity AssumeRole AssumeRoleWithWebIdentity"),
    "sqs": ("sqs", "sqs", """
        CreateQueue DeleteQueue GetQueueUrl ListQueues GetQueueAttributes SetQueueAttributes PurgeQueue
        SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch
        ChangeMessageVisibility ChangeMessageVisibilityBatch
        TagQueue UntagQueue ListQueueTags
    """),
    "cloudtrail": ("cloudtrail", "cloudtrail", """
        CreateTrail DeleteTrail StartLogging StopLogging PutEventSelectors GetEventSelectors
        DescribeTrails GetTrailStatus LookupEvents
    """),
    "events": ("events", "events", """
        PutRule EnableRule DisableRule DeleteRule DescribeRule ListRules
        PutTargets RemoveTargets ListTargetsByRule
    """),
    "service-quotas": ("quotas", "servicequotas", """
        GetServiceQuota ListServiceQuotas GetAWSDefaultServiceQuota ListAWSDefaultServiceQuotas
    """),
}

# SQS once spoke in form parameters and still names its errors so in `x-amzn-query-error`, by which boto3's users catch
# them. The model no longer has these codes; they are those of the API reference of version 2012-11-05.
OLD_SQS = "AWS.SimpleQueueService."
OLD_CODES = {
    "BatchEntryIdsNotDistinct": OLD_SQS + "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": OLD_SQS + "BatchRequestTooLong",
    "EmptyBatchRequest": OLD_SQS + "EmptyBatchRequest",
    "InvalidBatchEntryId": OLD_SQS + "InvalidBatchEntryId",
    "MessageNotInflight": OLD_SQS + "MessageNotInflight",
    "PurgeQueueInProgress": OLD_SQS + "PurgeQueueInProgress",
    "QueueDeletedRecently": OLD_SQS + "QueueDeletedRecently",
    "QueueDoesNotExist": OLD_SQS + "NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": OLD_SQS + "TooManyEntriesInBatchRequest",
    "UnsupportedOperation": OLD_SQS + "UnsupportedOperation",
}

# What AWS answers although its model does not list it. Terraform's provider waits for this very word in an internet
# gateway's attachment, and so do the examples of AWS's CLI reference.
UNLISTED = {"AttachmentStatus": ["available"]}

PRIMITIVES = {
    "boolean": "BOOL", "integer": "INT", "long": "LONG", "float": "FLOAT", "double": "FLOAT",
    "timestamp": "TIME", "blob": "BLOB",
}
# What a model may say that changes nothing on the wire, by kind. Anything else stops the script, because the walkers
# in ec2sim would not know of it.
HARMLESS = {
    "documentation", "deprecated", "deprecatedMessage", "deprecatedSince", "sensitive", "min", "max", "pattern",
    "box", "idempotencyToken",
}
KNOWN = {
    # JSON has no flattened lists: the word is left over from the days when SQS spoke in form parameters.
    "member": {"shape", "locationName", "queryName", "flattened"},
    "item": {"shape", "locationName"},
    "structure": {"type", "members", "required", "error", "exception", "synthetic", "fault", "retryable"},
    "list": {"type", "member", "flattened"},
    "map": {"type", "key", "value", "flattened"},
    "string": {"type", "enum"},
    "primitive": {"type"},
}


def refuse(what, where):
    sys.exit(f"shapes: {where}: {what}: teach ec2sim/src/wire about it, then this script")


def only_known(kind, value, where):
    strange = set(value) - KNOWN[kind] - HARMLESS
    if strange:
        refuse(f"{kind} with {', '.join(sorted(strange))}", where)


def text(value):
    if not re.fullmatch(r"[ -!#-\[\]-~]*", value):
        refuse(f"name {value!r}", "a name that needs escapes")
    return f'"{value}"'


def option(value):
    return "None" if value is None else f"Some({text(value)})"


def listed(items):
    """As Rust writes a slice, wrapped."""
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) > 100:
            lines.append(line.rstrip())
            line = ""
        line += f"{item}, "
    lines.append(line.rstrip())
    return "&[" + lines[0].rstrip(",") + "]" if len(lines) == 1 else "&[\n    " + "\n    ".join(lines) + "\n]"


class Table:
    """One service's table: every shape that the chosen operations reach."""

    def __init__(self, model, operations):
        self.model = model
        self.protocol = model["metadata"]["protocol"]
        self.operations = sorted(operations)
        self.statics = {}
        self.errors = set()

    def reference(self, name):
        """A `&'static Shape` for this shape; writes its static first, once."""
        shape = self.model["shapes"][name]
        kind = shape["type"]
        if kind in PRIMITIVES:
            only_known("primitive", shape, name)
            return f"&{PRIMITIVES[kind]}"
        if kind == "string" and "enum" not in shape:
            only_known("string", shape, name)
            return "&TEXT"
        if name not in self.statics:
            self.statics[name] = ""  # it may contain itself
            only_known(kind, shape, name)
            self.statics[name] = getattr(self, kind)(name, shape)
        return f"&Shape::Struct(&{name})" if kind == "structure" else f"&{name}"

    def string(self, name, shape):
        return f"static {name}: Shape = Shape::Text({listed(text(value) for value in sorted(shape['enum'] + UNLISTED.get(name, [])))});"

    def list(self, name, shape):
        only_known("item", shape["member"], name)
        if shape.get("flattened") and self.protocol != "json":
            refuse("a flattened list", name)
        item_name = option(shape["member"].get("locationName"))
        item = self.reference(shape["member"]["shape"])
        return f"static {name}: Shape = Shape::List(&List {{ item_name: {item_name}, item: {item} }});"

    def map(self, name, shape):
        if self.protocol != "json":
            refuse("a map in form parameters or XML", name)
        key, value = self.reference(shape["key"]["shape"]), self.reference(shape["value"]["shape"])
        return f"static {name}: Shape = Shape::Map(&Map {{ key: {key}, value: {value} }});"

    def structure(self, name, shape):
        required = set(shape.get("required", ()))
        lines = [f"static {name}: Structure = Structure {{ name: {text(name)}, members: &["]
        for member, reference in shape["members"].items():
            only_known("member", reference, f"{name}.{member}")
            if reference.get("flattened") and self.protocol != "json":
                refuse("a flattened list", f"{name}.{member}")
            location = reference.get("locationName", member)
            call = "required" if member in required else "optional"
            names = ", ".join(map(text, (member, self.query_name(member, reference), location)))
            lines.append(f"    {call}({names}, {self.reference(reference['shape'])}),")
        lines.append("] };")
        return "\n".join(lines) if len(lines) > 2 else "".join(lines)

    def query_name(self, member, reference):
        location = reference.get("locationName")
        if self.protocol != "ec2":
            return location or member
        if "queryName" in reference:
            return reference["queryName"]
        return location[0].upper() + location[1:] if location else member

    def operation(self, name):
        operation = self.model["operations"].get(name)
        if operation is None:
            sys.exit(f"shapes: the model of {self.model['metadata']['serviceId']} has no operation {name}")
        if operation["http"] != {"method": "POST", "requestUri": "/"}:
            refuse("not a POST to /", name)
        self.errors.update(error["shape"] for error in operation.get("errors", ()))

        def side(which):
            shape = operation.get(which)
            if shape is None:
                return "None"
            if set(shape) - {"shape", "resultWrapper"}:
                refuse(f"{which} with {set(shape)}", name)
            self.reference(shape["shape"])
            return f"Some(&{shape['shape']})"

        wrapper = option(operation.get("output", {}).get("resultWrapper"))
        return f"    operation({text(name)}, {side('input')}, {side('output')}, {wrapper}),"

    def error(self, name):
        """What an SDK knows the error by, in JSON and in the older protocol that it may still ask for."""
        error = self.model["shapes"][name].get("error", {})
        old = OLD_CODES.get(name) if "awsQueryCompatible" in self.model["metadata"] else None
        status = error.get("httpStatusCode", 400)
        return f"    error({text(name)}, {text(old or error.get('code', name))}, {status}),"

    def render(self, model_name, scope):
        metadata = self.model["metadata"]
        operations = [self.operation(name) for name in self.operations]
        errors = [self.error(name) for name in sorted(self.errors)]
        protocol = {"ec2": "Protocol::Ec2", "query": "Protocol::Query"}.get(self.protocol)
        if self.protocol == "json":
            protocol = f"Protocol::Json {{ version: {text(metadata['jsonVersion'])} }}"
        elif protocol is None:
            refuse(f"protocol {self.protocol}", model_name)
        return "\n".join([
            "// Written by tools/ec2sim/shapes.py, never by hand: `make shapes`.",
            f"// Names and structure of {metadata['serviceFullName']}, API version {metadata['apiVersion']}, from the"
            " service model",
            f"// that botocore {botocore.__version__} carries (Copyright Amazon.com, Inc. or its affiliates;"
            " Apache-2.0).",
            "",
            "use super::*;",
            "",
            f"pub(super) static SERVICE: Service = Service {{ name: {text(scope)}, protocol: {protocol},",
            f"    api_version: {text(metadata['apiVersion'])},"
            f" xml_namespace: {option(metadata.get('xmlNamespace'))},",
            f"    target_prefix: {option(metadata.get('targetPrefix'))},"
            " operations: OPERATIONS, errors: ERRORS };",
            "",
            "static OPERATIONS: &[Operation] = &[",
            *operations,
            "];",
            "",
            "static ERRORS: &[ErrorShape] = &[",
            *errors,
            "];",
            "",
            *(self.statics[name] for name in sorted(self.statics)),
            "",
        ])


def pinned():
    found = re.search(r"^botocore==(\S+)$", PIN.read_text(), re.MULTILINE)
    if found is None:
        sys.exit(f"shapes: {PIN.relative_to(ROOT)} pins no botocore")
    return found[1]


def main():
    arguments = sys.argv[1:]
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    if botocore.__version__ != pinned():
        sys.exit(f"shapes: this Python has botocore {botocore.__version__}, {PIN.relative_to(ROOT)} pins {pinned()}: "
                 "run `make shapes`, which takes the right one")
    loader = botocore.loaders.Loader()
    stale = []
    for model_name, (module, scope, operations) in SERVICES.items():
        model = loader.load_service_model(model_name, "service-2")
        fresh = Table(model, set(operations.split())).render(model_name, scope)
        path = TARGET / f"{module}.rs"
        if path.exists() and path.read_text() == fresh:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not arguments:
            path.write_text(fresh)
    if stale and arguments:
        sys.exit(f"shapes: {', '.join(stale)} differ from what botocore {botocore.__version__} says: "
                 "run `make shapes` and look at the difference")
    print(f"shapes: {'wrote ' + ', '.join(stale) if stale else 'up to date'}")


if __name__ == "__main__":
    main()
