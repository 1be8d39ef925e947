"""Event subscriptions: RDS tells SNS topics what happens; and the events themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.rds.state import GONE, RdsRegion, Subscription
from provisioner.sandbox.aws.strict import Params, Result, page
from provisioner.sandbox.settings import ACCOUNT

CATEGORIES: Final = {
    "db-instance": (
        "availability", "backtrack", "backup", "configuration change", "creation", "deletion", "failover", "failure",
        "low storage", "maintenance", "notification", "read replica", "recovery", "restoration", "security",
        "security patching",
    ),
    "db-security-group": ("configuration change", "failure"),
    "db-parameter-group": ("configuration change",),
    "db-snapshot": ("creation", "deletion", "notification", "restoration"),
    "db-cluster": (
        "configuration change", "creation", "deletion", "failover", "failure", "maintenance", "notification",
    ),
    "db-cluster-snapshot": ("backup",),
    "custom-engine-version": ("creation", "failure", "restoring"),
    "db-proxy": ("configuration change", "creation", "deletion", "failure"),
    "blue-green-deployment": ("creation", "deletion", "failure", "notification"),
}  # fmt: skip
_MAX_NAME: Final = 255


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateEventSubscription."""
    name = p["SubscriptionName"]
    if not 1 <= len(name) < _MAX_NAME:
        raise AwsError("InvalidParameterValue", f"SubscriptionName has 1 to {_MAX_NAME - 1} characters")
    if name in region.subscriptions:
        raise AwsError("SubscriptionAlreadyExist", f"Event Subscription {name} already exists.")
    subscription = Subscription(
        name=name,
        topic=_topic(region, p["SnsTopicArn"]),
        source_type=p.get("SourceType", ""),
        sources=sorted(set(p.get("SourceIds", []))),
        categories=sorted(set(p.get("EventCategories", []))),
        enabled=p.get("Enabled", True),
        created=region.world.wall(),
        lifecycle=Lifecycle(region.world.now, "active"),
    )
    _check(region, subscription)
    _follow(subscription, call, "creating")
    region.tag(region.arn("es", name), p.get("Tags", []))
    region.subscriptions[name] = subscription
    return {"EventSubscription": _view(region, subscription)}


def _follow(subscription: Subscription, call: Call, status: str, rest: str = "active") -> None:
    """Send it on its way; no-permission is where RDS puts one whose topic it may no longer publish to."""
    stages = [Stage(status, held=call.held)] if call.held else []
    if call.outcome == "ready-then-failed":
        stages.append(Stage("active", call.outcome_delay))
    failed = call.outcome in ("failed", "ready-then-failed")
    subscription.lifecycle.follow(stages, rest="no-permission" if failed else rest)


def _topic(region: RdsRegion, arn: str) -> str:
    if not region.world.neighbours.topic_exists(arn):
        raise AwsError("SNSTopicArnNotFound", f"SNS topic {arn} does not exist")
    return arn


def _check(region: RdsRegion, s: Subscription) -> None:
    if s.source_type and s.source_type not in CATEGORIES:
        raise AwsError("InvalidParameterValue", f"Unknown source type: {s.source_type}")
    if s.sources and not s.source_type:
        raise AwsError("InvalidParameterCombination", "SourceIds need a SourceType")
    allowed = CATEGORIES[s.source_type] if s.source_type else {c for known in CATEGORIES.values() for c in known}
    for category in s.categories:
        if category not in allowed:
            raise AwsError(
                "SubscriptionCategoryNotFound",
                f"Event category {category} does not exist for {s.source_type or 'any source'}",
            )
    homes: dict[str, Any] = {
        "db-instance": region.instances,
        "db-parameter-group": region.parameter_groups,
        "db-snapshot": region.snapshots,
        "db-proxy": {proxy.name for proxy in region.proxies.values()},
    }
    for source in s.sources:
        if source not in homes.get(s.source_type, {}):
            raise AwsError("SourceNotFound", f"Source {source} does not exist")


