"""Who is measured: the same work by ``provisioner`` and by Terraform, each as a user would call it.

=============  ==============================================  ==================================================
from nothing   ``deploy --yes``                                ``apply -auto-approve``
no-op          the same again, which must write nothing        ``plan -detailed-exitcode``, which must find nothing
update         the same with another instance class            ``apply`` with another instance class
destroy        ``destroy --yes --allow-data-loss``             ``destroy -auto-approve``
plan           ``plan``                                        ``plan -detailed-exitcode``
=============  ==============================================  ==================================================

Ours deploys where Terraform only plans, and credlink's plan logs in to the database and the cache, which the stack
cannot: both count against us.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from bench.process import Done, Line, run
from bench.rehearsal import Rehearsal
from bench.tf import Terraform

ROOT: Final = Path(__file__).resolve().parents[1]
CREDLINK: Final = ROOT / "plans" / "aws-credlink.yaml"
NEW, NOOP, UPDATE, DESTROY, PLAN = "from nothing", "no-op", "update of one value", "destroy", "plan"

_OUR_TYPES: Final = {"aws.rds_instance": "db-instance", "aws.cache_replication_group": "replication-group"}
_THEIR_TYPES: Final = {"aws_db_instance": "db-instance", "aws_elasticache_replication_group": "replication-group"}
_TOLD: Final = re.compile(r"^(\w+)\.\S+: (Creating|Modifying|Creation complete|Modifications complete)\b")


class Span(NamedTuple):
    """From when to when a step was under way: Unix time in seconds."""

    began: float
    done: float


class Side(Protocol):
    """One that does the work. ``label`` tells it from the others."""

    label: str

    def fresh(self) -> None:
        """Nothing is deployed: its record is thrown away."""

    def do(self, work: str) -> Done:
        """Does one of the works above. Failed where it fails."""

    def state(self) -> int:
        """Bytes of its record on the disk."""

    def ran(self, done: Done) -> float:
        """Seconds that the work took, where it tells them itself: without the start of its interpreter."""

    def steps(self, done: Done) -> dict[str, Span]:
        """When it was at work on databases and caches, by AWS's word for the kind."""


class Ours:
    """``provisioner`` with one plan; ``changed``: the words that make the update."""

    label = "ours"

    def __init__(self, rehearsal: Rehearsal, home: Path, plan: Sequence[str], changed: Sequence[str] = ()) -> None:
        self._home, self._plan, self._changed = home, plan, changed
        home.mkdir(parents=True, exist_ok=True)
        self._events = home / "events.jsonl"
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._env = clean() | rehearsal.environment() | {"PROVISIONER_HOME": str(home), "PYTHONPATH": path}

    def fresh(self) -> None:
        for place in self._records():
            shutil.rmtree(place)

    def do(self, work: str) -> Done:
        self._events.unlink(missing_ok=True)
        events = ["--events", str(self._events)]
        words = {
            NEW: ["deploy", *self._plan, "--yes", *events],
            NOOP: ["deploy", *self._plan, "--yes", *events],
            UPDATE: ["deploy", *self._plan, *self._changed, "--yes", *events],
            DESTROY: ["destroy", *self._plan, "--yes", "--allow-data-loss", *events],
            PLAN: ["plan", *self._plan],
        }[work]
        return run([sys.executable, "-m", "provisioner", *words, "--sandbox"], env=self._env, cwd=ROOT)

    def state(self) -> int:
        return sum(one.stat().st_size for place in self._records() for one in place.rglob("*") if one.is_file())

    def steps(self, done: Done) -> dict[str, Span]:
        return finished(self._told())

    def ran(self, done: Done) -> float:
        return float(next((event["seconds"] for event in self._told() if event["event"] == "run.finished"), done.wall))

    def _told(self) -> list[dict[str, Any]]:
        """The events of the last run; none where the last command was none that has any."""
        if not self._events.exists():
            return []
        return [json.loads(line) for line in self._events.read_text(encoding="utf-8").splitlines()]

    def _records(self) -> Iterable[Path]:
        return [place for place in self._home.glob("*deployments") if place.is_dir()]


class Theirs:
    """Terraform with one stack, already initialised in ``place``; ``changed``: the variables of the update."""

    def __init__(
        self,
        terraform: Terraform,
        place: Path,
        variables: Mapping[str, str],
        changed: Mapping[str, str] | None = None,
        *,
        parallelism: int,
    ) -> None:
        self.label = f"parallelism {parallelism}"
        self._terraform, self._place = terraform, place
        self._variables, self._changed = _variables(variables), _variables({**variables, **(changed or {})})
        self._parallelism = f"-parallelism={parallelism}"
        self._now = self._variables

    def fresh(self) -> None:
        self._now = self._variables
        for file in self._place.glob("*.tfstate*"):
            file.unlink()

    def do(self, work: str) -> Done:
        self._now = {NEW: self._variables, UPDATE: self._changed}.get(work, self._now)
        words = {
            NEW: ["apply", "-auto-approve"],
            NOOP: ["plan", "-detailed-exitcode"],
            UPDATE: ["apply", "-auto-approve"],
            DESTROY: ["destroy", "-auto-approve"],
            PLAN: ["plan", "-detailed-exitcode"],
        }[work]
        return self._terraform.run(self._place, *words, "-input=false", "-no-color", self._parallelism, *self._now)

    def state(self) -> int:
        return sum(file.stat().st_size for file in self._place.glob("*.tfstate*"))

    def ran(self, done: Done) -> float:
        return done.wall

    def steps(self, done: Done) -> dict[str, Span]:
        return completed(done.lines)


def finished(events: Iterable[Mapping[str, Any]]) -> dict[str, Span]:
    """Our steps with a database or a cache, by AWS's word for the kind."""
    begun: dict[str, tuple[str, float]] = {}
    found = {}
    for event in events:
        if event["event"] == "step.started" and event["type"] in _OUR_TYPES:
            begun[event["step"]] = _OUR_TYPES[event["type"]], float(event["at"])
        if event["event"] == "step.finished" and event["step"] in begun:
            kind, at = begun[event["step"]]
            found[kind] = Span(at, float(event["at"]))
    return found


def completed(lines: Iterable[Line]) -> dict[str, Span]:
    """Terraform's resources of those kinds, as it told of them."""
    begun: dict[str, float] = {}
    found = {}
    for line in lines:
        match = _TOLD.match(line.text)
        kind = _THEIR_TYPES.get(match.group(1)) if match else None
        if match and kind and match.group(2) in ("Creating", "Modifying"):
            begun[kind] = line.at
        elif kind and kind in begun:
            found[kind] = Span(begun[kind], line.at)
    return found


def clean() -> dict[str, str]:
    """Our environment without what would lead a command to a real cloud or to another home.

    Python may keep what it compiled, as it does wherever nobody forbids it.
    """
    foreign = ("AWS_", "PROVISIONER_", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign)}


def _variables(values: Mapping[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in values.items()]
