"""How a deployment stands: what is recorded of each step, beside what the plan asks for. Reads the record alone."""

from __future__ import annotations

import msgspec

from provisioner.plan.model import Plan
from provisioner.resource import Gate, Registry
from provisioner.state.backend import Holder
from provisioner.state.records import Change, Record, Run, RunResult, State


class StepStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One step. ``status``: the record's; ``missing`` where only the plan has it; ``check`` for a gate.

    ``since``: seconds since the epoch of the last change of status. ``seconds``: how long the last run worked on it.
    ``leaving``: recorded, and no longer in the plan. ``undo_failed``: why it could not be taken back.
    """

    step: str
    type: str
    status: str
    stage: str = ""
    name: str = ""
    since: float | None = None
    seconds: float | None = None
    adopted: bool = False
    protect: bool = False
    leaving: bool = False
    undo_failed: str = ""


class DeploymentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A whole deployment. ``standing`` sums it up in a word: :func:`standing`. ``owner``: who is at work on it now."""

    deployment: str
    standing: str
    region: str
    accounts: dict[str, str]
    steps: list[StepStatus]
    last: Run | None
    owner: Holder | None

    @property
    def ready(self) -> int:
        return sum(1 for step in self.steps if step.status == "ready")


def status_of(state: State, plan: Plan | None, registry: Registry, owner: Holder | None) -> DeploymentStatus:
    """The status of ``state``; without a plan what the record has is all there is."""
    last = next((run for run in reversed(state.runs) if run.kind in ("deploy", "destroy", "rollback")), None)
    changes = {change.step: change for run in state.runs for change in run.changes if not change.undone}
    steps = (
        []
        if plan is None
        else [_planned(state, step.name, step.type, step.stage, registry, changes) for step in plan.steps]
    )
    known = {step.step for step in steps}
    steps += [
        _recorded(record, changes.get(record.step), leaving=plan is not None)
        for record in state.steps.values()
        if record.step not in known
    ]
    return DeploymentStatus(
        deployment=state.deployment,
        standing=standing(state, steps, last, owner),
        region=state.region,
        accounts=state.accounts,
        steps=steps,
        last=last,
        owner=owner,
    )


def _planned(
    state: State, name: str, type_: str, stage: str, registry: Registry, changes: dict[str, Change]
) -> StepStatus:
    record = state.steps.get(name)
    if record is not None:
        return _recorded(record, changes.get(name), leaving=False)
    gate = type_ in registry and issubclass(registry.type(type_), Gate)
    return StepStatus(step=name, type=type_, stage=stage, status="check" if gate else "missing")


def _recorded(record: Record, change: Change | None, *, leaving: bool) -> StepStatus:
    return StepStatus(
        step=record.step,
        type=record.type,
        stage=record.stage,
        status=record.status.value,
        name=record.key.name,
        since=record.since,
        seconds=change.seconds if change else None,
        adopted=record.adopted,
        protect=record.protect,
        leaving=leaving,
        undo_failed=change.failed if change else "",
    )


def standing(state: State, steps: list[StepStatus], last: Run | None, owner: Holder | None) -> str:
    """One word: ``running``, ``empty``, ``complete``, ``partial``, ``interrupted`` or ``failed``.

    ``interrupted``: a run never came to its end, and the next one takes it up. ``partial``: the plan has steps that are
    not there, or the record some that are not ready.
    """
    if owner is not None and owner.alive is not False:
        return "running"
    if last is not None and last.result in (RunResult.RUNNING, RunResult.REVERSING, RunResult.INTERRUPTED):
        return "interrupted"
    if last is not None and last.result is RunResult.FAILED:
        return "failed"
    if not state.steps:
        return "empty"
    return "complete" if all(step.status in ("ready", "check") and not step.leaving for step in steps) else "partial"
