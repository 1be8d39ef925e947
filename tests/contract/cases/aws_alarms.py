"""aws.alarms."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    """One threshold is moved, one alarm deleted, one tag changed."""
    client = world.session().client("cloudwatch")
    names = [f"{key.name}-cpu-warning", f"{key.name}-storage-free-critical"]
    [cpu] = client.describe_alarms(AlarmNames=names[:1])["MetricAlarms"]
    told: tuple[str, ...] = (
        "AlarmName",
        "AlarmDescription",
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
    )
    told += ("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "AlarmActions", "OKActions")
    told += ("TreatMissingData",)
    client.put_metric_alarm(Threshold=99.0, **{name: cpu[name] for name in told})
    client.delete_alarms(AlarmNames=names[1:])
    client.tag_resource(ResourceARN=cpu["AlarmArn"], Tags=[{"Key": "tier", "Value": "web"}])
    return {"thresholds", "tags"}


CASE = Case(
    needs=(Need("alerts", "aws.sns_topic", lambda world: {}), Need("pager", "aws.sns_topic", lambda world: {})),
    spec=lambda world: {
        "name": f"{world.deployment}-db",
        "kind": "rds",
        "target": "app-db",
        "thresholds": {
            "cpu": {"warning": 70, "critical": 90},
            "connections": {"critical": 80},
            "storage_free": {"critical": 10},
            "read_latency": {"warning": 20},
        },
        "topic": world["alerts"]["arn"],
        "critical_topic": world["pager"]["arn"],
        "max_connections": 200,
        "allocated_storage": 20,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "thresholds": {"cpu": {"critical": 95}, "memory_free": {"warning": 10}, "connections": {"critical": 80}},
        "topic": world["pager"]["arn"],
        "critical_topic": world["alerts"]["arn"],
        "tell_ok": False,
        "max_connections": 400,
        "instance_class": "db.t3.small",
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"kind": "redis"},
        {"thresholds": {}},
        {"thresholds": {"cpu": {}}},
        {"thresholds": {"cpu": {"critical": 101}}},
        {"thresholds": {"cpu": {"critical": 0}}},
        {"thresholds": {"cpu": {"warning": 95, "critical": 90}}},
        {"thresholds": {"storage_free": {"warning": 5, "critical": 10}}},
        {"thresholds": {"processor": {"critical": 90}}},
        {"max_connections": None},
        {"allocated_storage": None},
        {"thresholds": {"memory_free": {"critical": 10}}},
        {"thresholds": {"memory_free": {"critical": 10}}, "instance_class": "db.huge"},
        {"max_allocated_storage": 100},
        {"topic": "alerts"},
    ),
)
