"""The first stages of every look: is there such a name, and does anything listen.

A look ends at the first stage that fails, and the verdict names the stage, so that a person knows where to
go: DNS, security groups, certificates, the password, or the database itself.
"""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterable
from typing import Any, Final

from provisioner.errors import MissingExtraError
from provisioner.resource import Verdict
from provisioner.secret import MASK

PATIENCE: Final = 10.0
"""Seconds that one look waits for one answer; the engine repeats looks, so it need not be long."""


def reach(host: str, port: int) -> Verdict | None:
    """A failed verdict where the name does not resolve or nothing accepts a connection; None where all is
    well."""
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as err:
        return failed("name", f"{host} does not resolve: {_reason(err)}")
    try:
        with socket.create_connection((host, port), timeout=PATIENCE):
            return None
    except OSError as err:
        return failed("connection", f"{host}:{port}: {_reason(err)}")


def failed(stage: str, detail: str, hide: Iterable[str] = ()) -> Verdict:
    """A verdict on one stage: name, connection, tls, password, answer. ``hide``: values that must not show."""
    for value in hide:
        if value:
            detail = detail.replace(value, MASK)
    return Verdict(False, f"{stage}: {detail}")


def library(name: str) -> Any:
    """A client library, imported where it is used."""
    try:
        return importlib.import_module(name)
    except ImportError as err:
        raise MissingExtraError(f"{name} is not installed", hint="pip install 'provisioner[check]'") from err


def _reason(err: OSError) -> str:
    if isinstance(err, TimeoutError):
        return f"no answer within {PATIENCE:.0f} s (a security group or a route in the way?)"
    return err.strerror or str(err)
