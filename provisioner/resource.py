"""The contract of a driver: what a type declares and the four verbs that it implements.

A type is one class in one file. It reports and acts; it never waits, retries, prints or remembers: all of that
is the engine's. ``create`` returns nothing on purpose, so that nothing can depend on a value that a crash would lose:
whatever a later step needs, ``read`` finds.

::

    StepType                what every step has: Spec, outputs, rules, timeout
    ├── Resource            an object in a cloud: read, create, delete (and CanUpdate.update)
    └── Gate                a check that passes or fails; nothing is made, nothing is undone

Optional powers are small protocols, found by ``isinstance``: CanUpdate, CanReadMany, CanDiscard, CanSettle, CanBorrow,
CanSearch, CanFind, CanClaim, CanNameHolders, CanLinger (and those of :mod:`provisioner.powers`, which are asked of a
class); of a session CanBeFenced, CanClose, CanGlance, CanLeaveOut.
"""

from __future__ import annotations

import builtins
import enum
import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

import msgspec

from provisioner.errors import BusyError, CloudError, ThrottledError, UsageError
from provisioner.model import Key, Observed

NO_CLOUDS: Final = frozenset({"check", "sql"})
"""First words of types that belong to no cloud, so to no account either: no provider's name."""


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every type's Spec: immutable, keyword-only, unknown fields refused.

    Fields are annotated with ``msgspec.Meta(description=…, ge=…, pattern=…)``: the description, with its unit, feeds
    the JSON Schema, ``provisioner types`` and the error messages. A field that is None is not managed.
    """


class Rule(NamedTuple):
    """A check across fields: ``check`` gets their values, None for one that is not set; it returns a complaint or None.

    It runs as soon as all its fields are known, so most of it runs before anything is deployed.
    """

    fields: tuple[str, ...]
    check: Callable[..., str | None]


class Reversibility(enum.Enum):
    """What undoing a create costs: nothing, time (the cloud keeps it for days), or it cannot be undone."""

    REVERSIBLE = "reversible"
    DELAYED = "delayed"
    ONE_WAY = "one_way"


class StepType(ABC):
    """What the engine knows of any step before it runs."""

    type: ClassVar[str] = ""
    Spec: ClassVar[builtins.type[Spec]]
    outputs: ClassVar[Mapping[str, builtins.type]] = {}
    """Declared outputs by name; the type is str, int, bool, list, dict or Secret."""
    rules: ClassVar[Sequence[Rule]] = ()
    timeout: ClassVar[float] = 300.0
    """Seconds until the engine gives up waiting; a plan may say otherwise."""
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    """Spec fields of free content (Any, ``dict[str, Any]``) that may hold secrets; in all others a plan must not."""

    def __init__(self, session: Any) -> None:
        self.session = session


class Resource(StepType):
    """One kind of object in a cloud.

    ``read(key)`` returns None where the object does not exist (an object scheduled for deletion does not exist).
    ``create(key, spec)`` starts the creation and returns; calling it twice does no harm.
    The call that makes the object stands in :func:`provisioner.errors.outright`, so that the engine can tell a refusal
    that made nothing from one of the calls after it, which left something to take away.
    ``delete(key)`` starts the deletion; an object that is gone is a success. Where the object holds data it leaves a
    copy (final snapshot, recovery window).
    All three raise :class:`provisioner.errors.CloudError` kinds only.
    """

    service: ClassVar[str] = ""
    """The cloud's service, for pacing: throttling slows all steps of one service down."""
    identity: ClassVar[tuple[str, ...]] = ()
    """Spec fields that, besides the name, say which object is meant; a change of one means another object."""
    immutable: ClassVar[frozenset[str]] = frozenset()
    """Spec fields that only a new object can change. Where the type has no ``update``, all are."""
    one_way: ClassVar[frozenset[str]] = frozenset()
    """Spec fields whose change cannot be undone (storage that only grows)."""
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {}
    """Per field: ``same(wanted, seen)``, where plain equality is not what the cloud means."""
    holds_data: ClassVar[bool] = False
    grace: ClassVar[float] = 0.0
    """Seconds in which a created object may still be invisible. 0 where names are unique, so that a second
    create of the same key cannot make a second object."""
    reversibility: ClassVar[Reversibility] = Reversibility.REVERSIBLE
    identifier: ClassVar[str] = ""
    """The output that no other object ever has, not even a later one of the same name. Empty: the cloud knows none."""
    going: ClassVar[float] = 0.0
    """Seconds that its removal may wait for what is on its way out, where that is longer than ``timeout``."""
    protection: ClassVar[str] = ""
    """The spec field that switches deletion protection on, where there is one: what a plan switched on by itself, the
    undo of a failed run may switch off."""
    unprotect: ClassVar[str] = ""
    """The command that switches it off by hand, with ``{name}`` and ``{region}``."""
    name_pattern: ClassVar[str] = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"
    """What the cloud accepts as a name; checked before anything is made."""
    poll_first: ClassVar[float] = 0.1
    poll_most: ClassVar[float] = 15.0
    """Seconds between two looks while the object is pending: the least, and the most."""

    @abstractmethod
    def read(self, key: Key) -> Observed | None: ...

    @abstractmethod
    def create(self, key: Key, spec: Any) -> None: ...

    @abstractmethod
    def delete(self, key: Key) -> None: ...

    @classmethod
    def key(cls, deployment: str, step: str, spec: Any, region: str) -> Key:
        """The key of a step, from its resolved identity fields alone."""
        name = getattr(spec, "name", None) or f"{deployment}-{step}"
        at = {field: str(getattr(spec, field)) for field in cls.identity if getattr(spec, field) is not None}
        region = getattr(spec, "region", None) or region
        return Key(deployment=deployment, step=step, name=str(name), region=region, at=at)


