"""Random plans, random changes of them, random faults, random commands: what holds whatever happens."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.errors import (
    AccessDeniedError,
    BusyError,
    CloudError,
    ConnectionFailedError,
    ProvisionerError,
    ThrottledError,
    UnavailableError,
)
from provisioner.operations.site import Outcome
from provisioner.plan.model import Plan, StepDecl
from tests.crash.dying import Mortal
from tests.engine.world import World, plan, step

NAMES = ["a", "b", "c", "d", "e", "f"]
KINDS = ["thing", "light", "network", "database", "vault"]
ERRORS: list[type[CloudError]] = [
    AccessDeniedError,
    BusyError,
    ConnectionFailedError,
    ThrottledError,
    UnavailableError,
]
UNCLEAR = (ConnectionFailedError, UnavailableError)
"""Errors after which nobody knows whether the call took effect; the others say that it did not."""

EXIT_CODES = {0, 2, 3, 4, 5, 6, 130}


class Wish(NamedTuple):
    """One step of a random plan; ``uses`` are those of the steps above it that it points to."""

    kind: str
    size: int
    shape: str
    uses: frozenset[str]


class Trouble(NamedTuple):
    """One fault."""

    verb: str
    name: str
    error: type[CloudError]
    times: int
    after: bool


class Command(NamedTuple):
    """What is typed, with which of the plans, in which trouble; ``kill``: the moment of its death, 0 for none."""

    verb: str
    plan: int
    trouble: tuple[Trouble, ...]
    kill: int


wishes = st.builds(
    Wish,
    st.sampled_from(KINDS),
    st.integers(1, 2),
    st.sampled_from(["round", "round", "round", "flat"]),
    st.frozensets(st.sampled_from(NAMES), max_size=2),
)
plans = st.dictionaries(st.sampled_from(NAMES), wishes, min_size=1, max_size=5)
troubles = st.builds(
    Trouble,
    st.sampled_from(["create", "update", "delete", "discard", "read"]),
    st.sampled_from(NAMES),
    st.sampled_from(ERRORS),
    st.integers(1, 11),
    st.booleans(),
)
commands = st.builds(
    Command,
    st.sampled_from(["deploy", "deploy", "deploy", "keep", "rollback", "destroy"]),
    st.integers(0, 2),
    st.lists(troubles, max_size=2).map(tuple),
    st.one_of(st.just(0), st.integers(1, 120)),
)


def build(wanted: dict[str, Wish]) -> Plan:
    steps: list[StepDecl] = []
    for name, wish in wanted.items():
        above = {decl.name: decl.type for decl in steps}
        if wish.kind == "vault":
            steps.append(step(name, "toy.vault"))
            continue
        tree: dict[str, Any] = {"size": wish.size, "shape": wish.shape}
        tree["uses"] = [f"${{{use}.id}}" for use in sorted(wish.uses) if use in above]
        vault = next((use for use in sorted(wish.uses) if above.get(use) == "toy.vault"), None)
        if vault is not None:
            tree["password"] = f"${{{vault}.value}}"
        steps.append(step(name, f"toy.{wish.kind}", **tree))
    return plan(*steps)


def picture(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """What exists, but for ids, and for the size of databases, which only grows."""
    return {
        (thing.kind, thing.name): {
            name: value
            for name, value in thing.spec.items()
            if name != "uses" and not (name == "size" and thing.kind == "database")
        }
        for thing in world.cloud.live()
    }


def run(world: World, command: Command, made: Plan) -> Outcome | None:
    """One command; None where it was refused before it began, or died."""
    deploying = {"deploy": "reverse", "keep": "keep"}
    work: Callable[[World], Outcome]
    if command.verb in deploying:
        how = deploying[command.verb]
        work = lambda world: world.deploy(made, on_failure=how, allow_data_loss=True)  # noqa: E731
    elif command.verb == "rollback":
        work = lambda world: world.rollback(made)  # noqa: E731
    else:
        work = lambda world: world.destroy(made)  # noqa: E731
    for fault in command.trouble:
        world.cloud.fail(
            fault.verb,
            f"shop-test-{fault.name}",
            lambda e=fault.error: e("trouble"),  # type: ignore[misc]
            times=fault.times,
            after=fault.after and fault.error in UNCLEAR,
        )
    found: list[Outcome] = []
    try:
        if command.kill:
            Mortal(world).die(lambda world: found.append(work(world)), command.kill)
        else:
            found.append(work(world))
    except ProvisionerError as error:
        assert error.exit_code in EXIT_CODES or isinstance(error, CloudError), error
    finally:
        world.cloud.faults.clear()
        world.cloud.hooks.clear()
    return found[0] if found else None


def always(world: World) -> None:
    """After every command, whatever became of it: nothing twice, nothing unknown, no secret on the disk."""
    owners = Counter(thing.owner for thing in world.cloud.live())
    assert max(owners.values(), default=1) == 1, owners
    assert set(owners) <= {record.key.owner for record in world.state.steps.values()}
    for path in world.directory.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes(), path


def settled(world: World) -> bool:
    """The record is at rest: a command begins something new, it does not take up something old."""
    return all(not run.open for run in world.state.runs) and all(
        record.status.value == "ready" for record in world.state.steps.values()
    )


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.lists(plans, min_size=3, max_size=3),
    st.lists(commands, min_size=1, max_size=5),
    st.sampled_from([0.0, 2.0, 4.0]),
    st.sampled_from([0.0, 3.0, 40.0]),
)
def test_nothing_is_ever_forgotten_doubled_or_stuck(
    wanted: list[dict[str, Wish]], typed: list[Command], lag: float, slow: float
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        world.cloud.lag = lag
        world.cloud.provision = {"shop": slow}
        world.cloud.removal = {"shop": slow / 2}
        made = [build(one) for one in wanted]
        for command in typed:
            fresh = not world.directory.exists() or settled(world)
            before = picture(world)
            outcome = run(world, command, made[command.plan])
            always(world)
            if outcome is None:
                continue
            assert outcome.exit_code in EXIT_CODES
            if outcome.exit_code == 5:
                assert outcome.remains
            if fresh and outcome.exit_code == 4:
                assert picture(world) == before
        finish(world, made[0])


def finish(world: World, made: Plan) -> None:
    """When the trouble is over, deploy gets to the plan, rollback to what was before, destroy to nothing."""
    world.clock.pass_time(60.0)
    outcome = world.deploy(made, allow_data_loss=True)
    if outcome.exit_code == 4 and all("in use" in str(failure.error) for failure in outcome.failures):
        # What is to be replaced must be let go first, and this plan replaces what something else still uses.
        assert world.destroy(made).exit_code == 0
        outcome = world.deploy(made)
    assert (outcome.exit_code, outcome.remains) == (0, []), outcome
    whole(world, made)
    before = picture(world)
    extra = plan(*made.steps, step("extra", "toy.network", uses=[f"${{{made.steps[0].name}.id}}"]))
    assert world.deploy(extra).exit_code == 0
    whole(world, extra)
    assert world.rollback(extra).exit_code == 0
    assert picture(world) == before
    assert world.destroy(made).exit_code == 0
    assert (world.names(), world.state.steps) == ([], {})


def whole(world: World, made: Plan) -> None:
    always(world)
    assert world.names() == sorted(decl.name for decl in made.steps)
    assert {record.status.value for record in world.state.steps.values()} == {"ready"}
