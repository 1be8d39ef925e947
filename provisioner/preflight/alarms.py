"""Alarms that cannot fire, or that nobody hears."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from provisioner.plan.outline import Item, unknown
from provisioner.preflight.book import AWS, CACHE_GUIDE, RDS_GUIDE, WATCH_GUIDE, rule
from provisioner.preflight.capacity import room_of
from provisioner.preflight.metrics import Watch, watches
from provisioner.preflight.rds import INSTANCES
from provisioner.rules.facts import size_of, table
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

_ALARMS: Final = f"{WATCH_GUIDE}/AlarmThatSendsEmail.html"
_RDS: Final = f"{RDS_GUIDE}/rds-metrics.html"
_GIB: Final = 1 << 30
_SMALLEST_BYTES: Final = 1 << 20


@rule("alarm.metric", Level.WARNING, source=_RDS, hint="check its spelling: an alarm on no metric never fires")
def metric(look: Look) -> Iterator[Hit]:
    """An alarm watches a metric that the service is not known to report."""
    for watch in watches(look):
        if not watch.facts:
            names = table("metrics")[watch.namespace]["metrics"]
            near = get_close_matches(watch.metric, names, n=1, cutoff=0.6)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            yield on(watch.alarm, "metric", f"{watch.namespace} has no metric {watch.metric!r} that is known{meant}")


@rule(
    "alarm.unit",
    Level.ERROR,
    source=f"{AWS}/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
    hint="leave the unit out: CloudWatch then takes whatever is reported",
)
def unit(look: Look) -> Iterator[Hit]:
    """An alarm takes only values of a unit that its metric is never reported in."""
    for watch in watches(look):
        asked, own = watch.alarm.get("unit"), watch.facts.get("unit")
        if asked and own and asked != own:
            yield on(watch.alarm, "unit", f"{watch.metric} is reported in {own}, never in {asked}")


@rule("alarm.direction", Level.ERROR, source=_ALARMS, hint="turn comparison_operator round")
def direction(look: Look) -> Iterator[Hit]:
    """An alarm rings on the side of its threshold that is good news."""
    for watch in watches(look):
        bad = watch.facts.get("bad")
        if bad and watch.rises != (bad == "high"):
            side, worse = ("above", "low") if watch.rises else ("below", "high")
            message = f"it rings {side} {watch.threshold:g}, and of {watch.metric} a {worse} value is bad"
            yield on(watch.alarm, "comparison_operator", message)


@rule("alarm.out-of-reach", Level.ERROR, source=_RDS)
def out_of_reach(look: Look) -> Iterator[Hit]:
    """A threshold lies where its metric never comes."""
    for watch in watches(look):
        most, line = watch.facts.get("most"), watch.threshold
        operator = str(watch.alarm.get("comparison_operator", ""))
        if most is not None and watch.rises and (line > most or (line == most and "Equal" not in operator)):
            hint = "it is reported in seconds: 20 ms are 0.02" if watch.facts["unit"] == "Seconds" else ""
            yield on(
                watch.alarm,
                "threshold",
                f"{watch.metric} never comes above {most}, and this waits for {line:g}",
                hint=hint,
            )
        elif not watch.rises and watch.facts and (line < 0 or (line == 0 and "Equal" not in operator)):
            yield on(watch.alarm, "threshold", f"{watch.metric} never comes below 0")
        elif watch.rises and line > 0 and watch.facts.get("unit") == "Percent" and line < 1:
            hint = f"write {line * 100:g}"
            yield on(watch.alarm, "threshold", f"{watch.metric} is in percent; {line:g} is a fraction", hint=hint)


@rule("alarm.bytes", Level.ERROR, source=_RDS)
def bytes_meant(look: Look) -> Iterator[Hit]:
    """A threshold of a metric in bytes is so small that percent or GiB must be meant."""
    for watch in watches(look):
        if watch.facts.get("unit") == "Bytes" and not watch.rises and 0 < watch.threshold < _SMALLEST_BYTES:
            size = watch.target.get("allocated_storage") if watch.target is not None else None
            hint = "write the bytes"
            if watch.metric == "FreeStorageSpace" and isinstance(size, int):
                hint = f"{watch.threshold:g}% of {size} GiB are {round(size * _GIB * watch.threshold / 100)} bytes"
            yield on(
                watch.alarm, "threshold", f"{watch.metric} is in bytes; {watch.threshold:g} is never reached", hint=hint
            )


@rule(
    "alarm.storage-grows",
    Level.WARNING,
    source=f"{RDS_GUIDE}/USER_PIOPS.Autoscaling.html",
    hint="ring well above a tenth, or watch what is left up to max_allocated_storage",
)
def storage_grows(look: Look) -> Iterator[Hit]:
    """An alarm on free storage rings at the same moment in which the storage grows by itself."""
    for watch in watches(look):
        if watch.metric != "FreeStorageSpace" or watch.rises or watch.target is None:
            continue
        size, most = watch.target.get("allocated_storage"), watch.target.get("max_allocated_storage")
        if isinstance(size, int) and most and _SMALLEST_BYTES <= watch.threshold <= size * _GIB / 10:
            share = watch.threshold / (size * _GIB) * 100
            message = f"it rings at {share:.0f}% of {size} GiB, and at 10% RDS adds storage, up to {most} GiB"
            yield on(watch.alarm, "threshold", message)


@rule(
    "alarm.connections",
    Level.WARNING,
    source=f"{RDS_GUIDE}/CHAP_Limits.html#RDS_Limits.MaxConnections",
    hint="watch a share of max_connections",
)
def connections(look: Look) -> Iterator[Hit]:
    """A number of connections is watched that has nothing to do with how many there can be."""
    for watch in watches(look):
        if watch.metric != "DatabaseConnections" or not watch.rises or watch.target is None:
            continue
        most = room_of(look.outline, watch.target).connections
        share = watch.threshold / most * 100 if most else 0
        if most and watch.threshold >= most:
            message = f"{watch.threshold:g} connections are never reached: {watch.target.step.name} has {most}"
            yield on(watch.alarm, "threshold", message, hint=f"80% are {most * 8 // 10}", level=Level.ERROR)
        elif most and not 50 <= share <= 95:
            message = f"{watch.threshold:g} is {share:.0f}% of the {most} connections that {watch.target.step.name} has"
            yield on(watch.alarm, "threshold", message, hint=f"80% are {most * 8 // 10}")


@rule("alarm.redis-cpu", Level.WARNING, source=f"{CACHE_GUIDE}/CacheMetrics.WhichShouldIMonitor.html")
def redis_cpu(look: Look) -> Iterator[Hit]:
    """An alarm on the CPU of a cache's host, of which Redis uses one core alone, comes too late or never."""
    for watch in watches(look):
        if watch.namespace != "AWS/ElastiCache" or watch.metric != "CPUUtilization" or watch.target is None:
            continue
        size = size_of(watch.target.get("node_type", ""))
        if size is not None and size.vcpus > 1 and watch.threshold > 90 / size.vcpus:
            hint = f"watch EngineCPUUtilization, or ring at {90 / size.vcpus:g}"
            message = f"of {size.vcpus} vCPUs Redis uses one: it is saturated at {100 / size.vcpus:g}%"
            yield on(watch.alarm, "threshold", message, hint=hint)


