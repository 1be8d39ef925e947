"""Findings as SARIF 2.1.0, which code hosts and editors read, and as annotations of a GitHub workflow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from provisioner import __version__
from provisioner.rules.rule import Level, Rule
from provisioner.rules.run import Report, Result

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Level.ERROR: "error",
    Level.HIGH: "error",
    Level.MEDIUM: "warning",
    Level.WARNING: "warning",
    Level.LOW: "note",
}
_SEVERITY: Final = {Level.HIGH: "8.0", Level.MEDIUM: "5.0", Level.LOW: "2.0"}
"""What GitHub sorts security findings by, from 0.1 to 10."""
_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def sarif(report: Report, rules: Iterable[Rule]) -> dict[str, Any]:
    """One log with one run. ``rules``: those that were checked, found or not."""
    checked = list(rules)
    known = {rule.id: number for number, rule in enumerate(checked)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "provisioner",
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in checked],
                    }
                },
                "automationDetails": {"id": f"provisioner/{report.deployment}/"},
                "columnKind": "unicodeCodePoints",
                "results": [_result(result, known) for result in report.results],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    properties: dict[str, Any] = {"tags": [rule.family]}
    if rule.level in _SEVERITY:
        properties = {"tags": ["security", rule.family], "security-severity": _SEVERITY[rule.level]}
    made: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.meaning},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "helpUri": rule.source,
        "properties": properties,
    }
    if rule.hint:
        made["help"] = {"text": rule.hint}
    return made


def _result(result: Result, known: dict[str, int]) -> dict[str, Any]:
    finding = result.finding
    hint = f" Do: {finding.hint}" if finding.hint else ""
    said: dict[str, Any] = {
        "ruleId": finding.id,
        "level": _LEVELS[result.level],
        "message": {"text": f"{finding.subject}: {finding.message}.{hint}" if finding.subject else finding.message},
        "partialFingerprints": {"finding/v1": _fingerprint(result)},
    }
    if finding.id in known:
        said["ruleIndex"] = known[finding.id]
    if finding.where is not None:
        region = {"startLine": finding.where.line, "startColumn": finding.where.column}
        place = {"artifactLocation": {"uri": _uri(finding.where.file)}, "region": region}
        said["locations"] = [{"physicalLocation": place}]
    if result.waived:
        said["suppressions"] = [{"kind": "external", "justification": result.waived}]
    return said


def _fingerprint(result: Result) -> str:
    """The same for the same finding after lines were added above it."""
    text = f"{result.finding.id}\n{result.finding.subject}\n{result.step}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _uri(file: str) -> str:
    """Relative to where it is run, as a code host wants it; absolute where the file is elsewhere."""
    path = Path(file)
    if path.is_absolute():
        try:
            path = path.relative_to(Path.cwd())
        except ValueError:
            return path.as_uri()
    return quote(path.as_posix())


def github_lines(report: Report) -> list[str]:
    """``::error file=…,line=…,col=…,title=…::message``, one a finding that is not waived."""
    lines = []
    for result in report.unwaived():
        finding = result.finding
        command = _COMMANDS[_LEVELS[result.level]]
        place = {}
        if finding.where is not None:
            place = {
                "file": finding.where.file,
                "line": str(finding.where.line),
                "col": str(finding.where.column),
            }
        facts = ",".join(f"{key}={_property(value)}" for key, value in {**place, "title": finding.id}.items())
        hint = f"\ndo: {finding.hint}" if finding.hint else ""
        lines.append(f"::{command} {facts}::{_data(f'{finding.subject}: {finding.message}{hint}')}")
    return lines


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
