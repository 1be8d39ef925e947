"""The JSON Schema agrees with the plan reader, as far as a schema can."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.plan.schema import DRAFT, plan_schema
from provisioner.plan.yamlfile import load
from tests.unit.toy import REGISTRY

SCHEMA = plan_schema(REGISTRY)
PLANS = Path(__file__).parent / "plans"
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}
PROSE = {"$schema", "$defs", "title", "description", "default", "examples", "format"}


def is_type(name: str, value: Any) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """A validator for just the keywords that the schema uses; an unknown keyword is an error."""
    return all(KEYWORDS[key](rule, value, schema) for key, rule in schema.items() if key not in PROSE)


def values(mapping: Any) -> dict[str, Any]:
    return mapping if isinstance(mapping, dict) else {}


def others(value: Any, schema: dict[str, Any]) -> list[Any]:
    return [inner for key, inner in values(value).items() if key not in schema.get("properties", {})]


def number(value: Any) -> bool:
    return is_type("number", value)


Keyword = Callable[[Any, Any, dict[str, Any]], bool]
KEYWORDS: dict[str, Keyword] = {
    "$ref": lambda rule, value, _: accepts(SCHEMA["$defs"][rule.removeprefix("#/$defs/")], value),
    "type": lambda rule, value, _: any(is_type(name, value) for name in ([rule] if isinstance(rule, str) else rule)),
    "const": lambda rule, value, _: bool(value == rule),
    "enum": lambda rule, value, _: value in rule,
    "anyOf": lambda rule, value, _: any(accepts(option, value) for option in rule),
    "oneOf": lambda rule, value, _: sum(accepts(option, value) for option in rule) == 1,
    "properties": lambda rule, value, _: all(accepts(rule[k], v) for k, v in values(value).items() if k in rule),
    "additionalProperties": lambda rule, value, schema: (
        not others(value, schema) if rule is False else all(accepts(rule, inner) for inner in others(value, schema))
    ),
    "required": lambda rule, value, _: not isinstance(value, dict) or set(rule) <= value.keys(),
    "propertyNames": lambda rule, value, _: all(accepts(rule, key) for key in values(value)),
    "items": lambda rule, value, _: not isinstance(value, list) or all(accepts(rule, item) for item in value),
    "pattern": lambda rule, value, _: not isinstance(value, str) or re.search(rule, value) is not None,
    "minItems": lambda rule, value, _: not isinstance(value, list) or len(value) >= rule,
    "maxItems": lambda rule, value, _: not isinstance(value, list) or len(value) <= rule,
    "maxLength": lambda rule, value, _: not isinstance(value, str) or len(value) <= rule,
    "minimum": lambda rule, value, _: not number(value) or bool(value >= rule),
    "maximum": lambda rule, value, _: not number(value) or bool(value <= rule),
    "exclusiveMinimum": lambda rule, value, _: not number(value) or bool(value > rule),
}


def plan(**step: Any) -> dict[str, Any]:
    return {"deployment": "shop", "provider": "toy", "region": "eu-1", "steps": [{"name": "s", **step}]}


def test_the_schema_is_plain_json_of_draft_2020_12() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == DRAFT


def test_every_reference_in_the_schema_leads_somewhere() -> None:
    for name in re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(SCHEMA)):
        assert name in SCHEMA["$defs"]


def test_every_registered_type_is_in_it_with_the_prose_of_its_fields() -> None:
    for name in REGISTRY.names():
        assert SCHEMA["$defs"][name]["properties"]["type"] == {"const": name}
    assert SCHEMA["$defs"]["toy.database"]["description"] == "A database with every kind of field."
    assert SCHEMA["$defs"]["toy.database.Spec"]["properties"]["storage"]["description"] == "Storage in GiB"


def test_a_good_plan_fits() -> None:
    assert accepts(SCHEMA, load(PLANS / "good.yaml").value)


@pytest.mark.parametrize("case", ["keys", "missing", "types", "shapes", "names"])
def test_a_plan_with_errors_that_a_schema_can_see_does_not_fit(case: str) -> None:
    assert not accepts(SCHEMA, load(PLANS / "bad" / f"{case}.yaml").value)


@pytest.mark.parametrize(
    "fields",
    [
        {"storage": "${param.size}"},
        {"multi_az": "${param.large}"},
        {"subnets": "${net.subnets}"},
        {"subnets": ["a", "${net.id}"]},
        {"window": "${param.window}"},
        {"window": {"day": "${param.day}", "hours": [1, "${param.hour}"]}},
        {"windows": [{"day": "mon", "hours": "${param.hours}"}]},
        {"kind": "${param.kind}"},
        {"password": "${pw.value}"},
        {"password": None},
        {"tags": {"a": "x ${net.id}"}},
        {"extra": {"any": ["thing"]}},
    ],
)
def test_a_reference_is_admitted_wherever_a_value_is(fields: dict[str, Any]) -> None:
    assert accepts(SCHEMA, plan(type="toy.database", **{"with": {"version": "15", **fields}}))


@pytest.mark.parametrize(
    "fields",
    [
        {"storage": 5},
        {"storage": "20"},
        {"password": "hunter2"},
        {"kind": "huge"},
        {"window": {"day": "mon"}},
        {"subnets": [1]},
        {"nonsense": 1},
    ],
)
def test_a_wrong_literal_is_not(fields: dict[str, Any]) -> None:
    assert not accepts(SCHEMA, plan(type="toy.database", **{"with": {"version": "15", **fields}}))


def test_keys_of_objects_and_of_checks_are_told_apart() -> None:
    tcp = {"type": "check.tcp", "with": {"host": "h", "port": 1}}
    assert accepts(SCHEMA, plan(**tcp, interval="5s", timeout=30))
    assert not accepts(SCHEMA, plan(**tcp, protect=True))
    assert accepts(SCHEMA, plan(type="toy.secret", protect=True, adopt="existing", when="not ${param.x}"))
    assert not accepts(SCHEMA, plan(type="toy.secret", interval="5s"))
    assert not accepts(SCHEMA, plan(type="toy.database"))
