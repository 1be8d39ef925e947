"""aws.cache_subnet_group."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.network import NETWORK, subnets
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("elasticache").modify_cache_subnet_group(
        CacheSubnetGroupName=key.name, SubnetIds=subnets(world, "c")
    )
    return {"subnets"}


CASE = Case(
    needs=NETWORK,
    spec=lambda world: {
        "name": f"{world.deployment}-subnets",
        "subnets": subnets(world, "b", "a"),
        "description": "caches",
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "subnets": subnets(world, "a", "b", "c"),
        "description": "all caches",
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"subnets": []}, {"description": ""}),
)
