"""Runs a gate (``check.*`` and its like): looks every interval until it passes or its time is up.

Nothing is recorded or undone.
"""

from __future__ import annotations

from provisioner.engine.context import Context
from provisioner.engine.loop import Call, Sleep, Task
from provisioner.errors import GateError, InvalidRequestError
from provisioner.model import format_duration
from provisioner.plan.model import StepDecl
from provisioner.refs import UnresolvedError, resolve
from provisioner.resource import Gate, Verdict
from provisioner.spec import complaints, decode, values
from provisioner.state.records import Action

FIRST_PAUSE = 1.0
"""Seconds before the second look; each pause after it is twice as long, up to the interval."""


def pass_gate(ctx: Context, decl: StepDecl) -> Task:
    """Returns when the check has passed; GateError with what it saw last when it has not in its time, or never can."""
    gate = ctx.drivers.of(decl.type)
    assert isinstance(gate, Gate)
    try:
        spec = decode(gate.Spec, resolve(decl.tree, ctx.lookup))
    except UnresolvedError as error:
        raise ctx.unresolved(decl.name, error) from error
    for field, message in complaints(type(gate), values(spec)):
        raise InvalidRequestError(f"{field}: {message}", where=decl.name)
    timeout = ctx.timeout(type(gate), decl.name, decl.timeout)
    interval = decl.interval if decl.interval is not None else gate.interval
    ctx.events.emit("step.started", step=decl.name, type=decl.type, stage=decl.stage, action="check")
    begun = ctx.clock.now()
    pause = min(FIRST_PAUSE, interval)
    while True:
        verdict: Verdict = yield Call(lambda: gate.check(spec))
        if verdict.passed:
            return Action.KEEP
        if verdict.final:
            raise GateError(f"failed: {verdict.detail}", where=decl.name, hint="the step is a check: mend what it sees")
        left = begun + timeout - ctx.clock.now()
        if left <= 0:
            raise GateError(
                f"did not pass in {format_duration(timeout)}; last seen: {verdict.detail}",
                where=decl.name,
                hint="the step is a check: mend what it sees, or what makes it look in the wrong place",
            )
        ctx.events.emit("step.waiting", step=decl.name, detail=verdict.detail)
        yield Sleep(min(pause, left))
        pause = min(pause * 2, interval)
