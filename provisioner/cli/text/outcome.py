"""What a run came to, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import asdict

from provisioner.cli.boundary import causes
from provisioner.cli.style import bad, bold, dim, good, plural, table, warn
from provisioner.cli.text.values import as_text, has_secret, plain
from provisioner.model import format_duration
from provisioner.operations.site import KEPT, Failure, Outcome, Remain
from provisioner.state.records import Action, Change

_DONE: Final = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.RESUME: "finished",
    Action.FORGET: "let go",
    Action.ACCEPT: "accepted",
    Action.RECOVER: "recovered",
}


def outcome_json(outcome: Outcome, *, reveal: bool = False) -> dict[str, Any]:
    """The object that ``deploy``, ``rollback`` and ``destroy`` print with ``--json``."""
    return {
        "deployment": outcome.deployment,
        "run": outcome.run,
        "result": outcome.result,
        "exit_code": outcome.exit_code,
        "changes": [_change(change) for change in outcome.changes],
        "outputs": {name: plain(value, reveal=reveal) for name, value in outcome.outputs.items()},
        "remains": [asdict(remain) for remain in outcome.remains],
        "lingers": [asdict(linger) for linger in outcome.lingers],
        "failures": [_failure(failure) for failure in outcome.failures],
        "seconds": outcome.seconds,
    }


def _change(change: Change) -> dict[str, Any]:
    return {"step": change.step, "type": change.type, "action": change.action.value, "undone": change.undone}


def _failure(failure: Failure) -> dict[str, Any]:
    error = failure.error
    return {"step": failure.step, "code": error.code, "error": str(error), "hint": error.hint, "causes": causes(error)}


def outcome_text(
    outcome: Outcome, *, verb: str, command: str, reveal: bool = False, places: Mapping[str, str] = {}
) -> list[str]:
    """The last words of a run: what failed, what remains, the outputs, and one line that sums it up.

    ``command`` is what the user would type to try again; ``places``: step → where the plan has it.
    """
    lines: list[str] = []
    for failure in outcome.failures:
        lines += [*failure_text(failure, places.get(failure.step, "")), ""]
    if outcome.remains:
        lines += [*remains_text(outcome.remains, command), ""]
    if outcome.lingers:
        rows = [(linger.step, linger.type, linger.name, linger.detail) for linger in outcome.lingers]
        lines += [dim("deleted, and kept by the cloud for a time:"), *table(rows, indent="  "), ""]
    if outcome.outputs:
        lines += [*outputs_text(outcome.outputs, reveal=reveal), ""]
    return [*lines, _last(outcome, verb)]


def failure_text(failure: Failure, place: str = "") -> list[str]:
    """Where, what, why, and what to do next."""
    error = failure.error
    text = str(error).removeprefix(f"{failure.step}: ")
    rows = [("where", place)] if place else []
    rows += [("what", text), *(("why", cause) for cause in causes(error))]
    rows += [("next", error.hint)] if error.hint else []
    rows.append(("more", f"provisioner explain {error.code}"))
    edge = bad("│")
    return [
        f"{bad('╭─')} {bold(failure.step)} {bad('failed')}",
        *(f"{edge} {dim(f'{key:<5}')}  {said}" for key, said in rows),
        bad("╰─"),
    ]


def remains_text(remains: Sequence[Remain], command: str) -> list[str]:
    """A table of what could not be taken back, or was not to be, and the command that does it."""
    kept = all(remain.reason == KEPT for remain in remains)
    many = plural(len(remains), "object")
    if kept:
        what, then = warn(f"{many} {'was' if len(remains) == 1 else 'were'} kept, as asked:"), "take them back:"
    else:
        what, then = bad(f"{many} could not be removed:"), "try again:"
    rows = [(remain.step, remain.type, remain.name, remain.reason) for remain in remains]
    lines = [what, *table(rows, head=("step", "type", "name", "why"), indent="  ")]
    lines += [f"  {dim(f'first, for {remain.step}:')} {remain.by_hand}" for remain in remains if remain.by_hand]
    lines.append(f"  {dim(then)} {command}")
    held = next((remain for remain in remains if remain.code), None)
    if held is not None and not kept:
        lines.append(f"  {dim('or leave it where it is:')} {held.let_go}")
    return lines


def outputs_text(outputs: Mapping[str, Any], *, reveal: bool = False) -> list[str]:
    """Names and values, aligned."""
    rows = [(bold(name), as_text(plain(value, reveal=reveal))) for name, value in outputs.items()]
    lines = [dim("outputs"), *table(rows, indent="  ")]
    if not reveal and any(has_secret(value) for value in outputs.values()):
        lines.append(dim("  *** is secret: provisioner outputs PLAN --raw NAME --reveal shows it"))
    return lines


def counted(changes: Sequence[Change]) -> str:
    """``12 created, 1 updated``; empty where nothing was changed."""
    found = Counter(_DONE[change.action] for change in changes if change.action in _DONE)
    return ", ".join(f"{number} {word}" for word, number in found.items())


def _last(outcome: Outcome, verb: str) -> str:
    took = dim(f"in {format_duration(outcome.seconds)}")
    name, run = bold(outcome.deployment), dim(f"run {outcome.run}")
    what = counted(outcome.changes)
    if outcome.result == "declined":
        return f"{name}: nothing was changed"
    if outcome.exit_code == 0:
        words = {"deploy": "deployed", "rollback": "rolled back", "destroy": "destroyed"}[verb]
        said = what if verb != "rollback" else f"{plural(len(outcome.changes), 'change')} taken back"
        return f"{good('✓')} {name} {good(words)}: {said or 'nothing to do'} {took} ({run})"
    codes = dim(f"exit code {outcome.exit_code}")
    if outcome.result == "reversed":
        return f"{bad('✗')} {name} {bad('failed')}, and all that this run changed was reversed {took} ({run}, {codes})"
    if outcome.exit_code == 130:
        again = f"{verb} again goes on, rollback returns"
        return f"{warn('■')} {name} {warn('stopped')} in good order {took} ({run}, {codes}); {again}"
    kept = what or "nothing was changed"
    return f"{bad('✗')} {name} {bad('failed')}: {kept} {took} ({run}, {codes})"
