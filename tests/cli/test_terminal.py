"""On a terminal: the question, the live table, the colours, Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CANARY, PLAN
from tests.cli.shell import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return str(path)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def made(*words: str, rows: int = 24, columns: int = 120, **more: str) -> Terminal:
        opened.append(Terminal(tmp_path / "home", *words, rows=rows, columns=columns, **more))
        return opened[-1]

    yield made
    for one in opened:
        one.kill()


def test_deploy_shows_the_preview_asks_and_shows_the_steps(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan)
    assert "Plan: 3 to create" in screen.until("Deploy shop? [y/N]")
    screen.type("y\n")
    assert screen.end() == 0
    assert "✓ data        db     toy.database  created in" in screen.plain
    assert "shop deployed: 3 created" in screen.plain
    assert "\x1b[32m" in screen.shown
    assert CANARY not in screen.shown


def test_anything_but_yes_changes_nothing(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan)
    screen.until("[y/N]")
    screen.type("maybe\n")
    assert screen.end() == 0
    assert "nothing was changed" in screen.plain


def test_ctrl_c_at_the_question_changes_nothing(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan)
    screen.until("[y/N]")
    screen.type("\x03")
    assert screen.end() == 130
    assert "nothing was changed" in screen.plain


def test_the_table_says_what_is_waited_for_and_how_long(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan, "--yes", TOY_SLOW="db=30")
    screen.until(lambda text: "deploy shop  2/4 steps" in text and "creating  pending" in text)
    screen.type("\x03")
    assert screen.end() == 130
    assert "stopping in good order" in screen.plain
    assert "shop stopped in good order" in screen.plain
    assert screen.shown.rindex("\x1b[?25h") > screen.shown.rindex("\x1b[?25l")  # the cursor is back


def test_a_small_terminal_that_is_resized_is_no_trouble(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan, "--yes", rows=5, columns=40, TOY_SLOW="db=1")
    screen.until("deploy shop")
    screen.resize(40, 20)
    screen.resize(3, 200)
    assert screen.end() == 0


def test_no_color_is_honoured(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan, "--yes", NO_COLOR="1")
    assert screen.end() == 0
    assert "\x1b[3" not in screen.shown


def test_a_dumb_terminal_gets_plain_lines(terminal: Open, plan: str) -> None:
    screen = terminal("deploy", plan, "--yes", TERM="dumb")
    assert screen.end() == 0
    assert "\x1b" not in screen.shown
    assert "0.0s  deploy shop: run 1, 4 steps" in screen.plain


@pytest.mark.parametrize(("answer", "code"), [("y", 4), ("n", 5)])
def test_on_failure_ask_asks(terminal: Open, plan: str, answer: str, code: int) -> None:
    screen = terminal("deploy", plan, "--yes", "--on-failure", "ask", TOY_FAIL="shop-db")
    screen.until("Reverse what this run changed?")
    screen.type(f"{answer}\n")
    assert screen.end() == code


def test_findings_show_the_line_and_a_caret(terminal: Open, plan: str) -> None:
    Path(plan).write_text(PLAN.replace("toy.vault", "toy.volt"))
    screen = terminal("validate", plan)
    assert screen.end() == 3
    lines = screen.plain.splitlines()
    at = next(number for number, line in enumerate(lines) if "│   - {name: vault" in line)
    assert lines[at][lines[at + 1].index("^") :].startswith("toy.volt")
