"""Goes through the checklists of what is deployed: every point from what the cloud shows and what the checks see.

It reads alone. A point is ``ok``, ``failed``, ``off`` (the plan does not ask for it) or ``open``: nobody could tell,
and it says why. Each ``check.*`` step is looked at once; nothing is waited for.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.drift import Finding, Kind
from provisioner.engine.loop import Call, Result, Task
from provisioner.errors import ProvisionerError
from provisioner.operations.drift import survey
from provisioner.operations.site import Options, Site
from provisioner.plan.model import Plan, StepDecl
from provisioner.plan.outline import Item, Outline
from provisioner.powers import CanLook, CanVerify, Point
from provisioner.refs import UnresolvedError, resolve
from provisioner.resource import Gate, Resource, Verdict
from provisioner.secret import Secret
from provisioner.spec import decode

_THERE: Final = (Kind.SAME, Kind.PLANNED, Kind.CHANGED)
_PRESENT: Final = Point("it is there, as planned")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one point of a step's checklist."""

    step: str
    type: str
    title: str
    state: str
    detail: str = ""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """All answers, in the plan's order."""

    deployment: str
    answers: list[Answer]

    def of(self, state: str) -> list[Answer]:
        return [answer for answer in self.answers if answer.state == state]

    @property
    def passed(self) -> bool:
        return not self.of("failed")


def verify(site: Site, plan: Plan) -> Verified:
    """Reads and compares. CredentialsError where it lives in another account; CloudError."""
    site.verify_accounts(site.clouds(plan.steps))
    ctx = site.context(site.new_run("verify"), plan, Options())
    found = {finding.step: finding for finding in survey(ctx, plan).findings}
    checker = _Checker(ctx, Outline(plan, ctx.drivers.registry), found, _gates(ctx, plan))
    answers = [answer for step in plan.steps for answer in checker.answers(step)]
    return Verified(deployment=plan.deployment, answers=answers)


def _gates(ctx: Context, plan: Plan) -> dict[str, Verdict]:
    """One look of every gate; what goes wrong on the way is a check that did not pass."""
    seen: dict[str, Verdict] = {}

    def landed(step: str, result: Result) -> None:
        error = result.error
        if isinstance(error, ProvisionerError):
            seen[step] = Verdict(False, str(error))
        elif error is not None:
            raise error
        else:
            seen[step] = result.value

    with ctx.retrier.impatient():
        for step in plan.steps:
            if issubclass(ctx.drivers.registry.type(step.type), Gate):
                ctx.loop.spawn(_look(ctx, step), lambda result, name=step.name: landed(name, result))  # type: ignore[misc]
        ctx.loop.run()
    return seen


def _look(ctx: Context, step: StepDecl) -> Task:
    gate = ctx.drivers.of(step.type)
    assert isinstance(gate, Gate)
    yield from ctx.ensure(step.tree)
    try:
        tree = resolve(step.tree, ctx.lookup)
    except UnresolvedError as error:
        return Verdict(False, f"{error.ref} has no value: what it comes from is not there")
    yield from ctx.reveal(step.tree, step.name)
    spec = decode(gate.Spec, tree)
    look = gate.look if isinstance(gate, CanLook) else gate.check
    verdict: Verdict = yield Call(lambda: look(spec))
    return verdict


class _Checker:
    """What is known, and how a point is judged by it."""

    def __init__(self, ctx: Context, outline: Outline, found: dict[str, Finding], gates: dict[str, Verdict]) -> None:
        self.ctx = ctx
        self.outline = outline
        self.found = found
        self.gates = gates

    def answers(self, step: StepDecl) -> list[Answer]:
        """A step's checklist; of a type without one, that it is there as planned; of a gate, what it saw."""
        cls = self.ctx.drivers.registry.type(step.type)
        if step.name in self.gates:
            verdict = self.gates[step.name]
            return [_answer(step, "it passes", "ok" if verdict.passed else "failed", verdict.detail)]
        if not issubclass(cls, Resource):
            return []
        points = cls.points() if issubclass(cls, CanVerify) else (_PRESENT,)
        finding = self.found.get(step.name)
        if finding is None or finding.kind not in _THERE:
            why = "it is not deployed" if finding is None else finding.detail or finding.kind.value
            return [_answer(step, points[0].title, "failed", why)]
        item = self.outline.items[step.name]
        return [_answer(step, point.title, *self._judge(point, item, finding)) for point in points]

    def _judge(self, point: Point, item: Item, finding: Finding) -> tuple[str, str]:
        if point.unseen:
            return "open", point.unseen
        if point.gate:
            return self._by_gates(item)
        if point.fetches:
            return self._readable(point.fetches, item)
        fields = [field.field for field in finding.fields] if point is _PRESENT else point.fields
        state, detail = _compared(finding, fields)
        if state != "ok" or point is _PRESENT:
            return state, detail
        if point.walls:
            return self._walled(point.walls, item)
        asked = not fields or any(item.sets(field) and item.values[field] for field in fields)
        return ("ok", "") if asked else ("off", "the plan does not ask for it")

    def _walled(self, field: str, item: Item) -> tuple[str, str]:
        """Who gets in is decided by other steps."""
        walls = self.outline.links(item, field)
        if not walls:
            return "open", f"no step of this plan decides about {field}"
        for wall in walls:
            finding = self.found.get(wall.step.name)
            if finding is None or finding.kind is not Kind.SAME:
                why = "is not deployed" if finding is None else f"is {finding.kind.value}"
                return "failed", f"{wall.step.name} {why}"
        return "ok", ", ".join(wall.step.name for wall in walls)

    def _by_gates(self, item: Item) -> tuple[str, str]:
        asking = [gate for gate in self.outline.users(item) if gate.step.name in self.gates]
        if not asking:
            return "open", "no check.* step refers to it"
        for gate in asking:
            verdict = self.gates[gate.step.name]
            if not verdict.passed:
                return "failed", f"{gate.step.name}: {verdict.detail}"
        return "ok", ", ".join(gate.step.name for gate in asking)

    def _readable(self, output: str, item: Item) -> tuple[str, str]:
        sight = self.ctx.seen.get(item.step.name)
        value: Any = sight.seen.outputs.get(output) if sight is not None and sight.seen is not None else None
        if not isinstance(value, Secret):
            return "failed", "it has no value"
        try:
            value.reveal()
        except ProvisionerError as error:
            return "failed", str(error)
        return "ok", ""


def _answer(step: StepDecl, title: str, state: str, detail: str = "") -> Answer:
    return Answer(step=step.name, type=step.type, title=title, state=state, detail=detail)


def _compared(finding: Finding, fields: Any) -> tuple[str, str]:
    """Whether the cloud has of these fields what the plan says."""
    for field in finding.fields:
        if field.field in fields:
            return "failed", f"{field.field} is not as planned"
    unknown = [name for name in fields if name in finding.unchecked]
    return ("open", f"{unknown[0]}: {finding.unchecked[unknown[0]]}") if unknown else ("ok", "")
