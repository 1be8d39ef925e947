"""What others put in the way of an undo, each with the way to take it away again, over one small plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from provisioner.drivers.typemap import registry
from provisioner.engine.events import Listener
from provisioner.operations.deploy import deploy
from provisioner.operations.site import Options, Outcome, open_site
from provisioner.plan.load import load_plan
from provisioner.plan.model import Plan
from tests.crash.rig import Rig

PLAN = """\
deployment: held
provider: aws
region: us-east-1
settings: {retry: {attempts: 6, initial: 50ms, most: 1s}}
parameters:
  database: {type: boolean, default: false}
steps:
  - {name: net, type: aws.vpc, with: {cidr: 10.70.0.0/16}}
  - {name: a, type: aws.subnet, with: {vpc_id: "${net.vpc_id}", cidr: 10.70.1.0/24, zone_index: 0}}
  - {name: b, type: aws.subnet, with: {vpc_id: "${net.vpc_id}", cidr: 10.70.2.0/24, zone_index: 1}}
  - {name: wall, type: aws.security_group, with: {vpc_id: "${net.vpc_id}"}}
  - {name: homes, type: aws.db_subnet_group, with: {subnets: ["${a.subnet_id}", "${b.subnet_id}"]}}
  - {name: tuning, type: aws.db_parameter_group, with: {family: postgres15}}
  - {name: role, type: aws.iam_role, with: {services: [ec2.amazonaws.com]}}
  - {name: key, type: aws.kms_key, with: {deletion_window_days: 9}}
  - {name: alias, type: aws.kms_alias, with: {key_id: "${key.key_id}"}}
  - {name: password, type: aws.secret, with: {kms_key_id: "${key.arn}", recovery_days: 8}}
  - {name: files, type: aws.s3_bucket}
  - name: db
    type: aws.rds_instance
    when: ${param.database}
    with:
      engine_version: "15"
      instance_class: db.t3.micro
      username: app_admin
      password: ${password.value}
      subnet_group: ${homes.name}
      security_groups: ["${wall.group_id}"]
      multi_az: false
      deletion_protection: false
  - {name: last, type: aws.log_group, after: [homes, tuning, role, wall, alias, password, files, db]}
"""


BACK = """\
deployment: held
provider: aws
region: us-east-1
settings: {retry: {attempts: 6, initial: 50ms, most: 1s}}
steps:
  - {name: key, type: aws.kms_key, with: {deletion_window_days: 9}}
  - {name: alias, type: aws.kms_alias, with: {key_id: "${key.key_id}"}}
  - {name: password, type: aws.secret, with: {kms_key_id: "${key.arn}", recovery_days: 8}}
  - {name: last, type: aws.log_group, after: [alias, password]}
