"""The session: where calls go, with whose keys, and what comes out when they fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.drivers.aws import fence
from provisioner.drivers.aws.session import AwsSession, open_session
from provisioner.errors import (
    BusyError,
    ConnectionFailedError,
    InvalidRequestError,
    LockLostError,
    SandboxError,
    SetupError,
    ThrottledError,
    UnavailableError,
)
from provisioner.secret import Secret


class Cloud:
    """A loopback server that answers every request with the same status and body, and remembers them."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status, self.body, self.headers = 200, b"{}", dict[str, str]()
        self.drop = False
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cloud.requests.append((dict(self.headers), body))
                if cloud.drop:
                    self.close_connection = True
                    return
                self.send_response(cloud.status)
                for name, value in {"Content-Length": str(len(cloud.body)), **cloud.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(cloud.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def refuse(self, status: int, code: str, message: str = "no", **headers: str) -> None:
        self.status, self.headers = status, headers
        self.body = json.dumps({"__type": code, "message": message}).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.close()


@pytest.fixture
def point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes an endpoints file and points the session at it."""

    def write(**aws: str) -> None:
        file = tmp_path / "endpoints.json"
        file.write_text(json.dumps({"aws": aws}))
        monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(file))

    return write


@pytest.fixture
def session(cloud: Cloud, point: Any) -> AwsSession:
    point(url=cloud.url, region="us-east-1")
    return open_session("us-east-1")


def test_the_endpoints_file_says_where_and_the_machines_own_keys_stay_home(
    cloud: Cloud, point: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALONE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real-session-token")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    point(url=cloud.url, region="eu-west-1")
    open_session().call("kms", "list_keys")
    headers = json.dumps(cloud.requests[0][0])
    assert "sandbox/" in headers and "eu-west-1/kms" in headers
    assert "AKIAREALONE" not in headers and "real-session-token" not in headers


def test_a_plans_region_wins_over_the_endpoints(cloud: Cloud, point: Any) -> None:
    point(url=cloud.url, region="eu-west-1")
    assert open_session("us-east-2").region == "us-east-2"
    assert open_session().region == "eu-west-1"


@pytest.mark.parametrize("region", ["nowhere", "us-east", "us east-1", "../us-east-1"])
def test_what_is_no_region_is_refused(point: Any, region: str) -> None:
    point(url="http://127.0.0.1:9")
    with pytest.raises(SetupError, match="no AWS region"):
        open_session(region)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"aws": {}}', '{"aws": {"url": 1}}', "[" * 100_000])
def test_a_bad_endpoints_file_never_means_the_real_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text(text)
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(file))
    with pytest.raises(SandboxError, match=r"endpoints\.json"):
        open_session("us-east-1")


def test_a_missing_endpoints_file_never_means_the_real_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(tmp_path / "none.json"))
    with pytest.raises(SandboxError):
        open_session("us-east-1")


def test_a_failed_call_is_sent_once(cloud: Cloud, session: AwsSession) -> None:
    cloud.refuse(500, "InternalFailure")
    with pytest.raises(UnavailableError):
        session.call("kms", "list_keys")
    assert len(cloud.requests) == 1


def test_a_dropped_connection_is_one_error_and_one_request(cloud: Cloud, session: AwsSession) -> None:
    cloud.drop = True
    with pytest.raises(ConnectionFailedError):
        session.call("kms", "create_key", what="data")
    assert len(cloud.requests) == 1


def test_nobody_at_the_other_end_is_a_connection_error(point: Any) -> None:
    point(url="http://127.0.0.1:9")
    with pytest.raises(ConnectionFailedError) as failed:
        open_session("us-east-1").call("kms", "list_keys")
    assert failed.value.__cause__ is not None


def test_an_answer_that_is_none_counts_as_unavailable(cloud: Cloud, session: AwsSession) -> None:
    cloud.body = b"<html>"
    with pytest.raises(UnavailableError):
        session.call("sts", "get_caller_identity")


def test_throttling_keeps_what_the_cloud_asks_for(cloud: Cloud, session: AwsSession) -> None:
    cloud.refuse(400, "ThrottlingException", **{"Retry-After": "3"})
    with pytest.raises(ThrottledError) as failed:
        session.call("kms", "list_keys")
    assert failed.value.retry_after == 3.0


def test_an_error_names_service_operation_object_and_code(cloud: Cloud, session: AwsSession) -> None:
    cloud.refuse(400, "InvalidRequestException", "being deleted")
    with pytest.raises(BusyError) as failed:
        session.call("secretsmanager", "create_secret", what="db", Name="db")
    assert str(failed.value) == "secretsmanager CreateSecret db: being deleted [InvalidRequestException]"


def test_a_secret_is_revealed_to_the_cloud_alone(cloud: Cloud, session: AwsSession) -> None:
    cloud.refuse(400, "InvalidParameterException", "the value canary-7 is not good")
    with pytest.raises(InvalidRequestError) as failed:
        session.call("secretsmanager", "create_secret", what="db", Name="db", SecretString=Secret("canary-7"))
    assert b"canary-7" in cloud.requests[0][1]
    shown: BaseException | None = failed.value
    while shown:
        assert "canary-7" not in f"{shown} {shown!r}"
        shown = None if shown.__suppress_context__ and shown.__cause__ is None else shown.__cause__ or shown.__context__


def test_a_value_of_the_wrong_type_is_not_quoted(session: AwsSession) -> None:
    with pytest.raises(InvalidRequestError) as failed:
        session.call("secretsmanager", "create_secret", Name="db", SecretString=["canary-8"])
    assert "SecretString" in str(failed.value) and "canary-8" not in str(failed.value)


def test_clients_are_made_once_also_from_many_threads(session: AwsSession) -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(session.client("kms"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in found}) == 1
    assert session.client("kms", "eu-west-1") is not found[0]


def test_parameters_that_are_none_are_left_out(cloud: Cloud, session: AwsSession) -> None:
    session.call("kms", "list_keys", Limit=5, Marker=None)
    assert json.loads(cloud.requests[0][1]) == {"Limit": 5}


def test_the_databases_authority_is_known_where_there_is_one(point: Any) -> None:
    point(url="http://127.0.0.1:9", ca="/tmp/ca.pem")
    assert open_session("us-east-1").ca() == "/tmp/ca.pem"
    point(url="http://127.0.0.1:9")
    assert open_session("us-east-1").ca() is None


def test_a_run_that_lost_its_lock_sends_no_request_any_more(cloud: Cloud, session: AwsSession) -> None:
    lost: list[bool] = []

    def check() -> None:
        if lost:
            raise LockLostError("another run holds the lock")

    session.fence(check)
    session.call("kms", "list_keys")
    lost.append(True)
    with pytest.raises(LockLostError):
        session.call("kms", "create_key")
    with pytest.raises(LockLostError):
        list(session.pages("kms", "list_keys", "Keys"))
    assert len(cloud.requests) == 1


def test_the_lock_is_asked_when_the_bytes_leave_and_again_where_the_answer_is_stale(
    cloud: Cloud, session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped while it asked has an answer of before."""
    asked: list[int] = []
    passed = iter([0.0, 60.0, 60.0, 60.0])
    monkeypatch.setattr(fence, "time", SimpleNamespace(monotonic=lambda: next(passed)))

    def check() -> None:
        asked.append(len(cloud.requests))
        if len(asked) > 1:
            raise LockLostError("it was taken meanwhile")

    session.fence(check)
    with pytest.raises(LockLostError):
        session.call("kms", "create_key")
    assert (asked, cloud.requests) == ([0, 0], [])
    pools = session.client("kms")._endpoint.http_session._manager.pool_classes_by_scheme
    assert {pool.ConnectionCls.__name__[:6] for pool in pools.values()} == {"Asking"}


def test_a_closed_session_holds_no_connection_and_opens_one_when_it_is_used_again(
    cloud: Cloud, session: AwsSession
) -> None:
    pools = session.client("kms")._endpoint.http_session._manager.pools
    session.call("kms", "list_keys")
    assert len(pools) == 1
    session.close()
    assert len(pools) == 0
    session.call("kms", "list_keys")
    assert len(cloud.requests) == 2
