"""aws.kms_alias."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("kms").update_alias(
        AliasName=world["example"]["name"], TargetKeyId=world["second"]["key_id"]
    )
    return {"key_id"}


CASE = Case(
    needs=(Need("first", "aws.kms_key", lambda world: {}), Need("second", "aws.kms_key", lambda world: {})),
    spec=lambda world: {"name": f"{world.deployment}/data", "key_id": world["first"]["key_id"]},
    changed=lambda world: {"key_id": world["second"]["arn"]},
    replaced=lambda world: {"name": "another"},
    drift=_drift,
)
