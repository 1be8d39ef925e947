"""The object stores that a state may live in, each in a process of its own, and how obstore reaches them.

``ObjectStore.environment`` is all that another process needs: with it, ``obstore.store.from_url(store.bucket())`` works.
Start them with :func:`running`; the fixtures are in ``conftest``.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from provisioner.sandbox.objects.sharedkey import sign
from provisioner.sandbox.objects.wire import Request

KINDS: Final = ("s3", "gcs", "azure", "azurite")
AZURITE_ACCOUNT: Final = "devstoreaccount1"
AZURITE_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
FOREIGN: Final = ("PROVISIONER_", "AWS_", "GOOGLE_", "AZURE_", "GCE_", "SERVICE_ACCOUNT")
"""Variables with these prefixes lead obstore elsewhere, so none of the machine's own may be there."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ObjectStore:
    """One running store. ``url`` is where it answers, ``scheme`` what the URLs of its buckets begin with."""

    kind: str
    url: str
    scheme: str
    environment: Mapping[str, str]
    account: str = ""
    key: str = ""
    token: str = ""
    _client: list[Any] = field(default_factory=list)

    def bucket(self, *, public: bool = False) -> str:
        """A new bucket's URL, such as ``gs://bucket``; everybody may read and list one that is ``public``."""
        name = f"states-{uuid.uuid4().hex[:12]}"
        if self.kind == "s3":
            self.s3.create_bucket(Bucket=name)
        elif self.kind == "gcs":
            self.json("POST", "/storage/v1/b?project=p", {"name": name})
        else:
            level = {"x-ms-blob-public-access": "container"} if public else {}
            made = self.signed("PUT", f"/{name}?restype=container", headers=level)
            assert made.status == 201, made
        if public and self.kind in ("s3", "gcs"):
            self._publish(name)
        return f"{self.scheme}://{name}"

    def _publish(self, name: str) -> None:
        if self.kind == "gcs":
            binding = {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
            self.json("PUT", f"/storage/v1/b/{name}/iam", {"bindings": [binding]})
            return
        arn = f"arn:aws:s3:::{name}"
        allow = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"]}
        policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": [arn, f"{arn}/*"]}]}
        self.s3.delete_public_access_block(Bucket=name)
        self.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    def environ(self) -> dict[str, str]:
        """This process's environment, but leading to this store alone: for another process."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return mine | dict(self.environment)

    @property
    def s3(self) -> Any:
        """A boto3 client of an S3 store."""
        if not self._client:
            import boto3
            from botocore.config import Config

            make: Any = boto3.client
            secrets = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
            config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
            self._client.append(make("s3", endpoint_url=self.url, region_name="us-east-1", config=config, **secrets))
        return self._client[0]

    def json(self, method: str, path: str, body: object | None = None, token: str | None = None) -> Any:
        """One call of Cloud Storage's JSON API, by the owner where no ``token`` is given."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        answer = self.raw(method, path, headers, data)
        assert answer.status in (200, 204), answer
        return json.loads(answer.body or b"null")

    def at(self, bucket: str, key: str = "") -> str:
        """The path of a bucket, or of an object in it, under ``url``."""
        name = urlsplit(bucket).netloc
        account = f"/{self.account}" if self.account else ""
        return f"{account}/{name}" + (f"/{quote(key)}" if key else "")

    def raw(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> Answer:
        """One request as it is, signed by nobody."""
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=dict(headers or {}), data=data)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return _answer(answer)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error)

    def signed(
        self, method: str, path: str, data: bytes = b"", headers: Mapping[str, str] | None = None, *, key: str = ""
    ) -> Answer:
        """One request to Azure (``path`` from the container on), signed with the account's key or with ``key``."""
        raw, _, query = f"/{self.account}{path}".partition("?")
        sent = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2023-11-03", **(headers or {})}
        if method == "PUT":
            sent = {"content-length": str(len(data)), "content-type": "application/octet-stream"} | sent
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        request = Request(method, raw, raw, pairs, {name.lower(): value for name, value in sent.items()}, data)
        sent["Authorization"] = sign(request, self.account, key or self.key)
        return self.raw(method, f"{raw}?{query}" if query else raw, sent, data if method in ("PUT", "POST") else None)


def _answer(answer: Any) -> Answer:
    return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())


def lead_to(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process's environment lead to a store, and to it alone, for one test."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)


def missing(kind: str) -> str:
    """Why a store cannot be run here, empty where it can."""
    if kind == "azurite" and not _azurite():
        return "azurite (npm) is neither on PATH nor named by the variable AZURITE"
    return ""


def _azurite() -> str:
    """The blob server of the package that ``azurite`` is of; it alone is started."""
    named = os.environ.get("AZURITE", "") or shutil.which("azurite") or ""
    return shutil.which(f"{named.removesuffix('-blob')}-blob") or "" if named else ""


@contextmanager
def running(kind: str, *options: str) -> Iterator[ObjectStore]:
    """A store of a kind (one of KINDS) while the context lasts; ``options`` are those of our own servers."""
    module = [sys.executable, "-m"]
    if kind == "azurite":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        quiet = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        command = [*module, "tests.remote.tied", _azurite(), "--blobPort", port, *quiet]
    elif kind == "s3":
        command = [*module, "tests.remote.s3server"]
    else:
        command = [*module, "provisioner.sandbox.objects", kind, "--tied", *options]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin and server.stdout
    try:
        if kind == "azurite":
            _wait_for(int(port))
            about = {"url": f"http://127.0.0.1:{port}", "account": AZURITE_ACCOUNT, "key": AZURITE_KEY}
        else:
            about = json.loads(server.stdout.readline())
        yield _store(kind, about)
    finally:
        server.stdin.close()
        server.wait(20)
        server.stdout.close()


def _wait_for(port: int) -> None:
    """Until somebody else's server, which says nothing that can be relied on, lets a connection in."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nobody answers on port {port}")


def _store(kind: str, about: Mapping[str, str]) -> ObjectStore:
    url = about["url"]
    if kind == "s3":
        environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",  # what boto3 reads
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        }
        return ObjectStore(kind, url, "s3", environment)
    if kind == "gcs":
        environment = {"GOOGLE_BASE_URL": url, "GOOGLE_BEARER_TOKEN": about["token"]}
        return ObjectStore(kind, url, "gs", environment, token=about["token"])
    account, key = about["account"], about["key"]
    environment = {
        "AZURE_STORAGE_ENDPOINT": f"{url}/{account}",
        "AZURE_ALLOW_HTTP": "true",
        "AZURE_STORAGE_ACCOUNT_NAME": account,
        "AZURE_STORAGE_ACCOUNT_KEY": key,
    }
    return ObjectStore(kind, url, "az", environment, account=account, key=key)
