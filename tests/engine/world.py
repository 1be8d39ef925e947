"""Runs operations against the toy cloud with a virtual clock: no thread, no sleep, a real store on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from provisioner.engine.clock import VirtualClock
from provisioner.engine.context import Drivers
from provisioner.engine.drift import Finding, Kind
from provisioner.engine.events import Event, Events
from provisioner.engine.preview import Planned
from provisioner.errors import StateError
from provisioner.model import Position
from provisioner.operations.adopt import adopt
from provisioner.operations.deploy import deploy, plan_preview
from provisioner.operations.destroy import destroy
from provisioner.operations.drift import drift
from provisioner.operations.reversal import rollback
from provisioner.operations.salvage import Haul, salvage
from provisioner.operations.site import Options, Outcome, Site
from provisioner.plan.model import OutputDecl, Plan, Settings, StepDecl
from provisioner.refs import PARAM, parse, refs_in
from provisioner.state.files import Files
from provisioner.state.lock import Owner
from provisioner.state.records import State
from provisioner.state.store import Store, peek
from tests.engine.toycloud import ToyCloud
from tests.engine.toytypes import registry

DEPLOYMENT = "shop-test"

_T = TypeVar("_T")


def step(
    name: str,
    type_: str = "toy.thing",
    *,
    after: tuple[str, ...] = (),
    adopt: bool = False,
    protect: bool = False,
    timeout: float | None = None,
    interval: float | None = None,
    named: str | None = None,
    **tree: Any,
) -> StepDecl:
    """One step of a plan; ``named`` is the spec's field ``name``."""
    parsed = parse({**tree, **({"name": named} if named else {})})
    needs = dict.fromkeys([ref.step for ref in refs_in(parsed) if ref.step != PARAM] + list(after))
    return StepDecl(
        name=name,
        type=type_,
        where=Position("plan.yaml"),
        tree=parsed,
        needs=tuple(needs),
        after=after,
        adopt=adopt,
        protect=protect,
        timeout=timeout,
        interval=interval,
    )


def plan(*steps: StepDecl, outputs: dict[str, Any] | None = None, **settings: Any) -> Plan:
    return Plan(
        path=Path("plan.yaml"),
        deployment=DEPLOYMENT,
        base="shop",
        environment="test",
        provider="toy",
        region="here",
        steps=steps,
        outputs={name: OutputDecl(tree=parse(tree)) for name, tree in (outputs or {}).items()},
        settings=Settings(**settings),
    )


class World:
    """One user's directory and one cloud."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / DEPLOYMENT
        self.clock = VirtualClock()
        self.cloud = ToyCloud(self.clock)
        self.events: list[Event] = []
        self.files = Files()
        self.last: Site | None = None
        self.haul = Haul(found=[])
        """What the last salvage found."""
        self.unsearched: dict[str, str] = {}
        """What the last look for drift could not search."""
        self.database = ""
        """For a test to remember which object it means."""

    def twin(self, directory: Path) -> World:
        """The same world once more, with a history of its own from here on; hooks and faults are left behind."""
        other = World(directory)
        other.clock.pass_time(self.clock.now())
        other.cloud = self.cloud.twin(other.clock)
        if self.directory.exists():
            shutil.copytree(self.directory, other.directory)
        return other

    def site(self) -> Site:
        """A new process, as it were: everything read from the disk anew."""
        owner = Owner(user="tester", command="test")
        store = Store.open(self.directory, DEPLOYMENT, who=owner, clock=self.clock.wall, files=self.files)
        events = Events(self.clock.wall, self.events.append)
        drivers = Drivers(registry(self.cloud), "here", store.must_be_ours)
        self.last = Site(store=store, drivers=drivers, events=events, clock=self.clock, parallelism=0, by="tester")
        return self.last

    def _with_site(self, work: Callable[[Site], _T]) -> _T:
        site = self.site()
        try:
            found = work(site)
        except Exception as error:
            try:
                site.store.close()
            except StateError as closing:
                error.add_note(str(closing))
            raise
        # Whatever is not an Exception stands for the death of the process, which closes nothing in good order.
        site.store.close()
        return found

    def deploy(self, made: Plan, *, yes: bool = True, **options: Any) -> Outcome:
        return self._with_site(lambda site: deploy(site, made, Options(**options), lambda planned: yes))

    def preview(self, made: Plan, **options: Any) -> dict[str, Planned]:
        found = self._with_site(lambda site: plan_preview(site, made, Options(**options)))
        return {planned.step: planned for planned in found}

    def destroy(self, made: Plan | None = None, **options: Any) -> Outcome:
        return self._with_site(lambda site: destroy(site, made, Options(**options), lambda records: True))

    def rollback(self, made: Plan | None = None, **options: Any) -> Outcome:
        return self._with_site(lambda site: rollback(site, made, Options(**options)))

    def drift(self, made: Plan | None = None) -> dict[str, Finding]:
        """By step; what is as recorded is left out."""
        report = self._with_site(lambda site: drift(site, made))
        self.unsearched = report.unsearched
        return {finding.step: finding for finding in report.findings if finding.kind is not Kind.SAME}

    def adopt(self, made: Plan | None, *wanted: str, yes: bool = True) -> Outcome:
        return self._with_site(lambda site: adopt(site, made, wanted, lambda accepted, refused: yes))

    def salvage(self, made: Plan | None = None, *, yes: bool = True) -> Outcome:
        def confirm(haul: Haul) -> bool:
            self.haul = haul
            return yes

        return self._with_site(lambda site: salvage(site, made, confirm))

    # -- what there is --------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The record as a reader finds it; an empty one where there is none."""
        return peek(self.directory, DEPLOYMENT) or State(deployment=DEPLOYMENT, lineage="", salt="")

    def names(self) -> list[str]:
        """The steps whose objects exist, sorted; an object of somebody else by its whole name."""
        return sorted(thing.name.removeprefix(f"{DEPLOYMENT}-") for thing in self.cloud.live())

    def trace(self) -> list[str]:
        """``step action`` and ``step event`` in the order in which it happened, then forgotten."""
        lines = []
        for event in self.events:
            kind = event["event"]
            if kind == "step.started":
                lines.append(f"{event['step']} {event['action']}")
            elif kind in ("step.finished", "step.failed", "step.undone", "step.remains"):
                lines.append(f"{event['step']} {kind.removeprefix('step.')}")
            elif kind.startswith("run.") and kind not in ("run.started", "run.finished"):
                lines.append(kind.removeprefix("run."))
        self.events.clear()
        return lines

    def writes(self) -> list[str]:
        """``verb step`` of the calls that change something since the last time it was asked."""
        found = [f"{verb} {name.removeprefix(f'{DEPLOYMENT}-')}" for verb, name in self.cloud.writes()]
        self.cloud.calls.clear()
        return found


def agree(world: World) -> None:
    """Nothing exists that the record does not know, nothing twice, and nothing is recorded that does not exist."""
    owners = sorted(thing.owner or thing.name for thing in world.cloud.live())
    recorded = sorted(record.key.owner for record in world.state.steps.values())
    assert owners == recorded
