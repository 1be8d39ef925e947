"""Findings for people, grouped by file with the line that each points at, and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from provisioner.cli.style import bad, bold, cut, dim, warn
from provisioner.model import Finding, Position, Severity

_SOURCE_WIDTH: Final = 110


def findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """``[{id, severity, file, line, column, message, hint, subject}]``; line and column count from 1, null without."""
    return [_json(finding) for finding in findings]


def _json(finding: Finding) -> dict[str, Any]:
    where = finding.where
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "message": finding.message,
        "hint": finding.hint,
        "subject": finding.subject,
    }


def findings_text(
    findings: Sequence[Finding], *, sources: bool, mark: Callable[[Finding], str] | None = None
) -> list[str]:
    """One block a file, in the order given; with ``sources`` each with its line and a caret.

    ``mark``: the word that says how bad it is, where that is not error or warning.
    """
    mark = mark or _mark
    lines: list[str] = []
    for file, group in groupby(findings, key=lambda finding: finding.where.file if finding.where else ""):
        lines += [bold(file)] if file else []
        text = _source(file) if sources and file else []
        for finding in group:
            lines += _finding(finding, text, mark(finding))
    return lines


def _mark(finding: Finding) -> str:
    return bad("error") if finding.severity is Severity.ERROR else warn("warning")


def _finding(finding: Finding, text: Sequence[str], mark: str) -> list[str]:
    where = finding.where
    place = f"{where.line}:{where.column}" if where else "-"
    lines = [f"  {place:<7} {mark}  {finding.message} {dim(f'[{finding.id}]')}"]
    if where is not None and 1 <= where.line <= len(text):
        lines += _caret(text[where.line - 1], where)
    if finding.hint:
        lines.append(f"          {dim('do:')} {finding.hint}")
    return lines


def _caret(line: str, where: Position) -> list[str]:
    number = str(where.line)
    shown = cut(line.replace("\t", " "), _SOURCE_WIDTH)
    under = " " * (where.column - 1) + "^"
    blank = " " * len(number)
    return [f"          {dim(number + ' │')} {shown}", f"          {dim(blank + ' │')} {bad(under)}"]


def _source(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # the finding may be that it cannot be read
        return []
