"""What one field of a Spec takes, as predicates and in words, by ``msgspec.inspect``'s view of its type.

``info`` is that description throughout. A field takes a *kind* of value (text, list, …) *within* limits; a
reference is judged by the Python type that its output was declared with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import inspect as mi

from provisioner.plan.findings import describe
from provisioner.secret import Secret

LISTS: Final = (mi.ListType, mi.VarTupleType, mi.SetType, mi.FrozenSetType)
"""Lists of any length whose items are all alike."""

TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "text",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
    Secret: "a secret",
}
"""Declared output types in words."""

_ANY_LIST: Final = (*LISTS, mi.TupleType)
_KINDS: Final[Mapping[type, tuple[type, ...]]] = {
    mi.NoneType: (type(None),),
    mi.StrType: (str,),
    mi.BoolType: (bool,),
    mi.IntType: (int,),
    mi.FloatType: (int, float),
    mi.DictType: (dict,),
    mi.StructType: (dict,),
    **dict.fromkeys(_ANY_LIST, (list,)),
}
"""Which Python types a plan's value may have; exactly these, so that true is not an integer."""


def bare(info: mi.Type) -> mi.Type:
    """Without Metadata around it."""
    while isinstance(info, mi.Metadata):
        info = info.type
    return info


def description_of(info: mi.Type) -> str:
    """The description of a field's Meta, or nothing."""
    return str(said_of(info, "description") or "")


def said_of(info: mi.Type, what: str) -> Any:
    """What a field's Meta says under a word of JSON Schema, or None. Of an optional one it stands inside the union."""
    while isinstance(info, mi.Metadata):
        said = (info.extra_json_schema or {}).get(what)
        if said:
            return said
        info = info.type
    if isinstance(info, mi.UnionType):
        return next((said for kind in info.types if (said := said_of(kind, what))), None)
    return None


def _options(info: mi.Type) -> list[Any] | None:
    if isinstance(info, mi.LiteralType):
        return list(info.values)
    return [member.value for member in info.cls] if isinstance(info, mi.EnumType) else None


def is_kind(info: mi.Type, value: Any) -> bool:
    """Is the value of the right kind, limits aside?"""
    info = bare(info)
    options = _options(info)
    if options is not None:
        return any(value == option and type(value) is type(option) for option in options)
    if isinstance(info, mi.UnionType):
        return any(is_kind(kind, value) for kind in info.types)
    return isinstance(info, mi.AnyType) or type(value) in _KINDS.get(type(info), ())


def within(info: mi.Type, value: Any) -> bool:
    """Is a value of the right kind within the limits?"""
    info = bare(info)
    if isinstance(info, mi.IntType | mi.FloatType):
        return (
            (info.ge is None or value >= info.ge)
            and (info.gt is None or value > info.gt)
            and (info.le is None or value <= info.le)
            and (info.lt is None or value < info.lt)
            and (info.multiple_of is None or value % info.multiple_of == 0)
        )
    if isinstance(info, mi.StrType) and info.pattern is not None and re.search(info.pattern, value) is None:
        return False
    if isinstance(info, (mi.StrType, mi.DictType, *LISTS)):
        most = len(value) if info.max_length is None else info.max_length
        return (info.min_length or 0) <= len(value) <= most
    return not isinstance(info, mi.TupleType) or len(value) == len(info.item_types)


def has_tag(info: mi.Type, value: Any) -> bool:
    """Of several structs in a union, is this the one that the value's tag names?"""
    info = bare(info)
    if isinstance(info, mi.StructType) and info.tag_field is not None:
        return isinstance(value, dict) and value.get(info.tag_field) == info.tag
    return True


_TAKERS: Final[Mapping[type, tuple[type, ...]]] = {
    str: (mi.StrType,),
    bool: (mi.BoolType,),
    int: (mi.IntType, mi.FloatType),
    float: (mi.FloatType,),
    list: _ANY_LIST,
    dict: (mi.DictType, mi.StructType),
}


