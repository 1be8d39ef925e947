"""aws.composite_alarm."""

from typing import Any

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World

_ALARM: dict[str, Any] = {
    "namespace": "AWS/RDS", "metric": "CPUUtilization", "statistic": "Average", "threshold": 80,
    "comparison_operator": "GreaterThanThreshold",
}  # fmt: skip


def _drift(world: World, key: Key) -> set[str]:
    client = world.session().client("cloudwatch")
    client.put_composite_alarm(
        AlarmName=key.name, AlarmRule=f'OK("{world["cpu"]["name"]}")', AlarmDescription="both",
        AlarmActions=[world["alerts"]["arn"]],
    )  # fmt: skip
    client.tag_resource(ResourceARN=world["example"]["arn"], Tags=[{"Key": "tier", "Value": "web"}])
    return {"all_of", "tags", "ok_actions"}


CASE = Case(
    needs=(
        Need("alerts", "aws.sns_topic", lambda world: {}),
        Need("cpu", "aws.cloudwatch_alarm", lambda world: _ALARM),
        Need("disk", "aws.cloudwatch_alarm", lambda world: {**_ALARM, "metric": "DiskQueueDepth"}),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-both",
        "description": "both",
        "all_of": [world["cpu"]["name"], world["disk"]["name"]],
        "alarm_actions": [world["alerts"]["arn"]],
        "ok_actions": [world["alerts"]["arn"]],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "description": "",
        "all_of": [world["disk"]["name"]],
        "actions_enabled": False,
        "alarm_actions": [],
        "ok_actions": [],
        "insufficient_data_actions": [world["alerts"]["arn"]],
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"all_of": None},
        {"any_of": ["a"]},
        {"all_of": []},
        {"all_of": None, "rule": "ALARM(a) AND"},
        {"all_of": None, "rule": "ALARM(a) XOR OK(b)"},
        {"all_of": None, "rule": "(ALARM(a)"},
        {"all_of": None, "rule": " OR ".join(f"ALARM(a{n})" for n in range(101))},
        {"suppressor": "a"},
        {"suppressor_wait": 10},
        {"alarm_actions": ["alerts"]},
    ),
)