"""
"""What a cloud keeps for days after it was deleted."""


class HeldRig(Rig):
    """A rig with a plan of its own, and what others do to its objects, by boto3 alone."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.path = directory / "held.yaml"
        self._boto = boto3.session.Session("test", "test", region_name="us-east-1")

    def client(self, service: str) -> Any:
        made: Any = self._boto.client
        return made(service, endpoint_url=self.info.aws_url)

    def load(self, **parameters: str) -> Plan:
        return load_plan(self.path, registry(), parameters=parameters)

    def act(
        self,
        verb: Callable[..., Outcome],
        hear: Listener = lambda event: None,
        options: Options | None = None,
        **parameters: str,
    ) -> Outcome:
        """Deploy, rollback or destroy in this process; everybody says yes."""
        plan, home = self.load(**parameters), self.state_directory("held")
        with open_site(home, "held", registry(), plan.region, command="test", listeners=[hear]) as site:
            return verb(site, plan, options or Options(), lambda what: True)

    def fails(self, obstacle: Callable[[], None], **parameters: str) -> Outcome:
        """A deploy that fails at its last step, with the obstacle put up the moment before it is reversed."""
        self.fault(service="logs", operation="CreateLogGroup", error="AccessDeniedException", times=1)

        def hear(event: dict[str, Any]) -> None:
            if event["event"] == "run.reversing":
                obstacle()

        return self.act(deploy, hear, None, **parameters)

    def cli(self, verb: str, *more: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and what ``--json`` says."""
        code, out, err = self.run(verb, str(self.path), "--sandbox", "--yes", "--json", *more)
        assert out, err
        found: dict[str, Any] = json.loads(out)
        return code, found


class Obstacle(NamedTuple):
    """``put`` and ``take`` it away; ``held``: steps that it holds → a word of the reason and one of what to do."""

    put: Callable[[HeldRig], None]
    take: Callable[[HeldRig], None]
    held: dict[str, tuple[str, str]]
    database: bool = False


def _group(rig: HeldRig) -> str:
    found = rig.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": ["held-wall"]}])
    return str(found["SecurityGroups"][0]["GroupId"])


def _subnet(rig: HeldRig) -> str:
    found = rig.client("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.70.1.0/24"]}])
    return str(found["Subnets"][0]["SubnetId"])


def _put_interface(rig: HeldRig) -> None:
    rig.client("ec2").create_network_interface(SubnetId=_subnet(rig), Groups=[_group(rig)], Description="a bastion")


def _take_interface(rig: HeldRig) -> None:
    ec2 = rig.client("ec2")
    question = [{"Name": "description", "Values": ["a bastion"]}]
    (found,) = ec2.describe_network_interfaces(Filters=question)["NetworkInterfaces"]
    ec2.delete_network_interface(NetworkInterfaceId=found["NetworkInterfaceId"])


def _put_rule(rig: HeldRig) -> None:
    ec2 = rig.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    theirs = ec2.create_security_group(GroupName="theirs", Description="d", VpcId=vpc)["GroupId"]
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": _group(rig)}]}
    ec2.authorize_security_group_ingress(GroupId=theirs, IpPermissions=[pair])


def _take_group(rig: HeldRig) -> None:
    ec2 = rig.client("ec2")
    (theirs,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["theirs"]}])["SecurityGroups"]
    ec2.delete_security_group(GroupId=theirs["GroupId"])


def _put_group(rig: HeldRig) -> None:
    ec2 = rig.client("ec2")
    vpc = ec2.describe_subnets(SubnetIds=[_subnet(rig)])["Subnets"][0]["VpcId"]
    ec2.create_security_group(GroupName="theirs", Description="d", VpcId=vpc)


def _put_database(rig: HeldRig) -> None:
    rig.client("rds").create_db_instance(
        DBInstanceIdentifier="theirs", DBInstanceClass="db.t3.micro", Engine="postgres", EngineVersion="15",
        AllocatedStorage=20, MasterUsername="them", MasterUserPassword="correct-horse-battery",
        DBSubnetGroupName="held-homes", DBParameterGroupName="held-tuning", VpcSecurityGroupIds=[_group(rig)],
    )  # fmt: skip


def _take_database(rig: HeldRig) -> None:
    rig.client("rds").delete_db_instance(DBInstanceIdentifier="theirs", SkipFinalSnapshot=True)


def _put_profile(rig: HeldRig) -> None:
    iam = rig.client("iam")
    iam.create_instance_profile(InstanceProfileName="theirs")
    iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName="held-role")


def _take_profile(rig: HeldRig) -> None:
    iam = rig.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName="theirs", RoleName="held-role")
    iam.delete_instance_profile(InstanceProfileName="theirs")


def _protect(on: bool) -> Callable[[HeldRig], None]:
    def act(rig: HeldRig) -> None:
        rig.client("rds").modify_db_instance(
            DBInstanceIdentifier="held-db", DeletionProtection=on, ApplyImmediately=True
        )

    return act


_SHOW_ENI = "describe-network-interfaces --network-interface-ids eni-"
_SHOW_DB = "describe-db-instances --db-instance-identifier theirs"
OBSTACLES = {
    "an interface of others": Obstacle(
        _put_interface, _take_interface, {"wall": ("a bastion", _SHOW_ENI), "a": ("network interface eni-", _SHOW_ENI)}
    ),
    "a rule of others": Obstacle(_put_rule, _take_group, {"wall": ("a rule of security group sg-", "revoke the rule")}),
    "a group of others in our VPC": Obstacle(
        _put_group, _take_group, {"net": ("(theirs)", "describe-security-groups")}
    ),
    "a database of others": Obstacle(
        _put_database,
        _take_database,
        dict.fromkeys(("homes", "tuning", "wall"), ("DB instance theirs", _SHOW_DB)),
    ),
    "an instance profile of others": Obstacle(
        _put_profile, _take_profile, {"role": ("instance profile theirs", "remove-role-from-instance-profile")}
    ),
    "a protection that others switched on": Obstacle(
        _protect(True), _protect(False), {"db": ("somebody switched on", "--no-deletion-protection")}, database=True
    ),
}
