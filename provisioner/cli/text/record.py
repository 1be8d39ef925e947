"""What is about to be taken down or taken back, as the record has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from provisioner.cli.style import bad, bold, dim, good, plural, table, warn
from provisioner.cli.text.times import ago
from provisioner.resource import Registry, Resource
from provisioner.state.records import Action, Change, Record, Run, UndoKind

_UNDO: Final = {
    UndoKind.DELETE: (bad("  -"), "delete what it created"),
    UndoKind.RESTORE: (warn("  ~"), "restore the earlier values"),
    UndoKind.RECREATE: (good("  +"), "make it again"),
    UndoKind.NOTHING: (dim("  ="), "let go of it"),
}


def rollback_text(deployment: str, target: Run, now: float) -> list[str]:
    """The undos of a run, last change first."""
    changes = [change for change in reversed(target.changes) if not change.undone]
    by = f" by {target.by}" if target.by else ""
    facts = f"{target.kind}, {ago(now - target.started)}{by}, {target.result.value}"
    head = f"{bold(deployment)}: back to before run {target.id} ({facts})"
    rows = [_undo(change) for change in changes]
    return [head, "", *table(rows, indent="  "), "", f"Rollback: {plural(len(changes), 'change')} to take back."]


def _undo(change: Change) -> tuple[str, str, str, str]:
    sign, words = _UNDO[change.undo.kind]
    if change.action is Action.ACCEPT:
        words = "put its record back as it was; the object is not touched"
    note = f" {warn('(' + change.undo.note + ')')}" if change.undo.note else ""
    return sign, bold(change.step), change.type, words + note


def destroy_text(deployment: str, records: Sequence[Record], registry: Registry, *, keep: bool) -> list[str]:
    """Every object, in the order in which they go; ``keep``: what holds data leaves a copy."""
    rows = [
        (_sign(record), bold(record.step), record.type, dim(record.key.name), _fate(record, registry, keep))
        for record in records
    ]
    deleted = sum(1 for record in records if not record.adopted)
    return [
        bold(deployment),
        "",
        *table(rows, indent="  "),
        "",
        f"Destroy: {deleted} to delete, {len(records) - deleted} to let go.",
    ]


def _sign(record: Record) -> str:
    return dim("  <") if record.adopted else bad("  -")


def _fate(record: Record, registry: Registry, keep: bool) -> str:
    if record.adopted:
        return "was there before us, and stays"
    cls = registry.type(record.type) if record.type in registry else None
    if cls is None or not issubclass(cls, Resource) or not cls.holds_data:
        return ""
    return "holds data: a copy is kept" if keep else bad("holds data: nothing is kept")
