"""The canary: a day in the life of credlink, good and bad, and no secret anywhere but where ``--reveal`` asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plans.conftest import PLANS, Run

_PLAN = (str(PLANS / "aws-credlink.yaml"), "-e", "development", "--sandbox")


class Diary:
    """Everything that was said and every secret that there was."""

    def __init__(self, run: Run, client: Callable[[str], Any], events: Path) -> None:
        self._run = run
        self._client = client
        self._events = events
        self.said: list[str] = []
        self.secrets: set[str] = set()

    def type(self, verb: str, *more: str) -> int:
        extra = ["--events", str(self._events)] if verb in ("deploy", "rollback", "destroy") else []
        yes = ["--yes"] if extra else []
        done = self._run(verb, *_PLAN, *yes, *extra, *more, check=False)
        self.said += [done.stdout, done.stderr, self._events.read_text() if self._events.exists() else ""]
        client = self._client("secretsmanager")
        for secret in client.list_secrets()["SecretList"]:
            text = client.get_secret_value(SecretId=secret["ARN"])["SecretString"]
            self.secrets.add(json.loads(text)["password"] if text.startswith("{") else text)
        return done.returncode

    def leaks(self, home: Path) -> list[str]:
        files = [path for path in home.rglob("*") if path.is_file() and home / "sandbox" not in path.parents]
        places = {str(path): path.read_text(encoding="utf-8", errors="replace") for path in files}
        places |= {f"said {number}": text for number, text in enumerate(self.said)}
        return [place for place, text in places.items() if any(secret in text for secret in self.secrets)]


@pytest.fixture
def diary(provisioner: Run, client: Callable[[str], Any], tmp_path: Path) -> Iterator[Diary]:
    yield Diary(provisioner, client, tmp_path / "events.jsonl")
    provisioner("sandbox", "fault", "clear", check=False)
    provisioner("destroy", *_PLAN, "--yes", "--allow-data-loss", check=False)


def fault(provisioner: Run, service: str, operation: str, *more: str) -> None:
    provisioner("sandbox", "fault", "add", "--service", service, "--operation", operation, *more)


def test_no_secret_is_found_anywhere_but_where_reveal_asks_for_it(provisioner: Run, diary: Diary) -> None:
    home = Path(json.loads(provisioner("sandbox", "status", "--json").stdout)["directory"]).parent
    fault(provisioner, "rds", "CreateDBInstance", "--error", "InvalidParameterValue", "--times", "1")
    assert diary.type("deploy", "--debug") == 4
    fault(provisioner, "elasticache", "CreateReplicationGroup", "--kind", "reset-after", "--times", "1")
    assert diary.type("deploy", "--debug") == 0
    assert diary.type("plan", "--json", "--param", "db_instance_class=db.t3.small") == 0
    fault(provisioner, "rds", "ModifyDBInstance", "--error", "InvalidParameterCombination", "--times", "1")
    assert diary.type("deploy", "--debug", "--param", "db_instance_class=db.t3.small") in (4, 5)
    for verb in ("status", "outputs", "history"):
        assert diary.type(verb) == 0
    assert diary.type("deploy", "--json", "--param", "db_instance_class=db.t3.small") == 0
    shown = provisioner("outputs", *_PLAN, "--raw", "database_url", "--reveal")
    assert any(secret in shown.stdout for secret in diary.secrets)
    assert not any(secret in shown.stderr for secret in diary.secrets)
    assert diary.type("destroy", "--allow-data-loss") == 0
    assert len(diary.secrets) == 2, "a password and a token"
    assert diary.leaks(home) == []