def _missing(watch: Watch, look: Look) -> str:
    """What the metric would need that is not there; empty where it is there, or nobody knows."""
    needs, target = watch.facts.get("needs"), watch.target
    if needs == "requests":
        return "S3 counts requests only where the bucket has a metrics configuration, which this one has not"
    if target is None:
        return ""
    kind = target.get("instance_class", target.get("node_type", "")).split(".")
    storage = target.get("storage_type", "gp3")
    absent = {
        "burstable": (len(kind) == 3 and not kind[1].startswith("t"), f"{'.'.join(kind)} has no CPU credits"),
        "gp2": (storage != "gp2", f"storage of type {storage} has no burst credits"),
        "replica": (target.type != "aws.rds_read_replica", "only a read replica lags"),
        "insights": (not target.get("performance_insights", False), "it is reported only with performance_insights"),
        "nodes": (target.get("num_nodes", 2) < 2, "with one node nothing is replicated"),
    }
    lacking, why = absent.get(str(needs), (False, ""))
    return why if lacking else ""


@rule("alarm.not-reported", Level.ERROR, source=_RDS, hint="take the alarm out, or switch on what it needs")
def not_reported(look: Look) -> Iterator[Hit]:
    """An alarm watches a metric that is not reported the way things are set."""
    for watch in watches(look):
        missing = _missing(watch, look)
        if missing:
            level = Level.WARNING if watch.facts.get("needs") == "requests" else None
            yield on(watch.alarm, "metric", f"{watch.metric} will have no data: {missing}", level=level)


