"""When an object counts as different from the plan, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.engine.compare import Difference, compare, fingerprints, gap, masked
from provisioner.engine.decide import Gap
from provisioner.model import Key, Observed, Phase
from provisioner.resource import Resource, Spec, resource
from provisioner.secret import Secret
from provisioner.state.records import Record, Status
from tests.engine.toytypes import ToyThing

SALT = "salt"


class _LooseSpec(Spec, frozen=True):
    """Two fields, one of them loose about case."""

    zone: str
    options: dict[str, Any] = {}


@resource("toy.loose")
class _Loose(Resource):
    """A type without update, whose zone may come back in another case."""

    Spec = _LooseSpec
    matches = {"zone": lambda wanted, seen: wanted.lower() == seen.lower()}

    def read(self, key: Key) -> Observed | None:
        raise NotImplementedError

    def create(self, key: Key, spec: Any) -> None:
        raise NotImplementedError

    def delete(self, key: Key) -> None:
        raise NotImplementedError


def _seen(**spec: Any) -> Observed:
    return Observed(phase=Phase.READY, owner="shop/db", spec=spec)


def _record(spec: dict[str, Any], marks: dict[str, str] | None = None) -> Record:
    key = Key(deployment="shop", step="db", name="shop-db")
    return Record(step="db", type="toy.thing", status=Status.READY, key=key, spec=spec, fingerprints=marks or {})


def test_a_field_that_the_cloud_reports_is_compared_with_the_cloud_and_not_with_the_record() -> None:
    found = compare(ToyThing, {"size": 2}, {"size": 2}, _seen(size=5), _record({"size": 2}), SALT)
    assert found == [Difference("size", 5, 2, replaces=False)]


def test_a_field_that_the_cloud_does_not_report_is_compared_with_the_record() -> None:
    assert compare(ToyThing, {"note": "b"}, {"note": "b"}, _seen(), _record({"note": "a"}), SALT)
    assert not compare(ToyThing, {"note": "a"}, {"note": "a"}, _seen(), _record({"note": "a"}), SALT)


def test_without_a_record_an_unreported_field_is_taken_for_granted() -> None:
    assert not compare(ToyThing, {"note": "b"}, {"note": "b"}, _seen(), None, SALT)


def test_a_field_that_the_plan_leaves_out_is_not_managed() -> None:
    assert not compare(ToyThing, {}, {}, _seen(colour="blue"), _record({}), SALT)


def test_an_immutable_field_asks_for_a_new_object_and_any_field_where_there_is_no_update() -> None:
    shape = compare(ToyThing, {"shape": "square"}, {"shape": "square"}, _seen(shape="round"), None, SALT)
    assert gap(shape) is Gap.REPLACE
    zone = compare(_Loose, {"zone": "a"}, {"zone": "a"}, _seen(zone="b"), None, SALT)
    assert gap(zone) is Gap.REPLACE
    assert gap([]) is Gap.NONE


def test_a_type_may_say_what_equal_means_for_a_field() -> None:
    assert not compare(_Loose, {"zone": "eu-West-1"}, {"zone": "eu-West-1"}, _seen(zone="EU-west-1"), None, SALT)
    assert compare(_Loose, {"zone": "eu-west-1"}, {"zone": "eu-west-1"}, _seen(zone=None), None, SALT)


@pytest.mark.parametrize(("now", "different"), [("old", False), ("new", True)])
def test_a_secret_is_compared_by_fingerprint_and_shown_as_stars(now: str, different: bool) -> None:
    record = _record({"password": "${pw.value}"}, fingerprints({"password": Secret("old")}, SALT))
    found = compare(ToyThing, {"password": Secret(now)}, {"password": "${pw.value}"}, _seen(), record, SALT)
    assert bool(found) is different
    assert all((d.before, d.after) == ("***", "***") for d in found)


def test_a_secret_from_another_reference_with_the_same_value_is_no_difference() -> None:
    record = _record({"password": "${pw.value}"}, fingerprints({"password": Secret("old")}, SALT))
    assert not compare(ToyThing, {"password": Secret("old")}, {"password": "${vault.value}"}, _seen(), record, SALT)


def test_a_secret_inside_a_structure_is_compared_with_what_is_around_it() -> None:
    wanted = {"options": {"user": "app", "password": Secret("x")}}
    record = _record({"options": {"user": "app", "password": "${pw.value}"}}, fingerprints(wanted, SALT))
    frozen = {"options": {"user": "app", "password": "${pw.value}"}}
    assert not compare(_Loose, wanted, frozen, _seen(), record, SALT)
    renamed = {"options": {"user": "root", "password": Secret("x")}}
    frozen = {"options": {"user": "root", "password": "${pw.value}"}}
    assert compare(_Loose, renamed, frozen, _seen(), record, SALT)


def test_masking_reaches_every_depth() -> None:
    assert masked({"a": [{"b": Secret("x")}], "c": 1}) == {"a": [{"b": "***"}], "c": 1}
