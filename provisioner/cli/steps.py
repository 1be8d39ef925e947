"""What the progress displays know of a run: folded from its events, without a terminal or a clock."""

from __future__ import annotations

from typing import Final

import msgspec

from provisioner.engine.events import Event
from provisioner.errors import InterruptedRunError

DOING: Final = {
    "create": "creating",
    "update": "updating",
    "replace": "replacing",
    "delete": "deleting",
    "adopt": "adopting",
    "resume": "resuming",
    "forget": "letting go",
    "undo": "undoing",
    "check": "checking",
}
DONE: Final = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "adopt": "adopted",
    "resume": "finished",
    "forget": "let go",
    "undo": "undone",
    "check": "passed",
    "keep": "unchanged",
}


class Columns(msgspec.Struct):
    """The widths that lines need to stand under one another; they grow with what is seen."""

    stage: int = 0
    step: int = 0
    type: int = 0

    def see(self, stage: str, step: str, type_: str) -> None:
        self.stage, self.step, self.type = (
            max(self.stage, len(stage)),
            max(self.step, len(step)),
            max(self.type, len(type_)),
        )

    def place(self, row: Row) -> str:
        """Stage, step and type of a row."""
        cells = ((row.stage, self.stage), (row.step, self.step), (row.type, self.type))
        return "  ".join(text.ljust(width) for text, width in cells if width)


class Row(msgspec.Struct, kw_only=True):
    """A step under way. ``began``: seconds since the epoch."""

    step: str
    type: str = ""
    stage: str = ""
    action: str = ""
    detail: str = ""
    began: float = 0.0

    @property
    def doing(self) -> str:
        return DOING.get(self.action, self.action)


class Ended(msgspec.Struct, kw_only=True):
    """A step that came to its end. ``error`` is empty where it went well; ``seconds`` None where nobody timed it.

    ``stopped``: it did not fail, the run was told to stop.
    """

    row: Row
    seconds: float | None
    error: str = ""
    stopped: bool = False

    @property
    def done(self) -> str:
        return DONE.get(self.row.action, self.row.action)


class Run(msgspec.Struct, kw_only=True):
    """A run as far as its events tell: ``total`` steps, of which ``done`` ended well, ``kept`` were right before."""

    deployment: str = ""
    kind: str = ""
    id: int | None = None
    total: int = 0
    done: int = 0
    kept: int = 0
    undone: int = 0
    began: float = 0.0
    reversing: str = ""
    rows: dict[str, Row] = {}
    columns: Columns = msgspec.field(default_factory=Columns)

    def take(self, event: Event) -> Ended | None:
        """Folds one event in; what came to its end by it, where something did."""
        kind = event["event"]
        if kind == "run.started":
            self.deployment, self.kind, self.id = event["deployment"], event["kind"], event["run"]
            self.total, self.began = event["steps"], event["at"]
        elif kind == "run.reversing":
            self.reversing = event["because"]
        elif kind == "step.started":
            self._start(event)
        elif kind in ("step.waiting", "step.retry"):
            self._wait(event)
        elif kind in ("step.finished", "step.failed", "step.undone"):
            return self._end(event)
        return None

    def _start(self, event: Event) -> None:
        step = event["step"]
        self.columns.see(event.get("stage", ""), step, event["type"])
        self.rows[step] = Row(
            step=step, type=event["type"], stage=event.get("stage", ""), action=event["action"], began=event["at"]
        )

    def _wait(self, event: Event) -> None:
        row = self.rows.setdefault(event["step"], Row(step=event["step"], began=event["at"]))
        if event["event"] == "step.retry":
            row.detail = f"try {event['attempt']} failed, again in {event['pause']:g}s: {event['error']}"
        else:
            row.detail = event["detail"]

    def _end(self, event: Event) -> Ended:
        shown = self.rows.pop(event["step"], None)
        action = event.get("action", "")
        row = shown or Row(step=event["step"], type=event["type"], stage=event.get("stage", ""), action=action)
        row.type = row.type or event["type"]
        if event["event"] == "step.undone":
            row.action = "undo"
            self.undone += 1
        elif event["event"] == "step.finished":
            self.done += 1
            if shown is None or (action == "keep" and row.action != "check"):
                row.action = action
            self.kept += row.action == "keep"
        seconds = event.get("seconds")
        if seconds is None and shown is not None:
            seconds = event["at"] - shown.began
        stopped = event.get("code") == InterruptedRunError.code
        return Ended(row=row, seconds=seconds, error=event.get("error", ""), stopped=stopped)
