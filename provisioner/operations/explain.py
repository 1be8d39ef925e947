"""What error codes, findings and types mean: from the docstrings of the classes themselves, so that nothing can lag."""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from provisioner.errors import ProvisionerError
from provisioner.operations.meanings import EXIT_CODES, FINDINGS, error_classes
from provisioner.plan.speccheck import fields_of, struct_info
from provisioner.plan.spectypes import TYPE_NAMES, description_of, expected, said_of
from provisioner.preflight.errors import PreflightError  # noqa: F401 - it is in the tree once it is imported
from provisioner.preflight.families import all_rules as preflight_rules
from provisioner.resource import CanDiscard, CanReadMany, CanUpdate, Gate, Resource, StepType
from provisioner.rules.rule import Level, Rule
from provisioner.rules.waived import WAIVERS
from provisioner.scan.families import all_rules as scan_rules
from provisioner.secret import Secret
from provisioner.spec import plain

EXIT_TOPIC: Final = "exit-codes"


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that ``explain`` knows. ``kind``: ``error``, ``finding``, ``rule`` or ``topic``."""

    code: str
    kind: str
    text: str
    exit_code: int | None = None

    @property
    def summary(self) -> str:
        return self.text.partition("\n")[0]

    def json(self) -> dict[str, Any]:
        """``{code, kind, text, exit_code}``."""
        return {"code": self.code, "kind": self.kind, "text": self.text, "exit_code": self.exit_code}


def topics() -> list[Topic]:
    """Everything, the exit codes first, then errors in the order of their tree, then findings and rules."""
    exits = "\n".join(
        ["What the exit code of a command says.", "", *(f"{code:>4}  {text}" for code, text in EXIT_CODES.items())]
    )
    found = [Topic(code=EXIT_TOPIC, kind="topic", text=exits)]
    found += [_error(cls) for cls in error_classes()]
    found += [Topic(code=id_, kind="finding", text=text, exit_code=3) for id_, text in FINDINGS.items()]
    found += [Topic(code=id_, kind="finding", text=text) for id_, text in WAIVERS.items()]
    return found + [_rule(rule) for rule in {**scan_rules(), **preflight_rules()}.values()]


def _rule(rule: Rule) -> Topic:
    fails = {Level.ERROR: 3, Level.HIGH: 8}
    text = f"{rule.meaning}\nLevel {rule.level.value}, family {rule.family}."
    todo = f"\n\nDo: {rule.hint}" if rule.hint else "\n\nDo: what the finding says."
    return Topic(
        code=rule.id, kind="rule", text=f"{text}{todo}\nSource: {rule.source}", exit_code=fails.get(rule.level)
    )


def _error(cls: type[ProvisionerError]) -> Topic:
    return Topic(code=cls.code, kind="error", text=inspect.cleandoc(cls.__doc__ or ""), exit_code=cls.exit_code)


def topic(code: str) -> Topic | None:
    """One of them by its code."""
    return next((one for one in topics() if one.code == code), None)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a Spec. ``takes``: what it takes in words, limits included. ``default``: UNSET where it is required.

    ``notes``: what a change of it means: another object, or one way only. ``depth``: 0, or deeper inside a field.
    """

    name: str
    takes: str
    description: str
    default: Any = msgspec.UNSET
    examples: list[Any] = []
    notes: list[str] = []
    depth: int = 0

    @property
    def required(self) -> bool:
        return self.default is msgspec.UNSET


class About(msgspec.Struct, frozen=True, kw_only=True):
    """A type, told from its class. ``powers``: which of update, list, discard it has. ``timeout`` in seconds."""

    type: str
    text: str
    kind: str
    powers: list[str]
    holds_data: bool
    reversibility: str
    timeout: float
    fields: list[Field]
    outputs: dict[str, str]

    @property
    def summary(self) -> str:
        return self.text.partition("\n")[0]


def about(cls: type[StepType]) -> About:
    """Everything that a plan's author may want to know of a type."""
    gate = issubclass(cls, Gate)
    resource = cls if issubclass(cls, Resource) else None
    return About(
        type=cls.type,
        text=inspect.cleandoc(cls.__doc__ or ""),
        kind="check" if gate else "resource",
        powers=_powers(cls),
        holds_data=resource is not None and resource.holds_data,
        reversibility=resource.reversibility.value if resource is not None else "",
        timeout=cls.timeout,
        fields=_fields(cls),
        outputs={name: TYPE_NAMES.get(kind, kind.__name__) for name, kind in cls.outputs.items()},
    )


def _powers(cls: type[StepType]) -> list[str]:
    powers = (("update", CanUpdate), ("list", CanReadMany), ("discard", CanDiscard))
    return [name for name, power in powers if issubclass(cls, power)]


def _fields(cls: type[StepType]) -> list[Field]:
    found: list[Field] = []
    _walk(cls.Spec, cls, 0, found)
    return found


def _walk(spec: type[msgspec.Struct], cls: type[StepType], depth: int, found: list[Field]) -> None:
    types = {field.name: field.type for field in struct_info(spec).fields}
    for field in fields_of(spec):
        info = types[field.name]
        found.append(
            Field(
                name=field.encode_name,
                takes=expected(info),
                description=description_of(info),
                default=_default(field),
                examples=_examples(info),
                notes=_notes(cls, field.name) if depth == 0 else [],
                depth=depth,
            )
        )
        for inner in _structs(info):
            _walk(inner, cls, depth + 1, found)


def _default(field: Any) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return None if field.default is None else plain(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return plain(field.default_factory())
    return msgspec.UNSET


def _examples(info: Any) -> list[Any]:
    return list(said_of(info, "examples") or ())


def _structs(info: Any) -> list[type[msgspec.Struct]]:
    """The structs directly inside a field's type, in lists and unions too."""
    if isinstance(info, msgspec.inspect.Metadata):
        return _structs(info.type)
    if isinstance(info, msgspec.inspect.StructType):
        return [info.cls]
    if isinstance(info, msgspec.inspect.UnionType):
        return [cls for kind in info.types for cls in _structs(kind)]
    inner = getattr(info, "item_type", None) or getattr(info, "value_type", None)
    return _structs(inner) if inner is not None else []


def _notes(cls: type[StepType], name: str) -> list[str]:
    if not issubclass(cls, Resource):
        return []
    notes = []
    if name in cls.identity:
        notes.append("says which object is meant")
    elif name in cls.immutable or (name != "name" and not issubclass(cls, CanUpdate)):
        notes.append("a change replaces the object")
    if name in cls.one_way:
        notes.append("a change cannot be undone")
    return notes


def about_json(one: About) -> dict[str, Any]:
    """Plain data; a required field has no ``default``."""
    fields = []
    for field in one.fields:
        tree = {
            "name": field.name,
            "takes": field.takes,
            "description": field.description,
            "required": field.required,
            "depth": field.depth,
            "notes": field.notes,
            "examples": field.examples,
        }
        fields.append(
            tree if field.required else tree | {"default": None if isinstance(field.default, Secret) else field.default}
        )
    return {
        "type": one.type,
        "kind": one.kind,
        "text": one.text,
        "powers": one.powers,
        "holds_data": one.holds_data,
        "reversibility": one.reversibility,
        "timeout": one.timeout,
        "fields": fields,
        "outputs": one.outputs,
    }
