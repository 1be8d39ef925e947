"""aws.log_group."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("logs").delete_retention_policy(logGroupName=key.name)
    return {"retention_days"}


CASE = Case(
    spec=lambda world: {
        "name": f"/aws/rds/instance/{world.deployment}-db/postgresql",
        "retention_days": 30,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {"retention_days": 0, "tags": {"team": "platform"}},
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"retention_days": 31}, {"name": "x" * 513}),
)
