"""Shows a text again and again while something goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

from provisioner.cli.render import Printer

PAUSE = 1.0
_HOME_AND_CLEAR = "\x1b[H\x1b[J"


def watching(
    printer: Printer,
    going_on: Callable[[], bool],
    text: Callable[[], list[str]],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Prints ``text()`` every second while ``going_on()``, and once more at the end; in place on a terminal."""
    before: list[str] = []
    while True:
        again = going_on()
        lines = text()
        if printer.out.terminal:
            printer.raw(_HOME_AND_CLEAR)
            printer.show(lines)
        elif lines != before or not again:
            printer.show(lines)
        before = lines
        if not again or printer.out.gone:
            return
        sleep(PAUSE)
