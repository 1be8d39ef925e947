"""Progress as plain lines, folded from events; and what every character goes through."""

from __future__ import annotations

import io
from typing import Any

import pytest

from provisioner.cli.progress import PlainProgress
from provisioner.cli.render import Printer, clean
from provisioner.cli.steps import Run
from provisioner.engine.events import Event


class Page:
    """A progress display, a clock to turn, and what was written."""

    def __init__(self) -> None:
        self.now = 100.0
        self.text = io.StringIO()
        self.progress = PlainProgress(Printer(io.StringIO(), self.text), lambda: self.now, heartbeat=30.0)

    def hear(self, event: str, **facts: Any) -> None:
        made: Event = {"event": event, "seq": 1, "at": self.now, **facts}
        self.progress(made)

    @property
    def lines(self) -> list[str]:
        return self.text.getvalue().splitlines()


@pytest.fixture
def page() -> Page:
    made = Page()
    made.progress(
        {"event": "run.started", "at": 100.0, "kind": "deploy", "deployment": "shop", "run": 3, "steps": 2, "seq": 1}
    )
    made.progress.close()  # no thread: the tests beat themselves
    return made


def test_a_step_is_told_when_it_ends_with_the_time_it_took(page: Page) -> None:
    page.hear("step.started", step="db", type="toy.database", stage="data", action="create")
    page.now = 112.3
    page.hear("step.finished", step="db", type="toy.database", stage="data", action="create", seconds=9.87)
    assert page.lines == [
        "    0.0s  deploy shop: run 3, 2 steps",
        "   12.3s  data  db  toy.database  created in 9.87s",
    ]


def test_a_waiting_step_speaks_once_a_change_of_detail(page: Page) -> None:
    page.hear("step.started", step="db", type="toy.database", stage="data", action="create")
    for detail in ("creating", "creating", "backing-up", "backing-up"):
        page.hear("step.waiting", step="db", detail=detail)
    assert [line.rpartition(": ")[2] for line in page.lines[1:]] == ["creating", "backing-up"]


def test_a_retry_says_why_and_when(page: Page) -> None:
    page.hear("step.started", step="db", type="toy.database", stage="data", action="create")
    page.hear("step.retry", step="db", attempt=1, error="slow down", code="cloud.throttled", pause=1.5)
    assert page.lines[-1].endswith("creating: try 1 failed, again in 1.5s: slow down")


def test_silence_is_broken_every_thirty_seconds(page: Page) -> None:
    page.hear("step.started", step="db", type="toy.database", stage="data", action="create")
    page.hear("step.waiting", step="db", detail="creating")
    page.now = 129.0
    page.progress.beat()
    assert len(page.lines) == 2
    page.now = 131.0
    page.progress.beat()
    page.progress.beat()
    assert page.lines[2:] == ["   31.0s  still waiting: db (creating)"]


def test_unchanged_steps_say_nothing(page: Page) -> None:
    page.hear("step.finished", step="db", type="toy.database", stage="data", action="keep", seconds=0.0)
    assert len(page.lines) == 1


def test_a_reverse_is_told_step_by_step(page: Page) -> None:
    page.hear("step.started", step="db", type="toy.database", stage="data", action="create")
    page.hear("step.failed", step="db", type="toy.database", stage="data", error="no", code="cloud", hint="")
    page.hear("run.reversing", because="db")
    page.hear("step.started", step="net", type="toy.thing", stage="data", action="undo")
    page.hear("step.undone", step="net", type="toy.thing", seconds=0.5)
    page.hear("step.remains", step="x", type="toy.thing", reason="denied", command="again")
    said = [line.partition("s  ")[2] for line in page.lines[1:]]
    assert said == [
        "data  db  toy.database  failed after 0.00s: no",
        "db failed: reversing what this run changed",
        "data  net  toy.thing     undone in 0.50s",
        "x  toy.thing  remains: denied",
    ]


def test_a_step_that_was_stopped_did_not_fail(page: Page) -> None:
    page.hear("step.started", step="db", type="toy.database", stage="data", action="create")
    page.hear("step.failed", step="db", type="toy.database", stage="data", error="stopped", code="interrupted", hint="")
    assert "stopped after" in page.lines[-1]
    assert "failed" not in page.lines[-1]


def test_the_sums_count_what_ended_and_what_was_right_already() -> None:
    run = Run()
    for event in (
        {"event": "run.started", "at": 0.0, "kind": "deploy", "deployment": "shop", "run": 1, "steps": 3},
        {"event": "step.finished", "at": 0.0, "step": "a", "type": "t", "action": "keep", "seconds": 0.0},
        {"event": "step.started", "at": 0.0, "step": "b", "type": "t", "action": "check"},
        {"event": "step.finished", "at": 1.0, "step": "b", "type": "t", "action": "keep", "seconds": 1.0},
    ):
        run.take(event)
    assert (run.total, run.done, run.kept, run.rows) == (3, 2, 1, {})


def test_what_a_cloud_says_cannot_drive_the_terminal() -> None:
    assert clean("a\x1b]0;owned\x07\x1b[2Jb\rc\u202ed\x1b[31me") == "a]0;owned[2Jbcd\x1b[31me"


def test_colours_are_left_out_where_nobody_looks() -> None:
    out = io.StringIO()
    Printer(out, io.StringIO()).show(["\x1b[31mred\x1b[0m"])
    assert out.getvalue() == "red\n"


def test_a_character_that_cannot_be_encoded_costs_that_character_alone() -> None:
    for encoding, shown in (("utf-8", "a?b ✓ c"), ("ascii", "a?b ? c")):
        raw = io.BytesIO()
        printer = Printer(io.TextIOWrapper(raw, encoding=encoding), io.StringIO())
        printer.show(["a\ud800b ✓ c"])
        printer.json({"a": "\ud800"})
        assert raw.getvalue().decode(encoding) == f'{shown}\n{{\n  "a": "?"\n}}\n'


class _Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_stream_that_cannot_be_written_is_given_up() -> None:
    printer = Printer(_Full(), io.StringIO())
    printer.show(["one"])
    printer.show(["two"])
    assert printer.out.gone
