"""aws.rds_backup_replication."""

from collections.abc import Callable

from provisioner.secret import Secret
from tests.contract.case import Case, Need, Tree
from tests.contract.world import World

PLACES = {"twice": "eu-west-1", "gone": "eu-central-1"}


def _at(region: str) -> Callable[[World], Tree]:
    return lambda world: {"region": region}


CASE = Case(
    needs=(
        Need("cmk", "aws.kms_key", lambda w: {"region": "us-west-2"}),
        *(Need(f"cmk-{step}", "aws.kms_key", _at(region)) for step, region in PLACES.items()),
        Need(
            "db",
            "aws.rds_instance",
            lambda w: {
                "engine_version": "15", "instance_class": "db.t3.micro", "multi_az": False, "username": "boss",
                "password": Secret("a-password-of-the-contract"), "deletion_protection": False,
            },
        ),
    ),
    spec=lambda world: {
        "source": world["db"]["arn"],
        "region": "us-west-2",
        "retention_days": 14,
        "kms_key": world["cmk"]["arn"],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {"tags": {"team": "platform"}},
    replaced=lambda world: {"retention_days": 7},
    beside=lambda world, step: {
        "region": PLACES.get(step, "eu-west-1"),
        "kms_key": world[f"cmk-{step if step in PLACES else 'twice'}"]["arn"],
    },
    invalid=(
        {"retention_days": 0},
        {"retention_days": 36},
        {"region": "us-east-1"},
        {"region": "mars"},
        {"source": "app"},
        {"source": "arn:aws:s3:::bucket"},
        {"kms_key": "alias/mine"},
    ),
)  # fmt: skip