class Verdict(NamedTuple):
    """What one look of a gate saw. ``final``: it failed for good, and no later look would change that."""

    passed: bool
    detail: str
    final: bool = False


class Gate(StepType):
    """A check that must pass before the steps below it start. It changes nothing and is run again by every deploy."""

    interval: ClassVar[float] = 30.0
    """Seconds between two looks; a plan may say otherwise."""

    @abstractmethod
    def check(self, spec: Any) -> Verdict: ...


@runtime_checkable
class CanUpdate(Protocol):
    """The object can be changed in place. ``update`` starts the change to ``spec`` and returns; twice does no harm.

    ``changed`` names the fields that differ, which for those that the cloud does not report the type cannot see itself;
    empty where nobody knows: then everything is brought to the spec.
    """

    def update(self, key: Key, spec: Any, changed: Collection[str] = ()) -> None: ...


class Singly(enum.Enum):
    """The answer of a ``read_many`` for an object that its list cannot tell of: it is read by itself then."""

    SINGLY = "singly"


SINGLY = Singly.SINGLY


@runtime_checkable
class CanReadMany(Protocol):
    """One list call instead of N reads. Keys that the answer lacks do not exist; the answer is by ``key.owner``.

    Where a plan may have many of the type it makes list calls alone: what needs a call for each key is :data:`SINGLY`,
    so that it is retried, paced and run beside the others like any call.
    """

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed | Singly]: ...


@runtime_checkable
class CanDiscard(Protocol):
    """Deletes at once and for good: protection switched off, no snapshot, no recovery window.

    For what a failed run itself made, and for ``--allow-data-loss``. Types without it are just deleted.
    """

    def discard(self, key: Key) -> None: ...


@runtime_checkable
class CanSettle(Protocol):
    """Says what a plan's word means today where it leaves that open: a major version is its newest minor.

    ``settles``: those fields. ``matches`` says of each whether what is recorded, or there already, is one of the things
    that the word may mean; then that stands for it and nobody is asked.

    ``settle`` gives the values, by field, of what is to be made or changed: exact ones too are checked there, and left
    out where there is nothing to say. ``known``: the step's fields as far as they are known, resolved. ``seen``: what
    is there now. It changes nothing, for a preview asks too. NotOfferedError where the cloud does not offer it, with
    a hint of what to write instead.
    """

    settles: ClassVar[frozenset[str]]

    def settle(self, key: Key, known: Mapping[str, Any], seen: Observed | None) -> Mapping[str, Any]: ...


@runtime_checkable
class CanBorrow(Protocol):
    """Lives inside something else, and must log in there even to look: the engine lends it what that takes.

    ``borrows``: fields of its Spec (address, user, password), lent before any verb is called, from the plan or as
    recorded, and kept in memory only. ``inside``: which of them is the address. Where that cannot be reached (a call
    says UnavailableError) and the object of a step above that gave it is gone, so is what lived inside.
    """

    borrows: ClassVar[tuple[str, ...]]
    inside: ClassVar[str]

    def lend(self, key: Key, values: Mapping[str, Any]) -> None: ...


@runtime_checkable
class CanSearch(Protocol):
    """Finds what carries a deployment's tag without being told the steps: for a record that was lost.

    One key an object, with the step that its tag names; ``read`` of each says the rest.
    """

    def search(self, deployment: str, region: str) -> Iterable[Key]: ...


@runtime_checkable
class CanFind(Protocol):
    """Finds the object of a recorded ``identifier``, whatever tag it carries: for types that ``read`` finds by tag."""

    def find(self, key: Key, identifier: str) -> Observed | None: ...


