"""aws.secret_version."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("secretsmanager").put_secret_value(
        SecretId=key.at["secret"], SecretString='{"username": "by hand"}'
    )
    return {"value"}


def _credentials(world: World, host: str) -> dict[str, object]:
    return {
        "engine": "postgres",
        "username": "app",
        "password": world["db-secret"]["value"],
        "host": host,
        "port": 5432,
        "dbname": "credlink",
    }


CASE = Case(
    needs=(
        Need(
            "db-secret",
            "aws.secret",
            lambda world: {"generate": {"template": {"engine": "postgres", "username": "app"}}},
        ),
        Need("other-secret", "aws.secret", lambda world: {}),
    ),
    spec=lambda world: {"secret": world["db-secret"]["arn"], "value": _credentials(world, "db.example")},
    changed=lambda world: {"value": _credentials(world, "db2.example")},
    replaced=lambda world: {"secret": world["other-secret"]["arn"]},
    drift=_drift,
    unseen=frozenset({"secret"}),
    claimable=False,  # each deployment has a label of its own
    invalid=({"value": {}}, {"secret": ""}),
)
