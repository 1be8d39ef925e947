"""aws.budget: tells people before the bill does.

CreateBudget takes tags, notifications and their subscribers at once, so a budget is never there without its owner.
Later changes are a call each: a notification has no name, what it says is its name. Budgets are the account's, of no
region.

Weakness: a budget of the whole account counts what others spend, too; ``filters`` narrows it to a tag or a service, and
a tag counts only once it is activated as a cost allocation tag.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_watch, tagged, tags
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.proof import Proof, Standing
from provisioner.resource import outright
from provisioner.spec import plain

_MOST: Final = 5
"""Notifications of one budget."""
_EMAIL: Final = r"^[^@\s]+@[^@\s]+$"


class Notification(resource.Spec, frozen=True, kw_only=True):
    """When to tell whom."""

    kind: Annotated[
        Literal["actual", "forecast"],
        Meta(description="What has been spent, or what will be by the end of the period."),
    ] = "actual"
    above: Annotated[float, Meta(gt=0, le=1_000_000_000, description="The line, in percent of the limit or its unit.")]
    absolute: Annotated[bool, Meta(description="Whether above is an amount in the budget's unit, not percent.")] = False
    emails: Annotated[
        list[Annotated[str, Meta(pattern=_EMAIL, max_length=50)]],
        Meta(max_length=10, description="Addresses that are told.", examples=[["ops@example.com"]]),
    ] = []
    topic: Annotated[
        Annotated[str, Meta(pattern=r"^arn:[a-z-]+:sns:")] | None,
        Meta(description="ARN of a topic that is told; its policy must let budgets.amazonaws.com publish."),
    ] = None


def _told(notifications: Sequence[Mapping[str, Any]]) -> str | None:
    """
    >>> _told([{"above": 80.0}])
    'notifications[0] tells nobody: give emails, topic or both'
    """
    lines = [_line(one) for one in notifications]
    for number, one in enumerate(notifications):
        if not one.get("emails") and not one.get("topic"):
            return f"notifications[{number}] tells nobody: give emails, topic or both"
        if lines[number] in lines[:number]:
            return f"notifications[{number}] has the line of an earlier one; give both subscribers to one"
    return None


def _line(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return one.get("kind", "actual"), float(one["above"]), bool(one.get("absolute"))


def _same(wanted: Sequence[Mapping[str, Any]], seen: Sequence[Mapping[str, Any]]) -> bool:
    ours, theirs = ({_line(one): _subscribers(one) for one in some} for some in (wanted, seen))
    return ours == theirs


def _same_filters(wanted: Mapping[str, Sequence[str]], seen: Mapping[str, Sequence[str]]) -> bool:
    ours, theirs = ({name: set(values) for name, values in some.items()} for some in (wanted, seen))
    return ours == theirs


@resource.resource("aws.budget")
class Budget(resource.Resource):
    """A limit for what AWS may cost in a period, and who is told on the way there."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A cost budget."""

        name: Annotated[
            Annotated[str, Meta(max_length=100)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        limit: Annotated[float, Meta(gt=0, le=1_000_000_000, description="Amount in unit for each period.")]
        unit: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="Currency of the account's bill.")] = "USD"
        period: Annotated[
            Literal["daily", "monthly", "quarterly", "annually"], Meta(description="When it begins anew.")
        ] = "monthly"
        filters: Annotated[
            dict[str, Annotated[list[str], Meta(min_length=1)]],
            Meta(
                description="Which costs count: AWS's CostFilters. Left out: all of the account.",
                examples=[{"TagKeyValue": ["user:project$app"]}, {"Service": ["Amazon Relational Database Service"]}],
            ),
        ] = {}
        notifications: Annotated[
            list[Notification],
            Meta(
                max_length=_MOST,
                description="Who is told when.",
                examples=[[{"above": 80, "emails": ["ops@example.com"]}]],
            ),
        ] = []
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str}
    charges = staticmethod(bill_watch.budget)
    rules = (rule(_told, "notifications"),)
    service = "budgets"
    name_pattern = r"(?!.*/action/)[^:\\]{1,100}"
    immutable = frozenset({"name"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "notifications": _same,
        "filters": _same_filters,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The budget, its tags, its notifications, and the subscribers of each."""
        try:
            found = self._call("describe_budget", key, BudgetName=key.name)["Budget"]
            notifications = [_seen(one, self._subscribers(key, one)) for one in self._notifications(key)]
            marks = tagged.known(self.session, self._arn(key), key.region) or self._tags(key)
        except NotFoundError:
            return None
        tagged.forget(self.session, self._arn(key))
        limit = found.get("BudgetLimit") or {}
        filters = {str(name): sorted(values) for name, values in (found.get("CostFilters") or {}).items()}
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(marks),
            spec={
                "limit": float(limit["Amount"]) if "Amount" in limit else None,
                "unit": limit.get("Unit"),
                "period": str(found["TimeUnit"]).lower(),
                "filters": filters,
                "notifications": sorted(notifications, key=_line),
                "tags": tags.visible(key, marks),
            },
            outputs={"name": key.name, "arn": self._arn(key)},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the budget with tags, notifications and subscribers in one call."""
        marks = tags.wanted(key, spec.tags)
        told = [
            {"Notification": _notification(one), "Subscribers": [_subscriber(who) for who in sorted(_of(one))]}
            for one in spec.notifications
        ]
        with outright():
            self._call(
                "create_budget",
                key,
                Budget=_budget(key, spec),
                NotificationsWithSubscribers=told,
                ResourceTags=tags.to_list(marks),
            )
        tagged.born(self.session, self._arn(key), marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets what differs: the budget itself in one call, then its notifications, then its tags."""
        tagged.forget(self.session, self._arn(key))
        found = self._call("describe_budget", key, BudgetName=key.name)["Budget"]
        if asked(changed, "limit", "unit", "period", "filters"):
            self._call("update_budget", key, NewBudget=_changed(found, key, spec, changed))
        if asked(changed, "notifications"):
            self._renotify(key, spec.notifications)
        plan = spec.tags if asked(changed, "tags") else None
        put, drop = tags.changes(key, plan, self._tags(key))
        if put:
            self._call("tag_resource", key, ResourceARN=self._arn(key), ResourceTags=tags.to_list(put))
        if drop:
            self._call("untag_resource", key, ResourceARN=self._arn(key), ResourceTagKeys=drop)

    def delete(self, key: Key) -> None:
        """Deletes the budget, its notifications with it."""
        tagged.forget(self.session, self._arn(key))
        with suppress(NotFoundError):
            self._call("delete_budget", key, BudgetName=key.name)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those budgets for their tags whose name has the deployment's in it."""
        account = self.session.account()
        listed = self.session.pages("budgets", "describe_budgets", "Budgets", region=region, AccountId=account)
        named = ((str(item["BudgetName"]), None) for item in listed)
        yield from tags.by_name(named, deployment, region, lambda place, _: self._tags(place))

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        tagged.forget(self.session, self._arn(key))
        self._call("tag_resource", key, ResourceARN=self._arn(key), ResourceTags=tags.to_list(tags.mark(key)))

    def prove(self, key: Key) -> Sequence[Proof]:
        """Whether it is there and tells somebody."""
        subject = f"budget {key.name}"
        try:
            told = self._notifications(key)
        except NotFoundError:
            return [Proof(Standing.FAILED, subject, "it is gone", "deploy makes it again")]
        if not told:
            return [Proof(Standing.FAILED, subject, "it tells nobody", "give it notifications")]
        return [Proof(Standing.OK, subject, f"{len(told)} notifications")]

    def _renotify(self, key: Key, wanted: Sequence[Notification]) -> None:
        """What is no longer wanted goes first: five is all there may be."""
        there = {_line(_seen(one, ())): one for one in self._notifications(key)}
        wish = {_line(plain(one)): one for one in wanted}
        for line in there.keys() - wish.keys():
            self._call("delete_notification", key, BudgetName=key.name, Notification=_bare(there[line]))
        for line, one in wish.items():
            place = {"BudgetName": key.name, "Notification": _notification(one)}
            if line not in there:
                told = [_subscriber(who) for who in sorted(_of(one))]
                self._call("create_notification", key, **place, Subscribers=told)
                continue
            has = {(str(who["SubscriptionType"]), str(who["Address"])) for who in self._subscribers(key, there[line])}
            for who in sorted(_of(one) - has):  # first who is new: the last one cannot be taken away
                self._call("create_subscriber", key, **place, Subscriber=_subscriber(who))
            for who in sorted(has - _of(one)):
                self._call("delete_subscriber", key, **place, Subscriber=_subscriber(who))

    def _notifications(self, key: Key) -> list[Mapping[str, Any]]:
        where = {"what": key.name, "region": key.region, "AccountId": self.session.account(), "BudgetName": key.name}
        return list(self.session.pages("budgets", "describe_notifications_for_budget", "Notifications", **where))

    def _subscribers(self, key: Key, notification: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        where = {"what": key.name, "region": key.region, "AccountId": self.session.account(), "BudgetName": key.name}
        told = {**where, "Notification": _bare(notification)}
        return list(self.session.pages("budgets", "describe_subscribers_for_notification", "Subscribers", **told))

    def _arn(self, key: Key) -> str:
        caller = self.session.caller()
        return f"arn:{caller['partition']}:budgets::{caller['account']}:budget/{key.name}"

    def _tags(self, key: Key) -> dict[str, str]:
        answer = self.session.call(
            "budgets", "list_tags_for_resource", what=key.name, region=key.region, ResourceARN=self._arn(key)
        )
        return tags.from_list(answer.get("ResourceTags"))

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        if "ResourceARN" not in parameters:
            parameters["AccountId"] = self.session.account()
        return self.session.call("budgets", operation, what=key.name, region=key.region, **parameters)


_KINDS: Final = {"actual": "ACTUAL", "forecast": "FORECASTED"}
Who = tuple[str, str]


def _subscribers(one: Mapping[str, Any]) -> set[Who]:
    topic = {("SNS", str(one["topic"]))} if one.get("topic") else set()
    return topic | {("EMAIL", str(address)) for address in one.get("emails") or ()}


def _of(one: Notification) -> set[Who]:
    return _subscribers(plain(one))


def _subscriber(who: Who) -> dict[str, str]:
    return {"SubscriptionType": who[0], "Address": who[1]}


def _notification(one: Notification) -> dict[str, Any]:
    return {
        "NotificationType": _KINDS[one.kind],
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": one.above,
        "ThresholdType": "ABSOLUTE_VALUE" if one.absolute else "PERCENTAGE",
    }


def _bare(found: Mapping[str, Any]) -> dict[str, Any]:
    """A notification as calls name it: without its state."""
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return {name: found[name] for name in names if name in found}


def _seen(found: Mapping[str, Any], subscribers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = {cloud: kind for kind, cloud in _KINDS.items()}
    topic = next((str(one["Address"]) for one in subscribers if one["SubscriptionType"] == "SNS"), None)
    # A notification of another comparison is none that a plan can ask for; the word keeps it from being taken for one.
    odd = "" if found["ComparisonOperator"] == "GREATER_THAN" else f" {found['ComparisonOperator']}"
    told: dict[str, Any] = {
        "kind": names[str(found["NotificationType"])] + odd,
        "above": float(found["Threshold"]),
        "absolute": found.get("ThresholdType") == "ABSOLUTE_VALUE",
        "emails": sorted(str(one["Address"]) for one in subscribers if one["SubscriptionType"] == "EMAIL"),
    }
    return told | ({"topic": topic} if topic else {})


def _budget(key: Key, spec: Budget.Spec) -> dict[str, Any]:
    return {
        "BudgetName": key.name,
        "BudgetType": "COST",
        "TimeUnit": spec.period.upper(),
        "BudgetLimit": {"Amount": _amount(spec.limit), "Unit": spec.unit},
        "CostFilters": {name: sorted(values) for name, values in spec.filters.items()},
    }


def _changed(found: Mapping[str, Any], key: Key, spec: Budget.Spec, changed: Collection[str]) -> dict[str, Any]:
    """UpdateBudget replaces the whole: what the plan may not touch goes along as it is."""
    told = {name: value for name, value in found.items() if name not in ("CalculatedSpend", "LastUpdatedTime")}
    wish = _budget(key, spec)
    fields = {"BudgetLimit": ("limit", "unit"), "TimeUnit": ("period",), "CostFilters": ("filters",)}
    for name, parts in fields.items():
        if asked(changed, *parts):
            told[name] = wish[name]
    if asked(changed, "period"):
        told.pop("TimePeriod", None)  # its start must fit the period
    told.pop("HealthStatus", None)
    return told


def _amount(limit: float) -> str:
    """
    >>> _amount(50.0), _amount(12.5)
    ('50', '12.5')
    """
    return f"{Decimal(str(limit)).normalize():f}"
