"""TLS in front of servers that have none: the sandbox's PostgreSQL and Valkey are built without OpenSSL.

One background thread with one event loop serves every database. A connection is a pair of byte pumps with
back-pressure; for PostgreSQL the front speaks the few messages that come before the start of a session:

=================  ============================================================================
GSSENCRequest      ``N``: no
SSLRequest         ``S``, then the TLS handshake, then everything goes through
CancelRequest      goes through, also without TLS, as a real server has it
StartupMessage     without TLS: refused as ``pg_hba.conf`` refuses it where TLS is forced
=================  ============================================================================

A front may have a porter (``admits``), who is told the user's name before anything goes through and may refuse him: it
plays a proxy in front of a database.

Weaknesses: no ``sslnegotiation=direct`` and no ``channel_binding=require``; ``pg_stat_ssl`` says false.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, TypeVar

from provisioner.sandbox.databases.addresses import Endpoint

_T = TypeVar("_T")
_SSL_REQUEST: Final = 80877103
_GSSENC_REQUEST: Final = 80877104
_CANCEL_REQUEST: Final = 80877102
_HEAD: Final = struct.Struct("!II")
_LONGEST_STARTUP: Final = 10_000
_HANDSHAKE_TIME: Final = 15.0
_STARTUP_TIME: Final = 60.0


class Refusal(NamedTuple):
    """Why a client is not let through: PostgreSQL's error code, and a message for the client."""

    sqlstate: str
    message: str


class Speech(Enum):
    """What a front speaks before it lets everything through."""

    POSTGRES = "postgres"
    TLS = "tls"
    PLAIN = "plain"


class Front:
    """One listening endpoint. ``targets`` are tried round robin; ``force`` refuses PostgreSQL without TLS.

    ``admits``: PostgreSQL's porter, called in the loop's thread with a user's name and whether he came with TLS.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        speech: Speech,
        targets: Sequence[Endpoint],
        context: ssl.SSLContext | None,
        force: bool,
    ) -> None:
        self.endpoint = endpoint
        self.speech = speech
        self.context = context
        self.force = force
        self.admits: Callable[[str, bool], Refusal | None] | None = None
        self._turns = itertools.cycle(tuple(targets))
        self.server: asyncio.Server | None = None
        self.clients: set[_Client] = set()

    def next_target(self) -> Endpoint | None:
        """The server that the next connection goes to, if there is any."""
        return next(self._turns, None)

    def retarget(self, targets: Sequence[Endpoint]) -> None:
        """Where connections go from now on; those that are open stay."""
        self._turns = itertools.cycle(tuple(targets))


class FrontLoop:
    """The background thread and its event loop. Methods may be called from any thread but the loop's own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="database-fronts", daemon=True)
        self._thread.start()

    def open(
        self,
        sock: socket.socket,
        speech: Speech,
        targets: Sequence[Endpoint],
        *,
        context: ssl.SSLContext | None = None,
        force: bool = False,
    ) -> Front:
        """Serve a listening socket, which the front then owns."""
        host, port = sock.getsockname()
        front = Front(Endpoint(host, port), speech, targets, context, force)
        self._call(self._open(front, sock))
        return front

    def close_front(self, front: Front) -> None:
        """Stop listening and drop the front's connections."""
        self._call(_close(front))

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_finish(self._loop))
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self, front: Front, sock: socket.socket) -> None:
        tls = front.context if front.speech is Speech.TLS else None
        front.server = await self._loop.create_server(
            lambda: _Client(front, self._loop),
            sock=sock,
            ssl=tls,
            ssl_handshake_timeout=_HANDSHAKE_TIME if tls else None,
        )


async def _close(front: Front) -> None:
    if front.server is not None:
        front.server.close()
        front.server = None
    for client in tuple(front.clients):
        client.abort()
    await asyncio.sleep(0)


async def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Let what was cancelled or closed run to its end."""
    others = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Pump(asyncio.Protocol):
    """One side of a connection: what it receives goes to ``peer``, no faster than the peer takes it."""

    def __init__(self, peer: _Pump | None = None) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Pass a half-close on where both sides can have one; with TLS there is none, and both close."""
        peer = self.peer.transport if self.peer else None
        plain = self.transport is not None and self.transport.get_extra_info("sslcontext") is None
        if peer is None or not plain or not peer.can_write_eof():
            return False
        peer.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()


