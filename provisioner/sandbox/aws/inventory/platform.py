"""The objects of the services that a database layer uses besides databases and network; one function a service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from provisioner.model import OWNER_TAG
from provisioner.sandbox.aws.inventory.item import Item, as_dict, owner_of

_ALIAS_TAG: Final = "provisioner:alias/"
"""A key's tag with the owner of one of its aliases: an alias carries no tags."""


def kms(backend: Any, everything: bool) -> Iterator[Item]:
    """Keys of the customer's and their aliases; keys that are pending deletion only on request."""
    for key in backend.keys.values():
        if key.key_manager != "CUSTOMER" or (key.key_state == "PendingDeletion" and not everything):
            continue
        tags = backend.tagger.get_tag_dict_for_resource(key.id)
        names = [alias.alias_name for alias in key.aliases.values()]
        if any(name.startswith("alias/aws/") for name in names):
            continue
        yield Item("kms", "key", key.arn, names[0] if names else key.id, tags.get(OWNER_TAG, ""))
        for alias in key.aliases.values():
            mark = _ALIAS_TAG + alias.alias_name.removeprefix("alias/")
            yield Item("kms", "alias", alias.alias_arn, alias.alias_name, tags.get(mark, ""))


def iam(backend: Any, everything: bool) -> Iterator[Item]:
    """Roles (their inline policies go with them), policies, users, groups, profiles; none of AWS's own."""
    for role in backend.roles.values():
        if not role.path.startswith("/aws-service-role/"):
            yield Item("iam", "role", role.arn, role.name, owner_of(role.tags))
    for policy in backend.managed_policies.values():
        if ":iam::aws:" not in policy.arn:
            yield Item("iam", "policy", policy.arn, policy.name, owner_of(policy.tags))
    for user in backend.users.values():
        yield Item(
            "iam", "user", user.arn, user.name, backend.tagger.get_tag_dict_for_resource(user.arn).get(OWNER_TAG, "")
        )
    for group in backend.groups.values():
        yield Item("iam", "group", group.arn, group.name)
    for profile in backend.instance_profiles.values():
        yield Item("iam", "instance-profile", profile.arn, profile.name, owner_of(profile.tags))


def secretsmanager(backend: Any, everything: bool) -> Iterator[Item]:
    """Secrets; those that are scheduled for deletion only on request."""
    for secret in dict.values(backend.secrets):
        if everything or getattr(secret, "deleted_date", None) is None:
            yield Item("secretsmanager", "secret", secret.arn, secret.name, owner_of(getattr(secret, "tags", None)))


def s3(backend: Any, everything: bool) -> Iterator[Item]:
    """Buckets; what is in them goes with them."""
    for bucket in backend.buckets.values():
        tags = backend.tagger.get_tag_dict_for_resource(bucket.arn)
        yield Item("s3", "bucket", bucket.arn, bucket.name, tags.get(OWNER_TAG, ""))


def sns(backend: Any, everything: bool) -> Iterator[Item]:
    """Topics and subscriptions; the owner of a subscription stands on its topic, under a digest of its endpoint."""
    for topic in backend.topics.values():
        yield Item("sns", "topic", topic.arn, topic.name, owner_of(topic._tags))
    for subscription in backend.subscriptions.values():
        where = f"{subscription.protocol} {subscription.endpoint}"
        mark = f"{OWNER_TAG}/{hashlib.sha256(where.encode()).hexdigest()[:16]}"
        owner = as_dict(subscription.topic._tags).get(mark, "")
        yield Item("sns", "subscription", subscription.arn, where, owner)


def logs(backend: Any, everything: bool) -> Iterator[Item]:
    """Log groups."""
    for group in backend.groups.values():
        tags = backend.tagger.get_tag_dict_for_resource(group.arn)
        yield Item("logs", "log-group", group.arn, group.name, tags.get(OWNER_TAG, ""))


def cloudwatch(backend: Any, everything: bool) -> Iterator[Item]:
    """Alarms and dashboards."""
    for alarm in backend.alarms.values():
        tags = backend.tagger.get_tag_dict_for_resource(alarm.alarm_arn)
        yield Item("cloudwatch", "alarm", alarm.alarm_arn, alarm.name, tags.get(OWNER_TAG, ""))
    for dashboard in backend.dashboards.values():
        owner = backend.tagger.get_tag_dict_for_resource(dashboard.arn).get(OWNER_TAG, "")
        yield Item("cloudwatch", "dashboard", dashboard.arn, dashboard.name, owner)


def budgets(backend: Any, everything: bool) -> Iterator[Item]:
    """Budgets."""
    for account, named in backend.budgets.items():
        for name, budget in named.items():
            owner = owner_of(getattr(budget, "tags", None))
            yield Item("budgets", "budget", f"arn:aws:budgets::{account}:budget/{name}", name, owner)


def sqs(backend: Any, everything: bool) -> Iterator[Item]:
    """Queues."""
    for queue in backend.queues.values():
        yield Item("sqs", "queue", queue.queue_arn, queue.name, owner_of(queue.tags))


def events(backend: Any, everything: bool) -> Iterator[Item]:
    """Event buses but for the default one, and rules on any of them."""
    for bus in backend.event_buses.values():
        if bus.name != "default":
            yield Item("events", "event-bus", bus.arn, bus.name)
        for rule in bus.rules.values():
            tags = backend.tagger.get_tag_dict_for_resource(rule.arn)
            yield Item("events", "rule", rule.arn, rule.name, tags.get(OWNER_TAG, ""))
