"""What happens in the sandbox, for people: calls, faults and letters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from provisioner.cli.style import bad, dim, plural, table, warn

_ERROR = 400


def requests_text(report: dict[str, Any]) -> list[str]:
    """A line a call, and the sum."""
    rows = [_request(request) for request in report["requests"]]
    lines = table(rows, head=("", "service", "operation", "", "status", "took"))
    return [*lines, dim(f"{plural(report['total'], 'call')} in all, {report['writes']} of them writes")]


def _request(request: dict[str, Any]) -> tuple[str, ...]:
    status = str(request["status"] or "-")
    failed = not request["status"] or request["status"] >= _ERROR
    took = f"{request['seconds'] * 1000:.0f}ms"
    write = warn("write") if request["write"] else ""
    return (
        str(request["seq"]),
        request["service"],
        request["operation"],
        write,
        bad(status) if failed else status,
        took,
    )


def inbox_text(letters: Sequence[dict[str, Any]], confirmed: int | None) -> list[str]:
    """A paragraph a letter; ``confirmed``: how many subscriptions an address has just agreed to."""
    lines = [] if confirmed is None else [f"confirmed {plural(confirmed, 'subscription')}"]
    for letter in letters:
        lines += [
            f"{letter['number']}  {dim(letter['time'])}  {letter['protocol']} {letter['endpoint']}",
            f"   {letter['subject'] or dim('no subject')}",
            *(f"   {dim(line)}" for line in _gist(letter).splitlines()),
        ]
    return [*lines, dim(plural(len(letters), "message"))]


def _gist(letter: dict[str, Any]) -> str:
    """What an alarm says, without the JSON around it; any other message as it is."""
    try:
        told = json.loads(letter["message"])
        said = str(told.get("AlarmDescription") or "").partition("\n")[0]
        return "\n".join(part for part in (said, str(told["NewStateReason"])) if part)
    except (ValueError, KeyError, AttributeError):
        return str(letter["message"])


def faults_text(faults: Sequence[dict[str, Any]]) -> list[str]:
    """A line a fault."""
    if not faults:
        return [dim("no faults")]
    return table([_fault(fault) for fault in faults], head=("", "service", "operation", "what", "when", "struck"))


def _fault(fault: dict[str, Any]) -> tuple[str, ...]:
    what = fault["error"] if fault["kind"] == "error" else fault["kind"]
    when = "for ever" if not fault["times"] else plural(fault["times"], "time")
    when += f", after {fault['skip']}" if fault["skip"] else ""
    when += f", where {fault['match']!r}" if fault["match"] else ""
    return (str(fault["id"]), fault["service"], fault["operation"], bad(what), when, str(fault["struck"]))
