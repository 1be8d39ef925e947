"""What functions do beyond the contract: code that comes back, and what they leave behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner import folder
from provisioner.errors import BusyError, InUseError, InvalidRequestError
from provisioner.model import Key
from tests.contract.cases.aws_lambda_function import ROLE, code
from tests.contract.world import World, differing, patiently, remove, settle

FUNCTION, WALL = "aws.lambda_function", "aws.security_group"


@pytest.fixture
def world(lone_world: World) -> Iterator[World]:
    lone_world.make(ROLE.type, ROLE.step, ROLE.spec(lone_world))
    yield lone_world


def tree(world: World, code: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "handler": "main.answer",
        "role_arn": world["role"]["arn"],
        "log_group": f"/app/{world.deployment}",
        **more,
    }


def bring(world: World, key: Key, wanted: dict[str, Any], *changed: str) -> None:
    """As the engine would: updates until nothing differs."""
    driver, spec = world.driver(FUNCTION), world.spec(FUNCTION, wanted)
    for _ in range(3):
        if not differing(driver, spec, settle(driver, key)):
            return
        patiently(lambda: driver.update(key, spec, changed))
    raise AssertionError(differing(driver, spec, settle(driver, key)))


def versions(world: World, key: Key) -> list[str]:
    found = world.session().client("lambda").list_versions_by_function(FunctionName=key.name)["Versions"]
    return [one["Version"] for one in found if one["Version"] != "$LATEST"]


def code_of(home: Path, text: str) -> str:
    """A folder with this text, gone again: its content is known to nobody but the cloud afterwards."""
    (home / "code").mkdir(parents=True)
    (home / "code" / "main.py").write_text(text)
    return folder.take(home, "code")


def test_the_code_before_a_change_comes_back_when_its_folder_is_gone(world: World, tmp_path: Path) -> None:
    old = code_of(tmp_path, "def answer(event, context):\n    return 'old'\n")
    key, _ = world.make(FUNCTION, "f", tree(world, old))
    bring(world, key, tree(world, code("hello")))
    shutil.rmtree(tmp_path / "code")
    with pytest.raises(FileNotFoundError):
        folder.packed(old)
    bring(world, key, tree(world, old), "code")
    said = world.session().client("lambda").invoke(FunctionName=key.name, Payload=b"{}")
    assert json.loads(said["Payload"].read()) == "old"


def test_code_that_is_nowhere_says_that_its_folder_is_needed(world: World) -> None:
    key, _ = world.make(FUNCTION, "f", tree(world, code("hello")))
    driver = world.driver(FUNCTION)
    with pytest.raises(InvalidRequestError, match="no version of the function has it") as caught:
        driver.update(key, world.spec(FUNCTION, tree(world, "gone#sha256:" + "0" * 64)))
    assert "check out the code as it was" in caught.value.hint
    assert versions(world, key) == []


def test_the_latest_three_of_the_code_before_are_kept_and_those_of_others_for_good(
    world: World, tmp_path: Path
) -> None:
    key, _ = world.make(FUNCTION, "f", tree(world, code("hello")))
    theirs = world.session().client("lambda").publish_version(FunctionName=key.name)["Version"]
    for number in range(5):
        bring(world, key, tree(world, code_of(tmp_path / str(number), f"x = {number}\n")))
    # Nothing had changed when the first change came, so theirs is the version of that code.
    assert versions(world, key) == [theirs, "3", "4", "5"]


def test_two_changes_at_once_are_one_after_the_other(world: World) -> None:
    key, _ = world.make(FUNCTION, "f", tree(world, code("hello")))
    driver, spec = world.driver(FUNCTION), world.spec(FUNCTION, tree(world, code("bye"), memory_mb=512))
    with pytest.raises(BusyError, match="update is in progress"):
        driver.update(key, spec)
    assert differing(driver, spec, settle(driver, key)) == {"code"}
    driver.update(key, spec, ["code"])
    assert differing(driver, spec, settle(driver, key)) == set()


def _network(world: World, *walls: str) -> dict[str, Any]:
    world.make("aws.vpc", "net", {"cidr": "10.61.0.0/16"})
    vpc = world["net"]["vpc_id"]
    world.make("aws.subnet", "a", {"vpc_id": vpc, "cidr": "10.61.1.0/24", "zone_index": 0})
    for wall in walls:
        world.make(WALL, wall, {"vpc_id": vpc})
    return {"subnets": [world["a"]["subnet_id"]], "security_groups": [world[walls[0]]["group_id"]]}


def _held(world: World, step: str) -> list[Any]:
    driver, key = world.driver(WALL), world._made[step][1]
    with pytest.raises(InUseError):
        driver.delete(key)
    return list(driver.holders(key))


def test_a_function_holds_its_group_and_what_it_leaves_behind_is_leaving(world: World) -> None:
    place = _network(world, "wall")
    key, _ = world.make(FUNCTION, "f", tree(world, code("hello"), **place))
    (holder,) = _held(world, "wall")
    assert (holder.what, holder.owner, holder.leaving) == (f"function {key.name}", key.owner, False)
    assert f"aws lambda get-function --function-name {key.name} --region us-east-1" in holder.by_hand
    remove(world.driver(FUNCTION), key)
    (holder,) = _held(world, "wall")
    assert holder.leaving and "whose function is gone" in holder.what and key.name in holder.what


def test_a_version_that_holds_a_group_is_named_with_the_command_that_deletes_it(world: World) -> None:
    place = _network(world, "wall", "other")
    key, _ = world.make(FUNCTION, "f", tree(world, code("hello"), **place))
    elsewhere = {**place, "security_groups": [world["other"]["group_id"]]}
    world.session().client("lambda").publish_version(FunctionName=key.name)
    bring(world, key, tree(world, code("hello"), **elsewhere))
    (holder,) = _held(world, "wall")
    assert (holder.what, holder.owner) == (f"version 1 of function {key.name}", key.owner)
    assert f"aws lambda delete-function --function-name {key.name} --qualifier 1" in holder.by_hand


def test_another_network_lets_go_of_what_was_kept_in_the_one_before(world: World) -> None:
    place = _network(world, "wall", "other")
    key, _ = world.make(FUNCTION, "f", tree(world, code("hello"), **place))
    bring(world, key, tree(world, code("bye"), **place))
    assert versions(world, key) == ["1"]
    bring(world, key, tree(world, code("bye"), **{**place, "security_groups": [world["other"]["group_id"]]}))
    assert versions(world, key) == []


def test_code_and_network_that_were_changed_at_once_come_back_at_once_and_no_version_holds_either_group(
    world: World, tmp_path: Path
) -> None:
    place = _network(world, "wall", "other")
    elsewhere = {**place, "security_groups": [world["other"]["group_id"]]}
    old = code_of(tmp_path, "def answer(event, context):\n    return 'old'\n")
    key, _ = world.make(FUNCTION, "f", tree(world, old, **place))
    bring(world, key, tree(world, code("hello"), **elsewhere), "code", "security_groups")
    assert _groups_of_versions(world, key) <= {world["other"]["group_id"]}
    shutil.rmtree(tmp_path / "code")
    bring(world, key, tree(world, old, **place), "code", "security_groups")
    assert _groups_of_versions(world, key) <= {world["wall"]["group_id"]}
    said = world.session().client("lambda").invoke(FunctionName=key.name, Payload=b"{}")
    assert json.loads(said["Payload"].read()) == "old"


def _groups_of_versions(world: World, key: Key) -> set[str]:
    found = world.session().client("lambda").list_versions_by_function(FunctionName=key.name)["Versions"]
    return {group for one in found for group in (one.get("VpcConfig") or {}).get("SecurityGroupIds", ())}


def test_a_permission_of_somebody_else_is_not_taken_over(world: World) -> None:
    key, seen = world.make(FUNCTION, "f", tree(world, code("hello")))
    world.session().client("lambda").add_permission(
        FunctionName=key.name, StatementId="theirs", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    name, wanted = "aws.lambda_permission", {"function": seen.outputs["arn"], "service": "sns.amazonaws.com"}
    theirs = {**wanted, "name": "theirs"}
    driver = world.driver(name)
    with pytest.raises(Exception, match="not ours"):
        driver.create(world.key(name, "p", theirs), world.spec(name, theirs))
    assert driver.read(world.key(name, "p", theirs)).owner is None
