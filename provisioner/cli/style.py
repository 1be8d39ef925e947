"""The few styles of the command line's texts. The printer takes them out again where nobody wants colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def good(text: str) -> str:
    return click.style(text, fg="green")


def bad(text: str) -> str:
    return click.style(text, fg="red")


def warn(text: str) -> str:
    return click.style(text, fg="yellow")


def accent(text: str) -> str:
    return click.style(text, fg="cyan")


def dim(text: str) -> str:
    return click.style(text, dim=True)


def bold(text: str) -> str:
    return click.style(text, bold=True)


def width(text: str) -> int:
    """Columns of a styled text."""
    return len(click.unstyle(text))


def pad(text: str, columns: int) -> str:
    """Filled up with spaces to so many columns, styles not counted."""
    return text + " " * max(columns - width(text), 0)


def cut(text: str, columns: int) -> str:
    """A plain text of at most so many columns.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= columns else text[: max(columns - 1, 0)] + "…"


def plural(number: int, noun: str) -> str:
    """A number and its noun.

    >>> plural(1, "step"), plural(2, "entry"), plural(0, "step")
    ('1 step', '2 entries', '0 steps')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("ry") else f"{number} {noun}s"


def table(rows: Iterable[Sequence[str]], *, head: Sequence[str] = (), gap: str = "  ", indent: str = "") -> list[str]:
    """Columns as wide as their widest cell; the last one is not filled up."""
    cells = [list(row) for row in rows]
    if not cells:
        return []
    lines = ([[dim(title) for title in head]] if head else []) + cells
    widths = [max(width(line[column]) for line in lines) for column in range(len(lines[0]))]
    made = []
    for line in lines:
        # One endless cell among many rows must not make every row endless, not even for a moment.
        filled = [*map(pad, line[:-1], widths), *line[-1:]]
        made.append((indent + gap.join(filled)).rstrip())
    return made
