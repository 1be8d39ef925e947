"""Checking a tree against a Spec while some of it is still references."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.plan.speccheck import Complaint, check
from provisioner.refs import Ref, parse
from provisioner.resource import Spec
from provisioner.secret import Secret
from tests.unit.toy import Database

OUTPUTS: dict[str, type] = {
    "text": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
    "secret": Secret,
}


class Small(msgspec.Struct, frozen=True, tag="small", tag_field="kind"):
    size: int


class Large(msgspec.Struct, frozen=True, tag="large", tag_field="kind"):
    size: int
    spare: bool = False


class Colour(enum.Enum):
    RED = "red"


class Everything(Spec, frozen=True, kw_only=True):
    """Kinds of fields that the toy types do not have."""

    either: int | str | None = None
    shape: Small | Large | None = None
    colour: Colour = Colour.RED
    pair: tuple[int, str] = (1, "a")
    many: tuple[str, ...] = ()
    even: Annotated[int, msgspec.Meta(multiple_of=2, lt=10)] = 2
    short: Annotated[str, msgspec.Meta(min_length=2, max_length=4)] = "ab"
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]+$")] | None = None
    keyed: dict[Annotated[str, msgspec.Meta(pattern="^k")], int] = {}
    renamed: int = msgspec.field(default=1, name="other-name")
    level: Literal[1, 2] = 1
    secret: Secret | None = None


def declared(ref: Ref) -> type | None:
    return OUTPUTS.get(ref.output)


def complaints(spec: type[Spec], **tree: Any) -> list[Complaint]:
    return check(spec, parse(tree), declared, lambda word, names: "").complaints


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"either": 1},
        {"either": "x"},
        {"either": None},
        {"shape": {"kind": "large", "size": 5, "spare": True}},
        {"colour": "red"},
        {"pair": [2, "b"]},
        {"many": ["a", "b"]},
        {"even": 8},
        {"short": "abc"},
        {"code": "AB"},
        {"keyed": {"k1": 1}},
        {"other-name": 5},
        {"level": 2},
        {"short": "${a.text}"},
        {"either": "${a.int}"},
        {"even": "${a.int}"},
        {"pair": "${a.list}"},
        {"shape": "${a.dict}"},
        {"colour": "${a.text}"},
        {"code": "x ${a.int} ${a.bool} ${a.float}"},
        {"secret": "${a.secret}"},
        {"secret": "x-${a.secret}-${a.int}"},
        {"even": "${a.unheard-of}", "many": ["${a.unheard-of}"]},
        {"shape": {"kind": "small", "size": "${a.int}"}},
    ],
)
def test_what_fits_is_taken(tree: dict[str, Any]) -> None:
    assert complaints(Everything, **tree) == []


@pytest.mark.parametrize(
    ("tree", "id_", "path", "message"),
    [
        ({"either": 1.5}, "plan.wrong-type", ("either",), "expected an integer or text, got 1.5"),
        ({"either": True}, "plan.wrong-type", ("either",), "got true"),
        ({"shape": {"kind": "huge", "size": 5}}, "plan.wrong-type", ("shape",), "got a mapping"),
        (
            {"shape": {"kind": "small", "size": 5, "spare": True}},
            "plan.unknown-key",
            ("shape", "spare"),
            "unknown key 'spare'",
        ),
        ({"shape": {"kind": "small"}}, "plan.missing-key", ("shape",), "shape.size is missing"),
        ({"colour": "blue"}, "plan.wrong-type", ("colour",), "expected 'red', got 'blue'"),
        ({"pair": [1]}, "plan.wrong-type", ("pair",), "expected a list of 2 items, got a list of 1"),
        ({"pair": [1, 2]}, "plan.wrong-type", ("pair", 1), "pair[1]: expected text, got 2"),
        ({"even": 3}, "plan.wrong-type", ("even",), "expected an integer below 10 and divisible by 2, got 3"),
        ({"even": 2.0}, "plan.wrong-type", ("even",), "got 2.0"),
        ({"short": "a"}, "plan.wrong-type", ("short",), "expected text of 2 to 4 characters, got 'a'"),
        ({"code": "ab"}, "plan.wrong-type", ("code",), "matching ^[A-Z]+$, got 'ab'"),
        ({"keyed": {"x": 1}}, "plan.wrong-type", ("keyed", "x"), "keyed.x: the key is 'x'"),
        ({"renamed": 5}, "plan.unknown-key", ("renamed",), "unknown key 'renamed'"),
        ({"level": True}, "plan.wrong-type", ("level",), "expected one of 1, 2, got true"),
        ({"even": None}, "plan.wrong-type", ("even",), "got nothing"),
        ({"even": "${a.text}"}, "plan.wrong-type", ("even",), "but ${a.text} is text"),
        ({"even": "${a.bool}"}, "plan.wrong-type", ("even",), "but ${a.bool} is true or false"),
        ({"even": "1${a.int}"}, "plan.wrong-type", ("even",), "but 1${a.int} is text"),
        ({"many": ["${a.int}"]}, "plan.wrong-type", ("many", 0), "but ${a.int} is an integer"),
        (
            {"short": "x ${a.dict}"},
            "plan.wrong-type",
            ("short",),
            "${a.dict} is a mapping: it cannot stand inside text",
        ),
        ({"short": "${a.secret}"}, "plan.secret-in-plain-field", ("short",), "${a.secret} is secret"),
        ({"secret": "hunter2"}, "plan.literal-secret", ("secret",), "must not be written into a plan"),
        ({"secret": True}, "plan.literal-secret", ("secret",), "must not be written into a plan"),
        ({"secret": "${a.text}"}, "plan.wrong-type", ("secret",), "but ${a.text} is text"),
    ],
)
def test_what_does_not_fit_is_named_at_its_own_leaf(
    tree: dict[str, Any], id_: str, path: tuple[Any, ...], message: str
) -> None:
    (complaint,) = complaints(Everything, **tree)
    assert (complaint.id, complaint.path) == (id_, path) and message in complaint.message


def test_the_description_with_its_unit_is_in_the_hint() -> None:
    (complaint,) = complaints(Database.Spec, version="15", storage=5)
    assert complaint.message == "storage: expected an integer from 20 to 65536, got 5"
    assert complaint.hint == "Storage in GiB"


def test_rules_get_what_is_known_with_defaults_and_none_for_what_is_not_set() -> None:
    tree = parse(
        {
            "version": "15",
            "network": "${a.text}",
            "storage": "x",
            "max_storage": None,
            "window": {"day": "mon", "hours": [1, 2]},
        }
    )
    known = check(Database.Spec, tree, declared, lambda word, names: "").known
    assert known == {
        "version": "15",
        "max_storage": None,
        "password": None,
        "tags": None,
        "extra": None,
        "name": None,
        "ratio": 0.5,
        "multi_az": False,
        "subnets": [],
        "kind": "small",
        "windows": [],
        "window": {"day": "mon", "hours": [1, 2]},
    }


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 30)
    | st.floats(-1, 2).filter(lambda x: x != int(x))
    | st.sampled_from(["mon", "small", "15", "x", "10.0.0.0/8"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["day", "hours", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(Database.Spec.__struct_fields__), VALUES, max_size=5))
def test_without_references_it_agrees_with_what_the_engine_will_decode(tree: dict[str, Any]) -> None:
    try:
        msgspec.convert(tree, Database.Spec)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert (complaints(Database.Spec, **tree) == []) is fits
