"""The files that are mutated: small directories, each as a name → content."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tempfile
import zlib
from pathlib import Path

import msgspec

from provisioner.plan.yamlfile import loads
from provisioner.state.records import (
    Action,
    Change,
    PutChange,
    PutRecord,
    PutRun,
    Run,
    RunResult,
    Status,
    Undo,
    UndoKind,
)
from provisioner.state.store import Store
from tests.unit.state.toys import NAME, WHO, put, put_change, put_run, record

ROOT = Path(__file__).resolve().parents[2]

Image = dict[str, bytes]

_PARAMETERS = b"""\
deployment: shop
provider: toy
region: ${param.region}
parameters:
  region: {type: string, pattern: "[a-z]+-[0-9]", default: eu-1}
  size: {type: integer, minimum: 1, maximum: 100}
  share: {type: number, default: 0.5, maximum: 1}
  large: {type: boolean, default: false}
  zones: {type: list, allowed: [a, b, c], default: [a]}
  token: {type: secret, env: SHOP_TOKEN}
environments: {test: {size: 2}, production: {size: 50, large: true}}
steps:
  - {name: net, type: toy.network, with: {cidr: "10.${param.size}.0.0/16", name: "n-${param.share}"}, when: "${param.large}"}
  - {name: db, type: toy.database, with: {version: "15", subnets: "${param.zones}", password: "${param.token}"}}
"""

_VALUES = b"""\
size: 3
share: 0.25
large: true
zones: [a, c]
token: "correct horse battery staple"
"""

_ENDPOINTS = b"""\
{
  "aws": {"url": "http://127.0.0.1:4566", "region": "us-east-1", "ca": "/nowhere/ca.pem",
          "access_key_id": "sandbox", "secret_access_key": "sandbox"}
}
"""

_SANDBOX = b"""\
{
  "pid": 4194999,
  "process_started": 123456.0,
  "directory": "/nowhere/sandbox",
  "aws_url": "http://127.0.0.1:9",
  "admin_url": "http://127.0.0.1:9",
  "endpoints": "/nowhere/sandbox/endpoints.json",
  "ca": "/nowhere/sandbox/ca.pem",
  "started": "2026-01-03T00:00:00Z"
}
"""


@functools.cache
def images() -> dict[str, Image]:
    """Every directory by its name."""
    found: dict[str, Image] = {
        "credlink": {"plan.yaml": (ROOT / "plans/aws-credlink.yaml").read_bytes()},
        "quickstart": {"plan.yaml": (ROOT / "plans/quickstart.yaml").read_bytes()},
        "readme": {"plan.yaml": _readme()},
        "toy": {"plan.yaml": (ROOT / "tests/unit/plans/good.yaml").read_bytes(), "values.yaml": b"storage: 30\n"},
        "parameters": {"plan.yaml": _PARAMETERS, "values.yaml": _VALUES},
        "endpoints": {"endpoints.json": _ENDPOINTS},
        "sandbox": {"sandbox.json": _SANDBOX},
    }
    for name in ("quickstart", "readme", "parameters"):
        found[f"{name}-json"] = {file: _as_json(raw) for file, raw in found[name].items()}
    return {**found, **_states()}


def _readme() -> bytes:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(deployment:.*?)```", text, re.DOTALL)
    assert block is not None, "the README shows a plan"
    return block.group(1).encode()


def _as_json(raw: bytes) -> bytes:
    """JSON is YAML too, and its nodes can be changed one by one."""
    return json.dumps(loads(raw, "plan.yaml").value, indent=1).encode()


# -- states ---------------------------------------------------------------------------------------------------


def _states() -> dict[str, Image]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / NAME
        store = Store.open(path, NAME, who=WHO, clock=lambda: 1000.0)
        fresh = _photo(path)
        store.audit("run", run=1, kind="deploy", result="running")
        store.commit([put_run(1), put("db", size=20, password="${pw.value}"), put_change(1, "db")])
        store.fold()
        for step in ("cache", "bucket"):
            store.commit([put(step), put_change(1, step)])
        store.audit("create", run=1, step="bucket")
        killed = _photo(path)
        store.commit([PutRecord(record=record("db", Status.READY, size=20)), PutRun(run=_ended())])
        store.commit([put_run(2), PutChange(run=2, change=_replaced()), put("db", Status.UPDATING, size=30)])
        store.close()
        rest = _photo(path)
    return {"fresh": fresh, "killed": killed, "rest": rest}


def _ended() -> Run:
    return Run(id=1, kind="deploy", started=1.0, finished=2.0, exit_code=0, result=RunResult.SUCCEEDED, succeeded=True)


def _replaced() -> Change:
    undo = Undo(kind=UndoKind.RECREATE, before=record("db", Status.READY, size=20, nested={"list": [1, None, "x"]}))
    return Change(step="db", type="toy.thing", action=Action.REPLACE, undo=undo, at=3.0, seconds=1.5)


def _photo(directory: Path) -> Image:
    """What is there, under the same lineage and salt and process every time."""
    image = {path.name: path.read_bytes() for path in sorted(directory.iterdir())}
    head = json.loads(image["state.json"])
    for name, raw in image.items():
        known = raw.replace(head["lineage"].encode(), b"%032x" % 1).replace(head["salt"].encode(), b"%032x" % 2)
        image[name] = fitted(name, known)
    holder = re.sub(rb'"(boot_id|started|host|namespace)":"[^"]*"', rb'"\1":"1"', image["lock"])
    image["lock"] = re.sub(rb'"pid":\d+', rb'"pid":4194999', holder)
    return image


def fitted(name: str, raw: bytes) -> bytes:
    """The file with checksums that fit what is in it, as far as it can still be read: what a forger would write."""
    if name.startswith("journal"):
        return b"\n".join(map(_fitted_line, raw.split(b"\n")))
    if not name.startswith("state.json"):
        return raw
    try:
        tree = msgspec.json.decode(raw)
        if not isinstance(tree, dict) or "checksum" not in tree:
            return raw
        del tree["checksum"]
        checksum = hashlib.sha256(msgspec.json.encode(tree)).hexdigest()
        return msgspec.json.format(msgspec.json.encode({**tree, "checksum": checksum}), indent=2) + b"\n"
    except (ValueError, RecursionError, OverflowError):
        return raw


def _fitted_line(line: bytes) -> bytes:
    return b"%08x %s" % (zlib.crc32(line[9:]), line[9:]) if len(line) > 9 else line
