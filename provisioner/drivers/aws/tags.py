"""Tags: which are ours, which the plan's, which the cloud's own; and what must change between two sets.

Every object carries ``provisioner:owner`` from its create call on. EC2 objects also get a ``Name``, which is
ours as long as the plan does not set one. ``aws:`` tags belong to AWS and are never shown or touched.

An object that does not carry its step's own tag was made by others and adopted: a plan's tags are added to
theirs, nothing of theirs is removed, and it gets no ``Name``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta

from provisioner.errors import NotFoundError
from provisioner.model import OWNER_TAG, Key

_T = TypeVar("_T")

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


TAKEN_BACK: Final = "provisioner:taken-back"
"""UTC time at which an object was scheduled for deletion or taken back from it. What it holds is older than the run
that takes it back, so :func:`kept` keeps that run's undo from destroying it."""


def taken_back() -> dict[str, str]:
    """The mark, for now."""
    return {TAKEN_BACK: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def kept(tags: Mapping[str, str]) -> bool:
    """Whether the object was deleted once and taken back: then nothing but its recovery window ends it."""
    return TAKEN_BACK in tags


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


class Theirs(dict[str, str]):
    """Tags of an object that others made: the plan's must be among them, and need not be all."""


def owner(tags: Mapping[str, str]) -> str | None:
    """Whose object it is, or None where it carries no ownership tag."""
    return tags.get(OWNER_TAG)


def found(marks: Mapping[str, str], deployment: str, region: str, name: str = "", **at: str) -> Key | None:
    """The key of an object that a search met, by its ownership tag; None where it is not the deployment's.

    ``name``: left out, it is deployment-step, as where nobody chose another.
    """
    whose, _, step = (owner(marks) or "").partition("/")
    if whose != deployment or not step:
        return None
    return Key(deployment=deployment, step=step, name=name or f"{deployment}-{step}", region=region, at=at)


def by_name(
    names: Iterable[tuple[str, _T]], deployment: str, region: str, marks: Callable[[Key, _T], Mapping[str, str]]
) -> Iterator[Key]:
    """The keys of the deployment's objects in a list without tags: an account may have thousands.

    ``marks`` is asked for the tags of those whose name has the deployment's in it; NotFoundError is one that was
    deleted since it was listed.
    """
    for name, item in names:
        if deployment in name:
            place = Key(deployment=deployment, step="", name=name, region=region)
            with suppress(NotFoundError):
                if key := found(marks(place, item), deployment, region, name):
                    yield key


def mark(key: Key) -> dict[str, str]:
    """The ownership tag alone, to put back on an object that has lost it."""
    return {OWNER_TAG: key.owner}


def visible(key: Key, tags: Mapping[str, str]) -> dict[str, str]:
    """What ``Observed.spec["tags"]`` reports: without ours and AWS's own; as :class:`Theirs` where it is not ours."""
    shown = {tag: text for tag, text in sorted(tags.items()) if not reserved(tag)}
    return shown if owner(tags) == key.owner else Theirs(shown)


def same(plan: Mapping[str, str] | None, seen: Mapping[str, str]) -> bool:
    """``matches`` for tags."""
    if plan is None:
        return True
    return plan.items() <= seen.items() if isinstance(seen, Theirs) else dict(plan) == dict(seen)


def same_named(plan: Mapping[str, str] | None, seen: Mapping[str, str]) -> bool:
    """``matches`` for tags of EC2 objects: a Name that the plan does not set is ours and no difference."""
    if plan is None or isinstance(seen, Theirs):
        return same(plan, seen)
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

    The ownership tag is never among them: who owns an object is settled when it is made. Of an object that others
    made no tag is removed, and none is written that the plan does not name.
    """
    ours = owner(seen) == key.owner
    goal = dict(own or {}) if plan is None else wanted(key, plan, named=named and ours, own=own)
    put = {tag: text for tag, text in goal.items() if seen.get(tag) != text and tag != OWNER_TAG}
    if plan is None or not ours:
        return put, []
    return put, [tag for tag in seen if tag not in goal and not reserved(tag)]


def reserved(tag: str) -> bool:
    """Whether a tag is ours or AWS's own."""
    return tag.lower().startswith("aws:") or tag.startswith("provisioner:")
