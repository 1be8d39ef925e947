"""Checks a step's parsed ``with`` against its type's Spec while some of the leaves are still references.

The walk follows ``msgspec.inspect``'s description of the Spec, so every wrong leaf gets its own complaint
with its own path; msgspec itself has the last word on each field whose value is known, so nothing passes
here that would fail later. A lone reference is judged by its declared output type, text with references in
it counts as text. Secret parameters stay references in a plan, but their values are known and judged too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec import inspect as mi

from provisioner.folder import is_folder
from provisioner.plan.findings import describe
from provisioner.plan.spectypes import (
    LISTS,
    TYPE_NAMES,
    advice,
    bare,
    description_of,
    expected,
    has_tag,
    is_kind,
    takes,
    wants_secret,
    within,
)  # fmt: skip
from provisioner.plan.yamlfile import TreePath
from provisioner.refs import PARAM, Ref, Text, refs_in, resolve
from provisioner.resource import Spec
from provisioner.secret import Secret
from provisioner.spec import keep_secret, plain

OutputType: TypeAlias = Callable[[Ref], type | None]
"""The declared type of a reference's output; None where it is not known, which others complain about."""

Near: TypeAlias = Callable[[str, Iterable[str]], str]
"""``near(word, candidates)`` gives ``"; did you mean 'x'?"`` or nothing."""


class Complaint(NamedTuple):
    """What is wrong at ``path``, counted from ``with``; where ``key``, with the key rather than its value."""

    id: str
    path: TreePath
    message: str
    hint: str = ""
    key: bool = False


class Secrets(NamedTuple):
    """``values``: of the secret parameters, by name. ``fields``: the type's ``secret_fields``."""

    values: Mapping[str, Secret] = {}
    fields: frozenset[str] = frozenset()

    def knows(self, ref: Ref) -> bool:
        return ref.step == PARAM and ref.output in self.values

    def value(self, ref: Ref) -> Secret:
        return self.values[ref.output]


_NO_SECRETS = Secrets()


class Checked(NamedTuple):
    """``known``: the fields that are right and whose value is known, with defaults; None where not set."""

    complaints: list[Complaint]
    known: dict[str, Any]


def check(
    spec: type[Spec], tree: dict[str, Any], output_type: OutputType, near: Near, secrets: Secrets = _NO_SECRETS
) -> Checked:
    """Every complaint about ``tree``, a parsed tree with parameters filled in."""
    walk = _Walk(output_type, near, secrets.fields)
    walk.value(struct_info(spec), tree, ())
    bad = {complaint.path[0] for complaint in walk.complaints if complaint.path}
    known: dict[str, Any] = {}
    for field in fields_of(spec):
        name = field.encode_name
        if name in bad:
            continue
        if name not in tree:
            value = _default(field)
        elif not all(secrets.knows(ref) for ref in refs_in(tree[name])):
            continue
        else:
            whole = resolve(tree[name], secrets.value)
            try:
                value = plain(msgspec.convert(whole, field.type, dec_hook=keep_secret))
            except msgspec.ValidationError as err:
                walk.complain("plan.wrong-type", (name,), f"{name}: {err}")
                continue
        known[field.name] = value
    return Checked(walk.complaints, known)


@lru_cache(maxsize=512)
def struct_info(spec: type[Spec]) -> mi.StructType:
    """msgspec's description of a Spec."""
    info = mi.type_info(spec)
    assert isinstance(info, mi.StructType)
    return info


@lru_cache(maxsize=512)
def fields_of(spec: type[Spec]) -> tuple[Any, ...]:
    """msgspec's FieldInfo of each field, in order."""
    return msgspec.structs.fields(spec)


@lru_cache(maxsize=512)
def folder_fields(spec: type[Spec]) -> tuple[str, ...]:
    """The names of the fields whose value is a folder."""
    return tuple(field.encode_name for field in struct_info(spec).fields if _is_folder(field.type))


def _is_folder(info: mi.Type) -> bool:
    while isinstance(info, mi.Metadata):
        if is_folder(info.extra):
            return True
        info = info.type
    return isinstance(info, mi.UnionType) and any(map(_is_folder, info.types))


def _default(field: Any) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return plain(field.default)
    return plain(field.default_factory()) if field.default_factory is not msgspec.NODEFAULT else None


