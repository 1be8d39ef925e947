"""What the engine relies on, for every type."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioner import spec as specs
from provisioner.drivers.typemap import TYPES
from provisioner.errors import CloudError, InvalidRequestError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import CanBorrow, CanDiscard, CanUpdate, Registry, Resource, StepType
from provisioner.sandbox import supervisor
from provisioner.secret import Secret
from tests.contract.case import Case
from tests.contract.world import World, differing, gone, look_at_many, patiently, remove, settle

Made = tuple[Key, Observed]


def _defined(cls: type[StepType]) -> type[Resource]:
    assert issubclass(cls, Resource)
    return cls


class TestDeclaration:
    """What can be told without a cloud."""

    def test_every_field_says_what_it_is(self, registry: Registry, name: str) -> None:
        schema, components = msgspec.json.schema_components([registry.type(name).Spec], schema_hook=_secret_schema)
        del schema
        for title, part in components.items():
            for field, described in part.get("properties", {}).items():
                assert _description(described), f"{title}.{field} has no description"

    def test_type_and_spec_have_a_docstring(self, registry: Registry, name: str) -> None:
        cls = registry.type(name)
        assert cls.__doc__ and cls.Spec.__doc__ and cls.__doc__ != StepType.__doc__

    def test_an_unknown_field_is_refused(self, world: World, case: Case, name: str) -> None:
        with pytest.raises(InvalidRequestError, match="no_such_field"):
            world.spec(name, {**case.spec(world), "no_such_field": 1})

    def test_fields_named_elsewhere_exist(self, registry: Registry, name: str) -> None:
        cls = _defined(registry.type(name))
        known = set(cls.Spec.__struct_fields__)
        named = {
            *cls.identity,
            *cls.immutable,
            *cls.one_way,
            *cls.matches,
            *(f for rule in cls.rules for f in rule.fields),
        }
        assert named <= known

    def test_outputs_declare_plain_types(self, registry: Registry, name: str) -> None:
        assert set(registry.type(name).outputs.values()) <= {str, int, bool, list, dict, Secret}

    def test_what_aws_would_refuse_is_refused_before(self, world: World, case: Case, name: str) -> None:
        for change in case.invalid:
            assert _refused(world, name, {**case.spec(world), **change}), f"{change} was let through"

    def test_the_example_breaks_no_rule(self, world: World, case: Case, name: str) -> None:
        assert not _refused(world, name, case.spec(world))

    def test_the_driver_loads_without_an_sdk(self, name: str) -> None:
        module = TYPES[name].partition(":")[0]
        code = f"import sys, {module}; print({{'boto3', 'botocore'}} & set(sys.modules) or 'none')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "none"


class TestReading:
    """The example object, made once."""

    def test_nothing_reads_as_none(self, world: World, case: Case, name: str) -> None:
        if not case.made:
            pytest.skip("it can only be adopted")
        key = world.key(name, "nothing", case.spec(world))
        assert world.driver(name).read(msgspec.structs.replace(key, name=f"nothing-{world.deployment}")) is None

    def test_a_ready_object_carries_its_owner(self, made: Made) -> None:
        key, seen = made
        assert (seen.phase, seen.owner) == (Phase.READY, key.owner)

    def test_every_declared_output_is_there(self, driver: Resource, made: Made) -> None:
        _, seen = made
        assert set(seen.outputs) == set(driver.outputs)
        for output, value in seen.outputs.items():
            assert isinstance(value, driver.outputs[output]), output

    def test_it_is_what_was_asked_for(self, world: World, case: Case, name: str, made: Made) -> None:
        spec = world.spec(name, case.spec(world))
        assert differing(world.driver(name), spec, made[1]) == set()

    def test_every_field_is_reported_that_the_cloud_knows(
        self, world: World, case: Case, name: str, made: Made
    ) -> None:
        asked = specs.fields(world.spec(name, case.spec(world))).keys()
        assert asked - made[1].spec.keys() == case.unseen

    def test_only_fields_of_the_spec_are_reported(self, driver: Resource, made: Made) -> None:
        assert made[1].spec.keys() <= set(driver.Spec.__struct_fields__)

    def test_reading_many_is_reading_each(self, driver: Any, made: Made) -> None:
        if not hasattr(driver, "read_many"):
            pytest.skip("it cannot read many")
        key = made[0]
        nothing = msgspec.structs.replace(key, step="nothing", name=f"{key.name}-no", at={})
        many = look_at_many(driver, [key, nothing])
        one = driver.read(key)
        assert one is not None and set(many) == {key.owner}
        assert _shown(many[key.owner]) == _shown(one)

    def test_somebody_elses_object_says_whose_it_is(self, world: World, case: Case, driver: Any, made: Made) -> None:
        if not case.claimable:
            pytest.skip("two deployments cannot meet there")
        key = made[0]
        other = case.foreign(world, key) if case.foreign else msgspec.structs.replace(key, deployment="other")
        assert other.owner != key.owner
        seen = driver.read(other)
        assert seen is not None and seen.owner != other.owner


class TestLosing:
    """The example object without its record, and without its tag."""

    def test_it_is_found_by_its_tag_without_its_step_being_known(self, world: World, driver: Any, made: Made) -> None:
        _needs_search(driver)
        key, seen = made
        found = [one for one in driver.search(world.deployment, key.region or world.region) if one.step == key.step]
        assert len(found) == 1 and found[0].owner == key.owner
        assert _shown(driver.read(found[0])) == _shown(driver.read(key))
        assert seen.phase is Phase.READY

    def test_nothing_is_found_for_another_deployment(self, world: World, driver: Any, made: Made) -> None:
        _needs_search(driver)
        for other in ("other", f"{world.deployment}-2", world.deployment[:-1]):
            assert made[0].step not in {key.step for key in driver.search(other, world.region)}

    def test_its_identifier_is_an_output_that_it_has(self, driver: Resource, made: Made) -> None:
        assert not driver.identifier or made[1].outputs[driver.identifier]

    def test_a_tag_that_somebody_changed_is_put_back(self, driver: Any, made: Made) -> None:
        if not hasattr(driver, "claim"):
            pytest.skip("without its mark it is gone")
        key, seen = made
        ident = str(seen.outputs.get(driver.identifier, ""))
        other = msgspec.structs.replace(key, deployment="other")
        driver.claim(other, ident)
        there = driver.find(key, ident) if hasattr(driver, "find") else driver.read(key)
        assert there.owner == other.owner
        driver.claim(key, ident)
        assert _shown(driver.read(key)) == _shown(seen)

    def test_what_only_its_tag_finds_is_found_by_its_identifier_too(self, driver: Any, made: Made) -> None:
        if not hasattr(driver, "find"):
            pytest.skip("its name finds it")
        key, seen = made
        ident = str(seen.outputs[driver.identifier])
        assert _shown(driver.find(key, ident)) == _shown(seen)
        assert driver.find(key, f"{ident[:-4]}0000") is None


class TestChanging:
    """The example object, changed and brought back."""

    def test_an_update_brings_every_change(self, world: World, case: Case, name: str, driver: Any, made: Made) -> None:
        if case.changed is None:
            assert not isinstance(driver, CanUpdate), "the case lacks a change"
            pytest.skip("it cannot be updated")
        base = case.spec(world)
        after = world.spec(name, {**base, **case.changed(world)})
        expected = set(case.changed(world)) - case.unseen
        key = made[0]
        assert differing(driver, after, settle(driver, key)) == expected
        for spec in (after, world.spec(name, base)):
            patiently(lambda spec=spec: driver.update(key, spec))  # type: ignore[misc]
            assert differing(driver, spec, settle(driver, key)) == set()

    def test_updating_twice_does_no_harm(self, world: World, case: Case, name: str, driver: Any, made: Made) -> None:
        if not hasattr(driver, "update"):
            pytest.skip("it cannot be updated")
        spec = world.spec(name, case.spec(world))
        for _ in range(2):
            patiently(lambda: driver.update(made[0], spec))
            assert differing(driver, spec, settle(driver, made[0])) == set()

    def test_drift_is_seen(self, world: World, case: Case, name: str, driver: Any, made: Made) -> None:
        if case.drift is None:
            pytest.skip("nothing of it can drift")
        spec = world.spec(name, case.spec(world))
        fields = case.drift(world, made[0])
        assert differing(driver, spec, settle(driver, made[0])) == fields
        patiently(lambda: driver.update(made[0], spec))
        assert differing(driver, spec, settle(driver, made[0])) == set()

    def test_a_change_that_needs_a_new_object_is_declared(
        self, world: World, case: Case, name: str, driver: Resource
    ) -> None:
        if case.replaced is None:
            pytest.skip("nothing of it is fixed")
        if isinstance(driver, CanUpdate):
            assert set(case.replaced(world)) <= driver.immutable
        world.spec(name, {**case.spec(world), **case.replaced(world)})


class TestMakingAndRemoving:
    """Objects of their own."""

    def test_creating_twice_makes_one(self, world: World, case: Case, name: str, driver: Any) -> None:
        if not case.made:
            pytest.skip("it can only be adopted")
        tree = _beside(world, case, "twice")
        key, first = world.make(name, "twice", tree)
        with suppress(CloudError):  # the engine reads again after any error, and so does this test
            driver.create(key, world.spec(name, tree))
        again = settle(driver, key)
        assert _shown(again) == _shown(first)
        remove(driver, key)
        assert driver.read(key) is None

    def test_a_refused_create_says_whether_it_made_anything(
        self, world: World, case: Case, name: str, driver: Any
    ) -> None:
        """The engine forgets the announcement where it says that nothing was made, and looks for it otherwise."""
        if not case.made:
            pytest.skip("it can only be adopted")
        if not name.startswith("aws."):
            pytest.skip("the sandbox's faults are for calls of a cloud")
        sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
        for calls in range(12):
            tree = _beside(world, case, f"refused{calls}")
            key, spec = world.key(name, f"refused{calls}", tree), world.spec(name, tree)
            world.watch(driver, key)
            patiently(lambda key=key: driver.read(key))  # type: ignore[misc]
            supervisor.admin(sandbox, "POST", "/_sandbox/faults", {"error": "AccessDenied", "skip": calls})
            refused: CloudError | None = None
            try:
                driver.create(key, spec)
            except CloudError as error:
                refused = error
            struck = supervisor.admin(sandbox, "GET", "/_sandbox/faults")["faults"][-1]["struck"]
            supervisor.admin(sandbox, "DELETE", "/_sandbox/faults")
            if refused is not None:
                there = driver.read(key) is not None
                assert not (refused.nothing_done and there), f"refused after {calls} calls"
            remove(driver, key)
            if not struck:
                break
        assert calls > 0, "no call of it was refused"

    def test_deleting_what_is_gone_is_a_success(self, world: World, case: Case, name: str, driver: Any) -> None:
        if not case.made:
            pytest.skip("it can only be adopted")
        tree = _beside(world, case, "twice")
        key = world.key(name, "twice", tree)
        driver.delete(key)
        if isinstance(driver, CanDiscard):
            driver.discard(key)
        assert driver.read(key) is None

    def test_deleting_once_more_while_it_goes_does_no_harm(
        self, world: World, case: Case, name: str, driver: Any
    ) -> None:
        if not case.made:
            pytest.skip("it can only be adopted")
        tree = _beside(world, case, "gone")
        key, _ = world.make(name, "gone", tree)
        patiently(lambda: driver.delete(key))
        patiently(lambda: driver.delete(key))
        gone(driver, key)


def test_what_can_only_be_adopted_is_neither_made_nor_deleted(world: World, case: Case, name: str) -> None:
    if case.made:
        pytest.skip("it can be made")
    driver, key = world.driver(name), world.key(name, "it", case.spec(world))
    seen = driver.read(key)
    assert seen.phase is Phase.READY and seen.owner is None and set(seen.outputs) == set(driver.outputs)
    with pytest.raises(InvalidRequestError, match="adopt"):
        driver.create(key, world.spec(name, case.spec(world)))
    with pytest.raises(InvalidRequestError):
        driver.delete(key)


def _needs_search(driver: Any) -> None:
    """What lives inside something is found there alone."""
    if isinstance(driver, CanBorrow):
        pytest.skip("nobody says which databases to search")


def _beside(world: World, case: Case, step: str) -> dict[str, Any]:
    """The example under another name; what has no name is told apart by its step."""
    tree = dict(case.spec(world))
    if "name" in tree:
        tree["name"] = f"{world.deployment}-{step}"
    return {**tree, **case.beside(world, step)}


def _shown(seen: Observed) -> dict[str, Any]:
    """An observation as plain data; secrets by their value, as lazy ones are equal in nothing else."""
    return {
        "phase": seen.phase,
        "owner": seen.owner,
        "spec": {name: _plain(value) for name, value in seen.spec.items()},
        "outputs": {name: _plain(value) for name, value in seen.outputs.items()},
        "protected": seen.protected,
    }


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _refused(world: World, name: str, tree: Any) -> bool:
    try:
        spec = world.spec(name, tree)
    except InvalidRequestError:
        return True
    values = {field: specs.plain(getattr(spec, field)) for field in spec.__struct_fields__}
    return any(specs.complaints(world.registry.type(name), values))


def _secret_schema(wanted: type) -> dict[str, Any]:
    assert wanted is Secret, wanted
    return {"type": "string"}


def _description(described: dict[str, Any]) -> bool:
    return bool(described.get("description")) or any(_description(one) for one in described.get("anyOf", ()))
