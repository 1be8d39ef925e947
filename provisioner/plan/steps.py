"""The ``steps`` of a plan, first without a look at their types: keys, names, what is switched off."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from provisioner.model import Position
from provisioner.plan.findings import describe
from provisioner.plan.read import DEPLOYMENT, Section
from provisioner.plan.yamlfile import TreePath
from provisioner.refs import PARAM, Ref, Text

STEP_KEYS: Final = (
    "name", "type", "description", "stage", "with",
    "after", "when", "adopt", "protect", "timeout", "interval",
)  # fmt: skip
STEP_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
NAME_HINT: Final = "a small letter, then small letters, digits and -, at most 63 in all"


class RawStep(NamedTuple):
    """A step as the file has it. ``on``: False where ``when`` switches it off. ``after``: with indices."""

    position: int
    section: Section
    name: str
    type: str
    on: bool
    tree: dict[str, Any]
    after: tuple[tuple[int, str], ...]
    stage: str
    adopt: bool
    protect: bool
    timeout: float | None
    interval: float | None
    description: str

    @property
    def path(self) -> TreePath:
        return self.section.path

    @property
    def where(self) -> Position:
        return self.section.source.at(self.path)


def read_steps(root: Section) -> tuple[list[RawStep], list[RawStep]]:
    """The steps that have a name of their own, and those whose name is missing or taken; in the file's order."""
    steps: list[RawStep] = []
    spare: list[RawStep] = []
    lines: dict[str, int] = {}
    if not root.raw("steps"):
        root.error(
            "plan.missing-key",
            "the plan has no steps",
            ("steps",),
            hint="steps: is a list of name, type, with",
        )
    for index, value in root.items("steps"):
        section = Section(root.source, (*root.path, "steps", index), value, root.findings, root.scope)
        if not isinstance(value, dict):
            if value is None:
                section.wrong((), "a mapping (key: value)", value)
            continue
        step = _step(index, section)
        if step.name in lines:
            message = f"there is a step {step.name!r} already, in line {lines[step.name]}"
            section.error("plan.duplicate-step", message, ("name",), hint="every step needs a name of its own")
            spare.append(step)
        elif step.name:
            lines[step.name] = step.where.line
            steps.append(step)
        else:
            spare.append(step)
    return steps, spare


def _step(index: int, section: Section) -> RawStep:
    section.allow(STEP_KEYS, "in a step")
    name = section.text("name", fill=False)
    if not name and section.raw("name") in (None, ""):
        section.missing("name", "give the step a name that says what it is for")
    elif name and (not STEP_NAME.fullmatch(name) or name in (PARAM, DEPLOYMENT)):
        section.error("plan.name-invalid", f"{describe(name)} is not a name for a step", ("name",), hint=NAME_HINT)
    kind = section.text("type", fill=False)
    if not kind and section.raw("type") in (None, ""):
        section.missing("type", "provisioner types lists them")
    return RawStep(
        position=index,
        section=section,
        name=name,
        type=kind,
        on=_when(section),
        tree=_tree(section),
        after=_after(section),
        stage=section.text("stage"),
        adopt=_adopt(section),
        protect=section.flag("protect"),
        timeout=section.duration("timeout"),
        interval=section.duration("interval"),
        description=section.text("description", fill=False),
    )


def _tree(section: Section) -> dict[str, Any]:
    inner = section.section("with")
    assert section.scope is not None
    tree = section.scope.fill(inner.value, inner.source, inner.path, inner.findings)
    assert isinstance(tree, dict)
    return tree


def _after(section: Section) -> tuple[tuple[int, str], ...]:
    names: list[tuple[int, str]] = []
    for index, name in section.items("after"):
        if isinstance(name, str):
            names.append((index, name))
        else:
            section.wrong(("after", index), "the name of a step", name)
    return tuple(names)


def _adopt(section: Section) -> bool:
    value = section.filled("adopt")
    if value is not None and value != "existing":
        section.wrong(("adopt",), "existing", value, "adopt: existing takes over what is there; leave it out otherwise")
    return value is not None


def _when(section: Section) -> bool:
    """True, false, ``${param.x}`` or ``not ${param.x}``. What cannot be read counts as on."""
    raw = section.raw("when")
    negated = isinstance(raw, str) and raw.startswith("not ")
    assert section.scope is not None
    bare = raw[4:].strip() if negated else raw
    value = section.scope.fill(bare, section.source, (*section.path, "when"), section.findings)
    if isinstance(value, Ref) and not section.scope.has_value(value):
        return True
    if raw is None and "when" not in section.value:
        return True
    if isinstance(value, bool) and not (negated and isinstance(bare, bool)):
        return value is not negated
    shown = str(value) if isinstance(value, Ref | Text) else value
    section.wrong(("when",), "true, false, ${param.NAME} or not ${param.NAME} of a boolean", shown)
    return True
