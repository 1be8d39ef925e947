"""aws.rds_event_subscription."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("rds").modify_event_subscription(SubscriptionName=key.name, Enabled=False)
    return {"enabled"}


CASE = Case(
    needs=(
        Need("events", "aws.sns_topic", lambda world: {}),
        Need("others", "aws.sns_topic", lambda world: {}),
        Need("one", "aws.db_parameter_group", lambda world: {"family": "postgres15"}),
        Need("two", "aws.db_parameter_group", lambda world: {"family": "postgres15"}),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-events",
        "topic_arn": world["events"]["arn"],
        "source_type": "db-parameter-group",
        "source_ids": [world["one"]["name"]],
        "categories": ["configuration change"],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "topic_arn": world["others"]["arn"],
        "source_ids": [world["two"]["name"]],
        "enabled": False,
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"topic_arn": "events"}, {"source_type": ""}, {"source_type": "server"}),
)
