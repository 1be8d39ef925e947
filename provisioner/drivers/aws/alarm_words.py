"""What the words of ``aws.alarms`` mean: which metric, in which unit, on which side of the line, over how long.

A word's number is as people say it (percent, milliseconds, GiB); its alarm's threshold is in the metric's own unit,
with the capacity that the spec names. Each word also says what a period without data counts as, and why:

- ``missing`` for gauges of a server: one that says nothing is neither well nor busy, and the alarm says just that.
- ``notBreaching`` for counts of events: no value means that nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from provisioner.drivers.aws.class_sizes import size_of

GIB: Final = 2**30
MAX_CACHE_CONNECTIONS: Final = 65_000
"""What every node of ElastiCache takes."""
Facts = Mapping[str, Any]


class Lacking(ValueError):
    """A fact that a word needs and the spec does not name."""


class Reading(NamedTuple):
    """The metric that a word is read from; ``factor`` turns the word's number into the threshold.

    ``lines``: metrics (id, name) of the expression where it is maths; ``alone``: the expression has no metric.
    """

    metric: str
    factor: float = 1.0
    statistic: str = "Average"
    expression: str = ""
    lines: tuple[tuple[str, str], ...] = ()


class Word(NamedTuple):
    """``unit``: of the number in a plan. ``below``: low is bad. ``most``: what no number may exceed.

    ``minutes``: (period, periods): that many periods in a row, of that many minutes each.
    """

    unit: str
    read: Callable[[Facts], Reading]
    below: bool = False
    most: float | None = None
    minutes: tuple[int, int] = (1, 5)
    missing: Literal["missing", "notBreaching"] = "missing"


def _plain(metric: str, factor: float = 1.0, statistic: str = "Average") -> Callable[[Facts], Reading]:
    return lambda facts: Reading(metric, factor, statistic)


def _fact(facts: Facts, name: str, why: str) -> float:
    value = facts.get(name)
    if value is None:
        raise Lacking(f"needs {name}: {why}")
    return float(value)


def _connections(facts: Facts) -> Reading:
    limit = _fact(facts, "max_connections", "percent of how many")
    return Reading("DatabaseConnections", limit / 100)


def _storage_free(facts: Facts) -> Reading:
    size = _fact(facts, "allocated_storage", "percent of how many GiB")
    return Reading("FreeStorageSpace", size * GIB / 100, "Minimum")


def _storage_ceiling(facts: Facts) -> Reading:
    """CloudWatch knows what is free, not what is allocated; Performance Insights' counter of the file system does."""
    most = _fact(facts, "max_allocated_storage", "percent of how many GiB")
    if not facts.get("resource_id"):
        raise Lacking("needs resource_id: the size is a counter of Performance Insights, which goes by it")
    counter = f"DB_PERF_INSIGHTS('RDS', '{facts['resource_id']}', 'os.fileSys.total.avg')"
    return Reading("", expression=f"100 * {counter} / {most * GIB / 1024:.0f}")  # the counter is in KiB


def _memory_free(facts: Facts) -> Reading:
    return Reading("FreeableMemory", _size(facts).memory * GIB / 100)


def _size(facts: Facts) -> Any:
    name = str(facts.get("instance_class") or "")
    size = size_of(name)
    if size is None:
        raise Lacking(f"needs instance_class, and of {name!r} nothing is known" if name else "needs instance_class")
    return size


def _engine_cpu(facts: Facts) -> Reading:
    """One thread does the work: on a node of two vCPUs it is at its end when the host is at 50 %."""
    if facts.get("instance_class") is None:
        return Reading("EngineCPUUtilization")
    size = _size(facts)
    return Reading("EngineCPUUtilization") if size.vcpus > 2 else Reading("CPUUtilization", 1 / size.vcpus)


def _ratio(part: str, others: tuple[str, ...]) -> Callable[[Facts], Reading]:
    """Percent of ``part`` in the sum of ``others``; without any there is no value, for CloudWatch drops x / 0."""
    lines = tuple((_id(name), name) for name in dict.fromkeys((part, *others)))
    whole = " + ".join(_id(name) for name in others)
    expression = f"100 * {_id(part)} / ({whole})" if len(others) > 1 else f"100 * {_id(part)} / {whole}"
    return lambda facts: Reading("", statistic="Sum", expression=expression, lines=lines)


def _id(metric: str) -> str:
    return metric[0].lower() + metric[1:]


