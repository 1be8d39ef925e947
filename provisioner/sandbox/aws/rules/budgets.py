"""Budgets: tags, notifications with their subscribers, and the limits that moto does not know.

moto keeps the budgets; everything is answered here. ``subscribers`` of one of moto's notifications is the list that
CreateNotification takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.strict import MAX_TAGS
from provisioner.sandbox.aws.wire import answer, parameters
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

SERVICE: Final = "budgets"
_INVALID: Final = "InvalidParameterException"
_MISSING: Final = "NotFoundException"
_TAKEN: Final = "DuplicateRecordException"
_MOST: Final = "CreationLimitExceededException"
_MOST_NOTIFICATIONS, _MOST_EMAILS = 5, 10
Wish = dict[str, Any]


def _named(services: Services) -> dict[str, Any]:
    services.world.moto.touch(SERVICE)
    named: dict[str, Any] = services.world.moto.backend(SERVICE, "us-east-1").budgets[ACCOUNT]
    return named


def _budget(services: Services, name: str) -> Any:
    found = _named(services).get(name)
    if found is None:
        raise AwsError(_MISSING, f"Unable to get budget: {name} - the budget doesn't exist.")
    return found


def _key(notification: Mapping[str, Any]) -> tuple[Any, ...]:
    kind = notification.get("ThresholdType", "PERCENTAGE")
    return notification["NotificationType"], notification["ComparisonOperator"], notification["Threshold"], kind


def _notification(budget: Any, wish: Mapping[str, Any]) -> Any:
    for one in budget.notifications:
        if _key(one.details) == _key(wish):
            return one
    raise AwsError(_MISSING, "The notification doesn't exist.")


def _check_subscribers(subscribers: Iterable[Mapping[str, str]]) -> None:
    seen = [(one["SubscriptionType"], one["Address"]) for one in subscribers]
    if not seen:
        raise AwsError(_INVALID, "A notification needs a subscriber")
    if len(set(seen)) < len(seen):
        raise AwsError(_TAKEN, "The subscriber already exists.")
    kinds = [kind for kind, _ in seen]
    if kinds.count("SNS") > 1 or kinds.count("EMAIL") > _MOST_EMAILS:
        raise AwsError(_MOST, f"A notification takes 1 SNS topic and {_MOST_EMAILS} e-mail addresses")
    for kind, address in seen:
        wanted = r"[^@\s]+@[^@\s]+" if kind == "EMAIL" else r"arn:aws[a-z-]*:sns:[^:]+:\d{12}:\S+"
        if not re.fullmatch(wanted, address):
            raise AwsError(_INVALID, f"{address} is not an address for {kind}")


def _check_budget(budget: Mapping[str, Any]) -> None:
    if bool(budget.get("BudgetLimit")) == bool(budget.get("PlannedBudgetLimits")):
        raise AwsError(_INVALID, "Only one of BudgetLimit or PlannedBudgetLimits can be present")
    limit = budget.get("BudgetLimit")
    if limit and not float(limit["Amount"]) > 0:
        raise AwsError(_INVALID, "The budget limit must be greater than 0")
    if budget["BudgetType"] == "COST" and limit and limit["Unit"] != "USD":
        raise AwsError(_INVALID, "The unit of a cost budget is the currency of the account: USD")


def create(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A budget with notifications, subscribers and tags at once."""
    from moto.budgets.models import Budget

    wish = parameters(call, _INVALID)
    budget, told = wish["Budget"], wish.get("NotificationsWithSubscribers") or []
    _check_budget(budget)
    if len(told) > _MOST_NOTIFICATIONS:
        raise AwsError(_MOST, f"A budget takes at most {_MOST_NOTIFICATIONS} notifications")
    for one in told:
        _check_subscribers(one["Subscribers"])
    if len({_key(one["Notification"]) for one in told}) < len(told):
        raise AwsError(_TAKEN, "The notification already exists.")
    tags = _tags(wish.get("ResourceTags") or [])
    with services.world.moto.lock(SERVICE):
        named = _named(services)
        if budget["BudgetName"] in named:
            raise AwsError(_TAKEN, f"Error creating budget: {budget['BudgetName']} - the budget already exists.")
        made: Any = Budget(dict(budget), told)
        made.tags = tags
        named[budget["BudgetName"]] = made
    return answer(call, {})


