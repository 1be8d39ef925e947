"""Progress on a terminal: a table of the steps under way, finished ones scroll up above it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from provisioner.cli.progress import ended_line, turn
from provisioner.cli.render import Printer, Screen, clean
from provisioner.cli.steps import Ended, Row, Run
from provisioner.cli.style import bad, good, warn
from provisioner.engine.events import Event
from provisioner.model import format_duration

if TYPE_CHECKING:
    from rich.console import RenderableType

_FRAMES: Final = 8
_RESERVED: Final = 4  # rows of the screen that the table leaves alone
_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class LiveProgress:
    """A listener that keeps a table on the terminal. ``wall``: seconds since the epoch."""

    def __init__(self, printer: Printer, wall: Callable[[], float]) -> None:
        self._printer = printer
        self._console = Console(
            file=cast("IO[str]", Screen(printer.err)), highlight=False, no_color=not printer.err.colour, soft_wrap=False
        )
        self._wall = wall
        self._run = Run()
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._notice = ""

    def __call__(self, event: Event) -> None:
        with self._lock:
            ended = self._run.take(event)
            lines = self._lines(event, ended)
        if event["event"] in ("run.started", "step.started"):
            self._start()
        for line in lines:
            self._console.print(Text.from_ansi(clean(line)), overflow="fold")
        if event["event"] == "run.finished":
            self.close()

    def _lines(self, event: Event, ended: Ended | None) -> list[str]:
        said = turn(event)
        if said:
            return [f"{bad('✗') if event['event'] == 'step.remains' else warn('!')} {said}"]
        if ended is None or (ended.row.action == "keep" and not ended.error):
            return []
        return [f"{_mark(ended)} {ended_line(ended, self._run.columns)}"]

    def expect(self, stage: str, step: str, type_: str) -> None:
        self._run.columns.see(stage, step, type_)

    def notice(self, text: str) -> None:
        # Shown with the next frame: a signal handler must not print while the interrupted thread may be printing.
        self._notice = text

    def _start(self) -> None:
        if self._live is None:
            self._live = Live(self, console=self._console, refresh_per_second=_FRAMES, transient=True)
            self._live.start()

    def close(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()
            if self._notice:
                self._printer.say(warn(self._notice))
                self._notice = ""

    @contextmanager
    def suspended(self) -> Iterator[None]:
        was_live = self._live is not None
        self.close()
        try:
            yield
        finally:
            if was_live:
                self._start()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with self._lock:
            rows = list(self._run.rows.values())
            last = self._summary()
        room = max(console.size.height - _RESERVED, 1)
        now = self._wall()
        if rows:
            yield self._table(rows[:room], now)
        if len(rows) > room:
            yield Text(f"  … and {len(rows) - room} more", style="dim")
        if self._notice:
            yield Text(f"  {self._notice}", style="yellow")
        yield last

    def _table(self, rows: list[Row], now: float) -> RenderableType:
        table = Table.grid(padding=(0, 2), expand=False)
        for ratio in (None, None, None, None, 1, None):
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio)
        frame = _SPINNER[int(now * _FRAMES) % len(_SPINNER)]
        for row in rows:
            table.add_row(
                Text(f"{frame} {row.stage}".rstrip(), style="cyan"),
                Text(row.step, style="bold"),
                Text(row.type, style="dim"),
                Text(row.doing),
                Text(clean(row.detail), style="dim"),
                Text(format_duration(max(now - row.began, 0.0))),
            )
        return table

    def _summary(self) -> Text:
        run = self._run
        elapsed = format_duration(max(self._wall() - (run.began or self._wall()), 0.0))
        kept = f", {run.kept} unchanged" if run.kept else ""
        done = f"{run.undone} undone" if run.reversing else f"{run.done}/{run.total} steps{kept}"
        return Text(f"  {run.kind} {run.deployment}  {done}  {elapsed}", style="bold")


def _mark(ended: Ended) -> str:
    if ended.stopped:
        return warn("■")
    return bad("✗") if ended.error else good("✓")
