"""What a function's configuration, and the zip file of its code, must be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.sandbox.aws.access import Access
from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.functions.state import LambdaRegion, account_of
from provisioner.sandbox.settings import ACCOUNT

Settings = dict[str, Any]

_ZIPPED: Final = 50 * 1024 * 1024
_UNZIPPED: Final = 250 * 1024 * 1024
_ENVIRONMENT: Final = 4096
_TIMEOUT: Final = 900
_EPHEMERAL: Final = 10240
_CONCURRENCY: Final = 1000
_UNRESERVED: Final = 100
_RESERVED: Final = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
})  # fmt: skip


def invalid(message: str) -> AwsError:
    """A value that is none."""
    return AwsError("InvalidParameterValueException", message, 400)


def code(data: bytes | None) -> bytes:
    """The zip file, if it is one and not too large."""
    if not data:
        raise invalid("Uploaded file must be a non-empty zip")
    if len(data) > _ZIPPED:
        raise AwsError("RequestTooLargeException", f"Request must be smaller than {_ZIPPED} bytes", 413)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as err:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from err
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries) > _UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {_UNZIPPED} bytes")
    if any(entry.filename.startswith("/") or ".." in entry.filename.split("/") for entry in entries):
        raise invalid("Could not unzip uploaded file: a path leads out of it")
    return data


def settings(region: LambdaRegion, wanted: Settings) -> None:
    """Everything that a configuration must be; fills in the VPC of its subnets."""
    for check in _CHECKS:
        check(region, wanted)


def _numbers(region: LambdaRegion, s: Settings) -> None:
    if s["Timeout"] > _TIMEOUT:
        raise AwsError("ValidationException", f"Value '{s['Timeout']}' at 'timeout' must be at most {_TIMEOUT}", 400)
    if not 512 <= s["EphemeralStorage"]["Size"] <= _EPHEMERAL:
        raise AwsError("ValidationException", f"ephemeralStorage.size must be from 512 to {_EPHEMERAL}", 400)


def _needed(region: LambdaRegion, s: Settings) -> None:
    for name in ("Runtime", "Handler"):
        if not s[name]:
            raise invalid(f"{name} is mandatory for functions created with deployment packages.")


def _role(region: LambdaRegion, s: Settings) -> None:
    access, role = Access(region.world.moto), s["Role"]
    if not access.assumable(role, "lambda.amazonaws.com", {"aws:SourceAccount": ACCOUNT}):
        raise invalid("The role defined for the function cannot be assumed by Lambda.")
    interface = f"arn:aws:ec2:{region.name}:{ACCOUNT}:network-interface/*"
    if s["VpcConfig"]["SubnetIds"] and access.decide(role, "ec2:CreateNetworkInterface", interface, {}) != "allowed":
        raise invalid("The provided execution role does not have permissions to call CreateNetworkInterface on EC2")


def _network(region: LambdaRegion, s: Settings) -> None:
    network, neighbours = s["VpcConfig"], region.world.neighbours
    subnets, groups = network["SubnetIds"], network["SecurityGroupIds"]
    if bool(subnets) != bool(groups):
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    vpcs = set()
    for name in subnets:
        subnet = neighbours.subnet(region.name, name)
        if subnet is None:
            raise invalid(
                "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: "
                f"The subnet ID '{name}' does not exist"
            )
        vpcs.add(subnet.vpc)
    for name in groups:
        group = neighbours.security_group(region.name, name)
        if group is None:
            raise invalid(
                "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "
                f"Message: The security group '{name}' does not exist"
            )
        vpcs.add(group.vpc)
    if len(vpcs) > 1:
        raise invalid("Subnets and security groups must be of one VPC.")
    network["VpcId"] = next(iter(vpcs), "")


def _environment(region: LambdaRegion, s: Settings) -> None:
    variables: Mapping[str, str] = s["Environment"]["Variables"]
    taken = sorted(_RESERVED & variables.keys())
    if taken:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided contains reserved keys that are currently not supported for modification. Reserved keys used "
            f"in this request: {', '.join(taken)}"
        )
    if sum(len(f"{name}={value}".encode()) for name, value in variables.items()) > _ENVIRONMENT:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {_ENVIRONMENT} bytes limit."
        )
    if s["KMSKeyArn"]:
        key = region.world.neighbours.key(region.name, s["KMSKeyArn"])
        if key is None or key.state != "Enabled":
            raise invalid(
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid. "
                f"Please check your KMS key settings. KMS key: {s['KMSKeyArn']}"
            )


def _layers(region: LambdaRegion, s: Settings) -> None:
    if len(s["Layers"]) > 5:
        raise invalid("Cannot reference more than 5 layers.")
    for arn in s["Layers"]:
        if account_of(arn) == ACCOUNT:
            raise invalid(f"Layer version {arn} does not exist.")


def _target(region: LambdaRegion, s: Settings) -> None:
    arn = s["DeadLetterConfig"]["TargetArn"]
    if arn and arn.split(":")[2] == "sns" and not region.world.neighbours.topic_exists(arn):
        raise invalid(f"The topic {arn} does not exist.")


_CHECKS: Final[tuple[Callable[[LambdaRegion, Settings], None], ...]] = (
    _numbers, _needed, _role, _network, _environment, _layers, _target,
)  # fmt: skip


def concurrency(region: LambdaRegion, name: str, wanted: int) -> None:
    """What is left for functions that reserve nothing must not fall below what AWS keeps for them."""
    others = sum(f.concurrency or 0 for f in region.functions.values() if f.name != name)
    if others + wanted > _CONCURRENCY - _UNRESERVED:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{_UNRESERVED}]."
        )
