"""A call of a function: its zip unpacked, its handler run in a process of its own, what it prints in its log group."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from provisioner.sandbox.aws.access import Access
from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.functions.state import LATEST, Code, Function, LambdaRegion, qualifier_of
from provisioner.sandbox.aws.strict import Params, Result
from provisioner.sandbox.settings import ACCESS_KEY, ACCOUNT

_PAYLOAD: Final = 6 * 1024 * 1024
_TAIL: Final = 4096
_LOADING: Final = 10.0
"""Seconds in which code may load before its time counts."""
_BOOTSTRAP: Final = Path(__file__).with_name("bootstrap.py")


class Ended(NamedTuple):
    """How a call ended: the answer as JSON, whether it is an error's, and what was printed."""

    payload: bytes
    failed: bool
    printed: str


class _Task(NamedTuple):
    """Everything that a run needs, taken while the region was held still."""

    region: LambdaRegion
    function: Function
    settings: dict[str, Any]
    code: Code
    number: str
    arn: str
    endpoint: str


def invoke(region: LambdaRegion, p: Params, call: Call) -> Result:
    """Invoke."""
    kind = p.get("InvocationType", "RequestResponse")
    payload = p.get("Payload") or b"{}"
    if len(payload) > _PAYLOAD:
        raise AwsError("RequestTooLargeException", f"Request must be smaller than {_PAYLOAD} bytes", 413)
    try:
        json.loads(payload)
    except ValueError as err:
        raise AwsError("InvalidRequestContentException", f"Could not parse request body into json: {err}") from err
    task = prepare(region, p["FunctionName"], p.get("Qualifier"), call)
    if kind == "DryRun":
        return {"StatusCode": 204}
    if kind == "Event":
        region.world.jobs.do(f"function-{task.function.name}", lambda: carry_out(task, payload))
        return {"StatusCode": 202, "Payload": b""}
    ended = carry_out(task, payload)
    tail = base64.b64encode(ended.printed.encode()[-_TAIL:]).decode()
    return {
        "StatusCode": 200,
        "Payload": ended.payload,
        "ExecutedVersion": task.number,
        "FunctionError": "Unhandled" if ended.failed else None,
        "LogResult": tail if p.get("LogType") == "Tail" else None,
    }


def prepare(region: LambdaRegion, wish: str, qualifier: str | None, call: Call) -> _Task:
    """What a call of the function needs; AwsError where it cannot be called now."""
    with region.lock:
        region.settle()
        function = region.function(wish)
        number = qualifier_of(wish, qualifier)
        version = function.versions.get(number)
        if version is None and number != LATEST:
            raise region.missing(f"{region.arn('function', function.name)}:{number}")
        state = function.lifecycle.status
        if version is None and state != "Active":
            raise AwsError(
                "ResourceConflictException",
                f"The operation cannot be performed at this time. The function is currently in the following state: "
                f"{state}",
                409,
            )
        settings, code = (version.settings, version.code) if version else (function.settings, function.code)
        arn = region.arn("function", function.name) + (f":{number}" if version else "")
    _check(region, settings)
    endpoint = f"{call.environ.get('wsgi.url_scheme', 'http')}://{call.environ.get('HTTP_HOST', '127.0.0.1')}"
    return _Task(region, function, settings, code, number, arn, endpoint)


def _check(region: LambdaRegion, settings: dict[str, Any]) -> None:
    if not settings["Runtime"].startswith("python"):
        raise AwsError("NotImplemented", f"the sandbox runs Python functions only, not {settings['Runtime']}", 501)
    if settings["KMSKeyArn"]:
        key = region.world.neighbours.key(region.name, settings["KMSKeyArn"])
        if key is None or key.state != "Enabled":
            raise AwsError("KMSDisabledException", "Lambda was unable to decrypt the environment variables.", 502)


def carry_out(task: _Task, payload: bytes) -> Ended:
    """Runs the function once; AwsError where too many calls of it run already."""
    request, began = str(uuid.uuid4()), time.monotonic()
    stream = f"{task.region.world.wall():%Y/%m/%d}/[{task.number}]{uuid.uuid4().hex}"
    with _slot(task.function), tempfile.TemporaryDirectory(prefix="provisioner-function-") as home:
        ended = _run(task, payload, request, stream, Path(home))
    seconds = time.monotonic() - began
    lines = [
        f"START RequestId: {request} Version: {task.number}",
        *ended.printed.splitlines(),
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: {seconds * 1000:.2f} ms"
        f"\tMemory Size: {task.settings['MemorySize']} MB",
    ]
    _log(task, stream, lines)
    return ended._replace(printed="\n".join(lines))


