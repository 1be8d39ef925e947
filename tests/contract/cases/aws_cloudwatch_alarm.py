"""aws.cloudwatch_alarm."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    client = world.session().client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=key.name, Namespace="AWS/RDS", MetricName="CPUUtilization", Statistic="Average", Period=60,
        EvaluationPeriods=5, DatapointsToAlarm=3, Threshold=99.0, ComparisonOperator="GreaterThanThreshold",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "app-db"}], AlarmActions=[world["alerts"]["arn"]],
        AlarmDescription="the database is busy", TreatMissingData="breaching", Unit="Percent",
        OKActions=[world["alerts"]["arn"]],
    )  # fmt: skip
    client.tag_resource(ResourceARN=world["example"]["arn"], Tags=[{"Key": "tier", "Value": "web"}])
    return {"threshold", "tags"}


CASE = Case(
    needs=(Need("alerts", "aws.sns_topic", lambda world: {}), Need("others", "aws.sns_topic", lambda world: {})),
    spec=lambda world: {
        "name": f"{world.deployment}-busy",
        "description": "the database is busy",
        "namespace": "AWS/RDS",
        "metric": "CPUUtilization",
        "dimensions": {"DBInstanceIdentifier": "app-db"},
        "statistic": "Average",
        "period": 60,
        "evaluation_periods": 5,
        "datapoints_to_alarm": 3,
        "threshold": 80,
        "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "breaching",
        "unit": "Percent",
        "alarm_actions": [world["alerts"]["arn"]],
        "ok_actions": [world["alerts"]["arn"]],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "description": "",
        "metric": "FreeableMemory",
        "namespace": "App/DB",
        "dimensions": {"Database": "app", "Role": "writer"},
        "statistic": "Maximum",
        "period": 3600,
        "evaluation_periods": 24,
        "datapoints_to_alarm": 24,
        "threshold": 0.5,
        "comparison_operator": "LessThanOrEqualToThreshold",
        "treat_missing_data": "notBreaching",
        "unit": "Bytes",
        "actions_enabled": False,
        "alarm_actions": [world["others"]["arn"], world["alerts"]["arn"]],
        "ok_actions": [],
        "insufficient_data_actions": [world["others"]["arn"]],
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"name": "x" * 256},
        {"statistic": None},
        {"extended_statistic": "p99"},
        {"statistic": None, "extended_statistic": "p101"},
        {"statistic": "Median"},
        {"period": 45},
        {"period": 60, "evaluation_periods": 1441, "datapoints_to_alarm": None},
        {"period": 3600, "evaluation_periods": 169, "datapoints_to_alarm": None},
        {"datapoints_to_alarm": 6},
        {"namespace": ":own"},
        {"comparison_operator": "GreaterThanUpperThreshold"},
        {"treat_missing_data": "zero"},
        {"alarm_actions": ["alerts"]},
        {"alarm_actions": [f"arn:aws:sns:us-east-1:123456789012:t{n}" for n in range(6)]},
        {"dimensions": {f"d{n}": "x" for n in range(31)}},
        {"dimensions": {"": "x"}},
    ),
)
