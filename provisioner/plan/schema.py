"""JSON Schema (draft 2020-12) of a whole plan, for editors: completion, prose and red lines while one types.

It is derived from the registered types, so it cannot lag behind them. Wherever a Spec takes a value, a string with a
``${…}`` reference in it is admitted as well. What a schema cannot say (where references point, rules across fields,
names) is left to :func:`provisioner.plan.load.load_plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from provisioner.location import PATTERN as LOCATION
from provisioner.plan.load import DEPLOYMENT_NAME, ENVIRONMENT_NAME
from provisioner.plan.model import ParameterType
from provisioner.plan.parameters import PARAMETER_NAME
from provisioner.plan.spectypes import first_line
from provisioner.plan.steps import STEP_NAME
from provisioner.resource import NO_CLOUDS, Gate, Registry, StepType
from provisioner.secret import Secret

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_Schema = dict[str, Any]
_REFERENCE: Final = {"$ref": "#/$defs/reference"}
_TEXT: Final = {"type": "string"}
_NAMES: Final = {"type": "array", "items": _TEXT, "minItems": 1}
_ABOUT: Final = ("title", "description", "default", "examples")


def plan_schema(registry: Registry) -> _Schema:
    """The schema as plain data. It loads every registered type."""
    types = [registry.type(name) for name in registry.names()]
    defs: _Schema = dict(_COMMON)
    for cls in types:
        _, components = msgspec.json.schema_components(
            [cls.Spec], schema_hook=_secret, ref_template=f"#/$defs/{cls.type}.{{name}}"
        )
        for name, component in components.items():
            defs[f"{cls.type}.{name}"] = _inside(component)
        defs[cls.type] = _step(cls)
    return {
        "$schema": DRAFT,
        "title": "provisioner plan",
        **_object(_plan(types), required=("deployment", "provider", "region", "steps")),
        "$defs": defs,
    }


def _object(properties: Mapping[str, Any], *, required: tuple[str, ...] = ()) -> _Schema:
    schema: _Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def _map(values: _Schema, keys: str | None = None) -> _Schema:
    schema: _Schema = {"type": "object", "additionalProperties": values}
    return schema | ({"propertyNames": {"pattern": f"^(?:{keys})$"}} if keys else {})


def _plan(types: list[type[StepType]]) -> _Schema:
    prefixes = sorted({cls.type.partition(".")[0] for cls in types})
    timeouts = [*prefixes, *(cls.type for cls in types)]
    retry = {"attempts": {"type": "integer", "minimum": 1, "maximum": 100}}
    retry |= {"initial": {"$ref": "#/$defs/duration"}, "most": {"$ref": "#/$defs/duration"}}
    return {
        "deployment": {"type": "string", "pattern": f"^(?:{DEPLOYMENT_NAME.pattern})$", "maxLength": 40},
        "description": _TEXT,
        "provider": _or_reference({"enum": [prefix for prefix in prefixes if prefix not in NO_CLOUDS]}),
        "region": _TEXT,
        "state": {"type": "string", "pattern": f"^(?:{LOCATION.pattern})$"},
        "parameters": _map({"$ref": "#/$defs/parameter"}, PARAMETER_NAME.pattern),
        "environments": _map({"type": ["object", "null"]}, ENVIRONMENT_NAME.pattern),
        "settings": _object(
            {
                "retry": _object(retry),
                "timeouts": _map({"$ref": "#/$defs/duration"}) | {"propertyNames": {"enum": timeouts}},
            }
        ),
        "budget": _object(
            {
                "monthly": _or_reference({"type": "number", "exclusiveMinimum": 0, "description": "USD a month"}),
                **{
                    level: _or_reference({"type": "number", "exclusiveMinimum": 0, "maximum": 100})
                    for level in ("warning", "critical")
                },
            },
            required=("monthly",),
        ),
        "steps": {
            "type": "array",
            "minItems": 1,
            "items": {"oneOf": [{"$ref": f"#/$defs/{cls.type}"} for cls in types]},
        },
        "outputs": _map({"$ref": "#/$defs/output"}),
        "waivers": {"type": "array", "items": {"$ref": "#/$defs/waiver"}},
        "applications": {"type": "array", "items": {"$ref": "#/$defs/application"}},
    }


def _step(cls: type[StepType]) -> _Schema:
    properties = {
        "name": {"type": "string", "pattern": f"^(?:{STEP_NAME.pattern})$"},
        "type": {"const": cls.type},
        "description": _TEXT,
        "stage": _TEXT,
        "with": {"$ref": f"#/$defs/{cls.type}.{cls.Spec.__name__}"},
        "after": {"type": "array", "items": _TEXT, "description": "Steps that must be ready first."},
        "when": _or_reference({"type": "boolean"}),
        "timeout": {"$ref": "#/$defs/duration"},
    }
    if issubclass(cls, Gate):
        properties["interval"] = {"$ref": "#/$defs/duration"}
    else:
        properties["adopt"] = _or_reference({"const": "existing"})
        properties["protect"] = _or_reference({"type": "boolean"})
    needs_with = any(
        field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
        for field in msgspec.structs.fields(cls.Spec)
    )
    required = ("name", "type", "with") if needs_with else ("name", "type")
    return {"title": cls.type, "description": first_line(cls), **_object(properties, required=required)}


def _secret(wanted: type) -> _Schema:
    """msgspec's hook: a secret is always a reference."""
    if wanted is not Secret:
        raise NotImplementedError(f"a Spec cannot have a field of type {wanted.__name__}")
    return dict(_REFERENCE)