_running: Final[dict[int, int]] = {}
_guard = threading.Lock()


@contextmanager
def _slot(function: Function) -> Iterator[None]:
    with _guard:
        now = _running.get(id(function), 0)
        if function.concurrency is not None and now >= function.concurrency:
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429)
        _running[id(function)] = now + 1
    try:
        yield
    finally:
        with _guard:
            _running[id(function)] -= 1
            if not _running[id(function)]:
                del _running[id(function)]


def _run(task: _Task, payload: bytes, request: str, stream: str, home: Path) -> Ended:
    root, scratch = home / "task", home / "tmp"
    scratch.mkdir()
    with zipfile.ZipFile(io.BytesIO(task.code.data)) as archive:
        archive.extractall(root)
    s = task.settings
    reader, writer = os.pipe()
    words = [str(root), s["Handler"], str(s["MemorySize"]), str(s["Timeout"]), request, task.arn, str(writer)]
    process = subprocess.Popen(
        [sys.executable, "-I", str(_BOOTSTRAP), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[writer],
        env=_environment(task, stream, root, scratch),
        cwd=scratch,
    )
    os.close(writer)
    answers: list[bytes] = []
    loaded = threading.Event()
    listener = threading.Thread(target=lambda: answers.append(_drain(reader, loaded)))
    listener.start()
    loaded.wait(_LOADING)
    try:
        printed = process.communicate(payload, timeout=s["Timeout"])[0].decode("utf-8", "replace")
        timed_out = False
    except subprocess.TimeoutExpired:
        process.kill()
        printed, timed_out = process.communicate()[0].decode("utf-8", "replace"), True
    listener.join()
    return _ended(task, request, answers[0], printed, process.returncode, timed_out=timed_out)


def _drain(reader: int, loaded: threading.Event) -> bytes:
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        first = pipe.read(1) or b""
        loaded.set()
        return first + pipe.readall()


def _ended(task: _Task, request: str, answer: bytes, printed: str, status: int, *, timed_out: bool) -> Ended:
    if timed_out:
        message = f"{request} Task timed out after {task.settings['Timeout']:.2f} seconds"
        return Ended(_error(message, "Sandbox.Timedout"), True, f"{printed}\n{message}".strip())
    try:
        told = json.loads(answer)
    except ValueError:
        message = f"RequestId: {request} Error: Runtime exited with error: exit status {status}"
        return Ended(_error(message, "Runtime.ExitError"), True, f"{printed}\n{message}".strip())
    if "error" in told:
        return Ended(json.dumps(told["error"]).encode(), True, printed)
    payload = json.dumps(told["result"]).encode()
    if len(payload) > _PAYLOAD:
        message = f"Response payload size exceeded maximum allowed payload size ({_PAYLOAD} bytes)."
        return Ended(_error(message, "Function.ResponseSizeTooLarge"), True, printed)
    return Ended(payload, False, printed)


def _error(message: str, kind: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}).encode()


def _environment(task: _Task, stream: str, root: Path, scratch: Path) -> dict[str, str]:
    """As in Lambda, and nothing of the sandbox's own but its addresses: endpoint and certificate authority."""
    s, region = task.settings, task.region
    return {
        **s["Environment"]["Variables"],
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "en_US.UTF-8",
        "TZ": "UTC",
        "SSL_CERT_FILE": str(region.world.databases.ca_path),
        "AWS_ENDPOINT_URL": task.endpoint,
        "AWS_REGION": region.name,
        "AWS_DEFAULT_REGION": region.name,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{s['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": task.function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": task.number,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(s["MemorySize"]),
        "AWS_LAMBDA_LOG_GROUP_NAME": s["LoggingConfig"]["LogGroup"],
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(root),
        "_HANDLER": s["Handler"],
    }


def _log(task: _Task, stream: str, lines: list[str]) -> None:
    """Writes what the role lets it write: without the permission there are no logs, and nobody is told."""
    world, role = task.region.world, task.settings["Role"]
    group = task.settings["LoggingConfig"]["LogGroup"]
    access, arn = Access(world.moto), f"arn:aws:logs:{task.region.name}:{ACCOUNT}:log-group:{group}"
    for needed in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if access.decide(role, needed, f"{arn}:log-stream:{stream}", {}) != "allowed":
            return
    may_make = access.decide(role, "logs:CreateLogGroup", f"{arn}:*", {}) == "allowed"
    now = int(world.wall().timestamp() * 1000)
    with world.moto.lock("logs"):
        backend = world.moto.backend("logs", task.region.name)
        if group not in backend.groups and not may_make:
            return
        backend.ensure_log_group(group)
        backend.create_log_stream(group, stream)
        backend.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])
