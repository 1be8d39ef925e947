"""Tells a story in the toy cloud and holds it against what must be true whatever happens.

After every command: nothing of ours exists twice or unrecorded, nothing foreign was touched, no secret stands
anywhere, and the exit code says what became of it. In the end, when the trouble is over, the commands that a person
would type get to the plan, back from it, and to nothing at all.
"""

from __future__ import annotations

import errno
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from provisioner.engine.course import LATE
from provisioner.errors import (
    CloudError,
    ProvisionerError,
    RefusedError,
    StateWriteError,
    TerminalStateError,
    UsageError,
)
from provisioner.operations.site import Outcome, Site
from provisioner.plan.model import Plan, StepDecl
from provisioner.state.files import Files
from provisioner.state.records import Record
from tests.crash.dying import Mortal
from tests.engine.toycloud import Thing
from tests.engine.world import DEPLOYMENT, World, plan, step
from tests.fuzz.building import build, corporate, reached
from tests.fuzz.story import ADOPTABLE, ERRORS, Command, Story, Trouble, Weather

EXIT_CODES = {0, 2, 3, 4, 5, 6, 130}
FOREVER = 5000.0
"""Seconds; longer than any step waits."""

_MEMORY = Path("/dev/shm")


def tell(story: Story) -> None:
    """AssertionError, or whatever came out that must not, where the story does not end well."""
    # Thousands of stories are told; what they write need not reach a disk, for no power is cut in them.
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        _Teller(story, Path(directory)).tell()