def takes(info: mi.Type, given: type) -> bool:
    """Could a field take an output of the declared type? Its value is checked when it is known."""
    info = bare(info)
    options = _options(info)
    if options is not None:
        return any(type(option) is given for option in options)
    if isinstance(info, mi.UnionType):
        return any(takes(kind, given) for kind in info.types)
    if isinstance(info, mi.CustomType):
        return info.cls is given
    return isinstance(info, (mi.AnyType, *_TAKERS.get(given, ())))


def wants_secret(info: mi.Type) -> bool:
    """Does the field take secrets and, besides None, nothing else?"""
    info = bare(info)
    if isinstance(info, mi.UnionType):
        return any(wants_secret(kind) for kind in info.types)
    return isinstance(info, mi.CustomType) and info.cls is Secret


def expected(info: mi.Type) -> str:
    """What a field takes: ``an integer from 20 to 65536``."""
    info = bare(info)
    options = _options(info)
    if options is not None:
        return one_of(options)
    if isinstance(info, mi.UnionType):
        kinds = [kind for kind in info.types if not isinstance(bare(kind), mi.NoneType)]
        return " or ".join(expected(kind) for kind in kinds)
    words = _WORDS.get(type(info))
    return words(info) if words else "a value"


def one_of(options: Iterable[Any]) -> str:
    """``one of 'a', 'b'``."""
    shown = [describe(option) for option in options]
    return shown[0] if len(shown) == 1 else f"one of {', '.join(shown)}"


def _number(info: Any) -> str:
    name = "an integer" if isinstance(info, mi.IntType) else "a number"
    if info.ge is not None and info.le is not None:
        limits = [f"from {info.ge} to {info.le}"]
    else:
        words = {"of at least": info.ge, "above": info.gt, "of at most": info.le, "below": info.lt}
        limits = [f"{word} {limit}" for word, limit in words.items() if limit is not None]
    limits += [f"divisible by {info.multiple_of}"] if info.multiple_of is not None else []
    return f"{name} {' and '.join(limits)}" if limits else name


def _sized(name: str, parts: str) -> Callable[[Any], str]:
    def words(info: Any) -> str:
        least, most = info.min_length, info.max_length
        if least and most is not None:
            return f"{name} of {least} to {most} {parts}" if least != most else f"{name} of {most} {parts}"
        limit = f" of at least {least} {parts}" if least else f" of at most {most} {parts}" if most is not None else ""
        return name + limit

    return words


def _text(info: Any) -> str:
    return _sized("text", "characters")(info) + (f" matching {info.pattern}" if info.pattern else "")


_WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    mi.NoneType: lambda _: "nothing",
    mi.BoolType: lambda _: "true or false",
    mi.IntType: _number,
    mi.FloatType: _number,
    mi.StrType: _text,
    mi.TupleType: lambda info: f"a list of {len(info.item_types)} items",
    mi.DictType: _sized("a mapping", "keys"),
    mi.StructType: lambda info: f"a mapping of {', '.join(field.encode_name for field in info.fields)}",
    mi.CustomType: lambda info: "a reference to a secret" if info.cls is Secret else info.cls.__name__,
    **dict.fromkeys(LISTS, _sized("a list", "items")),
}


def advice(info: mi.Type, value: Any) -> str:
    """What the writer of a wrong value probably meant, or nothing."""
    if takes(info, str) and isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, int)
        return f'write it in quotes: "{value}"' if whole else "write it in quotes, or YAML drops a last zero"
    if isinstance(value, str):
        if takes(info, bool) and value.lower() in ("yes", "no", "on", "off", "true", "false"):
            return "write true or false, without quotes"
        if takes(info, int) and value.isdecimal():
            return "write it without quotes"
    return ""


def first_line(cls: type) -> str:
    """What a type's docstring begins with."""
    return (cls.__doc__ or "").strip().partition("\n")[0]
