"""Loopback addresses: every database gets its own, so that it can listen on the port that was asked for.

On Linux all of 127.0.0.0/8 works unconfigured. Elsewhere (macOS answers on 127.0.0.1 alone), and where
another program holds the port on every address, the database gets 127.0.0.1 and a free port instead.
"""

from __future__ import annotations

import errno
import secrets
import socket
from typing import Final, NamedTuple

from provisioner.errors import SandboxError

LOCALHOST: Final = "127.0.0.1"
_BACKLOG: Final = 128
_ATTEMPTS: Final = 5


class Endpoint(NamedTuple):
    """Where a client connects: an IPv4 loopback address and a TCP port."""

    host: str
    port: int


def random_address() -> str:
    """A random address of 127.64.0.0 to 127.250.255.254, never one that ends in .0 or .255.

    Random, not counted: two sandboxes on one machine know nothing of each other, and twelve million addresses
    make a meeting as good as impossible.
    """
    return f"127.{64 + secrets.randbelow(187)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def listen(port: int) -> socket.socket:
    """A listening socket on ``port`` of an address of its own, or on a free port of 127.0.0.1.

    Listening is the proof: with SO_REUSEADDR two sockets may be bound to one port, but only one can listen.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _listen(Endpoint(random_address(), port))
        except OSError as err:
            if err.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
                raise
    return _listen(Endpoint(LOCALHOST, 0))


def listen_again(endpoint: Endpoint) -> socket.socket:
    """A listening socket on an endpoint that was ours; SandboxError when somebody took it meanwhile."""
    try:
        return _listen(endpoint)
    except OSError as err:
        raise SandboxError(
            f"{endpoint.host}:{endpoint.port} was taken by another program while the database was stopped",
            where="sandbox databases",
            hint="stop that program, or delete the database and create it again",
        ) from err


def endpoint_of(sock: socket.socket) -> Endpoint:
    """The address and port that a bound socket has."""
    host, port = sock.getsockname()
    return Endpoint(host, port)


def backend() -> Endpoint:
    """An address and a free port for a server behind a front.

    Nothing holds the port until the server binds it. An address of its own makes that safe where the whole
    network 127.0.0.0/8 works; on 127.0.0.1 another program could come first, and the start then fails.
    """
    for host in (random_address(), LOCALHOST):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            try:
                sock.bind((host, 0))
            except OSError as err:
                if host == LOCALHOST:
                    raise
                if err.errno != errno.EADDRNOTAVAIL:
                    raise
                continue
            return endpoint_of(sock)
    raise AssertionError("the loop returns or raises")


def _listen(endpoint: Endpoint) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(endpoint)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
