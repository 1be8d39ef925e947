"""One death and what comes after it, verb by verb: the killed run, the command that a person types next, the checks.

A :class:`Stage` says how the house stands (``empty``, or deployed as a variant), so that one story begins where another
one ended. A story that begins elsewhere first goes there, undisturbed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from provisioner.state.records import Run
from tests.crash.sweep import checks
from tests.crash.sweep.checks import Complaint
from tests.crash.sweep.house import House, Ran
from tests.crash.sweep.moments import Death
from tests.crash.sweep.points import Point

EMPTY: Final = "empty"
_NOTHING_BEGAN: Final = ("no run to roll back", "nothing was ever deployed")


class Outcome(msgspec.Struct, kw_only=True):
    """What became of a point. ``died``: the moments of both deaths; ``chain``: what the house had been through."""

    point: str
    died: list[str] = []
    recovered: str = ""
    complaints: list[Complaint] = []
    seconds: float = 0.0
    chain: list[str] = []
    said: list[str] = []

    @property
    def reached(self) -> bool:
        """As many deaths as were wanted."""
        return len(self.died) == (2 if ", then " in self.point else 1)


class Stage:
    """A house and how it stands. ``first``: everything was made by the one and only deploy."""

    def __init__(self, house: House, steps: int) -> None:
        self.house = house
        self.steps = steps
        self.at = EMPTY
        self.first = False
        self.chain: list[str] = []

    def clear(self) -> None:
        """An empty cloud and home."""
        self.house.fresh()
        self.at, self.first = EMPTY, False
        self.chain = []

    def go(self, to: str) -> None:
        """Deploys (or empties) without a disturbance; AssertionError where that fails."""
        if to == EMPTY:
            self.clear()
        elif self.at != to:
            ran = self.house.run("deploy", variant=to)
            assert ran.code == 0, f"an undisturbed deploy ended with {ran.code}: {ran.err}"
            self.first = self.at == EMPTY
            self.at = to

    def play(self, point: Point) -> Outcome:
        """The whole story of a point. Whatever goes wrong is in the outcome, and the next one begins afresh."""
        begun = time.monotonic()
        outcome = Outcome(point=point.key, chain=list(self.chain))
        story = _Story(self, point, outcome)
        try:
            _STORIES[point.verb](story)
        except Exception as error:
            outcome.complaints.append(Complaint("broken", f"{type(error).__name__}: {error}"))
        outcome.seconds = round(time.monotonic() - begun, 2)
        self.chain.append(point.key)
        if outcome.complaints:
            outcome.said = [f"$ {ran.words} → {ran.code} {ran.died}\n{ran.err[-3000:]}" for ran in self.house.said]
            self.clear()
        return outcome


class _Story:
    """What the stories of all verbs share."""

    def __init__(self, stage: Stage, point: Point, outcome: Outcome) -> None:
        self.stage = stage
        self.house = stage.house
        self.point = point
        self.outcome = outcome
        self.secrets: Mapping[str, str] = {}
        self.canaries: set[str] = set()
        self.ids: Mapping[str, str] = {}

    # -- parts -----------------------------------------------------------------------------------------------

    def begin(self, at: str) -> None:
        """Where the story begins; what is there now must survive an update and its rollback."""
        self.stage.go(at)
        self.note()
        self.house.listen()

    def note(self) -> None:
        self.secrets = self.house.secrets()
        self.canaries |= set(self.secrets.values())
        self.ids = {t["owner"]: t["id"] for t in self.house.inventory() if t["owner"]}

    def kill(self, command: str, variant: str = "a") -> bool:
        """False where the run ended before its moment came: there is nothing to recover from."""
        return self._die(self.house.run(command, variant=variant, death=Death(name=self.point.name)))

    def _die(self, ran: Ran) -> bool:
        self.complain(checks.killed(ran))
        if not ran.died:
            return False
        self.outcome.died.append(ran.died)
        self.canaries |= set(self.house.secrets().values())
        if not self.point.at_once:
            self.house.pass_time()
        return True

    def recover(self, command: str, variant: str = "a", *, over: Callable[[], bool] = lambda: False) -> None:
        """The next command, which may die too; ``over``: it has nothing left to do, and would do something else."""
        self.outcome.recovered = command
        if self.point.second and not over():
            ran = self.house.run(command, variant=variant, death=Death(number=self.point.second))
            if not self._die(ran):
                return
        if not over():
            self.complain(checks.finished(self.house.run(command, variant=variant)))

    def complain(self, complaints: Iterator[Complaint]) -> None:
        self.outcome.complaints.extend(complaints)

    @property
    def runs(self) -> list[Run]:
        state = self.house.state()
        return state.runs if state is not None else []

    def rolled_back(self) -> bool:
        """A rollback came to its end before it was killed: another one would take back the run before."""
        return bool(self.runs) and self.runs[-1].kind == "rollback" and self.runs[-1].exit_code == 0

    # -- ends ------------------------------------------------------------------------------------------------

    def is_whole(self, variant: str, *, same: bool = True) -> None:
        """Everything is there as the variant says; ``same``: and nothing was made anew."""
        self.stage.first = self.stage.at == EMPTY
        self.stage.at = variant
        self.complain(checks.agrees(self.house))
        self.complain(checks.whole(self.house, self.stage.steps, variant))
        self.complain(checks.opens(self.house))
        now = self.house.secrets()
        self.canaries |= set(now.values())
        self.complain(checks.kept(self.secrets, now, "the secret", "secret"))
        if same:
            ids = {thing["owner"]: thing["id"] for thing in self.house.inventory()}
            self.complain(checks.kept(self.ids, ids, "the object", "data"))
        self.complain(checks.silent(self.house, self.canaries))

    def is_gone(self, *, copies: bool) -> None:
        """Nothing is there; ``copies``: but for one of each database."""
        self.complain(checks.gone(self.house, copies=copies))
        self.complain(checks.silent(self.house, self.canaries))
        self.stage.clear()


# -- the verbs ------------------------------------------------------------------------------------------------


def _deploy(story: _Story) -> None:
    story.begin(EMPTY)
    if not story.kill("deploy"):
        story.stage.at, story.stage.first = "a", True
        return
    story.secrets = story.house.secrets()
    if not story.point.other_way:
        story.recover("deploy")
        story.is_whole("a")
    elif story.runs:
        copies = story.runs[-1].succeeded
        story.recover("rollback", over=story.rolled_back)
        story.is_gone(copies=copies)
    else:
        _nothing_began(story)


def _nothing_began(story: _Story) -> None:
    """A rollback of nothing says so, and leaves nothing."""
    ran = story.house.run("rollback")
    story.outcome.recovered = "rollback"
    if not any(words in ran.err for words in _NOTHING_BEGAN):
        story.complain(checks.finished(ran))
    story.is_gone(copies=False)


def _update(story: _Story, start: str, end: str) -> None:
    story.begin(start)
    runs = len(story.runs)
    if not story.kill("deploy", end):
        story.stage.at, story.stage.first = end, False
        return
    if story.point.other_way and len(story.runs) > runs:
        story.recover("rollback", end, over=story.rolled_back)
        end = start
    else:
        story.recover("deploy", end)
    story.is_whole(end)


def _rollback(story: _Story) -> None:
    start = story.stage.at if story.stage.at != EMPTY else "a"
    end = "b" if start == "a" else "a"
    story.stage.go(start)
    story.begin(end)
    if not story.kill("rollback", end):
        story.stage.at, story.stage.first = start, False
        return
    if story.point.other_way:
        story.recover("deploy", end)
        start = end
    else:
        story.recover("rollback", end, over=story.rolled_back)
    story.is_whole(start)


def _rollback_first(story: _Story) -> None:
    if not story.stage.first:
        story.stage.clear()
    story.begin("a")
    if not story.kill("rollback"):
        story.stage.clear()
    elif story.point.other_way:
        story.recover("deploy")
        story.is_whole("a", same=False)
        story.stage.clear()
    else:
        story.recover("rollback", over=story.rolled_back)
        story.is_gone(copies=True)


def _destroy(story: _Story) -> None:
    variant = story.stage.at if story.stage.at != EMPTY else "a"
    story.begin(variant)
    if not story.kill("destroy", variant):
        story.stage.clear()
    elif story.point.other_way:
        story.recover("deploy", variant)
        story.is_whole(variant, same=False)
        story.stage.clear()
    else:
        story.recover("destroy", variant)
        story.is_gone(copies=True)


_STORIES: Final[dict[str, Callable[[_Story], None]]] = {
    "deploy": _deploy,
    "update": lambda story: _update(story, "a", "b"),
    "update-back": lambda story: _update(story, "b", "a"),
    "rollback": _rollback,
    "rollback-first": _rollback_first,
    "destroy": _destroy,
}
