"""What tells a process of its moments: every request, every connection of a gate, every durable operation.

Installed from the outside, so the program that is killed is the one that ships. Four seams:

* botocore's one function that sends a request; ``sent`` is when it left whole and no answer was read (writes alone: a
  read that is cut off there has done nothing);
* the three ways in which gates connect;
* :class:`provisioner.state.files.Files`: ``about_to`` is before, the return of what called it is after;
* obstore's functions, where the record is in a bucket.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

from provisioner.state.files import Files
from tests.crash.sweep.moments import Moments, Thing

READS: Final = ("Describe", "Get", "List", "Head")
"""How operations begin that change nothing."""

_SERIAL: Final = re.compile(r"[0-9a-f]{16}$")
_JOURNALS: Final = ("journal/", "audit/")
_TELLING: Final = ("journal.jsonl", "audit.jsonl")
_BULK: Final = 40
"""A name longer than this is the account's number and the like; it is cut."""


def install(moments: Moments, deployment: str) -> None:
    """All of them, for the rest of this process's life."""
    _requests(moments, re.compile(rf"{re.escape(deployment)}[-/]([a-z][a-z0-9-]*)"))
    _gates(moments)
    _files(moments)
    _objects(moments, deployment)


# -- requests -------------------------------------------------------------------------------------------------


def _requests(moments: Moments, named: re.Pattern[str]) -> None:
    endpoint: Any = importlib.import_module("botocore.endpoint").Endpoint
    session: Any = importlib.import_module("botocore.httpsession").URLLib3Session
    connection: Any = importlib.import_module("urllib3.connection").HTTPConnection
    here = threading.local()
    make, send, answer = endpoint.make_request, session.send, connection.getresponse

    @functools.wraps(make)
    def make_request(self: Any, operation_model: Any, request_dict: Any) -> Any:
        here.operation = (operation_model.service_model.service_name, operation_model.name)
        return make(self, operation_model, request_dict)

    @functools.wraps(send)
    def sending(self: Any, request: Any) -> Any:
        service, operation = here.operation
        thing = moments.begin(f"{service}.{operation} {_whose(request, named)}".rstrip())
        here.sent = None if operation.startswith(READS) else thing
        try:
            return send(self, request)
        finally:
            moments.reach("after", thing)

    @functools.wraps(answer)
    def getresponse(self: Any) -> Any:
        thing: Thing | None = getattr(here, "sent", None)
        if thing is not None:
            here.sent = None
            moments.reach("sent", thing)
        return answer(self)

    endpoint.make_request, session.send, connection.getresponse = make_request, sending, getresponse


def _whose(request: Any, named: re.Pattern[str]) -> str:
    """The object that a request is about, where its text tells: the first name of this deployment in it."""
    body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body or ""
    found = named.search(unquote_plus(f"{request.url} {body}"))
    return found[1][:_BULK] if found else ""


# -- gates ----------------------------------------------------------------------------------------------------


def _gates(moments: Moments) -> None:
    stages: Any = importlib.import_module("provisioner.drivers.check.stages")
    psycopg: Any = importlib.import_module("psycopg")
    redis: Any = importlib.import_module("redis.connection").AbstractConnection
    tcp = stages.socket.create_connection

    def create_connection(*words: Any, **more: Any) -> Any:
        return _around(moments, "connect tcp", lambda: tcp(*words, **more))

    postgres, cache = psycopg.connect, redis.connect
    stages.socket.create_connection = create_connection
    psycopg.connect = lambda *words, **more: _around(moments, "connect postgres", lambda: postgres(*words, **more))
    redis.connect = lambda self: _around(moments, "connect redis", lambda: cache(self))


def _around(moments: Moments, name: str, work: Callable[[], Any]) -> Any:
    thing = moments.begin(name)
    try:
        return work()
    finally:
        moments.reach("after", thing)


# -- files ----------------------------------------------------------------------------------------------------


def _files(moments: Moments) -> None:
    """Every public method of Files ends the operation that it announced."""
    here = threading.local()
    written: dict[str, list[str]] = {}

    def about_to(self: Files, operation: str, path: Path) -> None:
        over()
        if operation == "write":
            written[path.name] = list(_entries(here.data)) if path.name in _TELLING else []
        # A sync is of what was written last.
        names = written.get(path.name, []) if operation in ("write", "sync") else []
        here.under_way = moments.begin(*(f"{operation} {path.name} {what}".rstrip() for what in names or [""]))

    def over() -> None:
        thing: Thing | None = getattr(here, "under_way", None)
        here.under_way = None
        if thing is not None:
            moments.reach("after", thing)

    def ending(method: Any) -> Any:
        @functools.wraps(method)
        def call(self: Files, *words: Any) -> Any:
            here.data = next((word for word in words if isinstance(word, bytes)), b"")
            found = method(self, *words)
            over()
            return found

        return call

    for name, method in list(vars(Files).items()):
        if callable(method) and not name.startswith("_") and name != "about_to":
            setattr(Files, name, ending(method))
    Files.about_to = about_to  # type: ignore[method-assign]


# -- objects --------------------------------------------------------------------------------------------------


def _objects(moments: Moments, deployment: str) -> None:
    """A list is one moment's thing too: its first page is asked for when it is made."""
    obstore: Any = importlib.import_module("obstore")
    for name in ("get", "put", "delete", "list"):
        setattr(obstore, name, _telling(moments, deployment, name, getattr(obstore, name)))


def _telling(moments: Moments, deployment: str, name: str, work: Any) -> Any:
    @functools.wraps(work)
    def call(store: Any, path: str, *words: Any, **more: Any) -> Any:
        place = _SERIAL.sub("", str(path).partition(f"/{deployment}/")[2])
        told = list(_entries(words[0])) if name == "put" and place in _JOURNALS else []
        names = [f"object {name} {place} {what}".rstrip() for what in told or [""]]
        thing = moments.begin(*names)
        try:
            return work(store, path, *words, **more)
        finally:
            moments.reach("after", thing)

    return call


def _entries(data: bytes) -> Iterator[str]:
    """What the lines of the journal or of the audit file are about; nothing for other data."""
    for line in data.splitlines():
        try:
            tree = json.loads(line[line.index(b"{") :])
        except ValueError:  # a writer's token, or no line of these files at all
            continue
        if "entry" in tree:
            yield _entry(tree["entry"])
        elif "event" in tree:
            yield f"{tree['event']} {tree.get('step') or tree.get('result') or ''}".rstrip()


def _entry(entry: dict[str, Any]) -> str:
    if entry["type"] == "record":
        return f"{entry['record']['status']} {entry['record']['step']}"
    if entry["type"] == "change":
        change = entry["change"]
        return f"change {change['step']} {change['action']}{' undone' if change['undone'] else ''}"
    if entry["type"] == "run":
        return f"run {entry['run']['kind']} {entry['run']['result']}"
    return f"{entry['type']} {entry.get('step', '')}".rstrip()
