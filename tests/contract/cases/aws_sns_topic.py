"""aws.sns_topic."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("sns").set_topic_attributes(
        TopicArn=world["example"]["arn"], AttributeName="DisplayName", AttributeValue="by hand"
    )
    return {"display_name"}


CASE = Case(
    needs=(Need("cmk", "aws.kms_key", lambda world: {}),),
    spec=lambda world: {
        "name": f"{world.deployment}-events",
        "display_name": "Events",
        "kms_key": world["cmk"]["key_id"],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {"display_name": "", "kms_key": "", "tags": {"team": "platform"}},
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"name": "x" * 257}, {"display_name": "x" * 101}),
)
