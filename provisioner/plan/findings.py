"""Gathers what is wrong with a plan, so that all of it is told at once and in the file's order."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from provisioner.errors import PlanError
from provisioner.model import Finding, Severity
from provisioner.plan.yamlfile import Located, TreePath

_SUGGESTIONS = 100
_CANDIDATES = 500
_LONGEST = 64
_SHOWN = 60


class Findings:
    """Findings of several files. A path is where in the file's tree: ``("steps", 2, "with", "port")``."""

    def __init__(self) -> None:
        self.all: list[Finding] = []
        self._suggestions = _SUGGESTIONS

    def add(
        self,
        id_: str,
        message: str,
        source: Located,
        path: TreePath,
        *,
        hint: str = "",
        key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Notes a finding at the value of ``path``, or with ``key`` at the key that names it."""
        where = source.key(path) if key else source.at(path)
        subject = subject_of(source, path)
        self.all.append(Finding(id=id_, message=message, severity=severity, where=where, subject=subject, hint=hint))

    def add_unplaced(self, id_: str, message: str, subject: str, hint: str = "") -> None:
        """Notes a finding about something that stands in no file, such as an argument."""
        self.all.append(Finding(id=id_, message=message, subject=subject, hint=hint))

    def take(self, error: PlanError) -> None:
        """Adds the findings of another file's error."""
        self.all.extend(error.findings)

    def near(self, word: str, candidates: Iterable[str]) -> str:
        """``"; did you mean 'x'?"`` or nothing. Bounded, because a hostile plan could ask for thousands."""
        if self._suggestions <= 0 or len(word) > _LONGEST:
            return ""
        self._suggestions -= 1
        known = [name for name, _ in zip(candidates, range(_CANDIDATES), strict=False)]
        # A part that is exactly right (id, for vpc_id) says more than letters that are alike.
        whole = [name for name in known if word in name.replace(".", "_").split("_")]
        found = whole if len(whole) == 1 else get_close_matches(word, known, n=1, cutoff=0.7)
        return f"; did you mean {found[0]!r}?" if found else ""

    def raise_errors(self) -> None:
        """PlanError with every error, if there is one; warnings can wait until there is none."""
        errors = [finding for finding in self.sorted() if finding.severity is Severity.ERROR]
        if errors:
            raise PlanError(errors)

    def sorted(self) -> list[Finding]:
        """By file, line and column, each once; what has no place comes first."""
        return sorted(dict.fromkeys(self.all), key=_place)


def _place(finding: Finding) -> tuple[str, int, int]:
    where = finding.where
    return (where.file, where.line, where.column) if where else ("", 0, 0)


def subject_of(source: Located, path: TreePath) -> str:
    """``steps.db.with.port``: a path as people say it, steps by their name.

    >>> subject_of(Located({"steps": [{"name": "db"}]}, {}, {}, "p"), ("steps", 0, "with", "tags", 1))
    'steps.db.with.tags[1]'
    """
    text = ""
    rest: TreePath = path
    if len(path) > 1 and path[0] == "steps" and isinstance(path[1], int):
        text, rest = f"steps.{_step_name(source, path[1])}", path[2:]
    for part in rest:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _step_name(source: Located, index: int) -> str:
    steps = source.value.get("steps") if isinstance(source.value, dict) else None
    step = steps[index] if isinstance(steps, list) and index < len(steps) else None
    name = step.get("name") if isinstance(step, dict) else None
    return name if isinstance(name, str) and len(name) <= _LONGEST else f"[{index}]"


def describe(value: Any) -> str:
    """A value in a message, short.

    >>> [describe(v) for v in (None, True, "x", [1], 5)]
    ['nothing', 'true', "'x'", 'a list of 1', '5']
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "…")
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping" if isinstance(value, dict) else str(value)
