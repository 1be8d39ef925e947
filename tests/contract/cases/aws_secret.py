"""aws.secret."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("secretsmanager").update_secret(SecretId=key.name, Description="changed by hand")
    return {"description"}


CASE = Case(
    needs=(Need("cmk", "aws.kms_key", lambda world: {}),),
    spec=lambda world: {
        "name": f"{world.deployment}/database",
        "generate": {"length": 32, "template": {"engine": "postgres", "username": "app"}},
        "description": "database password",
        "kms_key_id": world["cmk"]["key_id"],
        "recovery_days": 7,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "description": "the database's password",
        "kms_key_id": "alias/aws/secretsmanager",
        "recovery_days": 14,
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"generate": {"length": 40}},
    drift=_drift,
    unseen=frozenset({"generate"}),
    invalid=(
        {"recovery_days": 6},
        {"recovery_days": 31},
        {"generate": {"length": 8}},
        {"generate": {"exclude": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}},
        {"generate": {"template": {"password": "x"}}},
    ),
)