def update(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """The whole of a budget but its name."""
    from moto.budgets.models import Budget

    wish = parameters(call, _INVALID)
    _check_budget(wish["NewBudget"])
    with services.world.moto.lock(SERVICE):
        budget = _budget(services, wish["NewBudget"]["BudgetName"])
        budget.budget = Budget(dict(wish["NewBudget"]), []).budget
    return answer(call, {})


def describe(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """One, or all of the account."""
    wish = parameters(call, _INVALID)
    with services.world.moto.lock(SERVICE):
        if call.operation == "DescribeBudget":
            return answer(call, {"Budget": _budget(services, wish["BudgetName"]).to_dict()})
        return answer(call, {"Budgets": [one.to_dict() for _, one in sorted(_named(services).items())]})


def delete(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """With its notifications."""
    wish = parameters(call, _INVALID)
    with services.world.moto.lock(SERVICE):
        _budget(services, wish["BudgetName"])
        del _named(services)[wish["BudgetName"]]
    return answer(call, {})


def notify(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Notifications and subscribers: describe, create, delete."""
    wish = parameters(call, _INVALID)
    with services.world.moto.lock(SERVICE):
        budget = _budget(services, wish["BudgetName"])
        return answer(call, _NOTIFY[call.operation](budget, wish))


def _described(budget: Any, wish: Wish) -> Wish:
    return {"Notifications": [{**one.details, "NotificationState": "OK"} for one in budget.notifications]}


def _created(budget: Any, wish: Wish) -> Wish:
    _check_subscribers(wish["Subscribers"])
    if any(_key(one.details) == _key(wish["Notification"]) for one in budget.notifications):
        raise AwsError(_TAKEN, "The notification already exists.")
    if len(budget.notifications) >= _MOST_NOTIFICATIONS:
        raise AwsError(_MOST, f"A budget takes at most {_MOST_NOTIFICATIONS} notifications")
    budget.add_notification(wish["Notification"], list(wish["Subscribers"]))
    return {}


def _deleted(budget: Any, wish: Wish) -> Wish:
    budget.notifications.remove(_notification(budget, wish["Notification"]))
    return {}


def _told(budget: Any, wish: Wish) -> Wish:
    return {"Subscribers": list(_notification(budget, wish["Notification"]).subscribers)}


def _joined(budget: Any, wish: Wish) -> Wish:
    one = _notification(budget, wish["Notification"])
    _check_subscribers([*one.subscribers, wish["Subscriber"]])
    one.subscribers = [*one.subscribers, wish["Subscriber"]]
    return {}


def _left(budget: Any, wish: Wish) -> Wish:
    one = _notification(budget, wish["Notification"])
    if wish["Subscriber"] not in one.subscribers:
        raise AwsError(_MISSING, "The subscriber doesn't exist.")
    if len(one.subscribers) == 1:
        raise AwsError(_INVALID, "The last subscriber of a notification cannot be deleted")
    one.subscribers = [who for who in one.subscribers if who != wish["Subscriber"]]
    return {}


_NOTIFY: Final[Mapping[str, Callable[[Any, Wish], Wish]]] = {
    "DescribeNotificationsForBudget": _described,
    "CreateNotification": _created,
    "DeleteNotification": _deleted,
    "DescribeSubscribersForNotification": _told,
    "CreateSubscriber": _joined,
    "DeleteSubscriber": _left,
}
NOTIFY: Final = tuple(_NOTIFY)


def tag(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """ListTagsForResource, TagResource, UntagResource of a budget that there is."""
    wish = parameters(call, _INVALID)
    with services.world.moto.lock(SERVICE):
        budget = _budget(services, wish["ResourceARN"].partition(":budget/")[2])
        has: dict[str, str] = getattr(budget, "tags", {})
        if call.operation == "ListTagsForResource":
            return answer(call, {"ResourceTags": [{"Key": key, "Value": value} for key, value in has.items()]})
        wanted = has | _tags(wish.get("ResourceTags") or [])
        if len(wanted) > MAX_TAGS:
            raise AwsError("ServiceQuotaExceededException", f"at most {MAX_TAGS} tags on one resource")
        budget.tags = {key: v for key, v in wanted.items() if key not in (wish.get("ResourceTagKeys") or [])}
    return answer(call, {})


def _tags(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    tags = {one["Key"]: one["Value"] for one in given}
    if any(key.lower().startswith("aws:") for key in tags):
        raise AwsError(_INVALID, "the prefix aws: is reserved")
    return tags
