"""Steps that name a region of their own: what they made is looked for there, too."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from provisioner.engine.context import Drivers
from provisioner.engine.drift import Kind
from provisioner.model import Key
from provisioner.operations.site import Site
from provisioner.resource import resource
from provisioner.state.records import DropRecord
from provisioner.state.store import Owner, Store
from tests.engine.toytypes import ThingSpec, ToyThing, _ToyRegistry
from tests.engine.world import DEPLOYMENT, World, plan, step


class FarSpec(ThingSpec, frozen=True):
    """A thing, and where it is."""

    region: str | None = None


@resource("toy.far")
class Far(ToyThing):
    """A thing that can be searched for only where it is."""

    Spec = FarSpec
    kind = "far"

    def search(self, deployment: str, region: str) -> Iterable[Key]:
        there = {thing.name for thing in self.session.live() if (thing.spec.get("region") or "here") == region}
        return [key for key in super().search(deployment, region) if key.name in there]


class _World(World):
    def site(self) -> Site:
        site = super().site()
        types = {"toy.thing": "tests.engine.toytypes:ToyThing", "toy.far": f"{__name__}:Far"}
        site.drivers = Drivers(_ToyRegistry(self.cloud, types), "here")
        return site


@pytest.fixture
def world(tmp_path: Path) -> _World:
    return _World(tmp_path)


FAR = step("key", "toy.far", region="there")
NEAR = step("box", "toy.far")


def test_a_lost_record_is_had_back_where_the_plan_names_the_region(world: _World) -> None:
    world.deploy(plan(FAR, NEAR))
    shutil.rmtree(world.directory)
    world.salvage(plan(FAR, NEAR))
    assert {name: record.key.region for name, record in world.state.steps.items()} == {"key": "there", "box": "here"}
    assert world.drift(plan(FAR, NEAR)) == {}


def test_what_is_in_no_record_is_found_where_a_recorded_step_is(world: _World) -> None:
    world.deploy(plan(FAR, NEAR))
    world.cloud.plant("far", "shop-test-old", f"{DEPLOYMENT}/old", region="there")
    world.cloud.plant("far", "shop-test-lost", f"{DEPLOYMENT}/lost", region="nowhere named")
    assert {name: found.kind for name, found in world.drift().items()} == {"old": Kind.UNRECORDED}
    world.salvage(plan(FAR, NEAR))
    assert [(one.record.step, one.record.key.region) for one in world.haul.found] == [("old", "there")]


def test_one_that_a_step_left_in_another_region_is_not_taken_for_the_recorded_one(world: _World) -> None:
    world.deploy(plan(NEAR, FAR))
    world.cloud.plant("far", f"{DEPLOYMENT}-box-2", f"{DEPLOYMENT}/box", region="there")
    assert world.drift(plan(NEAR, FAR))["box"].kind is Kind.DOUBLED


def test_a_region_that_nobody_names_any_more_is_not_searched(world: _World) -> None:
    world.deploy(plan(FAR, NEAR))
    with Store.open(world.directory, DEPLOYMENT, who=Owner(user="x", command="x")) as store:
        store.commit([DropRecord(step="key")])
    world.salvage(plan(NEAR))
    assert world.haul.found == []
    world.salvage(plan(NEAR, FAR))
    assert [one.record.step for one in world.haul.found] == ["key"]
