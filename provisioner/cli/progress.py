"""Progress as plain lines, for pipes and logs: what ended, what is waited for when that changes, a heartbeat.

``12.3s  data  db  aws.rds_instance  created in 9.87s``
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from provisioner.cli.render import Printer
from provisioner.cli.steps import Columns, Ended, Run
from provisioner.cli.style import bad, dim, good, warn
from provisioner.engine.events import Event
from provisioner.model import format_duration

HEARTBEAT = 30.0
"""Seconds of silence after which a waiting run says that it is still there."""


class Progress(Protocol):
    """A listener that shows a run as it happens."""

    def __call__(self, event: Event) -> None: ...

    def expect(self, stage: str, step: str, type_: str) -> None:
        """Tells of a step that may come, so that lines stand under one another from the first on."""
        ...

    def notice(self, text: str) -> None:
        """Says something at once; may be called from a signal handler."""
        ...

    def close(self) -> None:
        """Stops showing; a second time does nothing."""
        ...

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Leaves the terminal alone while somebody is asked something."""
        ...


class PlainProgress:
    """Lines on stderr. ``wall``: seconds since the epoch, for the heartbeat."""

    def __init__(self, printer: Printer, wall: Callable[[], float], heartbeat: float = HEARTBEAT) -> None:
        self._printer = printer
        self._wall = wall
        self._heartbeat = heartbeat
        self._run = Run()
        self._said: dict[str, str] = {}
        self._spoke = wall()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        with self._lock:
            ended = self._run.take(event)
            for line in self._lines(event, ended):
                self._say(event["at"], line)
        if event["event"] == "run.started" and self._thread is None and self._heartbeat > 0:
            self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()

    def expect(self, stage: str, step: str, type_: str) -> None:
        self._run.columns.see(stage, step, type_)

    def notice(self, text: str) -> None:
        self._printer.say(text)

    def _say(self, at: float, line: str) -> None:
        self._spoke = at
        elapsed = max(at - (self._run.began or at), 0.0)
        self._printer.say(f"{elapsed:7.1f}s  {line}")

    def _lines(self, event: Event, ended: Ended | None) -> list[str]:
        if event["event"] == "run.started":
            return [f"{event['kind']} {event['deployment']}: run {event['run']}, {event['steps']} steps"]
        said = turn(event)
        if said:
            return [said]
        if ended is not None:
            self._said.pop(ended.row.step, None)
            return [] if ended.row.action == "keep" and not ended.error else [ended_line(ended, self._run.columns)]
        return self._waiting(event)

    def _waiting(self, event: Event) -> list[str]:
        row = self._run.rows.get(event.get("step", ""))
        if row is None or self._said.get(row.step, "") == row.detail:
            return []
        self._said[row.step] = row.detail
        place = self._run.columns.place(row)
        return [f"{place}  {row.doing}: {row.detail}" if row.doing else f"{place}  {row.detail}"]

    def beat(self) -> None:
        """Says what is waited for, if nothing was said for a while."""
        with self._lock:
            now = self._wall()
            if now - self._spoke < self._heartbeat or not self._run.rows:
                return
            waiting = ", ".join(f"{row.step} ({row.detail or row.doing})" for row in self._run.rows.values())
            self._say(now, dim(f"still waiting: {waiting}"))

    def _beat(self) -> None:
        while not self._over.wait(self._heartbeat / 4):
            self.beat()

    def close(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @contextmanager
    def suspended(self) -> Iterator[None]:
        yield


def turn(event: Event) -> str:
    """What a run says when it takes a turn; empty for every other event."""
    kind = event["event"]
    if kind == "run.resumed":
        return f"run {event['run']} never came to its end and is taken up again (attempt {event['attempts']})"
    if kind == "run.reversing":
        return warn(f"{event['because']} failed: reversing what this run changed")
    if kind == "lock.taken-over":
        return warn(f"took over the lock of a run that died: {event['owner']}")
    if kind == "step.remains":
        return f"{event['step']}  {event['type']}  {bad('remains')}: {event['reason']}"
    return ""


def ended_line(ended: Ended, columns: Columns) -> str:
    """One finished, undone, stopped or failed step."""
    place = columns.place(ended.row)
    took = format_duration(ended.seconds) if ended.seconds is not None else ""
    if ended.stopped:
        return f"{place}  {warn('stopped')}{f' after {took}' if took else ''}"
    if ended.error:
        return f"{place}  {bad('failed')}{f' after {took}' if took else ''}: {ended.error}"
    mark = warn if ended.row.action == "undo" else good
    return f"{place}  {mark(ended.done)}{f' in {took}' if took else ''}"
