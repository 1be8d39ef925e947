"""Ctrl-C, SIGTERM, SIGHUP and a terminal that is closed, for every verb that changes something.

Once: nothing new starts, what is under way is let finish and recorded, exit code 130, and the next command goes on.
Twice: the process leaves at once, and the next command goes on all the same.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioner.state.records import State
from provisioner.state.store import peek
from tests.cli.shell import COMMAND, Terminal, environment, read_until, start
from tests.cli.toyapp import cloud_of
from tests.engine.toycloud import ToyCloud

PLAN = """\
deployment: shop
provider: toy
region: here
settings: {retry: {attempts: 2, initial: 10ms, most: 10ms}}
steps:
  - {name: net, type: toy.thing}
  - {name: db, type: toy.database, with: {uses: ["${net.id}"]}}
  - {name: late, type: toy.thing, with: {uses: ["${db.id}"]}}
"""
ALL = ["shop-db", "shop-late", "shop-net"]
_PATIENCE = 20.0

VERBS = {"deploy": ("create", ALL), "rollback": ("delete", []), "destroy": ("delete", [])}
"""Verb → the call on the database that it makes, and what is there when it has come to its end."""


class Desk:
    """A shell, and a cloud in a file."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.plan = directory / "plan.yaml"
        self.plan.write_text(PLAN)
        self.file = directory / "cloud"
        self.fifo = directory / "fifo"
        os.mkfifo(self.fifo)
        self._running: list[subprocess.Popen[bytes]] = []
        self.terminals: list[Terminal] = []

    def words(self, verb: str) -> list[str]:
        """One call at a time: the cloud's file is written between two of them."""
        return [verb, str(self.plan), "--yes", "--parallelism", "1"]

    def start(self, verb: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        process = start(self.home, *self.words(verb), *words, TOY_CLOUD=str(self.file), **more)
        self._running.append(process)
        return process

    def run(self, verb: str, *words: str) -> int:
        process = self.start(verb, *words)
        process.communicate(timeout=_PATIENCE)
        return process.returncode

    def terminal(self, verb: str, hold: str) -> Terminal:
        self.terminals.append(Terminal(self.home, *self.words(verb), TOY_CLOUD=str(self.file), TOY_HOLD=hold))
        return self.terminals[-1]

    def prepare(self, verb: str) -> str:
        """What the verb needs; the words that hold its call on the database."""
        if verb != "deploy":
            assert self.run("deploy") == 0
        return f"{VERBS[verb][0]} shop-db {self.fifo}"

    def grip(self) -> Callable[[], None]:
        """Returns when the call is under way; what it returns lets the call go on."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fd = os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                assert time.monotonic() < deadline, "the call was never made"
                time.sleep(0.01)
                continue
            return lambda: os.close(fd)

    @property
    def cloud(self) -> ToyCloud:
        return cloud_of(self.file)

    def there(self) -> list[str]:
        return sorted(thing.name for thing in self.cloud.live())

    @property
    def state(self) -> State:
        state = peek(self.home / "deployments" / "shop", "shop")
        assert state is not None
        return state

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()
        for terminal in self.terminals:
            terminal.kill()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def ends_well(desk: Desk, verb: str) -> None:
    """The same command again comes to its end; state and cloud agree."""
    assert desk.run(verb) == 0
    assert desk.there() == VERBS[verb][1]
    assert sorted(f"shop-{step}" for step in desk.state.steps) == VERBS[verb][1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("verb", VERBS)
def test_one_signal_lets_the_call_under_way_finish_and_starts_nothing_new(
    desk: Desk, verb: str, number: signal.Signals
) -> None:
    process = desk.start(verb, TOY_HOLD=desk.prepare(verb))
    let_go = desk.grip()
    process.send_signal(number)
    read_until(process, b"stopping in good order")
    let_go()
    process.communicate(timeout=_PATIENCE)
    assert process.returncode == 130
    done = [name for what, name in desk.cloud.writes() if what == VERBS[verb][0]]
    assert done == (["shop-net", "shop-db"] if verb == "deploy" else ["shop-late", "shop-db"])
    assert set(desk.state.steps) == {"net", "db"} if verb == "deploy" else {"net"} <= set(desk.state.steps)
    assert desk.state.runs[-1].result.value == "interrupted"
    ends_well(desk, verb)


@pytest.mark.parametrize("verb", VERBS)
def test_two_signals_leave_at_once_and_the_next_command_goes_on(desk: Desk, verb: str) -> None:
    process = desk.start(verb, TOY_HOLD=desk.prepare(verb))
    let_go = desk.grip()
    process.send_signal(signal.SIGINT)
    read_until(process, b"stopping in good order")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=_PATIENCE)
    let_go()
    assert process.returncode == 130
    assert b"leaving at once" in err
    assert desk.state.runs[-1].result.value in ("running", "reversing")
    ends_well(desk, verb)


def test_a_stopped_deploy_can_be_taken_back_instead(desk: Desk) -> None:
    process = desk.start("deploy", TOY_HOLD=desk.prepare("deploy"))
    let_go = desk.grip()
    process.send_signal(signal.SIGTERM)
    read_until(process, b"stopping in good order")
    let_go()
    process.communicate(timeout=_PATIENCE)
    assert desk.run("rollback") == 0
    assert desk.there() == []
    assert desk.state.steps == {}


@pytest.mark.parametrize("verb", VERBS)
def test_a_terminal_that_is_closed_stops_the_run_in_good_order(desk: Desk, verb: str) -> None:
    """Closing it sends SIGHUP, and from then on every character that is written to it is an error."""
    screen = desk.terminal(verb, desk.prepare(verb))
    let_go = desk.grip()
    screen.close()
    wait_for_stop(desk, screen, let_go)
    assert screen.wait() == 130
    assert desk.state.runs[-1].result.value == "interrupted"
    ends_well(desk, verb)


def wait_for_stop(desk: Desk, screen: Terminal, let_go: Callable[[], None]) -> None:
    """The signal comes with the closing; the process must have taken it before its call comes back."""
    deadline = time.monotonic() + _PATIENCE
    while pending(screen.pid, signal.SIGHUP):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    let_go()


def pending(pid: int, number: signal.Signals) -> bool:
    """The kernel still holds a signal for a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = (int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd")))
    return any(mask & 1 << number - 1 for mask in masks)


def test_under_nohup_a_closed_terminal_stops_nothing(desk: Desk) -> None:
    words = ["nohup", *COMMAND, *desk.words("deploy")]
    hold = desk.prepare("deploy")
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=environment(desk.home, TOY_CLOUD=str(desk.file), TOY_HOLD=hold),
    )  # fmt: skip
    let_go = desk.grip()
    process.send_signal(signal.SIGHUP)
    let_go()
    process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0
    assert desk.there() == ALL
