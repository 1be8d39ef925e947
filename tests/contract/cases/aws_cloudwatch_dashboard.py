"""aws.cloudwatch_dashboard."""

import json

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World

_CPU = {"namespace": "AWS/RDS", "metric": "CPUUtilization", "dimensions": {"DBInstanceIdentifier": "app-db"}}


def _drift(world: World, key: Key) -> set[str]:
    """Somebody moves a widget, makes the graphs shorter and takes a tag off."""
    client = world.session().client("cloudwatch")
    body = json.loads(client.get_dashboard(DashboardName=key.name)["DashboardBody"])
    body["widgets"][1]["y"] = 40
    client.put_dashboard(DashboardName=key.name, DashboardBody=json.dumps({**body, "start": "-PT1H"}))
    client.untag_resource(ResourceARN=world["example"]["arn"], TagKeys=["tier"])
    return {"widgets", "start", "tags"}


CASE = Case(
    spec=lambda world: {
        "name": f"{world.deployment}-database",
        "start": "-PT3H",
        "period_override": "inherit",
        "widgets": [
            {"type": "text", "markdown": "# Database"},
            {
                "type": "metric",
                "title": "CPU",
                "metrics": [
                    {**_CPU, "label": "busy", "id": "cpu", "statistic": "p99"},
                    {"expression": "100 - cpu", "label": "idle", "right_axis": True},
                ],
                "lowest": 0,
                "highest": 100,
                "marks": [{"value": 90, "label": "critical"}],
            },
            {"type": "metric", "metrics": [_CPU], "view": "singleValue", "width": 6, "period": 60, "statistic": "Sum"},
            {"type": "alarm", "title": "Alarms", "alarms": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"]},
            {"type": "log", "title": "Slow", "log_groups": ["/aws/rds/a"], "query": "fields @message | limit 20"},
            {"type": "raw", "body": {"type": "explorer", "properties": {"metrics": []}}},
        ],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "widgets": [
            {"type": "metric", "metrics": [{**_CPU, "visible": False}], "stacked": True, "region": "eu-west-1"}
        ],
        "start": "-P1W",
        "period_override": "auto",
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"name": "x" * 256},
        {"widgets": []},
        {"widgets": [{"type": "text"}]},
        {"widgets": [{"type": "text", "markdown": "x", "query": "y"}]},
        {"widgets": [{"type": "metric", "metrics": []}]},
        {"widgets": [{"type": "metric", "metrics": [{"metric": "CPUUtilization"}]}]},
        {"widgets": [{"type": "metric", "metrics": [_CPU], "view": "gauge"}]},
        {"widgets": [{"type": "log", "query": "fields @message"}]},
        {"widgets": [{"type": "alarm", "alarms": ["busy"]}]},
        {"widgets": [{"type": "text", "markdown": "x", "width": 25}]},
        {"start": "yesterday"},
    ),
)
