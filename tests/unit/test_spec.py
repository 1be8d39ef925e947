"""From a resolved tree to a Spec and back, without showing a secret."""

from __future__ import annotations

import pytest

from provisioner.errors import InvalidRequestError
from provisioner.secret import Secret
from provisioner.spec import complaints, decode, fields, secrets_in
from tests.unit.toy import Database, Window

TREE = {"version": "15", "password": Secret("hunter2"), "window": {"day": "mon", "hours": [1, 2]}}


def test_a_tree_becomes_a_spec_and_its_fields_become_plain_again() -> None:
    spec = decode(Database.Spec, TREE)
    assert spec.window == Window(day="mon", hours=[1, 2])
    plain = fields(spec)
    assert plain["window"] == TREE["window"] and plain["storage"] == 20
    assert plain["password"] is TREE["password"]
    assert "network" not in plain, "a field that is None is not managed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"storage": 5},
        {"storage": "20"},
        {"unknown": 1},
        {"window": {"day": "mon"}},
        {"password": "hunter2"},
        {"tags": {"a": Secret("hunter2")}},
    ],
)
def test_a_value_that_does_not_fit_is_named_and_not_shown(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode(Database.Spec, TREE | wrong)
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"
    assert caught.value.__cause__ is not None


def test_secrets_are_found_with_their_paths() -> None:
    one = Secret("x")
    assert dict(secrets_in({"a": one, "b": [{"c": one}], "d": "plain"})) == {"a": one, "b[0].c": one}


def test_a_rule_runs_when_all_its_fields_are_known() -> None:
    assert list(complaints(Database, {"storage": 20})) == []
    assert list(complaints(Database, {"storage": 20, "max_storage": 30})) == []
    (complaint,) = complaints(Database, {"storage": 20, "max_storage": 10})
    assert complaint == ("max_storage", "max_storage (10) is less than storage (20)")
