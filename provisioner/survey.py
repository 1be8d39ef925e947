"""What checks may ask a cloud before anything is made. Answers are facts; every question only reads.

A session that can answer has the power :class:`CanSurvey`. A question that the caller may not ask raises CloudError
(AccessDeniedError): the check then says that it was not made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable


class Quota(NamedTuple):
    """How much of something an account may have in a region, and has."""

    what: str
    used: int
    most: int
    code: str = ""
    """The cloud's name of the quota, to ask for more with."""


class Offer(NamedTuple):
    """One way in which an instance class can be had."""

    storage_type: str
    multi_az: bool
    zones: tuple[str, ...]


class Deleted(NamedTuple):
    """A name that something deleted still holds."""

    owner: str | None
    """Value of the ownership tag of what was deleted."""
    since: str
    """The day on which it was deleted; how long it holds the name, nobody is told."""


class Survey(Protocol):
    """One region of one account. Each question is asked once; answers are kept as long as the session."""

    def caller(self) -> str:
        """Who the credentials belong to, in the cloud's words."""
        ...

    def account(self) -> str:
        """The account's id."""
        ...

    def zones(self) -> Sequence[str]:
        """The zones that can be used, sorted."""
        ...

    def versions(self, service: str, engine: str, major: str = "") -> Sequence[str]:
        """The versions of ``rds`` or ``cache`` that can be created, oldest first; of a major where one is given."""
        ...

    def offers(self, instance_class: str, version: str) -> Sequence[Offer]:
        """How a database class can be had in a version; nothing where it cannot."""
        ...

    def parameters(self, service: str, family: str) -> Mapping[str, str]:
        """The parameters of a family that can be set, with what they may be (``1-100``, ``on,off``, or empty)."""
        ...

    def quotas(self, service: str, names: Collection[str]) -> Sequence[Quota]:
        """Those of ``names`` that are known of ``rds`` or ``network``."""
        ...

    def bucket(self, name: str) -> str:
        """``free``, ``ours`` (of this account) or ``taken`` by somebody else."""
        ...

    def deleted_secrets(self, names: Collection[str]) -> Mapping[str, Deleted]:
        """Those of the names that a secret still holds that is scheduled for deletion."""
        ...

    def denied(self, actions: Collection[str]) -> Mapping[str, bool]:
        """Those that the caller may not do to just any object, and whether that is said in so many words.

        What no statement allows everywhere may still be allowed for some objects, or under a condition.
        """
        ...

    def actions(self, type_name: str) -> Sequence[str]:
        """What the caller must be allowed to do to make and remove a step of this type."""
        ...


@runtime_checkable
class CanSurvey(Protocol):
    """A session that answers what checks ask."""

    def survey(self, region: str = "") -> Survey: ...
