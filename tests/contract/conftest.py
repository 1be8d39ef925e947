"""A sandbox for the whole run, and for each case a world that holds what its type needs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.drivers.typemap import registry as all_types
from provisioner.model import Key, Observed
from provisioner.resource import Registry, Resource
from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import SandboxOptions
from tests.contract.case import Case
from tests.contract.world import World

REGION = "us-east-1"
_REGISTRY = all_types()


def resource_types() -> list[str]:
    """Every registered type that makes something; gates make nothing."""
    return [name for name in _REGISTRY.names() if issubclass(_REGISTRY.type(name), Resource)]


def case_of(name: str) -> Case:
    """The case of a type; a type without one fails here, and says which file is missing."""
    module = importlib.import_module(f"tests.contract.cases.{name.replace('.', '_')}")
    case: Case = module.CASE
    return case


@pytest.fixture(scope="session")
def registry() -> Registry:
    return _REGISTRY


@pytest.fixture(scope="session", autouse=True)
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The sandbox, and the variable that points drivers at it."""
    directory = tmp_path_factory.mktemp("sandbox")
    change = pytest.MonkeyPatch()
    info = supervisor.start(directory, SandboxOptions())
    change.setenv("PROVISIONER_ENDPOINTS", info.endpoints)
    try:
        yield
    finally:
        change.undo()
        supervisor.stop(directory)


@pytest.fixture(scope="module", params=resource_types())
def name(request: pytest.FixtureRequest) -> str:
    """The type under test."""
    return str(request.param)


@pytest.fixture(scope="module")
def case(name: str) -> Case:
    return case_of(name)


@pytest.fixture(scope="module")
def world(case: Case, name: str, registry: Registry) -> Iterator[World]:
    """A deployment in which all that the type needs has been made."""
    world = World(registry, REGION, {name} if case.completed else ())
    try:
        for need in case.needs:
            world.make(need.type, need.step, need.spec(world))
        yield world
    finally:
        world.close()


@pytest.fixture
def lone_world(registry: Registry) -> Iterator[World]:
    """An empty deployment for one test."""
    world = World(registry, REGION)
    try:
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def driver(world: World, name: str) -> Any:
    return world.driver(name)


@pytest.fixture(scope="module")
def made(world: World, case: Case, name: str) -> tuple[Key, Observed]:
    """The example object; tests that change it bring it back."""
    if not case.made:
        pytest.skip("it can only be adopted")
    return world.make(name, "example", case.spec(world))
