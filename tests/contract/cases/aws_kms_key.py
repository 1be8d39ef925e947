"""aws.kms_key."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    kms, number = world.session().client("kms"), world["example"]["key_id"]
    kms.disable_key_rotation(KeyId=number)
    kms.update_key_description(KeyId=number, Description="changed by hand")
    return {"rotation", "description"}


def _policy(world: World, *actions: str) -> dict[str, object]:
    root = f"arn:aws:iam::{world.session().account()}:root"
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


CASE = Case(
    spec=lambda world: {
        "description": "data at rest",
        "rotation_days": 180,
        "deletion_window_days": 7,
        "policy": _policy(world, "kms:*"),
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "description": "all data at rest",
        "rotation_days": 365,
        "deletion_window_days": 14,
        "policy": _policy(world, "kms:*", "kms:Describe*"),
        "tags": {"tier": "all"},
        "enabled": False,
    },
    replaced=lambda world: {"multi_region": True, "region": "us-west-2"},
    drift=_drift,
    claimable=False,  # its id is random: nobody meets a key that is not theirs
    invalid=({"deletion_window_days": 6}, {"deletion_window_days": 31}, {"rotation_days": 89}, {"region": "mars"}),
)