def _or_reference(schema: _Schema) -> _Schema:
    """The schema, or text with a reference in it; prose stays outside, where editors look for it."""
    inner = {key: value for key, value in schema.items() if key not in _ABOUT}
    about = {key: value for key, value in schema.items() if key in _ABOUT}
    if inner in ({}, _TEXT, _REFERENCE):
        return inner | about
    options = inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]
    return {"anyOf": [*options, *([] if _REFERENCE in options else [_REFERENCE])], **about}


def _inside(schema: _Schema) -> _Schema:
    """A component with references admitted at every value inside it."""
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {name: _value(inner) for name, inner in found["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _value(found[key])
    for key in ("anyOf", "prefixItems"):
        if key in found:
            found[key] = [_inside(inner) if key == "anyOf" else _value(inner) for inner in found[key]]
    return found


def _value(schema: _Schema) -> _Schema:
    return _or_reference(_inside(schema))


_COMMON: Final[Mapping[str, _Schema]] = {
    "reference": {
        "type": "string",
        "pattern": r"\$\{[^{}]+\}",
        "description": "${step.output}, ${param.name} or ${deployment.name}",
    },
    "duration": {
        "type": ["string", "number"],
        "pattern": r"^(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+|.*\$\{.*\}.*)$",
        "description": "Seconds, or text such as 90s, 30m, 1h30m",
    },
    "parameter": _object(
        {
            "type": {"enum": list(get_args(ParameterType))},
            "default": {"description": "null makes it optional; a secret has none"},
            "description": _TEXT,
            "allowed": {"type": "array", "description": "The only values there are; of a list, for each item"},
            "pattern": {"type": "string", "format": "regex", "description": "A whole match; of a list, of each item"},
            "minimum": {"type": "number"},
            "maximum": {"type": "number"},
            "env": {"type": "string", "description": "For a secret: the environment variable to read it from"},
        },
        required=("type",),
    ),
    "waiver": _object(
        {
            "rule": {**_TEXT, "description": "Id of the rule, as scan and preflight show it"},
            "steps": {"anyOf": [{"const": "all"}, _NAMES], "description": "The steps it is about; left out: all"},
            "environments": {**_NAMES, "description": "Where it holds; left out: everywhere"},
            "reason": {**_TEXT, "minLength": 10, "description": "Why this is as it should be"},
            "until": {**_TEXT, "format": "date", "description": "The day on which somebody has to look again"},
        },
        required=("rule", "reason", "until"),
    ),
    "application": _object(
        {
            "name": _TEXT,
            "database": {**_TEXT, "description": "The step it connects to; left out: the only database"},
            "processes": _or_reference({"type": "integer", "minimum": 1, "description": "Each has a pool of its own"}),
            "pool_size": _or_reference({"type": "integer", "minimum": 1, "default": 5}),
            "max_overflow": _or_reference({"type": "integer", "minimum": 0, "default": 0}),
        }
    ),
    "output": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "array"]},
            _object({"value": {}, "description": _TEXT, "secret": {"type": "boolean"}}, required=("value",)),
        ]
    },
}
