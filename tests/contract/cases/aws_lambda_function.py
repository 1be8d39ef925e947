"""aws.lambda_function."""

from pathlib import Path

from provisioner import folder
from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.network import NETWORK, WALL, subnets
from tests.contract.world import World

FUNCTIONS = Path(__file__).parent.parent / "functions"
VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def code(name: str) -> str:
    """The value of a folder, as a plan that is read has it."""
    return folder.take(FUNCTIONS, name)


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("lambda").update_function_configuration(FunctionName=key.name, Timeout=5)
    return {"timeout_seconds"}


ROLE = Need(
    "role",
    "aws.iam_role",
    lambda world: {"services": ["lambda.amazonaws.com"], "managed_policies": [VPC_ACCESS]},
)

CASE = Case(
    needs=(
        *NETWORK,
        WALL,
        Need("other", "aws.security_group", lambda w: {"vpc_id": w["net"]["vpc_id"]}),
        ROLE,
        Need("key", "aws.kms_key", lambda world: {}),
        Need("events", "aws.sns_topic", lambda world: {}),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-export",
        "code": code("hello"),
        "handler": "main.answer",
        "runtime": "python3.12",
        "description": "answers",
        "memory_mb": 512,
        "timeout_seconds": 60,
        "role_arn": world["role"]["arn"],
        "log_group": f"/app/{world.deployment}",
        "log_format": "Text",
        "subnets": subnets(world, "a", "b"),
        "security_groups": [world["wall"]["group_id"]],
        "environment": {"GREETING": "hello"},
        "reserved_concurrency": 2,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "code": code("bye"),
        "handler": "main.other",
        "runtime": "python3.13",
        "description": "answers otherwise",
        "memory_mb": 128,
        "timeout_seconds": 30,
        "log_group": f"/app/{world.deployment}-2",
        "log_format": "JSON",
        "subnets": [],
        "security_groups": [],
        "environment": {},
        "kms_key": world["key"]["arn"],
        "reserved_concurrency": 1,
        "dead_letter_arn": world["events"]["arn"],
        "tracing": "Active",
        "architecture": "arm64",
        "ephemeral_mb": 1024,
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    invalid=(
        {"memory_mb": 64},
        {"timeout_seconds": 901},
        {"runtime": "python2.7"},
        {"subnets": []},
        {"environment": {"AWS_REGION": "us-east-1"}},
        {"environment": {"LONG": "x" * 5000}},
        {"role_arn": "role"},
        {"log_group": ""},
        {"code": ""},
    ),
)