@runtime_checkable
class CanClaim(Protocol):
    """Puts the owner's tag back on an object of ours that has lost it. ``identifier``: as recorded, empty without."""

    def claim(self, key: Key, identifier: str) -> None: ...


class Holder(NamedTuple):
    """Something that keeps an object from being deleted."""

    what: str
    """What it is and who it belongs to, for a person: ``network interface eni-1 (web, of 123456789012)``."""
    owner: str | None = None
    """Value of its ownership tag."""
    leaving: bool = False
    """It is on its way out already, so waiting helps."""
    by_hand: str = ""
    """The command that shows it or frees it, and what to do there."""


@runtime_checkable
class CanNameHolders(Protocol):
    """Says who holds an object that the cloud refuses to delete because it is in use.

    Asked only then, so it may take several calls. What may not be asked is left out; nobody at all means that it is not
    known.
    """

    def holders(self, key: Key) -> Sequence[Holder]: ...


@runtime_checkable
class CanLinger(Protocol):
    """Says what the cloud still keeps of an object that was deleted: a key in its waiting period, a recovery window.

    Asked once, after the object is gone; None where nothing is kept.
    """

    def lingers(self, key: Key) -> str | None: ...


@contextmanager
def outright() -> Iterator[None]:
    """Marks a refusal of what stands in it, a create's calls up to the one that makes or an update's first.

    Nothing was done then: what was refused, also for now (too fast, busy), has no effect.

    A refusal without the mark may come from a later call, when the object is there and only cannot be seen yet.
    """
    try:
        yield
    except CloudError as error:
        error.nothing_done = not error.retryable or isinstance(error, ThrottledError | BusyError)
        raise


class Session(Protocol):
    """What a cloud's drivers share: clients, credentials, endpoints. Made once a cloud and run."""

    def identity(self) -> str:
        """The account that the credentials belong to, as ``aws:123456789012``; CredentialsError without any."""
        ...


@runtime_checkable
class CanBeFenced(Protocol):
    """A session that asks ``check`` before every single request, as late as it can.

    ``check`` raises LockLostError once another run may be at work on the deployment: then nothing more is sent.
    """

    def fence(self, check: Callable[[], None]) -> None: ...


@runtime_checkable
class CanClose(Protocol):
    """A session that holds connections; closed when the run is over."""

    def close(self) -> None: ...


@runtime_checkable
class CanGlance(Protocol):
    """A session that can save calls where the first look is not the last.

    While ``glancing`` is set, reads may be answered from lists that lag minutes behind. What they show to be ours and
    as wanted may be believed. What they show to be missing, another's or different is a question, to be asked again
    without it before anything is done; but for what is missing and was never recorded: its create finds out.
    """

    glancing: bool


@runtime_checkable
class CanLeaveOut(Protocol):
    """A session whose drivers need not ask for what no plan manages.

    ``unmanaged``: by ``key.owner``, the fields that the step's plan leaves None. Where one of them would take a call of
    its own, a read may leave it out. Whoever is not in it is read in full.
    """

    unmanaged: dict[str, frozenset[str]]


_T = TypeVar("_T", bound=type[StepType])


def resource(name: str) -> Callable[[_T], _T]:
    """Class decorator that gives a type its name, ``aws.rds_instance``."""

    def mark(cls: _T) -> _T:
        cls.type = name
        return cls

    return mark


class Registry:
    """The lazy map from type names to classes: a type's module is imported when a plan uses it."""

    def __init__(self, types: Mapping[str, str], sessions: Mapping[str, str]) -> None:
        """``types``: name → ``module:Class``; ``sessions``: cloud → ``module:function(region) -> Session``."""
        self._types = types
        self._sessions = sessions
        self._loaded: dict[str, type[StepType]] = {}

    def names(self) -> Iterable[str]:
        return sorted(self._types)

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def suggest(self, name: str) -> str:
        """The known type nearest to a misspelt one, or an empty string."""
        near = get_close_matches(name, self._types, n=1)
        return near[0] if near else ""

    def type(self, name: str) -> type[StepType]:
        cls = self._loaded.get(name)
        if cls is None:
            if name not in self._types:
                near = self.suggest(name)
                raise UsageError(
                    f"there is no type {name!r}" + (f"; did you mean {near!r}?" if near else ""),
                    hint="provisioner types lists them all",
                )
            found = _load(self._types[name])
            assert isinstance(found, type) and issubclass(found, StepType) and found.type == name, name
            cls = self._loaded[name] = found
        return cls

    def open_session(self, cloud: str, region: str) -> Any:
        return _load(self._sessions[cloud])(region)


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
