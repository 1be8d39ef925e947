"""aws.lambda_permission."""

from typing import Any

from tests.contract.case import Case, Need
from tests.contract.cases.aws_lambda_function import ROLE, code
from tests.contract.world import World


def function(world: World, name: str = "hello") -> dict[str, Any]:
    """A small function."""
    return {
        "code": code(name),
        "handler": "main.answer",
        "role_arn": world["role"]["arn"],
        "log_group": f"/app/{world.deployment}",
    }


CASE = Case(
    needs=(
        ROLE,
        Need("rotates", "aws.lambda_function", function),
        Need("others", "aws.lambda_function", function),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-may-call",
        "function": world["rotates"]["arn"],
        "service": "secretsmanager.amazonaws.com",
        "source_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf",
        "source_account": "123456789012",
    },
    replaced=lambda world: {"function": world["others"]["arn"]},
    invalid=({"service": "somebody"}, {"function": "rotates"}, {"source_account": "1"}, {"source_arn": "db"}),
)
