"""What must hold after a death and a recovery: each check returns its complaints, none stops the sweep."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from provisioner.state.records import State
from tests.crash.subjects import PARTS, SETS, Door
from tests.crash.sweep.forge import HUNG
from tests.crash.sweep.house import House, Ran

KILLED: Final = 137


class Complaint(NamedTuple):
    """``kind`` is a column of the table (see :mod:`tests.crash.sweep.report`)."""

    kind: str
    text: str


def finished(ran: Ran) -> Iterator[Complaint]:
    """A command that a person types next must come to a good end."""
    if ran.code == HUNG:
        yield Complaint("dead end", f"{ran.words} hung; it said: {ran.err[-800:]}")
    elif ran.code:
        yield Complaint("dead end", f"{ran.words} ended with {ran.code}: {ran.err[-1500:]}")


def killed(ran: Ran) -> Iterator[Complaint]:
    """It died by the signal and by nothing else; it did not end before with a failure of its own."""
    if ran.died and ran.code != KILLED:
        yield Complaint("exit code", f"{ran.words} died at {ran.died!r} with {ran.code}")
    if not ran.died and ran.code:
        yield Complaint("exit code", f"{ran.words} was not killed and ended with {ran.code}: {ran.err[-1500:]}")


def agrees(house: House) -> Iterator[Complaint]:
    """Everything in the cloud is in the record, once; everything in the record is in the cloud."""
    state = house.state()
    recorded = {f"{house.deployment}/{step}" for step, record in _steps(state) if not record.adopted}
    parts = {f"{house.deployment}/{step}" for step, record in _steps(state) if record.type in PARTS}
    sets = {f"{house.deployment}/{step}" for step, record in _steps(state) if record.type in SETS}
    owners = Counter(thing["owner"] for thing in house.inventory() if thing["type"] not in house.subject.copies)
    for owner, count in owners.items():
        if owner not in recorded:
            yield Complaint("orphan", f"{owner or 'something without an owner'} is in the cloud and in no record")
        elif count > 1 and owner not in sets:
            yield Complaint("duplicate", f"{owner} is there {count} times")
    for owner in sorted(recorded - parts - set(owners)):
        yield Complaint("missing", f"{owner} is recorded and not in the cloud")
    for step, record in _steps(state):
        if record.status.value != "ready":
            yield Complaint("missing", f"{step} is recorded as {record.status.value} after a good end")


def _steps(state: State | None) -> list[tuple[str, Any]]:
    return list(state.steps.items()) if state is not None else []


def whole(house: House, steps: int, variant: str) -> Iterator[Complaint]:
    """All is there and as the plan says: another deploy does nothing, and says so."""
    state = house.state()
    if len(_steps(state)) != steps:
        yield Complaint("missing", f"{len(_steps(state))} steps are recorded, not {steps}")
    again = house.run("deploy", "--json", variant=variant)
    if again.code:
        yield from finished(again)
        return
    changes = json.loads(again.out)["changes"]
    if changes:
        yield Complaint("not a no-op", f"another deploy did: {json.dumps(changes)[:800]}")


def gone(house: House, *, copies: bool) -> Iterator[Complaint]:
    """Nothing is left but, where somebody may rely on the data, one copy of each database."""
    state = house.state()
    for step, record in _steps(state):
        yield Complaint("missing", f"{step} is still recorded as {record.status.value}")
    there = house.inventory()
    for thing in there:
        if thing["type"] not in house.subject.copies:
            yield Complaint("orphan", f"{thing['type']} {thing['name']} is left in the cloud")
    for kind in house.subject.copies:
        count = sum(thing["type"] == kind for thing in there)
        if copies and not count:
            yield Complaint("data", f"there is no {kind} of what was removed")
        elif count > copies:
            names = [thing["name"] for thing in there if thing["type"] == kind]
            yield Complaint("duplicate" if copies else "orphan", f"copies: {', '.join(names)}")


def kept(before: Mapping[str, str], now: Mapping[str, str], what: str, kind: str) -> Iterator[Complaint]:
    """What was there is still there, and the same one."""
    for name, value in before.items():
        if name not in now:
            yield Complaint(kind, f"{what} of {name} is gone")
        elif now[name] != value:
            yield Complaint(kind, f"{what} of {name} is another one now")


def opens(house: House) -> Iterator[Complaint]:
    """The password in the secret is the database's, the token in the secret is the cache's."""
    state = house.state()
    secrets = house.secrets()
    steps = dict(_steps(state))
    for door in house.subject.doors:
        if door.step not in steps:
            yield Complaint("missing", f"{door.step} is not recorded")
            continue
        try:
            _ENTER[door.kind](steps[door.step].outputs, door, secrets[f"{house.deployment}-{door.secret}"])
        except Exception as error:
            yield Complaint("secret", f"{door.step} does not open with what its secret holds: {type(error).__name__}")


def _postgres(place: Mapping[str, Any], door: Door, password: str) -> None:
    psycopg: Any = importlib.import_module("psycopg")
    where = {"host": place["endpoint"], "port": place["port"], "dbname": door.database, "user": door.user}
    with psycopg.connect(**where, password=password, sslmode="require", connect_timeout=10) as connection:
        connection.execute("SELECT 1")


def _redis(place: Mapping[str, Any], door: Door, token: str) -> None:
    redis: Any = importlib.import_module("redis")
    where = {"host": place["primary_endpoint"], "port": place["port"], "ssl": True, "ssl_cert_reqs": "none"}
    with redis.Redis(**where, password=token, ssl_check_hostname=False, socket_timeout=10) as client:
        client.ping()


_ENTER: Final[Mapping[str, Callable[[Mapping[str, Any], Door, str], None]]] = {"postgres": _postgres, "redis": _redis}


def silent(house: House, canaries: set[str]) -> Iterator[Complaint]:
    """No secret stands in what a run said, nor in anything that it wrote."""
    places = {f"what {ran.words} said": ran.out + ran.err + "\n".join(ran.trail) for ran in house.said}
    places |= dict(house.files())
    for place, text in places.items():
        if any(secret in text for secret in canaries):
            yield Complaint("leak", f"a secret stands in {place}")
