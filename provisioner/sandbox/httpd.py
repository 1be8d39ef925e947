"""A small HTTP/1.1 server for WSGI applications: keep-alive, a thread a connection, connections that can be dropped.

werkzeug's own server closes the connection after every answer, which costs clients a new one per call and makes
"the connection broke" look like every other call. Its reading of requests is kept.
"""

from __future__ import annotations

import logging
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import ThreadingHTTPServer
from typing import Any, Final

from moto.moto_server.werkzeug_app import MotoRequestHandler

from provisioner.sandbox.aws.call import DropConnection

_log = logging.getLogger(__name__)
_NO_LENGTH: Final = {204, 304}
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    ssl_context = None
    multithread = True
    multiprocess = False
    _server_version = "provisioner-sandbox"

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, but for clients that hang up: they may."""
        level = logging.DEBUG if isinstance(sys.exc_info()[1], OSError) else logging.ERROR
        _log.log(level, "connection from %s ended", client_address, exc_info=True)


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer, not one a header
    disable_nagle_algorithm = True
    timeout = 900

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or len(self.raw_requestline) > 65536 or not self.parse_request():
            self.close_connection = True
            return
        environ = self.make_environ()
        if environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read()
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = _Body(body)
        else:
            environ["wsgi.input"] = _Body(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        server: Any = self.server
        try:
            parts = server.application(environ, self._start)
            self._send(b"".join(parts))
        except DropConnection:
            self._drop()

    def handle_expect_100(self) -> bool:
        """Tell a client that waits for permission to send its body; at once, although answers are buffered."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self._status, self._headers = int(status[:3]), headers

    def _send(self, body: bytes) -> None:
        self.send_response_only(self._status)
        given = {name.lower() for name, _ in self._headers}
        for name, value in self._headers:
            if name.lower() not in ("connection", "content-length"):
                self.send_header(name, value)
        if "date" not in given:
            self.send_header("Date", self.date_time_string())
        if self._status not in _NO_LENGTH:
            self.send_header("Content-Length", self._length(body))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _length(self, body: bytes) -> str:
        """A HEAD answer tells the length of what GET would send, so the application's word counts there."""
        if self.command == "HEAD":
            return next((v for k, v in self._headers if k.lower() == "content-length"), str(len(body)))
        return str(len(body))

    def _drop(self) -> None:
        """End the connection with a reset, as a network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """The request log has it."""


class _Body:
    """A request's body, read once from the connection."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        """The first ``size`` bytes; the gateway makes a real stream of it."""
        return self._data if size < 0 else self._data[:size]


class HttpServer:
    """An application on a loopback port, served from a thread of its own."""

    def __init__(self, application: Application, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), application)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="http")

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no new connections and free the port; idempotent."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
