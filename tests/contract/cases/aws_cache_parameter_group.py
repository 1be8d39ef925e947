"""aws.cache_parameter_group."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("elasticache").modify_cache_parameter_group(
        CacheParameterGroupName=key.name,
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}],
    )
    return {"parameters"}


CASE = Case(
    spec=lambda world: {
        "name": f"{world.deployment}-parameters",
        "family": "redis7",
        "parameters": {"maxmemory-policy": "allkeys-lru", "timeout": "300"},
        "description": "the application's",
        "tags": {"tier": "data"},
    },
    changed=lambda world: {"parameters": {"maxmemory-policy": "allkeys-lfu"}, "tags": {}},
    replaced=lambda world: {"family": "redis6.x"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"family": "memcached1.6"}, {"description": ""}),
)
