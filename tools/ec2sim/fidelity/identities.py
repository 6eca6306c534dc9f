"""STS: who somebody is, and who may become whom."""

from lab import IRELAND, Refused, scenario, session_keys, vpc
from sources import ASSUME_ROLE, CHAINING, CODES, EXTERNAL_ID, TRUST, WHO_AM_I


@scenario
def roles(on):
    """Roles, who may assume them, and their sessions"""
    us, them, stranger = (on.account(name) for name in ("us", "them", "stranger"))
    sts = on.aws("sts", us)
    arn = f"arn:aws:iam::{them}:role"
    on.server.declare_role(f"{arn}/network", us, None)
    on.server.declare_role(f"{arn}/vendor", us, "secret")
    denied = Refused("AccessDenied")

    def assume(role, by=sts, **more):
        return by.assume_role(RoleArn=f"{arn}/{role}", RoleSessionName="test", **more)

    def identity(role, **more):
        keys = session_keys(assume(role, **more)["Credentials"])
        who = on.server.client_with("sts", IRELAND, **keys).get_caller_identity()
        return {"Account": who["Account"], "Arn": who["Arn"]}

    on.see("who one is", WHO_AM_I, "<us>", lambda: sts.get_caller_identity()["Account"])
    session = {"Account": "<them>", "Arn": "arn:aws:sts::<them>:assumed-role/network/test"}
    on.see("who one is in a role of another account", ASSUME_ROLE, session, lambda: identity("network"))
    on.see("an account that the role does not trust", TRUST, denied, lambda: assume("network", on.aws("sts", stranger)))
    on.see("an external id is wanted, and none is told", EXTERNAL_ID, denied, lambda: assume("vendor"))
    on.see("an external id is wanted, and another is told", EXTERNAL_ID, denied,
           lambda: assume("vendor", ExternalId="guess"))
    on.see("the external id that is wanted", EXTERNAL_ID, "done", lambda: assume("vendor", ExternalId="secret"))
    on.see("an external id that nobody wants", EXTERNAL_ID, "done", lambda: assume("network", ExternalId="whatever"))
    on.server.only_declared_roles(True)
    on.see("a role that is not there", ASSUME_ROLE, denied, lambda: assume("nobody"))
    on.server.only_declared_roles(False)
    wrong = Refused("ValidationError")
    on.see("a session of less than 15 minutes", ASSUME_ROLE, wrong, lambda: assume("network", DurationSeconds=899))
    on.see("a session longer than the role's longest", ASSUME_ROLE, wrong,
           lambda: assume("network", DurationSeconds=7200))
    on.see("an ARN that is none", ASSUME_ROLE, wrong, lambda: sts.assume_role(
        RoleArn="network-of-somebody-else", RoleSessionName="test"))
    on.see("a session name that is none", ASSUME_ROLE, wrong, lambda: sts.assume_role(
        RoleArn=f"{arn}/network", RoleSessionName="two words"))
    on.server.declare_role(f"{arn}/chained", them, None)
    chained = on.server.client_with("sts", IRELAND, **session_keys(assume("network")["Credentials"]))
    on.see("a role assumed from a role", CHAINING, "done", lambda: assume("chained", chained))
    on.see("for more than an hour", CHAINING, wrong, lambda: assume("chained", chained, DurationSeconds=3601))


@scenario
def sessions(on):
    """What is done in a role's session"""
    us, them = on.account("us"), on.account("them")
    sts = on.aws("sts", us)
    role = f"arn:aws:iam::{them}:role/network"
    on.server.declare_role(role, us, None)
    keys = session_keys(sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"])
    ec2 = on.server.client_with("ec2", IRELAND, **keys)
    made = vpc(ec2, "10.1.0.0/16")
    on.see("whose the VPC is that is made there", ASSUME_ROLE, "<them>",
           lambda: ec2.describe_vpcs(VpcIds=[made])["Vpcs"][0]["OwnerId"])
    on.see("its owner sees it too", ASSUME_ROLE, [True], lambda: [
        found["VpcId"] == made for found in on.ec2(them).describe_vpcs(VpcIds=[made])["Vpcs"]])
    on.see("who assumed the role does not", CODES, Refused("InvalidVpcID.NotFound"),
           lambda: len(on.ec2(us).describe_vpcs(VpcIds=[made])["Vpcs"]))
    stolen = {**keys, "aws_session_token": "another"}
    on.see("the key with another's token", CODES, Refused("AuthFailure"),
           lambda: len(on.server.client_with("ec2", IRELAND, **stolen).describe_vpcs()["Vpcs"]))

    def an_hour_later():
        on.pass_time(hours=1)
        return len(ec2.describe_vpcs()["Vpcs"])

    on.see("an hour later", CODES, Refused("RequestExpired"), an_hour_later)
