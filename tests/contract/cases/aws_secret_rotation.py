"""aws.secret_rotation."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.cases.aws_lambda_function import ROLE
from tests.contract.cases.aws_lambda_permission import function
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("secretsmanager").rotate_secret(
        SecretId=key.at["secret"],
        RotationRules={"AutomaticallyAfterDays": 90, "Duration": "3h"},
        RotateImmediately=False,
    )
    return {"every_days"}


def _may_call(step: str) -> Need:
    return Need(
        f"{step}-may",
        "aws.lambda_permission",
        lambda world: {"function": world[step]["arn"], "service": "secretsmanager.amazonaws.com"},
    )


CASE = Case(
    needs=(
        ROLE,
        Need("db-secret", "aws.secret", lambda world: {}),
        Need("beside", "aws.secret", lambda world: {}),
        Need("rotates", "aws.lambda_function", function),
        _may_call("rotates"),
        Need("others", "aws.lambda_function", function),
        _may_call("others"),
    ),
    spec=lambda world: {
        "secret": world["db-secret"]["arn"],
        "function_arn": world["rotates"]["arn"],
        "every_days": 30,
        "window": "3h",
    },
    changed=lambda world: {
        "function_arn": world["others"]["arn"],
        "every_days": 0,
        "schedule": "cron(0 3 1 * ? *)",
        "window": "",
    },
    replaced=lambda world: {"secret": world["beside"]["arn"]},
    drift=_drift,
    beside=lambda world, step: {"secret": world["beside"]["arn"]},
    unseen=frozenset({"secret", "rotate_immediately"}),
    invalid=(
        {"every_days": 0},
        {"every_days": 1001},
        {"schedule": "rate(10 days)"},
        {"every_days": 0, "schedule": "rate(2 hours)"},
        {"every_days": 0, "schedule": "sometimes"},
        {"function_arn": "rotates"},
    ),
)
