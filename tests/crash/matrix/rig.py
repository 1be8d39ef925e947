"""The rig of the matrix: one step of credlink at a time, with two specs to go between, and clients that lose patience."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from provisioner.drivers.aws.session import AwsSession, open_session
from provisioner.drivers.typemap import SESSIONS, TYPES
from provisioner.endpoints import ENDPOINTS
from provisioner.errors import ProvisionerError
from provisioner.model import Key, Observed
from provisioner.operations.site import Failure, Outcome
from provisioner.plan.model import Plan, StepDecl
from provisioner.resource import Registry, Resource
from provisioner.sandbox import supervisor
from provisioner.secret import Secret
from provisioner.state.store import peek
from tests.crash.matrix.steps import HANDLING
from tests.crash.matrix.table import PATIENCE
from tests.crash.rig import Rig

_QUICK = {"rds": 0.3, "rds:modify": 0.2, "rds:delete": 0.1, "elasticache": 0.2, "elasticache:delete": 0.1}
_SOON = 20.0
_LONG = 60.0


_CLIENTS: dict[tuple[str, float, str, str], Any] = {}
_patience = [_LONG]


class _Sharing(AwsSession):
    """Shares its clients with those before it, which take 0.1 s each to make; all that a session remembers is new.

    Only the session that was opened last is in use, so it is its fence that requests are held to.
    """

    last_fence: ClassVar[list[Callable[[], None]]] = []

    def fence(self, check: Callable[[], None]) -> None:
        self.last_fence[:] = [check]

    def _before_send(self, **_: Any) -> None:
        for check in self.last_fence:
            check()

    def client(self, service: str, region: str = "") -> Any:
        place = (os.environ[ENDPOINTS], self.patience, service, region or self.region)
        if place not in _CLIENTS:
            _CLIENTS[place] = super().client(service, region)
        return _CLIENTS[place]


def open_sharing(region: str) -> AwsSession:
    """The session of the matrix, as the registry opens it."""
    usual = open_session(region)
    _Sharing.last_fence.clear()
    return _Sharing(usual.region, usual.endpoint, patience=_patience[0])


@contextmanager
def impatient(seconds: float = PATIENCE) -> Iterator[None]:
    """Sessions that are opened meanwhile wait no longer for an answer."""
    before, _patience[0] = _patience[0], seconds
    try:
        yield
    finally:
        _patience[0] = before


class MatrixRig(Rig):
    """Deploys of one step and what it needs; ``select`` says which."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.events: list[dict[str, Any]] = []
        self.step, self.changed = "", False
        self.last: Outcome | None = None
        self._keys: dict[str, Key] = {}
        self._plans: dict[tuple[str, bool], Plan] = {}
        quick = {"provision_time": _QUICK, "name_release": "0.1s"}
        supervisor.admin(self.sandbox, "PATCH", "/_sandbox/options", quick)
        self._types = Registry(TYPES, {**SESSIONS, "aws": f"{__name__}:open_sharing"})

    def types(self) -> Registry:
        return self._types

    def plan(self, **retry: float) -> Plan:
        """Credlink with the step's ``before`` or ``after``, and a second key for an alias to be pointed at."""
        if (self.step, self.changed) not in self._plans:
            self._plans[self.step, self.changed] = self._made(super().plan(**retry))
        return self._plans[self.step, self.changed]

    def _made(self, plan: Plan) -> Plan:
        steps = [self._varied(step) if step.name == self.step else step for step in plan.steps]
        key = next(step for step in steps if step.name == "data-key")
        spare = msgspec.structs.replace(key, name="spare-key")
        steps.insert(steps.index(key) + 1, spare)
        return msgspec.structs.replace(plan, steps=tuple(steps))

    def _varied(self, step: StepDecl) -> StepDecl:
        handling = HANDLING[step.type]
        tree = (handling.after if self.changed else handling.before)(step.tree)
        needs = (*step.needs, "spare-key") if step.type == "aws.kms_alias" else step.needs
        return msgspec.structs.replace(step, tree=tree, needs=needs)

    @property
    def decl(self) -> StepDecl:
        """The step in the plan."""
        return next(step for step in self.plan().steps if step.name == self.step)

    # -- commands -------------------------------------------------------------------------------------------

    def command(self, name: str, *, timeout: float | None = None) -> Outcome:
        """`deploy`, `rollback` or `destroy` of the step; ``timeout``: seconds for it."""
        begun = len(self.said)
        options: dict[str, Any] = {"timeouts": {self.step: timeout}} if timeout else {}
        if name != "rollback":
            options["targets"] = (self.step,)
        try:
            outcome: Outcome = getattr(self, name)(**options)
        except ProvisionerError as error:  # before anything was changed
            failure = Failure(step=self.step, error=error)
            outcome = Outcome(deployment="", run=None, result=error.code, exit_code=error.exit_code, failures=[failure])
            self.said.append(f"{error!r} {error} {error.hint}")
        self.last = outcome
        self.events = [json.loads(line) for line in self.said[begun:] if line.startswith('{"event"')]
        return outcome

    def failure(self) -> str:
        """The code of the step's first failure in the last command, empty where it had none."""
        failed = [e["code"] for e in self.events if e["event"] == "step.failed" and e["step"] == self.step]
        if self.last is not None and self.last.run is None:
            failed = [failure.error.code for failure in self.last.failures]
        return str(failed[0]) if failed else ""

    def land(self) -> None:
        """Waits until the calls that a fault keeps back have landed."""
        self.until(lambda: all(entry["seconds"] for entry in self.requests()), "a call is still under way")

    def lift(self) -> None:
        """Takes every fault away."""
        supervisor.admin(self.sandbox, "DELETE", "/_sandbox/faults")

    # -- looking --------------------------------------------------------------------------------------------

    def seen(self) -> Observed | None:
        """The step's object, as a driver of its own reads it."""
        record = self.key()
        if record is None:
            return None
        cls = self._types.type(self.decl.type)
        resource = cls(open_sharing("us-east-1"))
        assert isinstance(resource, Resource)
        return resource.read(record)

    def key(self) -> Key | None:
        """The step's key: the one that it was last recorded with."""
        name = self.plan().deployment
        state = peek(self.state_directory(name), name)
        record = state.steps.get(self.step) if state is not None else None
        if record is not None:
            self._keys[self.step] = record.key
        return self._keys.get(self.step)

    def picture(self, seen: Observed) -> dict[str, Any]:
        """What a read tells of the object's settings, secrets by their hash; without what differs each time."""
        hidden = HANDLING[self.decl.type].hidden
        return {name: _plain(value) for name, value in seen.spec.items() if name not in hidden}

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Waits until something is true of the sandbox, which has a clock of its own."""
        end = time.monotonic() + _SOON
        while not true():
            assert time.monotonic() < end, what
            time.sleep(0.02)


def _plain(value: Any) -> Any:
    return hash(value.reveal()) if isinstance(value, Secret) else value
