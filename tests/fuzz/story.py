"""A story: a cloud with its vices, plans, what is typed, what goes wrong meanwhile, and where the process dies.

All of it is plain data with a ``repr`` that can be pasted into a test. :data:`stories` makes random ones.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from provisioner.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BusyError,
    CloudError,
    ConnectionFailedError,
    InvalidRequestError,
    QuotaError,
    ThrottledError,
    UnavailableError,
)

NAMES = ("a", "b", "c", "d", "e")
KINDS = ("thing", "light", "network", "database", "vault", "gate")
ADOPTABLE = ("thing", "network", "database")

ERRORS: dict[str, type[CloudError]] = {
    "refused": AccessDeniedError,
    "invalid": InvalidRequestError,
    "quota": QuotaError,
    "taken": AlreadyExistsError,
    "busy": BusyError,
    "throttled": ThrottledError,
    "unavailable": UnavailableError,
    "reset": ConnectionFailedError,
}


class Wish(NamedTuple):
    """One step of a plan.

    ``uses``: the steps that it points to, as far as they stand above it. ``named``: its object has a name of its own
    choosing. ``adopt``: it takes over what somebody else made. ``protect``: by the plan; ``guarded``: by the cloud.
    """

    name: str
    kind: str = "thing"
    size: int = 1
    flat: bool = False
    uses: tuple[str, ...] = ()
    named: bool = False
    adopt: bool = False
    protect: bool = False
    guarded: bool = False


class Trouble(NamedTuple):
    """The next ``times`` calls of ``verb`` for a step fail, before or after they took effect."""

    verb: str
    name: str
    error: str
    times: int = 1
    after: bool = False


class Weather(NamedTuple):
    """How the cloud behaves, in seconds; see :class:`tests.engine.toycloud.ToyCloud`."""

    lag: float = 0.0
    linger: float = 0.0
    reserve: float = 0.0
    provision: float = 0.0
    modify: float = 0.0
    removal: float = 0.0


class Command(NamedTuple):
    """What somebody types: a verb, with the plan of that number, in trouble, and where it ends before its time.

    ``verb``: deploy, keep (``--on-failure keep``), plan, rollback, destroy. ``target``: a step's name, or nothing.
    ``kill``, ``stop``, ``full``: the moment of its death, of a Ctrl-C, of the disk being full from then on; 0 for none.
    ``doomed``: such objects come up broken; ``stuck``: such objects never come up, or never go. ``drift``: before it
    something else befell a step's object: lose, resize, squat, untag, break, or nothing. ``wait``: seconds before it.
    """

    verb: str
    plan: int = 0
    target: str = ""
    loss: bool = True
    kill: int = 0
    stop: int = 0
    full: int = 0
    trouble: tuple[Trouble, ...] = ()
    doomed: str = ""
    stuck: str = ""
    drift: tuple[str, str] = ("", "")
    wait: float = 0.0


class Story(NamedTuple):
    """``ending``: the command that brings it to its end, before the last deploy and destroy: deploy, rollback,
    destroy."""

    plans: tuple[tuple[Wish, ...], ...]
    commands: tuple[Command, ...]
    weather: Weather = Weather()
    ending: str = "deploy"


def _rarely(value: bool = True) -> st.SearchStrategy[bool]:
    return st.sampled_from([not value] * 5 + [value])


def _wish(name: str) -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        name=st.just(name),
        kind=st.sampled_from(KINDS),
        size=st.integers(1, 3),
        flat=_rarely(),
        uses=st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(lambda names: tuple(sorted(names))),
        named=_rarely(),
        adopt=_rarely(),
        protect=_rarely(),
        guarded=_rarely(),
    )


_order = st.lists(st.sampled_from(NAMES), min_size=1, max_size=len(NAMES), unique=True)
_plans = _order.flatmap(lambda names: st.tuples(*(_wish(name) for name in names)))
_names = st.sampled_from(NAMES)
_perhaps = st.sampled_from(["", "", "", "", *NAMES])

_troubles = st.builds(
    Trouble,
    verb=st.sampled_from(["create", "create", "update", "delete", "discard", "read", "list", "fetch"]),
    name=_names,
    error=st.sampled_from(list(ERRORS)),
    times=st.sampled_from([1, 1, 2, 5, 9, 10, 11, 30]),
    after=st.booleans(),
)

_commands = st.builds(
    Command,
    verb=st.sampled_from(["deploy"] * 5 + ["keep", "plan", "rollback", "rollback", "destroy"]),
    plan=st.integers(0, 2),
    target=_perhaps,
    loss=_rarely(False),
    kill=st.one_of(st.just(0), st.just(0), st.integers(1, 200)),
    stop=st.one_of(st.just(0), st.just(0), st.just(0), st.integers(1, 100)),
    full=st.one_of(*[st.just(0)] * 8, st.integers(1, 60)),
    trouble=st.lists(_troubles, max_size=2).map(tuple),
    doomed=_perhaps,
    stuck=_perhaps,
    drift=st.one_of(
        st.just(("", "")),
        st.just(("", "")),
        st.tuples(st.sampled_from(["lose", "resize", "squat", "untag", "break"]), _names),
    ),
    wait=st.sampled_from([0.0, 0.0, 1.0, 6.0, 30.0, 4000.0]),
)

weathers = st.builds(
    Weather,
    lag=st.sampled_from([0.0, 0.0, 2.0, 4.0]),
    linger=st.sampled_from([0.0, 0.0, 3.0, 20.0]),
    reserve=st.sampled_from([0.0, 0.0, 10.0, 400.0]),
    provision=st.sampled_from([0.0, 3.0, 40.0]),
    modify=st.sampled_from([0.0, 5.0]),
    removal=st.sampled_from([0.0, 2.0, 30.0]),
)

stories: st.SearchStrategy[Story] = st.builds(
    Story,
    plans=st.tuples(_plans, _plans, _plans),
    commands=st.lists(_commands, min_size=1, max_size=6).map(tuple),
    weather=weathers,
    ending=st.sampled_from(["deploy", "rollback", "destroy"]),
)
