"""aws.elastic_ip."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("ec2").create_tags(
        Resources=[world["example"]["allocation_id"]], Tags=[{"Key": "tier", "Value": "theirs"}]
    )
    return {"tags"}


def _by_id(world: World, key: Key) -> Key:
    at = {"allocation_id": world["example"]["allocation_id"]}
    return msgspec.structs.replace(key, deployment="other", at=at)


CASE = Case(
    spec=lambda world: {"tags": {"tier": "edge"}},
    changed=lambda world: {"tags": {"tier": "edge", "team": "platform"}},
    replaced=lambda world: {"allocation_id": "eipalloc-0123456789abcdef0"},
    drift=_drift,
    foreign=_by_id,
    invalid=({"allocation_id": "52.1.2.3"},),
)
