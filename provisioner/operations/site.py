"""What every operation works with: the open store, the drivers, the loop; how a run begins and ends in the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple, Protocol

import msgspec

from provisioner import __version__
from provisioner.engine.clock import Clock, SystemClock
from provisioner.engine.context import Context, Drivers, Journal
from provisioner.engine.events import FORMAT, Events, Listener
from provisioner.engine.loop import Loop
from provisioner.engine.retry import Retrier, RetryPolicy
from provisioner.errors import CredentialsError, ProvisionerError
from provisioner.plan.model import Plan, Settings, StepDecl
from provisioner.resource import NO_CLOUDS, Registry
from provisioner.state.backend import Location
from provisioner.state.files import Files
from provisioner.state.lock import Owner
from provisioner.state.records import Action, Change, Entry, PutFacts, PutRun, Run, RunResult
from provisioner.state.store import Store

PARALLELISM = 16
KEPT = "kept, as asked"
"""Why something remains that nobody tried to take back."""


class Check(NamedTuple):
    """Something that was looked at before a run, and what came of it; told as an event of the stage ``validate``."""

    name: str
    detail: str


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line may bend. ``on_failure``: ``reverse``, ``keep``, or ``ask``: then ``ask`` decides.

    ``ask`` gets step → error and returns ``reverse`` or ``keep``; without it ``ask`` means ``reverse``.
    """

    on_failure: str = "reverse"
    ask: Callable[[Mapping[str, BaseException]], str] | None = None
    allow_data_loss: bool = False
    targets: tuple[str, ...] = ()
    timeouts: dict[str, float] = {}
    checks: list[Check] = []
    """Filled by whoever confirms the run."""


