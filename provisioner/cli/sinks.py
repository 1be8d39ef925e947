"""``--events FILE|-``: every event as one line of JSON, as it happens.

A file that cannot be written any more is told about once and ends the writing, never the run.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TextIO

from provisioner.cli.render import Printer
from provisioner.engine.events import Event
from provisioner.errors import UsageError


class EventSink:
    """A listener that writes lines; close it when the run is over."""

    def __init__(self, target: str, printer: Printer) -> None:
        """UsageError where the file cannot be opened. ``-`` is stdout."""
        self._printer = printer
        self._target = target
        self._file: TextIO | None = None
        self._lost = False
        if target != "-":
            try:
                self._file = Path(target).open("w", encoding="utf-8")  # noqa: SIM115 - it stays open until close()
            except OSError as err:
                raise UsageError(
                    f"--events: cannot write {target}: {err.strerror or err}",
                    hint="name a file that can be written, or -",
                ) from err

    def __call__(self, event: Event) -> None:
        line = json.dumps(event, ensure_ascii=False) + "\n"
        if self._file is None:
            self._printer.raw(line)
        elif not self._lost:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as err:
                self._lost = True
                self._printer.say(
                    f"--events: {self._target} cannot be written any more ({err.strerror or err}); the run goes on"
                )

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # told when it was written
                self._file.close()