_RDS: Final = {
    "cpu": Word("%", _plain("CPUUtilization"), most=100),
    "connections": Word("% of max_connections", _connections, most=100),
    "connections_count": Word("connections", _plain("DatabaseConnections")),
    "memory_free": Word("% of the class's memory", _memory_free, below=True, most=100),
    "storage_free": Word("% of allocated_storage", _storage_free, below=True, most=100),
    "storage_ceiling": Word("% of max_allocated_storage", _storage_ceiling, most=100, minutes=(5, 1)),
    "replica_lag": Word("s", _plain("ReplicaLag")),
    "read_latency": Word("ms", _plain("ReadLatency", 0.001)),
    "write_latency": Word("ms", _plain("WriteLatency", 0.001)),
    "disk_queue": Word("requests", _plain("DiskQueueDepth")),
    "read_iops": Word("per second", _plain("ReadIOPS")),
    "write_iops": Word("per second", _plain("WriteIOPS")),
    "cpu_credits": Word("credits", _plain("CPUCreditBalance"), below=True, minutes=(5, 1)),
}
_REDIS: Final = {
    "cpu": Word("% of the engine's thread", _engine_cpu, most=100),
    "memory": Word("%", _plain("DatabaseMemoryUsagePercentage"), most=100),
    "evictions": Word("per minute", _plain("Evictions", 1.0, "Sum"), missing="notBreaching"),
    "hit_rate": Word(
        "%", _ratio("CacheHits", ("CacheHits", "CacheMisses")), below=True, most=100, missing="notBreaching"
    ),
    "connections": Word(
        f"% of {MAX_CACHE_CONNECTIONS}", _plain("CurrConnections", MAX_CACHE_CONNECTIONS / 100), most=100
    ),
    "replica_lag": Word("s", _plain("ReplicationLag"), missing="notBreaching"),  # a primary reports none
}
_LAMBDA: Final = {
    "duration": Word("ms", _plain("Duration", 1.0, "Maximum"), minutes=(5, 1), missing="notBreaching"),
    "error_rate": Word("%", _ratio("Errors", ("Invocations",)), most=100, minutes=(5, 1), missing="notBreaching"),
    "errors": Word("per 5 min", _plain("Errors", 1.0, "Sum"), minutes=(5, 1), missing="notBreaching"),
    "throttles": Word("per 5 min", _plain("Throttles", 1.0, "Sum"), minutes=(5, 1), missing="notBreaching"),
    "concurrency": Word("at once", _plain("ConcurrentExecutions", 1.0, "Maximum"), missing="notBreaching"),
}
_S3: Final = {
    # Each request reports 0 or 1, so the average is the rate.
    "errors_4xx": Word("% of requests", _plain("4xxErrors", 0.01), most=100, missing="notBreaching"),
    "errors_5xx": Word("% of requests", _plain("5xxErrors", 0.01), most=100, missing="notBreaching"),
    "latency": Word("ms", _plain("TotalRequestLatency", 1.0, "p95"), missing="notBreaching"),
    "first_byte": Word("ms", _plain("FirstByteLatency", 1.0, "p95"), missing="notBreaching"),
    "size": Word("GiB", _plain("BucketSizeBytes", GIB), minutes=(1440, 1)),
}
WORDS: Final[Mapping[str, Mapping[str, Word]]] = {"rds": _RDS, "redis": _REDIS, "lambda": _LAMBDA, "s3": _S3}
NAMESPACES: Final = {"rds": "AWS/RDS", "redis": "AWS/ElastiCache", "lambda": "AWS/Lambda", "s3": "AWS/S3"}
LEVELS: Final = ("warning", "critical")


def dimensions(kind: str, target: str, word: str, facts: Facts, node: int) -> dict[str, str]:
    """Which one of the metrics of that name.

    >>> dimensions("redis", "app", "cpu", {}, 2)
    {'CacheClusterId': 'app-002'}
    """
    if kind == "redis":
        return {"CacheClusterId": f"{target}-{node:03}"}
    if kind == "s3":
        more = {"StorageType": "StandardStorage"} if word == "size" else {"FilterId": str(facts["filter_id"])}
        return {"BucketName": target, **more}
    return {{"rds": "DBInstanceIdentifier", "lambda": "FunctionName"}[kind]: target}


def complaint(kind: str, thresholds: Mapping[str, Mapping[str, float]]) -> str | None:
    """What is no word, or could never ring.

    >>> complaint("rds", {"cpu": {"warning": 95, "critical": 90}})
    'cpu: warning (95) comes after critical (90); high is bad here'
    >>> complaint("redis", {"hit_rate": {"warning": 50, "critical": 70}})
    'hit_rate: warning (50) comes after critical (70); low is bad here'
    """
    for name, levels in thresholds.items():
        word = WORDS[kind].get(name)
        if word is None:
            return f"{kind} has no word {name!r}; it has {', '.join(WORDS[kind])}"
        given = {level: levels[level] for level in LEVELS if levels.get(level) is not None}
        if not given:
            return f"{name}: give warning, critical or both"
        if word.most is not None and max(given.values()) > word.most:
            return f"{name}: {max(given.values()):g} is more than there can be ({word.most:g} {word.unit})"
        if not word.below and min(given.values()) <= 0:
            return f"{name}: 0 is always reached"
        if len(given) == 2 and (given["warning"] - given["critical"]) * (-1 if word.below else 1) > 0:
            side = "low" if word.below else "high"
            numbers = f"warning ({given['warning']:g}) comes after critical ({given['critical']:g})"
            return f"{name}: {numbers}; {side} is bad here"
    return None


def lacking(kind: str, thresholds: Mapping[str, Any], facts: Facts) -> str | None:
    """The fact that a word needs and nobody named.

    >>> lacking("rds", {"connections": {"critical": 80}}, {})
    'connections: needs max_connections: percent of how many'
    """
    for name in thresholds:
        try:
            if name in WORDS[kind]:
                WORDS[kind][name].read(facts)
        except Lacking as err:
            return f"{name}: {err}"
    return None


def against_autoscaling(kind: str, thresholds: Mapping[str, Mapping[str, float]], most: int | None) -> str | None:
    """RDS adds storage when 10 % is free: a line there rings while all goes well.

    And it stays silent when RDS can add none.
    """
    free = [value for value in thresholds.get("storage_free", {}).values() if value is not None]
    if kind != "rds" or not most or "storage_ceiling" in thresholds:
        return None
    if free and max(free) >= 10:
        return (
            "storage_free at 10 % or more rings whenever storage autoscaling does its work, and nothing rings when it "
            "has reached max_allocated_storage: add storage_ceiling: {critical: 90}, or go below 10"
        )
    return None