class _Teller:
    def __init__(self, story: Story, directory: Path) -> None:
        self.story = story
        self.world = _World(directory)
        self.plans = [build(wishes) for wishes in story.plans]
        self.theirs: dict[str, tuple[str, Thing, dict[str, Any]]] = {}
        """What somebody else made: ident → owner, the thing, and its values; {} once we may have adopted it."""
        self.untagged: list[tuple[Thing, str | None]] = []
        self.smooth = all(command == Command(*command[:5], drift=command.drift) for command in story.commands)
        """Nobody dies or is stopped, and nothing fails."""
        self.drifted = False
        """Somebody else changed something of ours, and no command has put everything right since."""

    def tell(self) -> None:
        self._weather(self.story.weather)
        self._plant_adoptables()
        for command in self.story.commands:
            self._one(command)
        self._calm()
        self._end()

    def _weather(self, weather: Weather) -> None:
        cloud = self.world.cloud
        # After a delete that was cut off, what is reported as whole for longer than LATE counts as never deleted.
        linger = weather.linger if self.smooth else min(weather.linger, LATE - 1)
        cloud.lag, cloud.linger, cloud.reserve = weather.lag, linger, weather.reserve
        cloud.provision = {"": weather.provision}
        cloud.modify = {"": weather.modify}
        cloud.removal = {"": weather.removal}

    # -- what others do -------------------------------------------------------------------------------------

    def _living(self) -> list[Thing]:
        return self.world.cloud.live()

    def _ours(self) -> list[Thing]:
        return [thing for thing in self._living() if thing.ident not in self.theirs]

    def _plant_adoptables(self) -> None:
        for wish in (wish for wishes in self.story.plans for wish in wishes if wish.adopt and wish.kind in ADOPTABLE):
            if not any(thing.kind == wish.kind and thing.name == corporate(wish) for thing in self._living()):
                self._plant(wish.kind, corporate(wish), adoptable=True)

    def _plant(self, kind: str, name: str, *, adoptable: bool = False) -> None:
        thing = self.world.cloud.plant(kind, name, "other/it")
        self.theirs[thing.ident] = ("other/it", thing, {} if adoptable else dict(thing.spec))

    def _drift(self, command: Command) -> None:
        what, name = command.drift
        mine = next((thing for thing in self._ours() if thing.owner == f"{DEPLOYMENT}/{name}"), None)
        if what == "squat":
            kind = next((wish.kind for wish in self.story.plans[command.plan] if wish.name == name), "gate")
            # Others may give their networks what names they like: ours is found by its tag.
            if kind not in ("gate", "vault", "network") and self.world.cloud.free(kind, f"{DEPLOYMENT}-{name}"):
                self._plant(kind, f"{DEPLOYMENT}-{name}")
        elif what == "lose" and mine is None:
            for thing in [thing for _, thing, values in self.theirs.values() if not values]:
                if thing.name == f"corporate-{thing.kind}-{name}":
                    self.drifted = True
                    del self.theirs[thing.ident]
                    self.world.cloud.forget(thing)
        elif mine is not None and what:
            self.drifted = True
            if what == "lose":
                self.world.cloud.forget(mine)
            elif what == "resize" and mine.kind != "vault":
                mine.spec["size"] += 1
            elif what == "break":
                mine.failed = "it broke"
            elif what == "untag":
                self.untagged.append((mine, mine.owner))
                mine.owner = None

    def _calm(self) -> None:
        """The trouble is over: the cloud is itself again, and others have put back what they took."""
        cloud = self.world.cloud
        self._weather(self.story.weather._replace(reserve=0.0))
        cloud.doomed = {}
        for thing in list(cloud.things.values()):
            thing.ready_at = min(thing.ready_at, cloud.clock.now())
            if thing.deleted_at is not None:
                thing.deleted_at = min(thing.deleted_at, cloud.clock.now())
        self.world.clock.pass_time(FOREVER)
        for ident, (_, thing, values) in list(self.theirs.items()):
            if values:
                del self.theirs[ident]
                cloud.forget(thing)
        for thing, owner in self.untagged:
            thing.owner = owner
        self._plant_adoptables()
        self.world.clock.pass_time(60.0)

    # -- one command ----------------------------------------------------------------------------------------

    def _one(self, command: Command) -> None:
        self.world.clock.pass_time(command.wait)
        self._weather(self.story.weather)
        self._drift(command)
        quiet = not self.drifted and self._settled()
        before, calls = self._picture(), len(self.world.cloud.writes())
        outcome, error = self._type(command)
        self._always()
        changed = len(self.world.cloud.writes()) - calls
        assert not (command.verb == "plan" and changed), "a preview changes nothing"
        if error is not None and error.exit_code == 3 and quiet and not command.kill:
            assert not changed, f"refused, but something was changed: {error}"
        if outcome is None:
            return
        assert outcome.exit_code in EXIT_CODES, outcome
        assert outcome.exit_code != 5 or outcome.remains, outcome
        assert all(type(failure.error) is not ProvisionerError for failure in outcome.failures), outcome.failures
        if outcome.exit_code == 4 and quiet:
            assert self._picture() == before, "reversed, but not all is as it was"
        if outcome.exit_code == 0:
            self._done(command)

    def _done(self, command: Command) -> None:
        """It says that it succeeded: then it did."""
        if command.verb in ("deploy", "keep"):
            made = self.plans[command.plan]
            wanted = set(reached(made, command.target))
            self._complete([decl for decl in made.steps if decl.name in wanted])
            if not command.target:
                self.drifted = False
                assert set(self.world.state.steps) <= wanted, "what left the plan is still recorded"
        elif command.verb == "destroy" and not command.target:
            self.drifted = False
            self._empty()

    def _type(self, command: Command) -> tuple[Outcome | None, ProvisionerError | None]:
        """What came of it; nothing where it was refused before it began, or died."""
        world, cloud = self.world, self.world.cloud
        self._trouble(command)
        found: list[Outcome] = []
        error: ProvisionerError | None = None
        try:
            if command.stop:
                _Finger(world, command.stop)
            world.files = _Full(command.full) if command.full else Files()
            if command.kill:
                Mortal(world).die(lambda world: found.extend(self._run(command)), command.kill)
            else:
                found.extend(self._run(command))
        except ProvisionerError as caught:
            error = caught
            assert type(error) is not ProvisionerError, error
            excused = isinstance(error, CloudError) or (command.full and isinstance(error, StateWriteError))
            assert error.exit_code in EXIT_CODES or excused, error
        finally:
            world.files = Files()
            cloud.faults.clear()
            cloud.hooks.clear()
            cloud.doomed = {}
        return (found[0] if found else None), error

    def _trouble(self, command: Command) -> None:
        cloud = self.world.cloud
        for trouble in command.trouble:
            error = _error(trouble)
            match = "light" if trouble.verb == "list" else f"{DEPLOYMENT}-{trouble.name}"
            cloud.fail(trouble.verb, match, error, times=trouble.times, after=trouble.after)
        if command.doomed:
            cloud.doomed = {f"{DEPLOYMENT}-{command.doomed}": "it came up broken"}
        if command.stuck:
            for table in (cloud.provision, cloud.modify, cloud.removal):
                table.update({f"{DEPLOYMENT}-{command.stuck}": FOREVER, "": table.pop("")})

    def _run(self, command: Command) -> Iterator[Outcome]:
        world, made = self.world, self.plans[command.plan]
        targets = (command.target,) if command.target in {decl.name for decl in made.steps} else ()
        if command.verb == "plan":
            world.preview(made, targets=targets)
        elif command.verb == "rollback":
            yield world.rollback(made, allow_data_loss=command.loss)
        elif command.verb == "destroy":
            yield world.destroy(made, allow_data_loss=command.loss, targets=(command.target,) if command.target else ())
        else:
            how = "keep" if command.verb == "keep" else "reverse"
            yield world.deploy(made, on_failure=how, allow_data_loss=command.loss, targets=targets)

    # -- what must be true ----------------------------------------------------------------------------------

    def _settled(self) -> bool:
        """The record is at rest: a command begins something new, it does not take up something old."""
        state = self.world.state
        return all(not run.open for run in state.runs) and all(r.status.value == "ready" for r in state.steps.values())

    def _always(self) -> None:
        records = self.world.state.steps.values()
        owners = Counter(thing.owner for thing in self._ours() if thing.owner is not None)
        assert max(owners.values(), default=1) == 1, f"made twice: {owners}"
        unknown = set(owners) - {record.key.owner for record in records if not record.adopted}
        assert not unknown, f"made and not recorded: {unknown}"
        for owner, thing, values in self.theirs.values():
            there = self.world.cloud.things.get(thing.ident) is thing and thing.deleted_at is None
            assert there and thing.owner == owner, f"{thing.name} of somebody else is gone"
            assert not values or thing.spec == values, f"{thing.name} of somebody else was changed"
        for path in self.world.directory.rglob("*"):
            assert not path.is_file() or b"canary" not in path.read_bytes(), f"a secret stands in {path.name}"
        assert "canary" not in str(self.world.events), "a secret was told as an event"
        defects = [event for event in self.world.events if event.get("code") == "error"]
        assert not defects, defects
        self.world.events.clear()

    def _complete(self, steps: list[StepDecl]) -> None:
        """These steps are in the cloud, once, ready, as their plan wants them; and so the record says."""
        for decl in steps:
            record = self.world.state.steps.get(decl.name)
            if decl.type == "toy.gate":
                continue
            assert record is not None, f"{decl.name} is not recorded"
            assert record.status.value == "ready", f"{decl.name} is recorded as {record.status.value}"
            thing = self._thing(record)
            assert not thing.failed and self.world.clock.now() >= thing.ready_at, f"{decl.name} is not ready"
            for field in ("size", "shape"):
                if field in decl.tree:
                    assert thing.spec[field] == decl.tree[field], f"{decl.name}: {field} is {thing.spec[field]}"

    def _thing(self, record: Record) -> Thing:
        kind = record.type.removeprefix("toy.")
        found = [thing for thing in self._living() if (thing.kind, thing.name) == (kind, record.key.name)]
        assert len(found) == 1, f"{record.step}: {len(found)} of it"
        assert record.adopted or found[0].owner == record.key.owner, f"{record.step} belongs to {found[0].owner}"
        assert record.adopted == (found[0].ident in self.theirs), f"{record.step}: adopted {record.adopted}"
        return found[0]

    def _whole(self, made: Plan) -> None:
        self._always()
        self._complete(list(made.steps))
        wanted = {decl.name for decl in made.steps if decl.type != "toy.gate"}
        assert set(self.world.state.steps) == wanted
        assert {record.step for record in self.world.state.steps.values() if not record.adopted} == {
            (thing.owner or "").removeprefix(f"{DEPLOYMENT}/") for thing in self._ours()
        }

    def _empty(self) -> None:
        self._always()
        assert [thing.name for thing in self._ours()] == []
        assert self.world.state.steps == {}

    def _picture(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What exists, but for ids, and for the size of databases, which only grows."""
        return {
            (thing.kind, thing.name): {
                name: value
                for name, value in thing.spec.items()
                if name != "uses" and not (name == "size" and thing.kind == "database")
            }
            for thing in self._living()
        }

    # -- the end --------------------------------------------------------------------------------------------

    def _end(self) -> None:
        world, made = self.world, build(self.story.plans[0], free=True)
        if self.story.ending == "rollback":
            self._back()
        elif self.story.ending == "destroy":
            self._away()
        self._forward(made)
        calls = len(world.cloud.writes())
        again = world.deploy(made, allow_data_loss=True)
        assert (again.exit_code, again.changes, len(world.cloud.writes())) == (0, [], calls), "a second deploy did more"
        before = self._picture()
        first = next((decl.name for decl in made.steps if decl.type not in ("toy.gate", "toy.vault")), None)
        extra = plan(*made.steps, step("extra", "toy.network", uses=[f"${{{first}.id}}"] if first else []))
        assert world.deploy(extra).exit_code == 0
        self._whole(extra)
        assert world.rollback(extra).exit_code == 0
        assert self._picture() == before
        self._away()

    def _back(self) -> None:
        """Takes the last run back, where there is one."""
        try:
            outcome = self.world.rollback(self.plans[0], allow_data_loss=True)
        except (UsageError, RefusedError):
            return
        self._always()
        assert outcome.exit_code == 0 or all("in use" in remain.reason for remain in outcome.remains), outcome

    def _forward(self, made: Plan) -> None:
        """Deploys; what has to give way first, because something else uses it or guards it, is destroyed before."""
        try:
            outcome = self.world.deploy(made, allow_data_loss=True)
        except RefusedError as error:
            assert "protected" in str(error) or "no waiting mends" in str(error) or "adopted" in str(error), error
        else:
            self._always()
            if outcome.exit_code == 0:
                self._whole(made)
                return
            failures = [failure.error for failure in outcome.failures]
            assert all("in use" in str(error) or isinstance(error, TerminalStateError) for error in failures), outcome
        self._away()
        assert self.world.deploy(made, allow_data_loss=True).exit_code == 0
        self._whole(made)

    def _away(self) -> None:
        everything = [wish for wishes in self.story.plans for wish in wishes]
        objects = {wish.name: wish for wish in everything if wish.kind != "gate"}
        unprotected = build(tuple(objects.values()), free=True)
        outcome = self.world.destroy(unprotected, allow_data_loss=True)
        assert (outcome.exit_code, outcome.remains) == (0, []), outcome
        self._empty()


class _World(World):
    """A world whose pauses are the same every time a story is told."""

    def site(self) -> Site:
        site = super().site()
        site.random = Random(0)
        return site


class _Full(Files):
    """A disk that is full from one moment on: nothing can be added, though what is there can be renamed and removed."""

    def __init__(self, at: int) -> None:
        self.left = at

    def about_to(self, operation: str, path: Path) -> None:
        self.left -= 1
        if self.left <= 0 and operation in ("open", "write", "sync", "link", "mkdir"):
            raise OSError(errno.ENOSPC, "No space left on device")


class _Finger:
    """Presses Ctrl-C at a cloud call."""

    def __init__(self, world: World, at: int) -> None:
        self.world = world
        self.left = at
        world.cloud.hooks.append(self._count)

    def _count(self, when: str, verb: str, name: str) -> None:
        self.left -= 1
        if self.left == 0 and self.world.last is not None:
            self.world.last.loop.stop()


def _error(trouble: Trouble) -> Callable[[], Exception]:
    return lambda: ERRORS[trouble.error](f"trouble: {trouble.error}")
