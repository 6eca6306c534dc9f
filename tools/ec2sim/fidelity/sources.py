"""Where what AWS does is taken from, and how sure that is.

D is AWS's own documentation or service model, O was observed on AWS by somebody who published it, M is what moto's
authors wrote down as AWS's text.
"""

from typing import NamedTuple


class Source(NamedTuple):
    kind: str
    title: str
    url: str

    def __str__(self):
        return f"[{self.kind}] {self.title}, {self.url}"

    def markdown(self):
        return f"{self.kind}: [{self.title}]({self.url})"


def _guide(title, page):
    return Source("D", title, f"https://docs.aws.amazon.com/vpc/latest/{page}.html")


def api(action):
    return Source("D", action, f"https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_{action}.html")


def _service(title, path):
    return Source("D", title, f"https://docs.aws.amazon.com/{path}.html")


def _issue(repository, number):
    return Source("O", f"{repository}#{number}", f"https://github.com/{repository}/issues/{number}")


LIFECYCLE = _guide("Peering Guide: lifecycle", "peering/vpc-peering-basics")
LIMITATIONS = LIFECYCLE._replace(title="Peering Guide: limitations", url=f"{LIFECYCLE.url}#vpc-peering-limitations")
ACCEPTING = _guide("Peering Guide: accept", "peering/accept-vpc-peering-connection")
REJECTING = _guide("Peering Guide: reject", "peering/reject-vpc-peering-connection")
DELETING = _guide("Peering Guide: delete", "peering/delete-vpc-peering-connection")
PEERING_ROUTES = _guide("Peering Guide: route tables", "peering/vpc-peering-routing")
PEERING_GROUPS = _guide("Peering Guide: security groups", "peering/vpc-peering-security-groups")
PEERING_DNS = _guide("Peering Guide: DNS", "peering/vpc-peering-dns")
PEERING_QUOTAS = _guide("Peering Guide: quotas", "peering/vpc-peering-connection-quotas")
VPC_BLOCKS = _guide("VPC Guide: CIDR blocks", "userguide/vpc-cidr-blocks")
ROUTE_TABLES = _guide("VPC Guide: route tables", "userguide/VPC_Route_Tables")
MAIN_TABLE = _guide("VPC Guide: subnet route tables", "userguide/subnet-route-tables")
EDGE_TABLES = _guide("VPC Guide: gateway route tables", "userguide/gateway-route-tables")
QUOTAS = _guide("VPC Guide: quotas", "userguide/amazon-vpc-limits")
CODES = _service("EC2 error codes", "AWSEC2/latest/APIReference/errors-overview")
PEER_INFO = api("VpcPeeringConnectionVpcInfo")
CONNECTION = api("VpcPeeringConnection")
TAGS = _service("EC2: tag restrictions", "AWSEC2/latest/UserGuide/Using_Tags")

ASSUME_ROLE = _service("STS: AssumeRole", "STS/latest/APIReference/API_AssumeRole")
WHO_AM_I = _service("STS: GetCallerIdentity", "STS/latest/APIReference/API_GetCallerIdentity")
TRUST = _service("IAM: trust policies", "IAM/latest/UserGuide/id_roles_update-role-trust-policy")
EXTERNAL_ID = _service("IAM: external ids", "IAM/latest/UserGuide/id_roles_common-scenarios_third-party")
CHAINING = _service("IAM: role chaining", "IAM/latest/UserGuide/id_roles")
LOOKUP = _service("CloudTrail: LookupEvents", "awscloudtrail/latest/APIReference/API_LookupEvents")
RECORDS = _service("CloudTrail: record contents",
                   "awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents")
EVENTS = _service("EventBridge: events from CloudTrail", "eventbridge/latest/userguide/eb-service-event-cloudtrail")
EVENT_SHAPE = _service("EventBridge: event structure", "eventbridge/latest/ref/overiew-event-structure")
EVENT_PATTERNS = _service("EventBridge: patterns", "eventbridge/latest/userguide/eb-event-patterns")
SQS = "AWSSimpleQueueService/latest"
VISIBILITY = _service("SQS: visibility timeout", f"{SQS}/SQSDeveloperGuide/sqs-visibility-timeout")
LONG_POLL = _service("SQS: long polling", f"{SQS}/SQSDeveloperGuide/sqs-short-and-long-polling")
DEAD_LETTERS = _service("SQS: dead letters", f"{SQS}/SQSDeveloperGuide/sqs-dead-letter-queues")


def sqs(action):
    return _service(f"SQS: {action}", f"{SQS}/APIReference/API_{action}")


TERRAFORM = "hashicorp/terraform-provider-aws"
SAME_REQUEST = _issue(TERRAFORM, 27750)
TWINS = _issue(TERRAFORM, 44315)
OTHERS_OPTIONS = _issue(TERRAFORM, 582)
OTHER_REGIONS_OPTIONS = _issue(TERRAFORM, 12113)
NOT_ACTIVE = _issue("grem11n/terraform-aws-vpc-peering", 21)
FAILED_IS_FINAL = _issue("hashicorp/terraform", 2322)
WHY_FAILED = _issue("hashicorp/terraform", 8933)
NO_DESTINATION = _issue("hashicorp/terraform", 14564)
VPC_IN_USE = _issue(TERRAFORM, 3118)
REJECTED_IS_FINAL = _issue("ekristen/aws-nuke", 723)
WRONG_REGION = _issue(TERRAFORM, 2508)
UNKNOWN_FILTER = _issue("boto/boto3", 1299)
OTHER_NETWORK = _issue("hashicorp/terraform", 2185)
OWN_BLOCK = _issue("hashicorp/terraform", 26018)
LOCAL_ROUTE = Source("O", "terraform-provider-aws: vpc_route.go",
                     f"https://github.com/{TERRAFORM}/blob/main/internal/service/ec2/vpc_route.go")
OTHER_NETWORKS_GROUP = _issue("ansible/ansible", 28876)
CAPTURED = Source("O", "captured CloudTrail records", "https://github.com/wwalpha/aws-spotlight")
MOTO_PEERINGS = Source("M", "moto: vpc_peering_connections.py",
                       "https://github.com/getmoto/moto/blob/master/moto/ec2/models/vpc_peering_connections.py")
MOTO_ERRORS = Source("M", "moto: exceptions.py",
                             "https://github.com/getmoto/moto/blob/master/moto/ec2/exceptions.py")
