"""aws.budget."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    client, account = world.session().client("budgets"), world.session().account()
    place = {"AccountId": account, "BudgetName": key.name}
    [first, *_] = client.describe_notifications_for_budget(**place)["Notifications"]
    first.pop("NotificationState")
    client.delete_notification(Notification=first, **place)
    found = client.describe_budget(**place)["Budget"]
    client.update_budget(
        AccountId=account, NewBudget={**found, "BudgetLimit": {"Amount": "1000", "Unit": "USD"}, "CostFilters": {}}
    )
    client.tag_resource(ResourceARN=world["example"]["arn"], ResourceTags=[{"Key": "tier", "Value": "web"}])
    return {"limit", "filters", "notifications", "tags"}


CASE = Case(
    needs=(Need("alerts", "aws.sns_topic", lambda world: {}),),
    spec=lambda world: {
        "name": f"{world.deployment}-monthly",
        "limit": 50,
        "filters": {"Service": ["Amazon Relational Database Service"]},
        "notifications": [
            {"above": 50, "emails": ["ops@example.com", "cto@example.com"]},
            {"above": 40, "absolute": True, "topic": world["alerts"]["arn"]},
            {"kind": "forecast", "above": 100, "emails": ["ops@example.com"]},
        ],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "limit": 62.5,
        "period": "quarterly",
        "filters": {"TagKeyValue": ["user:team$platform"]},
        "notifications": [
            {"above": 50, "emails": ["dev@example.com"], "topic": world["alerts"]["arn"]},
            *({"above": 80 + n, "emails": ["ops@example.com"]} for n in range(4)),
        ],
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-others"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"name": "x" * 101},
        {"limit": 0},
        {"unit": "dollars"},
        {"period": "weekly"},
        {"notifications": [{"above": 80}]},
        {"notifications": [{"above": 80, "emails": ["ops"]}]},
        {"notifications": [{"above": 0, "emails": ["ops@example.com"]}]},
        {"notifications": [{"above": n + 1, "emails": ["ops@example.com"]} for n in range(6)]},
        {"notifications": [{"above": 80, "emails": ["ops@example.com"]}, {"above": 80, "emails": ["b@example.com"]}]},
    ),
)
