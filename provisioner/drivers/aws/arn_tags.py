"""Tags of RDS and ElastiCache objects, which both services read and write by ARN in the same words."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.drivers.aws import tagged, tags
from provisioner.drivers.aws.session import AwsSession
from provisioner.model import Key


def known(session: AwsSession, service: str, arn: str, key: Key, *, ready: bool = True) -> dict[str, str]:
    """All tags, where :mod:`.tagged` knows them without a call; ``ready``: a create of ours has come to its end."""
    found = tagged.known(session, arn, key.region)
    if ready:
        tagged.forget(session, arn)
    return read(session, service, arn, key) if found is None else found


def read(session: AwsSession, service: str, arn: str, key: Key) -> dict[str, str]:
    """All tags of the object; NotFoundError when it went meanwhile."""
    return of(session, service, arn, key.name, key.region)


def of(session: AwsSession, service: str, arn: str, name: str, region: str) -> dict[str, str]:
    """The same for an object that no step stands for yet."""
    answer = session.call(service, "list_tags_for_resource", what=name, region=region, ResourceName=arn)
    return tags.from_list(answer.get("TagList"))


def claim(session: AwsSession, service: str, arn: str, key: Key) -> None:
    """Puts the ownership tag back."""
    tagged.forget(session, arn)
    marks = tags.to_list(tags.mark(key))
    session.call(service, "add_tags_to_resource", what=key.name, region=key.region, ResourceName=arn, Tags=marks)


def write(session: AwsSession, service: str, arn: str, key: Key, plan: Mapping[str, str] | None) -> bool:
    """Makes the tags what the plan says; whether there was anything to write. No call where it says nothing."""
    if plan is None:
        return False
    tagged.forget(session, arn)
    put, drop = tags.changes(key, plan, read(session, service, arn, key))
    place = {"what": key.name, "region": key.region}
    if put:
        session.call(service, "add_tags_to_resource", ResourceName=arn, Tags=tags.to_list(put), **place)
    if drop:
        session.call(service, "remove_tags_from_resource", ResourceName=arn, TagKeys=drop, **place)
    return bool(put or drop)
