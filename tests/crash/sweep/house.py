"""Where the processes under test live: one sandbox, one user's home, one fork server; and what is known about them.

A house is used by one thread. Nothing is set up anew for one death: a killed deploy is deployed to the end, then its
destroy is killed, and so on; :meth:`House.fresh` empties cloud and home in a few milliseconds.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import SandboxOptions
from provisioner.state.backend import Location
from provisioner.state.records import State
from provisioner.state.remote.stores import open_backend
from provisioner.state.store import peek
from tests.crash.subjects import CREDLINK, Subject
from tests.crash.sweep.child import Order
from tests.crash.sweep.forge import Forge
from tests.crash.sweep.moments import Death, read_trail

BUCKET: Final = "crash-records"
"""Where the record is that is not in the home."""

LATER: Final = 20.0
"""Seconds after which somebody who comes back finds that the cloud shows everything: above any type's grace."""

_QUICK: Final = {"rds": 0.0, "rds:modify": 0.1, "rds:reboot": 0.0, "rds:delete": 0.0, "rds:snapshot": 0.0,
                 "elasticache": 0.1, "elasticache:modify": 0.1, "elasticache:delete": 0.0}  # fmt: skip
_LOOKS: Final = 400
_PAUSE: Final = 0.02
_NOBODY: Final = Death()
_ENDPOINTS: Final = "PROVISIONER_ENDPOINTS"
_POINTING = threading.Lock()


class Ran(NamedTuple):
    """One run of ``provisioner``. ``died``: the moment at which it killed itself, or empty."""

    words: str
    code: int
    out: str
    err: str
    trail: list[str]
    died: str


class House:
    """Sandbox, home and fork server in ``directory``; close it."""

    def __init__(self, directory: Path, subject: Subject = CREDLINK, *, bucket: bool = False) -> None:
        """``bucket``: the record is in one, and nothing of the deployment in the home."""
        self.subject = subject
        self.deployment = subject.deployment
        self.directory = directory
        self.bucket = bucket
        self.sandbox = directory / "sandbox"
        self.info = supervisor.start(self.sandbox, SandboxOptions(provision_time=dict(_QUICK), name_release=0.1))
        self.forge = Forge()
        self.said: list[Ran] = []
        """Every run since :meth:`listen`."""
        self._homes = 0
        self._later = 0.0
        self._logged = 0
        self._clients: dict[str, Any] = {}
        self.home = directory
        self.fresh()

    def close(self) -> None:
        """Ends every process of the house."""
        self.forge.close()
        supervisor.stop(self.sandbox)

    def fresh(self) -> None:
        """An empty cloud, an empty home."""
        self._admin("POST", "reset")
        if self._homes:
            shutil.rmtree(self.home, ignore_errors=True)
        self._homes += 1
        self.home = self.directory / f"home-{self._homes}"
        self._logged = 0
        if self.bucket:
            self.client("s3").create_bucket(Bucket=BUCKET)

    def listen(self) -> None:
        """Forgets what was said so far."""
        self.said.clear()

    # -- runs ------------------------------------------------------------------------------------------------

    def run(self, verb: str, *more: str, variant: str = "a", death: Death = _NOBODY) -> Ran:
        """``provisioner VERB plans/aws-credlink.yaml -e development --sandbox --yes …``."""
        where = ["--state", f"s3://{BUCKET}/team"] if self.bucket else []
        words = [verb, *self.subject.words(variant), "--sandbox", "--yes", *where, *more]
        trail, out, err = (self.directory / name for name in ("trail", "out", "err"))
        order = Order(
            words=words,
            deployment=self.deployment,
            environment={"PROVISIONER_HOME": str(self.home), _ENDPOINTS: self.info.endpoints},
            trail=str(trail),
            out=str(out),
            err=str(err),
            name=death.name,
            number=death.number,
            later=self._later,
        )
        code = self.forge.run(order)
        passed, died = read_trail(trail)
        ran = Ran(" ".join([verb, *more]), code, _text(out), _text(err), passed, died)
        self.said.append(ran)
        return ran

    def pass_time(self) -> None:
        """What dead processes sent has landed, and their user comes back after a while."""
        for _ in range(_LOOKS):
            time.sleep(_PAUSE)  # the sandbox is another process: there is no clock to move on
            log = self._admin("GET", f"requests?since={self._logged}")["requests"]
            if all(entry["seconds"] or entry["status"] for entry in log):
                self._logged = log[-1]["seq"] if log else self._logged
                self._later += LATER
                return
        raise AssertionError("the sandbox is at work on a request for ever")

    # -- what is there ---------------------------------------------------------------------------------------

    def _admin(self, method: str, path: str) -> Any:
        return supervisor.admin(self.sandbox, method, f"/_sandbox/{path}")

    def inventory(self) -> list[dict[str, Any]]:
        """Every object in the control plane, but the bucket of the record."""
        found: list[dict[str, Any]] = self._admin("GET", "inventory")["objects"]
        return [thing for thing in found if thing["name"] != BUCKET]

    def state(self) -> State | None:
        """The record, None where there is none."""
        return peek(self._record(), self.deployment)

    def _record(self) -> Location:
        if not self.bucket:
            return self.home / "sandbox-deployments" / self.deployment
        with _POINTING:  # a variable is the whole process's; it is read when the record is opened
            os.environ[_ENDPOINTS] = self.info.endpoints
            try:
                return open_backend(f"s3://{BUCKET}/team", self.deployment, sandbox=True)
            finally:
                del os.environ[_ENDPOINTS]

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and text of everything that provisioner has written."""
        for path in self.home.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(self.home)), _text(path)
        if self.bucket:
            client = self.client("s3")
            for thing in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
                body = client.get_object(Bucket=BUCKET, Key=thing["Key"])["Body"].read()
                yield str(thing["Key"]), body.decode(errors="replace")

    def client(self, service: str) -> Any:
        """A boto3 client of the sandbox: the cloud's word, not ours."""
        if service not in self._clients:
            boto3: Any = importlib.import_module("boto3")
            session = boto3.session.Session("sandbox", "sandbox", region_name=self.subject.region)
            self._clients[service] = session.client(service, endpoint_url=self.info.aws_url)
        return self._clients[service]

    def secrets(self) -> dict[str, str]:
        """Secret's name → the password or token that the cloud holds now; nothing for one that has no value yet."""
        client = self.client("secretsmanager")
        found = {}
        for secret in client.list_secrets()["SecretList"]:
            try:
                text = client.get_secret_value(SecretId=secret["ARN"])["SecretString"]
            except (client.exceptions.ResourceNotFoundException, client.exceptions.InvalidRequestException):
                continue  # no version yet; or it was marked for deletion since the list was made
            found[str(secret["Name"])] = str(json.loads(text)["password"] if text.startswith("{") else text)
        return found


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
