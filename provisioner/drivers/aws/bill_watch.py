"""What CloudWatch, SNS and Budgets bill: the price list ``aws.watch``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from provisioner.charge import Charge, Uses, months
from provisioner.drivers.aws.alarm_words import LEVELS, WORDS, Lacking, Word

_HIGH: Final = 60
"""Seconds; an alarm with a shorter period is of high resolution."""
_FREE_ACTIONS: Final = 2
"""Budgets with actions that an account has for nothing."""


def log_group(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By what is written into it; what is kept follows from that and the retention, compressed to about a seventh."""
    written = use("ingest_gb", "GB of logs written")
    days = item.get("retention_days") or 0
    kept = use("kept_gb", "GB kept (what is written, as long as it is kept, at 15 %)", written * days / 30 * 15 / 100)
    return [
        months("aws.watch/logs-ingest", "logs written", written),
        months("aws.watch/logs-kept", "logs kept", kept, note=f"for {days} days" if days else "for ever"),
        months("aws.watch/logs-query", "Logs Insights", use("query_gb", "GB scanned by Logs Insights")),
    ]


def alarm(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """One alarm, by the metrics that it looks at; a period below a minute costs three times as much."""
    metrics = [each for each in item.get("metrics") or () if not _expression(each)]
    high = any(period < _HIGH for period in _periods(item, metrics))
    price = "aws.watch/alarm-high" if high else "aws.watch/alarm"
    count = len(metrics) or 1
    what = f"alarm on {count} metrics" if count > 1 else "alarm"
    return [months(price, what + (" of high resolution" if high else ""), count)]


def _expression(metric: Any) -> bool:
    return isinstance(metric, dict) and bool(metric.get("expression"))


def _periods(item: Any, metrics: list[Any]) -> list[int]:
    found = [each.get("period") for each in metrics if isinstance(each, dict)]
    periods = [period for period in found if isinstance(period, int)]
    return periods or [item.get("period") or 300]


def alarms(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """A set of alarms from words: one for each level of each word and node, by the metrics that it reads."""
    words = WORDS.get(item.get("kind", ""), {})
    facts = {field: known for field in item.values if (known := item.get(field)) is not None}
    nodes = facts.get("nodes", 1) if facts.get("kind") == "redis" else 1
    count = metrics = 0
    for name, levels in (item.get("thresholds") or {}).items():
        made = nodes * sum(1 for level in LEVELS if levels.get(level) is not None)
        count += made
        metrics += made * _lines(words.get(name), facts)
    what = f"{count} alarms" + (f" on {metrics} metrics" if metrics > count else "")
    return [months("aws.watch/alarm", what, metrics)]


def _lines(word: Word | None, facts: dict[str, Any]) -> int:
    """Metrics that a word's alarm looks at: several where it is maths."""
    try:
        return len(word.read(facts).lines) or 1 if word is not None else 1
    except Lacking:
        return 1


def composite(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """An alarm on alarms."""
    return [months("aws.watch/alarm-composite", "composite alarm")]


def dashboard(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """A dashboard of up to 50 metrics or more."""
    return [months("aws.watch/dashboard", "dashboard")]


def topic(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By what is published."""
    published = use("publishes", "messages published") / 1_000_000
    return [months("aws.watch/sns-publish", "publishes", published)]


def subscription(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By what is delivered; SMS have a price a country, which is not in the list."""
    protocol = item.get("protocol", "")
    kinds = {"email": "email", "email-json": "email", "http": "http", "https": "http"}
    if protocol in ("sqs", "lambda"):
        return []
    delivered = use("messages", f"messages delivered by {protocol}") / 100_000
    return [months(f"aws.watch/sns-{kinds.get(protocol, protocol)}", f"{protocol} messages", delivered)]


def budget(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """To be told of one is free; of those that act by themselves an account has two for nothing."""
    if not item.get("actions"):
        return []
    acting = [other for other in outline.of(item.type) if other.get("actions")]
    paid = Decimal(365) / 12 if acting.index(item) >= _FREE_ACTIONS else Decimal(0)
    return [months("aws.watch/budget-action", "budget with actions", paid, note="the first two are free")]
