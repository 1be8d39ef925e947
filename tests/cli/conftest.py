"""A command line over the toy cloud, with a home of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from provisioner.cli.app import App
from provisioner.cli.main import root
from provisioner.engine.clock import SystemClock
from tests.engine.toycloud import ToyCloud
from tests.engine.toytypes import registry

PLAN = """\
deployment: shop
provider: toy
region: here
settings: {retry: {attempts: 2, initial: 10ms, most: 10ms}}
parameters:
  size: {type: integer, default: 1}
steps:
  - {name: net, type: toy.thing, stage: foundation}
  - {name: vault, type: toy.vault, stage: foundation}
  - name: db
    type: toy.database
    stage: data
    with: {size: "${param.size}", password: "${vault.value}", uses: ["${net.id}"]}
  - {name: gate, type: toy.gate, stage: access, with: {thing: "${db.id}"}}
outputs:
  db: ${db.id}
  size: ${db.size}
  url: toy://user:${vault.value}@${db.id}
  nested: {value: {password: "${vault.value}", list: ["${vault.value}"]}}
"""
CANARY = "canary-shop-vault-12"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """One user at a shell. ``plan`` is the plan's path; ``run`` types a command."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.cloud = ToyCloud(SystemClock())
        self.plan = directory / "plan.yaml"
        self.plan.write_text(PLAN)

    def run(self, *words: str | Path) -> Result:
        app = App(registry=lambda: registry(self.cloud))
        made = CliRunner(env={"PROVISIONER_HOME": str(self.home)}).invoke(root, [str(word) for word in words], obj=app)
        return Result(made.exit_code, made.stdout, made.stderr)

    def json(self, *words: str | Path) -> Any:
        return self.run(*words, "--json").json

    def deploy(self, *words: str) -> Result:
        return self.run("deploy", self.plan, "--yes", *words)

    def edit(self, old: str, new: str) -> None:
        text = self.plan.read_text()
        assert old in text
        self.plan.write_text(text.replace(old, new))

    def record(self, sandbox: bool = False) -> Path:
        return self.home / ("sandbox-deployments" if sandbox else "deployments") / "shop"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("PROVISIONER_ENDPOINTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)
