"""aws.db_subnet_group."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.network import NETWORK, subnets
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("rds").modify_db_subnet_group(DBSubnetGroupName=key.name, SubnetIds=subnets(world, "a", "c"))
    return {"subnets"}


CASE = Case(
    needs=NETWORK,
    spec=lambda world: {
        "name": f"{world.deployment}-subnets",
        "subnets": subnets(world, "b", "a"),
        "description": "databases",
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "subnets": subnets(world, "a", "b", "c"),
        "description": "all databases",
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"subnets": ["subnet-11111111"]}, {"description": ""}, {"name": "x" * 256}),
)
