"""What can be wrong between steps, and between a step and its type: references, fields, rules, names.

A step that is switched off is checked against its type as well, so that an error in it shows in every
environment; only the rules and the names of objects are left for the environments that want it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from provisioner import folder
from provisioner.plan.findings import Findings, describe
from provisioner.plan.model import OutputDecl, StepDecl
from provisioner.plan.read import Scope, Section, located_refs
from provisioner.plan.speccheck import Checked, Secrets, check, fields_of, folder_fields
from provisioner.plan.steps import RawStep
from provisioner.plan.yamlfile import TreePath
from provisioner.refs import PARAM, Ref, Text, refs_in
from provisioner.resource import Gate, Registry, Resource, StepType
from provisioner.secret import Secret
from provisioner.spec import complaints

_OUTPUT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


class Checker:
    """Checks steps in the file's order and gathers what it learns of each for those below it.

    ``spare``: steps that nothing can refer to, because their name is missing or taken; of these the type alone.
    """

    def __init__(
        self,
        steps: Sequence[RawStep],
        spare: Sequence[RawStep],
        registry: Registry,
        scope: Scope,
        findings: Findings,
        deployment: str,
        region: str,
    ) -> None:
        self.steps = {step.name: step for step in steps}
        self.registry = registry
        self.scope = scope
        self.findings = findings
        self.deployment = deployment
        self.region = region
        self.types: dict[str, type[StepType] | None] = {step.name: self._type(step) for step in steps}
        for step in spare:
            self._type(step)
        self._objects: dict[tuple[Any, ...], str] = {}

    def _type(self, step: RawStep) -> type[StepType] | None:
        if step.type in self.registry:
            return self.registry.type(step.type)
        if step.type:
            near = self.findings.near(step.type, self.registry.names())
            hint = "provisioner types lists them all"
            step.section.error(
                "plan.unknown-type", f"there is no type {describe(step.type)}{near}", ("type",), hint=hint
            )
        return None

    def declaration(self, step: RawStep) -> StepDecl:
        """The step for the engine, once everything about it is checked."""
        cls = self.types[step.name]
        if cls is not None:
            self._folders(step, cls)
        needed = self._references(step) | self._after(step)
        if cls is not None:
            self._kind(step, cls)
            self._fields(step, cls)
        by_position = sorted(needed, key=lambda name: self.steps[name].position)
        return StepDecl(
            name=step.name,
            type=step.type,
            where=step.where,
            tree=step.tree,
            stage=step.stage,
            after=tuple(name for _, name in step.after if name in needed),
            needs=tuple(by_position),
            adopt=step.adopt,
            protect=step.protect,
            timeout=step.timeout,
            interval=step.interval,
            description=step.description,
            index=step.position,
        )

    def _folders(self, step: RawStep, cls: type[StepType]) -> None:
        """Puts in place of each folder what stands for its content; one of a step that is switched off need not be."""
        base = Path(step.section.source.file).parent
        for name in folder_fields(cls.Spec):
            value = step.tree.get(name)
            if isinstance(value, Ref | Text):
                if all(self.scope.has_value(ref) for ref in refs_in(value)):
                    message = (
                        f"{name}: the folder must be known when the plan is read; only parameters may be used here"
                    )
                    step.section.error("plan.reference-not-here", message, ("with", name))
            elif isinstance(value, str) and step.on:
                try:
                    step.tree[name] = folder.take(base, value)
                except ValueError as err:
                    hint = "folders are relative to the plan's file"
                    step.section.error("plan.folder", f"{name}: {err}", ("with", name), hint=hint)

    def _references(self, step: RawStep) -> set[str]:
        needed: set[str] = set()
        for path, ref in located_refs(step.tree, (*step.path, "with")):
            if ref.step == PARAM:
                continue
            problem = self._unreachable(ref.step, step)
            if problem:
                id_, message = problem
                self.findings.add(id_, f"{ref}: {message}", step.section.source, path)
                continue
            self._output(ref, step.section, path)
            if self.steps[ref.step].on:
                needed.add(ref.step)
            elif step.on:
                message = f"{ref}: the step {ref.step!r} is switched off here by its `when`"
                hint = f"give {step.name!r} the same `when`, or switch {ref.step!r} on"
                self.findings.add("plan.reference-off", message, step.section.source, path, hint=hint)
        return needed

    def _unreachable(self, name: str, step: RawStep) -> tuple[str, str] | None:
        target = self.steps.get(name)
        if target is None:
            return (
                "plan.unknown-reference",
                f"there is no step {describe(name)}{self.findings.near(name, self.steps)}",
            )
        if target.position == step.position:
            return "plan.downward-reference", "a step cannot refer to itself"
        if target.position > step.position:
            line = target.where.line
            return (
                "plan.downward-reference",
                f"the step {name!r} comes later, in line {line}; move it above {step.name!r}",
            )
        return None

    def _output(self, ref: Ref, section: Section, path: TreePath) -> None:
        cls = self.types[ref.step]
        if cls is None or ref.output in cls.outputs:
            return
        near = self.findings.near(ref.output, cls.outputs)
        message = f"{ref}: {cls.type} has no output {describe(ref.output)}{near}"
        hint = f"its outputs: {', '.join(cls.outputs)}" if cls.outputs else "it has no outputs"
        self.findings.add("plan.unknown-output", message, section.source, path, hint=hint)

    def _after(self, step: RawStep) -> set[str]:
        needed: set[str] = set()
        for index, name in step.after:
            problem = self._unreachable(name, step)
            if problem:
                step.section.error(problem[0], f"after: {problem[1]}", ("after", index))
            elif self.steps[name].on:
                needed.add(name)
        return needed

    def _kind(self, step: RawStep, cls: type[StepType]) -> None:
        """Keys that only objects, or only gates, have."""
        gate = issubclass(cls, Gate)
        for key in ("adopt", "protect") if gate else ("interval",):
            if key in step.section.value:
                what = "a check makes nothing" if gate else "only a check is repeated"
                step.section.error("plan.unknown-key", f"{key} has no meaning for {cls.type}: {what}", (key,), key=True)

    def _fields(self, step: RawStep, cls: type[StepType]) -> None:
        secrets = Secrets(self.scope.secrets, cls.secret_fields)
        checked = check(cls.Spec, step.tree, self.output_type, self.findings.near, secrets)
        for complaint in checked.complaints:
            inner = ("with", *complaint.path)
            step.section.error(complaint.id, complaint.message, inner, hint=complaint.hint, key=complaint.key)
        if not step.on:
            return
        for field, message in complaints(cls, checked.known):
            step.section.error("plan.rule", message, ("with", field))
        if not checked.complaints and issubclass(cls, Resource):
            self._name(step, cls, checked)

    def output_type(self, ref: Ref) -> type | None:
        """The declared type of an output or secret parameter, None where a finding says that there is none."""
        if ref.step == PARAM:
            return Secret if ref.output in self.scope.secrets else None
        cls = self.types.get(ref.step)
        return cls.outputs.get(ref.output) if cls is not None else None

    def _name(self, step: RawStep, cls: type[Resource], checked: Checked) -> None:
        """Checks the object's name as far as it is known: references stand as text, equal for equal ones."""
        if not self.deployment:
            return
        key = cls.key(self.deployment, step.name, _View(cls, step.tree, checked.known), self.region)
        place: TreePath = ("with", "name") if "name" in step.tree else ("name",)
        if "${" not in key.name and not re.fullmatch(cls.name_pattern, key.name):
            message = f"{cls.type} cannot be called {describe(key.name)}"
            step.section.error("plan.name-invalid", message, place, hint=f"its name must match {cls.name_pattern}")
        identity = (cls.type, key.name, key.region, *sorted(key.at.items()))
        first = self._objects.setdefault(identity, step.name)
        if first != step.name:
            message = f"this is the same object as the step {first!r}: {cls.type} {describe(key.name)}"
            step.section.error("plan.same-object", message, place, hint="give one of them another name")

    def outputs(self, root: Section) -> dict[str, OutputDecl]:
        """The plan's outputs. One that refers to a step that is switched off is left out."""
        section = root.section("outputs")
        found: dict[str, OutputDecl] = {}
        for name, value in section.value.items():
            if not _OUTPUT_NAME.fullmatch(name):
                message = f"{describe(name)} is not a name for an output"
                section.error("plan.name-invalid", message, (name,), key=True)
            output = self._output_decl(section, (*section.path, name), value)
            if output is not None:
                found[name] = output
        return found

    def _output_decl(self, section: Section, path: TreePath, value: Any) -> OutputDecl | None:
        """From ``${step.output}`` or ``{value: …, description: …, secret: …}``."""
        long = value if isinstance(value, dict) else {"value": value}
        entry = Section(section.source, path, long, self.findings)
        entry.allow(("value", "description", "secret"), "in an output")
        if "value" not in long:
            entry.missing("value", "value: ${step.output}")
        place = (*path, "value") if isinstance(value, dict) else path
        tree = self.scope.fill(entry.raw("value"), section.source, place, self.findings)
        refs = [ref for inner, ref in located_refs(tree, place) if self._reaches(ref, section, inner)]
        secret = entry.flag("secret") or any(self.output_type(ref) is Secret for ref in refs)
        output = OutputDecl(tree=tree, description=entry.text("description"), secret=secret)
        return output if all(ref.step == PARAM or self.steps[ref.step].on for ref in refs) else None

    def _reaches(self, ref: Ref, section: Section, path: TreePath) -> bool:
        if ref.step == PARAM:
            return True
        if ref.step not in self.steps:
            message = f"{ref}: there is no step {describe(ref.step)}{self.findings.near(ref.step, self.steps)}"
            self.findings.add("plan.unknown-reference", message, section.source, path)
            return False
        self._output(ref, section, path)
        return True


class _View:
    """A spec as far as it is known: what ``Resource.key`` needs to name an object."""

    def __init__(self, cls: type[StepType], tree: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        for field in fields_of(cls.Spec):
            raw = tree.get(field.encode_name)
            text = None if raw is None else str(raw)
            setattr(self, field.name, known.get(field.name, text))
