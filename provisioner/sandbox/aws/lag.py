"""Eventual consistency on request: for a while, reads show what was there before one call.

A call that a fault of the kind ``unseen`` strikes takes effect at once, and whoever writes finds that out: the name is
taken, a second delete finds nothing. Whoever reads sees nothing of it until its time is up: not the object that it
made, the old values of the one that it changed, and still the one that it deleted. All else is shown as it is.

EC2, KMS, IAM, SNS and CloudWatch Logs spread the news of a new object slowly even among those who answer calls. There
a write that names the object is told that there is no such thing, but for the call that made it, sent again.

It needs no help of the services: each keeps its objects in dictionaries, so those entries that the call changed are
put back as they were while a read looks, under the service's own lock.
"""

from __future__ import annotations

import copy
import re
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from provisioner.sandbox.aws.call import Call, Reply
from provisioner.sandbox.aws.lifecycle import Lifecycle
from provisioner.sandbox.aws.services import Services

_SPREADS: Final = frozenset({"ec2", "kms", "iam", "sns", "logs"})
_NOTHING: Final = object()
_PLAIN: Final = (dict, OrderedDict, defaultdict)

Home = dict[Any, Any]


class _Entry(NamedTuple):
    """One entry of a dictionary that the call changed, as it was before."""

    home: Home
    key: Any
    before: Any


@dataclass(slots=True)
class _Lag:
    """What one call changed, and until when nobody sees it."""

    service: str
    operation: str
    until: float
    entries: list[_Entry] = field(default_factory=list)

    def names(self) -> list[str]:
        """What the objects that the call made are called."""
        return [entry.key for entry in self.entries if entry.before is _NOTHING and isinstance(entry.key, str)]


class Lags:
    """The calls whose effect is not seen yet; safe to use from several threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lags: list[_Lag] = []
        self._guard = threading.Lock()

    def unseen(self, call: Call, seconds: float, carry_out: Callable[[], Reply]) -> Reply:
        """Carry the call out, and hide from reads for ``seconds`` what it did."""
        lock, homes = self._place(call)
        with lock:
            before = [(home, _picture_of_all(home)) for home in homes()]
            reply = carry_out()
            entries = [entry for home, was in before for entry in _changed(home, was)]
        with self._guard:
            until = self._services.world.now() + seconds
            self._lags.append(_Lag(call.service, call.operation, until, entries))
        return reply

    @contextmanager
    def view(self, call: Call) -> Iterator[None]:
        """The world as this call may see it."""
        entries = [entry for lag in self._active(call.service) if _late(lag, call) for entry in lag.entries]
        if not entries:
            yield
            return
        lock, _ = self._place(call)
        with lock:
            now = [entry._replace(before=_put(*entry)) for entry in reversed(entries)]
            try:
                yield
            finally:
                for entry in reversed(now):
                    _put(*entry)

    def clear(self) -> None:
        """Everything is seen."""
        with self._guard:
            self._lags = []

    def _active(self, service: str) -> list[_Lag]:
        with self._guard:
            if self._lags:
                now = self._services.world.now()
                self._lags = [lag for lag in self._lags if lag.until > now]
            return [lag for lag in self._lags if lag.service == service]

    def _place(self, call: Call) -> tuple[AbstractContextManager[Any], Callable[[], list[Home]]]:
        """What guards a service's objects, and the dictionaries that hold them."""
        strict = self._services.strict.get(call.service)
        if strict is not None:
            region = strict.region(call.region)
            return region.lock, lambda: [home for home in vars(region).values() if isinstance(home, dict)]
        moto = self._services.world.moto
        return moto.lock(call.service), lambda: moto.homes(call.service, call.region)


def _late(lag: _Lag, call: Call) -> bool:
    """Whether the news of a call has not reached whoever answers this one."""
    if not call.write:
        return True
    if call.service not in _SPREADS or call.operation == lag.operation:
        return False
    text = f"{call.path} {call.form or call.body.decode('utf-8', 'replace')}"
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in lag.names())


def _put(home: Home, key: Any, value: Any) -> Any:
    """Make an entry what it was, or nothing; returns what it is."""
    now = dict.get(home, key, _NOTHING)
    if value is _NOTHING:
        if now is not _NOTHING:
            del home[key]
    else:
        home[key] = value
    return now


def _picture_of_all(home: Home) -> Home:
    return {key: _picture_of_all(value) if type(value) in _PLAIN else _picture(value) for key, value in home.items()}


def _changed(home: Home, before: Home) -> Iterator[_Entry]:
    for key in [*before, *(key for key in home if key not in before)]:
        was, now = before.get(key, _NOTHING), dict.get(home, key, _NOTHING)
        if was is not _NOTHING and type(now) in _PLAIN and type(was) in _PLAIN:
            yield from _changed(now, was)
        elif was is _NOTHING or now is _NOTHING or not _same(was, now):
            yield _Entry(home, key, was)


def _picture(thing: Any) -> Any:
    """A copy that what happens to the thing later does not reach: its fields, and the containers in them."""
    fields = _fields(thing)
    if not fields:
        return _copied(thing)
    twin = copy.copy(thing)
    for name, value in fields.items():
        object.__setattr__(twin, name, _picture(value) if isinstance(value, Lifecycle) else _copied(value))
    return twin


def _same(was: Any, now: Any) -> bool:
    fields = _fields(was)
    if type(was) is not type(now) or not fields:
        return bool(was == now)
    theirs = _fields(now)
    return fields.keys() == theirs.keys() and all(
        _same(value, theirs[name]) if isinstance(value, Lifecycle) else value is theirs[name] or value == theirs[name]
        for name, value in fields.items()
    )


def _fields(thing: Any) -> Mapping[str, Any]:
    slots = [name for name in getattr(type(thing), "__slots__", ()) if hasattr(thing, name)]
    return {**getattr(thing, "__dict__", {}), **{name: getattr(thing, name) for name in slots}}


def _copied(value: Any) -> Any:
    """Containers of the plain kinds anew, down to their leaves; everything else as it is."""
    if type(value) in _PLAIN:
        twin = copy.copy(value)
        for key, item in value.items():
            twin[key] = _copied(item)
        return twin
    if type(value) in (list, deque, set, tuple):
        return type(value)(_copied(item) for item in value)
    return value
