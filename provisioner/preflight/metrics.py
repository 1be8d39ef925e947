"""What is known of the metric that an alarm watches, and of the database, cache or bucket behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from provisioner.plan.outline import Item, Outline
from provisioner.preflight.rds import INSTANCES
from provisioner.rules.facts import table
from provisioner.rules.look import Look

_DATABASE, _CACHE, _BUCKET, _FUNCTION = "DBInstanceIdentifier", "CacheClusterId", "BucketName", "FunctionName"


class Watch(NamedTuple):
    """One alarm on one metric. ``facts``: the metric's row, empty where it is not known; ``target``: what it is of."""

    alarm: Item
    namespace: str
    metric: str
    facts: dict[str, Any]
    threshold: float
    rises: bool
    """Whether it rings above the threshold."""
    target: Item | None


def watches(look: Look) -> Iterator[Watch]:
    """Every alarm of the plan on one metric of AWS's."""
    for alarm in look.outline.of("aws.cloudwatch_alarm"):
        namespace, metric = alarm.get("namespace", ""), alarm.get("metric", "")
        threshold = alarm.get("threshold")
        if namespace not in table("metrics") or not metric or not isinstance(threshold, int | float):
            continue
        facts = table("metrics")[namespace]["metrics"].get(metric, {})
        rises = str(alarm.get("comparison_operator", "")).startswith("Greater")
        yield Watch(alarm, namespace, metric, facts, float(threshold), rises, _target(look.outline, alarm))


def _target(outline: Outline, alarm: Item) -> Item | None:
    dimensions = alarm.values.get("dimensions")
    if not isinstance(dimensions, dict):
        return None
    places = (
        (_DATABASE, INSTANCES),
        (_CACHE, ("aws.cache_replication_group",)),
        ("ReplicationGroupId", ("aws.cache_replication_group",)),
        (_BUCKET, ("aws.s3_bucket",)),
        (_FUNCTION, ("aws.lambda_function",)),
    )
    for dimension, types in places:
        name = dimensions.get(dimension)
        for item in outline.of(*types) if isinstance(name, str) else ():
            if item.name == name or (dimension == _CACHE and str(name).rpartition("-")[0] == item.name):
                return item
    return None