@rule(
    "alarm.dimension",
    Level.ERROR,
    source=f"{RDS_GUIDE}/dimensions.html",
    hint="an alarm watches the one metric that has exactly these dimensions",
)
def dimension(look: Look) -> Iterator[Hit]:
    """An alarm names no dimension, or one that the service does not use."""
    for watch in watches(look):
        known = table("metrics")[watch.namespace]["dimensions"]
        given: Any = watch.alarm.values.get("dimensions") or {}
        strange = [name for name in given if name not in known]
        if strange or (not given and watch.namespace != "AWS/Lambda"):
            what = f"{', '.join(strange)}: not known" if strange else "there is none"
            yield on(watch.alarm, "dimensions", f"{watch.namespace} has {known[0]}; {what}")


@rule(
    "alarm.stranger",
    Level.WARNING,
    source=f"{RDS_GUIDE}/dimensions.html",
    hint="refer to the step: ${db.name}; a cache reports by node: ${cache.name}-001",
)
def stranger(look: Look) -> Iterator[Hit]:
    """An alarm watches a database or cache that is not in the plan."""
    outline = look.outline
    there = {"AWS/RDS": INSTANCES, "AWS/ElastiCache": ("aws.cache_replication_group",)}
    for watch in watches(look):
        types = there.get(watch.namespace, ())
        given: Any = watch.alarm.values.get("dimensions") or {}
        named = given.get("DBInstanceIdentifier") or given.get("CacheClusterId")
        if watch.target is None and named and not unknown(named) and any(outline.of(*types)):
            yield on(watch.alarm, "dimensions", f"no step makes {named}")


@rule("alarm.silent", Level.WARNING, source=_ALARMS, hint='alarm_actions: ["${alerts.arn}"]')
def silent(look: Look) -> Iterator[Hit]:
    """Nobody is told when an alarm rings."""
    outline = look.outline
    inner = {
        link.step.name
        for item in outline.of("aws.composite_alarm")
        for field in item.step.tree
        for link in outline.links(item, field)
    }
    for alarm in outline.of("aws.cloudwatch_alarm"):
        if alarm.step.name not in inner and (not alarm.sets("alarm_actions") or not alarm.get("actions_enabled", True)):
            yield on(alarm, "", "it rings and nobody hears it")


@rule(
    "alarm.no-subscriber",
    Level.WARNING,
    source=f"{AWS}/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html",
    hint="an aws.sns_subscription, which somebody then confirms",
)
def no_subscriber(look: Look) -> Iterator[Hit]:
    """Alarms and events go to a topic of the plan that nobody has subscribed to."""
    outline = look.outline
    for topic in outline.of("aws.sns_topic"):
        users = outline.users(topic)
        if users and not any(user.type == "aws.sns_subscription" for user in users):
            yield on(topic, "", "nobody has subscribed to it")


@rule("alarm.sum", Level.ERROR, source=f"{WATCH_GUIDE}/Statistics-definitions.html", hint="Average, or Maximum")
def summed(look: Look) -> Iterator[Hit]:
    """Values are added up that are no amounts: percentages, latencies, what is free."""
    for watch in watches(look):
        adds = watch.alarm.get("statistic") == "Sum"
        if adds and (watch.facts.get("unit") in ("Percent", "Seconds") or watch.facts.get("bad") == "low"):
            yield on(watch.alarm, "statistic", f"the sum of {watch.metric} grows with the number of values")


@rule(
    "alarm.period",
    Level.ERROR,
    source=f"{WATCH_GUIDE}/publishingMetrics.html#high-resolution-metrics",
    hint="60 or more",
)
def period(look: Look) -> Iterator[Hit]:
    """An alarm looks at seconds, and the service reports once a minute."""
    for watch in watches(look):
        seconds = watch.alarm.get("period", 300)
        if isinstance(seconds, int) and seconds < 60:
            yield on(
                watch.alarm, "period", f"{watch.namespace} reports once a minute; periods of {seconds} s are empty"
            )


def _by_topic(item: Item) -> bool:
    return item.sets("topic_arn")


@rule(
    "alarm.events",
    Level.WARNING,
    source=f"{RDS_GUIDE}/USER_Events.html",
    hint="an aws.rds_event_subscription for failover, failure and low storage",
)
def events(look: Look) -> Iterator[Hit]:
    """A database with a standby: nobody is told of its failover."""
    outline = look.outline
    told = any(_by_topic(item) for item in outline.of("aws.rds_event_subscription"))
    for item in outline.of("aws.rds_instance"):
        if item.get("multi_az", True) and not told:
            yield on(item, "multi_az", "a failover goes unnoticed")