def _view(region: RdsRegion, s: Subscription) -> dict[str, Any]:
    return {
        "CustomerAwsId": ACCOUNT,
        "CustSubscriptionId": s.name,
        "SnsTopicArn": s.topic,
        "Status": s.lifecycle.status if region.world.neighbours.topic_exists(s.topic) else "topic-not-exist",
        "SubscriptionCreationTime": s.created.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        "SourceType": s.source_type or None,
        "SourceIdsList": s.sources,
        "EventCategoriesList": s.categories,
        "Enabled": s.enabled,
        "EventSubscriptionArn": region.arn("es", s.name),
    }


def _find(region: RdsRegion, name: str) -> Subscription:
    if name not in region.subscriptions:
        raise AwsError("SubscriptionNotFound", f"Event Subscription {name} not found.")
    return region.subscriptions[name]


def _at_rest(region: RdsRegion, name: str) -> Subscription:
    subscription = _find(region, name)
    if subscription.lifecycle.busy:
        raise AwsError("InvalidEventSubscriptionState", f"{name} is {subscription.lifecycle.status}")
    return subscription


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeEventSubscriptions."""
    if p.get("SubscriptionName"):
        return {"EventSubscriptionsList": [_view(region, _find(region, p["SubscriptionName"]))]}
    shown, marker = page(list(region.subscriptions.values()), p, lambda s: s.name)
    return {"EventSubscriptionsList": [_view(region, s) for s in shown], "Marker": marker}


def modify(region: RdsRegion, p: Params, call: Call) -> Result:
    """ModifyEventSubscription."""
    old = _at_rest(region, p["SubscriptionName"])
    new = Subscription(
        name=old.name,
        topic=_topic(region, p["SnsTopicArn"]) if p.get("SnsTopicArn") else old.topic,
        source_type=p.get("SourceType", old.source_type),
        sources=old.sources,
        categories=sorted(set(p.get("EventCategories", old.categories))),
        enabled=p.get("Enabled", old.enabled),
        created=old.created,
        lifecycle=Lifecycle(region.world.now, "active"),
    )
    _check(region, new)
    _follow(new, call, "modifying")
    region.subscriptions[old.name] = new
    return {"EventSubscription": _view(region, new)}


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteEventSubscription."""
    subscription = _at_rest(region, p["SubscriptionName"])
    answer = _view(region, subscription) | {"Status": "deleting"}
    subscription.lifecycle = Lifecycle(region.world.now, "deleting")
    _follow(subscription, call, "deleting", GONE)
    region.settle()
    return {"EventSubscription": answer}


def add_source(region: RdsRegion, p: Params, call: Call) -> Result:
    """AddSourceIdentifierToSubscription."""
    subscription = _find(region, p["SubscriptionName"])
    before = subscription.sources
    subscription.sources = sorted({*before, p["SourceIdentifier"]})
    try:
        _check(region, subscription)
    except AwsError:
        subscription.sources = before
        raise
    return {"EventSubscription": _view(region, subscription)}


def remove_source(region: RdsRegion, p: Params, call: Call) -> Result:
    """RemoveSourceIdentifierFromSubscription."""
    subscription = _find(region, p["SubscriptionName"])
    if p["SourceIdentifier"] not in subscription.sources:
        raise AwsError("SourceNotFound", f"Source {p['SourceIdentifier']} is not in the subscription")
    subscription.sources = [s for s in subscription.sources if s != p["SourceIdentifier"]]
    return {"EventSubscription": _view(region, subscription)}


def describe_categories(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeEventCategories."""
    wish = p.get("SourceType")
    return {
        "EventCategoriesMapList": [
            {"SourceType": kind, "EventCategories": list(names)}
            for kind, names in CATEGORIES.items()
            if wish in (None, kind)
        ]
    }


def describe_events(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeEvents: the last hour's, unless told otherwise."""
    end = p.get("EndTime") or region.world.wall()
    begin = p.get("StartTime") or end - timedelta(minutes=p.get("Duration", 60))
    found = [
        (number, event)
        for number, event in enumerate(region.events)
        if begin <= event.at <= end
        and p.get("SourceIdentifier", event.source) == event.source
        and p.get("SourceType", event.source_type) == event.source_type
    ]
    shown, marker = page(found, p, lambda pair: f"{pair[0]:09d}")
    return {
        "Events": [
            {
                "SourceIdentifier": e.source,
                "SourceType": e.source_type,
                "Message": e.message,
                "EventCategories": e.categories,
                "Date": e.at,
            }
            for _, e in shown
        ],
        "Marker": marker,
    }