class _Walk:
    """One walk over a tree. Methods get what is expected, the value, its path and its description."""

    def __init__(self, output_type: OutputType, near: Near, secret_fields: frozenset[str]) -> None:
        self.secret_fields = secret_fields
        self.output_type = output_type
        self.near = near
        self.complaints: list[Complaint] = []

    def complain(self, id_: str, path: TreePath, message: str, hint: str = "", *, key: bool = False) -> None:
        self.complaints.append(Complaint(id_, path, message, hint, key))

    def value(self, info: mi.Type, value: Any, path: TreePath, about: str = "") -> None:
        while isinstance(info, mi.Metadata):
            about = description_of(info) or about
            info = info.type
        if isinstance(value, Ref | Text):
            self._reference(info, value, path, about)
        elif isinstance(info, mi.UnionType):
            fitting = (kind for kind in info.types if is_kind(kind, value) and has_tag(kind, value))
            kind = next(fitting, None)
            if kind is None:
                self._wrong(info, value, path, about)
            else:
                self.value(kind, value, path, about)
        elif not is_kind(info, value):
            self._wrong(info, value, path, about)
        elif isinstance(info, mi.StructType):
            self._struct(info, value, path)
        else:
            if not within(info, value):
                self._wrong(info, value, path, about)
            self._items(info, value, path, about)

    def _items(self, info: mi.Type, value: Any, path: TreePath, about: str) -> None:
        if isinstance(info, LISTS):
            for index, item in enumerate(value):
                self.value(info.item_type, item, (*path, index), about)
        elif isinstance(info, mi.TupleType):
            for index, (kind, item) in enumerate(zip(info.item_types, value, strict=False)):
                self.value(kind, item, (*path, index), about)
        elif isinstance(info, mi.DictType):
            for key, item in value.items():
                place = (*path, key)
                if not (is_kind(info.key_type, key) and within(info.key_type, key)):
                    message = f"{_at(place)}: the key is {describe(key)}, expected {expected(info.key_type)}"
                    self.complain("plan.wrong-type", place, message, about, key=True)
                self.value(info.value_type, item, place, about)
        elif isinstance(info, mi.AnyType):
            self._free(info, value, path, about)

    def _free(self, info: mi.AnyType, value: Any, path: TreePath, about: str) -> None:
        """Free content takes everything; what must not go there is looked for at any depth."""
        if isinstance(value, dict):
            for key, item in value.items():
                self.value(info, item, (*path, key), about)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.value(info, item, (*path, index), about)

    def _struct(self, info: mi.StructType, value: dict[str, Any], path: TreePath) -> None:
        fields = {field.encode_name: field for field in info.fields}
        for key, item in value.items():
            field = fields.get(key)
            if field is not None:
                self.value(field.type, item, (*path, key))
            elif key != info.tag_field:
                message = f"unknown key {describe(key)}{self.near(key, fields)}"
                hint = f"known here: {', '.join(fields)}" if fields else "no keys are known here"
                self.complain("plan.unknown-key", (*path, key), message, hint, key=True)
        for name, field in fields.items():
            if field.required and name not in value:
                message = f"{_at((*path, name))} is missing"
                self.complain("plan.missing-key", path, message, description_of(field.type))

    def _reference(self, info: mi.Type, value: Ref | Text, path: TreePath, about: str) -> None:
        refs = [value] if isinstance(value, Ref) else [part for part in value.parts if isinstance(part, Ref)]
        types = {ref: self.output_type(ref) for ref in refs}
        if None in types.values():
            return
        secret = next((ref for ref, kind in types.items() if kind is Secret), None)
        given = types[value] if isinstance(value, Ref) else Secret if secret else str
        assert given is not None
        bulky = next((ref for ref, kind in types.items() if kind in (list, dict)), None)
        if bulky and isinstance(value, Text):
            what = TYPE_NAMES[types[bulky] or list]
            self.complain("plan.wrong-type", path, f"{_at(path)}: {bulky} is {what}: it cannot stand inside text")
        elif takes(info, given) and not (secret and self._open(info, path)):
            return
        elif secret:
            message = f"{_at(path)}: {secret} is secret, and this field is not: it would be stored and shown"
            self.complain("plan.secret-in-plain-field", path, message, about)
        else:
            what = TYPE_NAMES.get(given, given.__name__)
            message = f"{_at(path)}: expected {expected(info)}, but {value} is {what}"
            self.complain("plan.wrong-type", path, message, about)

    def _open(self, info: mi.Type, path: TreePath) -> bool:
        """Is it free content in which secrets would be stored and shown?"""
        return isinstance(bare(info), mi.AnyType) and path[0] not in self.secret_fields

    def _wrong(self, info: mi.Type, value: Any, path: TreePath, about: str) -> None:
        if wants_secret(info) and not isinstance(value, list | dict):
            message = f"{_at(path)}: a secret must not be written into a plan"
            hint = "refer to a secret: ${step.output}, or ${param.name} of a parameter of type secret"
            self.complain("plan.literal-secret", path, message, hint)
            return
        hint = ". ".join(part for part in (advice(info, value), about) if part)
        message = f"{_at(path)}: expected {expected(info)}, got {describe(value)}"
        self.complain("plan.wrong-type", path, message, hint)


def _at(path: TreePath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "with"