class Remain(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a run could not take back: what, why, and the command that tries again.

    ``by_hand``: what has to be done first, outside of provisioner; empty where nothing is known. ``let_go``: the
    command that leaves the object where it is, should what holds it stay. ``code``: the error's, for ``provisioner
    explain``; empty for what was not tried.
    """

    step: str
    type: str
    name: str
    reason: str
    command: str
    by_hand: str = ""
    let_go: str = ""
    code: str = ""


class Linger(msgspec.Struct, frozen=True, kw_only=True):
    """What the cloud keeps for a time of something that a run deleted. Nothing is to be done about it."""

    step: str
    type: str
    name: str
    detail: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step failed."""

    step: str
    error: ProvisionerError


class Outcome(msgspec.Struct, kw_only=True):
    """What a run came to. ``outputs`` may hold :class:`Secret` values; whoever prints them masks them."""

    deployment: str
    run: int | None
    result: str
    exit_code: int
    changes: list[Change] = []
    outputs: dict[str, Any] = {}
    remains: list[Remain] = []
    lingers: list[Linger] = []
    failures: list[Failure] = []
    seconds: float = 0.0


class Book(Journal, Protocol):
    """The record that a site works with: a store, or what only looks like one to those who only look."""

    def close(self) -> None: ...


class Site:
    """One deployment, held by this process."""

    def __init__(
        self,
        *,
        store: Book,
        drivers: Drivers,
        events: Events,
        clock: Clock | None = None,
        parallelism: int = PARALLELISM,
        by: str = "",
    ) -> None:
        self.store = store
        self.drivers = drivers
        self.events = events
        self.clock: Clock = clock or SystemClock()
        self.loop = Loop(self.clock, store.commit, workers=parallelism)
        self.by = by
        self.begun = self.clock.now()
        self.random: Random | None = None
        """Where the jitter of retries comes from, where somebody wants the same again."""
        self.recorded: int | None = None
        """The run that was recorded last by this process; None as long as nothing can have been changed."""

    def context(self, run: Run, plan: Plan | None, options: Options) -> Context:
        settings = plan.settings if plan is not None else Settings()
        policy = RetryPolicy(settings.attempts, settings.backoff_initial, settings.backoff_most)
        return Context(
            loop=self.loop,
            store=self.store,
            drivers=self.drivers,
            retrier=Retrier(policy, self.clock, random=self.random),
            events=self.events,
            clock=self.clock,
            secrets=plan.secrets if plan is not None else {},
            settings=settings,
            timeouts=options.timeouts,
            allow_data_loss=options.allow_data_loss,
            run=run,
        )

    # -- runs -----------------------------------------------------------------------------------------------

    def last_run(self, *kinds: str) -> Run | None:
        return next((run for run in reversed(self.store.state.runs) if run.kind in kinds), None)

    def new_run(self, kind: str, *, of: int | None = None) -> Run:
        """A run that is not recorded yet."""
        runs = self.store.state.runs
        number = runs[-1].id + 1 if runs else 1
        return Run(id=number, kind=kind, started=self.clock.wall(), by=self.by, version=__version__, of=of)

    def record_run(
        self,
        run: Run,
        result: RunResult,
        *,
        exit_code: int | None = None,
        error: str = "",
        kept: bool = False,
        entries: Sequence[Entry] = (),
    ) -> None:
        """Writes a run's header: where it stands, and when it came to an end; ``entries`` in the same commit."""
        over = result not in (RunResult.RUNNING, RunResult.REVERSING)
        header = msgspec.structs.replace(
            run,
            result=result,
            exit_code=exit_code,
            error=error,
            kept=run.kept or kept,
            succeeded=run.succeeded or result is RunResult.SUCCEEDED,
            finished=self.clock.wall() if over else None,
            changes=[],
        )
        self.recorded = run.id
        self.store.commit([PutRun(run=header), *entries])
        self.store.audit("run", run=run.id, kind=run.kind, result=result.value)

    def started(self, run: Run, steps: int, checks: Sequence[Check] = ()) -> None:
        self.events.emit(
            "run.started",
            format=FORMAT,
            run=run.id,
            kind=run.kind,
            deployment=self.store.state.deployment,
            version=__version__,
            steps=steps,
        )
        for check in checks:
            self.events.emit("check.passed", stage="validate", step=check.name, detail=check.detail)

    def finished(self, outcome: Outcome) -> Outcome:
        outcome.seconds = round(self.clock.now() - self.begun, 3)
        self.events.emit(
            "run.finished",
            run=outcome.run,
            result=outcome.result,
            exit_code=outcome.exit_code,
            remains=[remain.step for remain in outcome.remains],
            seconds=outcome.seconds,
        )
        return outcome

    # -- account --------------------------------------------------------------------------------------------

    def clouds(self, steps: Iterable[StepDecl]) -> list[str]:
        """The clouds that a run may touch: the steps', and those of what is recorded, which may have left the plan."""
        types = [step.type for step in steps] + [record.type for record in self.store.state.steps.values()]
        return sorted({name.partition(".")[0] for name in types})

    def verify_accounts(self, clouds: Sequence[str]) -> None:
        """For those who only look: :meth:`check_accounts` of the clouds whose account is recorded; writes nothing."""
        self._accounts([cloud for cloud in clouds if cloud in self.store.state.accounts])

    def check_accounts(self, clouds: Sequence[str]) -> None:
        """The credentials must belong to the account that the record is about; CredentialsError otherwise.

        What was not known yet is recorded.
        """
        known, found = self.store.state.accounts, self._accounts(clouds)
        facts = PutFacts(provider="", region=self.drivers.region, accounts={**known, **found})
        if {**known, **found} != known or self.store.state.region != self.drivers.region:
            self.store.commit([facts])

    def _accounts(self, clouds: Sequence[str]) -> dict[str, str]:
        """Cloud → account of the credentials; CredentialsError where the record has another."""
        known = self.store.state.accounts
        found = {cloud: str(self.drivers.session(cloud).identity()) for cloud in clouds if cloud not in NO_CLOUDS}
        for cloud, account in found.items():
            if known.get(cloud, account) != account:
                raise CredentialsError(
                    f"{self.store.state.deployment} lives in {known[cloud]}, and these credentials belong to {account}",
                    hint="switch credentials (for AWS: AWS_PROFILE), or give the deployment another name",
                )
        return found


@contextmanager
def open_site(
    location: Location,
    deployment: str,
    registry: Registry,
    region: str,
    *,
    command: str,
    listeners: Sequence[Listener] = (),
    parallelism: int = PARALLELISM,
    create: bool = True,
    files: Files | None = None,
) -> Iterator[Site]:
    """Takes the lock, loads the record; folds and unlocks at the end, whatever happens.

    An error that ends the run comes out, and a fold that fails after it is a note on it.
    """
    who = Owner.me(command)
    with Store.open(location, deployment, who=who, create=create, files=files) as store:
        events = Events(time.time, *listeners)
        if store.takeover is not None:
            events.emit("lock.taken-over", owner=str(store.takeover))
        drivers = Drivers(registry, region or store.state.region, store.must_be_ours)
        site = Site(store=store, drivers=drivers, events=events, parallelism=parallelism, by=who.user)
        try:
            yield site
        finally:
            site.loop.close()
            site.drivers.close()


def changes_of(run: Run) -> list[Change]:
    """What a run did to the deployment and did not take back, for its summary."""
    return [change for change in run.changes if change.action is not Action.KEEP]


def lingers_of(ctx: Context) -> list[Linger]:
    """What the cloud still keeps of what a run has deleted so far."""
    return [
        Linger(step=step, type=record.type, name=record.key.name, detail=detail)
        for step, (record, detail) in ctx.lingering.items()
    ]


def failures_of(failures: Mapping[str, BaseException]) -> list[Failure]:
    """The same as values, with whatever is not ours wrapped as a defect."""
    return [Failure(step=step, error=_as_ours(error)) for step, error in failures.items()]


def _as_ours(error: BaseException) -> ProvisionerError:
    if isinstance(error, ProvisionerError):
        return error
    wrapped = ProvisionerError(
        f"{type(error).__name__}: {error}", hint="this is a defect in provisioner; please report it"
    )
    wrapped.__cause__ = error
    return wrapped
