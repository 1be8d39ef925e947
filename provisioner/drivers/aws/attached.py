"""What network ACLs and route tables share: subnets hang on them, one list and one table a subnet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from provisioner.drivers.aws import tags
from provisioner.errors import InvalidRequestError
from provisioner.model import Key
from provisioner.resource import Holder


def twice(subnets: Collection[str] | None) -> str | None:
    """A complaint of an id that is there more than once."""
    again = [subnet for subnet, times in Counter(subnets or ()).items() if times > 1]
    return f"{again[0]} is there twice" if again else None


def refuse_foreign(key: Key, other: Mapping[str, Any], subnets: Collection[str], kind: str, type_: str) -> None:
    """InvalidRequestError where ``other``, on which ``subnets`` hang, is not of the key's deployment."""
    marks = tags.from_list(other.get("Tags"))
    owner = tags.owner(marks)
    if not subnets or (owner or "").partition("/")[0] == key.deployment:
        return
    word = kind.replace(" ", "-").lower()
    number = other.get("NetworkAclId") or other.get("RouteTableId")
    raise InvalidRequestError(
        f"{', '.join(sorted(subnets))}: under {kind} {number}, which is {f'of {owner}' if owner else 'not ours'}",
        where=f"{type_} {key.step}",
        hint=f"take it out there first (`aws ec2 describe-{word}s --{word}-ids {number} --region {key.region}` shows "
        "it), or leave the subnet out here",
    )


def holders(key: Key, found: Mapping[str, Any], word: str) -> list[Holder]:
    """What hangs on a list or table: subnets, and gateways where the table is an edge's. ``word``: network-acl."""
    number = found.get("NetworkAclId") or found.get("RouteTableId")
    show = f"`aws ec2 describe-{word}s --{word}-ids {number} --region {key.region}` shows it"
    return [
        Holder(f"subnet {link['SubnetId']}" if link.get("SubnetId") else f"gateway {link['GatewayId']}", None, False,
               f"{show}; give it another {word.replace('-', ' ')}")
        for link in found.get("Associations") or ()
        if link.get("SubnetId") or link.get("GatewayId")
    ]  # fmt: skip