class _Client(_Pump):
    """The client's side, which first speaks what comes before a session and then connects to the server."""

    def __init__(self, front: Front, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._front = front
        self._loop = loop
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._secure = False

    def abort(self) -> None:
        """Drop the connection at once."""
        for side in (self, self.peer):
            if side is not None and side.transport is not None:
                side.transport.abort()
        if self._task is not None:
            self._task.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._front.clients.add(self)
        if self._front.speech is Speech.POSTGRES:
            self._timer = self._loop.call_later(_STARTUP_TIME, self.abort)
        else:
            self._go_on(self._connect())

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.clients.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            super().data_received(data)
            return
        self._buffer += data
        if self._task is None:
            self._preamble()

    def _preamble(self) -> None:
        """Answer what a PostgreSQL client asks before its session starts."""
        assert self.transport is not None
        while len(self._buffer) >= _HEAD.size:
            length, code = _HEAD.unpack_from(self._buffer)
            if not _HEAD.size <= length <= _LONGEST_STARTUP:
                self.transport.close()
                return
            if len(self._buffer) < length:
                return
            if code == _GSSENC_REQUEST:
                self._buffer = self._buffer[length:]
                self.transport.write(b"N")
            elif code == _SSL_REQUEST and not self._secure:
                self._go_on(self._upgrade(length))
                return
            elif code != _CANCEL_REQUEST and (refusal := self._refused(self._buffer[_HEAD.size : length])):
                self.transport.write(refusal)
                self.transport.close()
                return
            else:
                self._go_on(self._connect())
                return

    def _refused(self, startup: bytes) -> bytes | None:
        """The answer to a client that is not let through."""
        told = _told(startup)
        if self._front.admits is not None:
            refusal = self._front.admits(told.get("user", ""), self._secure)
            return _fatal(*refusal) if refusal else None
        return _no_encryption(told) if self._front.force and not self._secure else None

    def _go_on(self, work: Coroutine[Any, Any, None]) -> None:
        assert self.transport is not None
        self.transport.pause_reading()
        self._task = self._loop.create_task(work)

    async def _upgrade(self, length: int) -> None:
        assert self.transport is not None and self._front.context is not None
        if len(self._buffer) > length:
            # Bytes sent before the handshake could be a man in the middle's: never take them for the
            # session's.
            self.transport.abort()
            return
        self._buffer = b""
        self.transport.write(b"S")
        try:
            transport = await self._loop.start_tls(
                self.transport,
                self,
                self._front.context,
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_TIME,
            )
        except OSError:
            # The client does not trust us or went away. start_tls has closed the connection and told nobody.
            self.connection_lost(None)
            return
        if transport is None:
            return
        self.transport, self._secure = transport, True
        if self._front.admits is not None:  # he has to say first who he is
            self._task = None
            if self._buffer:
                self._preamble()
            return
        transport.pause_reading()
        await self._connect()

    async def _connect(self) -> None:
        assert self.transport is not None
        target = self._front.next_target()
        try:
            if target is None:
                raise ConnectionRefusedError
            _, server = await self._loop.create_connection(lambda: _Pump(self), target.host, target.port)
        except OSError:
            if self._front.speech is Speech.POSTGRES:
                self.transport.write(_fatal("57P03", "the database system is starting up"))
            self.transport.close()
            return
        if self.transport.is_closing():
            assert server.transport is not None
            server.transport.close()
            return
        if self._timer is not None:
            self._timer.cancel()
        self.peer = server
        if self._buffer:
            super().data_received(self._buffer)
            self._buffer = b""
        self.transport.resume_reading()


def _told(startup: bytes) -> dict[str, str]:
    """The parameters of a StartupMessage."""
    words = [word.decode("utf-8", "replace") for word in startup.split(b"\0")]
    return dict(zip(words[::2], words[1::2], strict=False))


def _no_encryption(told: Mapping[str, str]) -> bytes:
    """What pg_hba.conf says to a client without TLS where only hostssl lines fit."""
    user = told.get("user", "")
    database = told.get("database") or user
    return _fatal(
        "28000",
        f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "{database}", no encryption',
    )


def _fatal(sqlstate: str, message: str) -> bytes:
    """An ErrorResponse of severity FATAL."""
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": message}
    body = b"".join(f"{kind}{text}".encode() + b"\0" for kind, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body
