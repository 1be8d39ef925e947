"""Tags: which are ours, which the plan's, which the cloud's own; and what must change between two sets.

Every object carries ``provisioner:owner`` from its create call on. EC2 objects also get a ``Name``, which is
ours as long as the plan does not set one. ``aws:`` tags belong to AWS and are never shown or touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from provisioner.model import OWNER_TAG, Key

_TagName = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^(?![aA][wW][sS]:|provisioner:)")]
_TagValue = Annotated[str, Meta(max_length=256)]
Tags = (
    Annotated[
        dict[_TagName, _TagValue],
        Meta(
            description="Tags beside the ownership tag; names may not begin with aws: or provisioner:. "
            "Left out: not managed.",
            examples=[{"team": "platform"}],
        ),
    ]
    | None
)
"""The type of every Spec's ``tags`` field."""

NAME: Final = "Name"
RECOVERY_DAYS: Final = "provisioner:recovery-days"
"""How long the cloud is to keep the object once deleted: a delete knows the object only, not its plan."""


def wanted(
    key: Key, tags: Mapping[str, str] | None, *, named: bool = False, own: Mapping[str, str] | None = None
) -> dict[str, str]:
    """All tags that the object is made with; ``named`` adds EC2's Name tag, ``own`` more tags of ours."""
    name = {NAME: key.name} if named else {}
    return {**name, **(tags or {}), **(own or {}), OWNER_TAG: key.owner}


def to_list(tags: Mapping[str, str], name: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """As most APIs want them; KMS says TagKey and TagValue."""
    return [{name: tag, value: text} for tag, text in tags.items()]


def from_list(items: Iterable[Mapping[str, Any]] | None, name: str = "Key", value: str = "Value") -> dict[str, str]:
    """As most APIs give them, or nothing at all."""
    return {str(item[name]): str(item.get(value) or "") for item in items or ()}


def owner(tags: Mapping[str, str]) -> str | None:
    """Whose object it is, or None where it carries no ownership tag."""
    return tags.get(OWNER_TAG)


def visible(tags: Mapping[str, str]) -> dict[str, str]:
    """What ``Observed.spec["tags"]`` reports: without ours and AWS's own."""
    return {tag: text for tag, text in sorted(tags.items()) if not _reserved(tag)}


def same(plan: Mapping[str, str] | None, seen: Mapping[str, str]) -> bool:
    """``matches`` for tags of EC2 objects: a Name that the plan does not set is ours and no difference."""
    if plan is None:
        return True
    return dict(plan) == {tag: text for tag, text in seen.items() if tag != NAME or tag in plan}


def changes(
    key: Key,
    plan: Mapping[str, str] | None,
    seen: Mapping[str, str],
    *,
    named: bool = False,
    own: Mapping[str, str] | None = None,
) -> tuple[dict[str, str], list[str]]:
    """(tags to write, names of tags to remove) that make ``seen`` what the plan says; both may be empty.

    The ownership tag is never among them: who owns an object is settled when it is made.
    """
    goal = dict(own or {}) if plan is None else wanted(key, plan, named=named, own=own)
    put = {tag: text for tag, text in goal.items() if seen.get(tag) != text and tag != OWNER_TAG}
    if plan is None:
        return put, []
    return put, [tag for tag in seen if tag not in goal and not _reserved(tag)]


def _reserved(tag: str) -> bool:
    return tag.lower().startswith("aws:") or tag.startswith("provisioner:")
