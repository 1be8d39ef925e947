"""The one door to AWS: what request is this, may it pass, who answers it?

Every request takes the same way: told apart (``identify``), written to the request log, delayed by the latency,
refused where there were too many (``ratelimit``), struck by a fault or not, answered by one of our strict services or,
under the tightening rules, by moto.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, DropConnection, Environ, Reply
from provisioner.sandbox.aws.functions.manage import DOWNLOADS
from provisioner.sandbox.aws.identify import identify, signed, to_path_style
from provisioner.sandbox.aws.lag import Lags
from provisioner.sandbox.aws.protocol import error_reply, internal, invalid, named, throttling
from provisioner.sandbox.aws.ratelimit import RateLimit
from provisioner.sandbox.aws.requestlog import RequestLog
from provisioner.sandbox.aws.rules import ANONYMOUS_READS, RULES
from provisioner.sandbox.aws.rules.s3access import denied
from provisioner.sandbox.aws.services import Services
from provisioner.sandbox.aws.world import World
from provisioner.sandbox.faults import OUTCOMES, Fault, FaultBook

_log = logging.getLogger(__name__)
_SECRET_PATHS: Final = ("/moto-api",)
_REFUSALS: Final = {"invalid": invalid, "throttling": throttling, "internal": internal}


class Gateway:
    """The WSGI application in front of every AWS service."""

    def __init__(self, world: World, faults: FaultBook, log: RequestLog) -> None:
        self.world, self.faults, self.log = world, faults, log
        self.services = Services(world)
        self.lags = Lags(self.services)
        self.limit = RateLimit(lambda: world.options.rate_limit, world.now)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI. Raises DropConnection where a fault says so: the server closes the connection."""
        reply = self.respond(environ)
        headers = reply.headers
        if environ["REQUEST_METHOD"] != "HEAD":  # whose answer tells the length of what GET would send
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {'OK' if reply.status < 400 else 'Error'}", headers)
        return [reply.body]

    def respond(self, environ: Environ) -> Reply:
        """The answer to one request."""
        to_path_style(environ)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        call = identify(environ, body)
        entry, began = self.log.begin(call)
        status = 0
        try:
            reply = self._answer(call)
            status = reply.status
        finally:
            self.log.finish(entry, began, status)
        return reply

    def _answer(self, call: Call) -> Reply:
        try:
            return self._through_faults(call)
        except AwsError as error:
            return error_reply(call, error)
        except DropConnection:
            raise
        except Exception:
            # The process must outlive a bug in one call; the caller learns that it was one, the log what it was.
            _log.exception("%s %s failed inside the sandbox", call.service, call.operation)
            return error_reply(call, internal(call))

    def _through_faults(self, call: Call) -> Reply:
        if self.world.options.latency:
            self.world.sleep(self.world.options.latency)
        if not self.limit.allows(call.service, call.region):
            self.log.throttled()
            raise throttling(call)
        text = f"{call.path} {call.form or call.body.decode('utf-8', 'replace')}" if self.faults.needs_text() else ""
        fault = self.faults.strike(call.service, call.operation, text)
        if fault is None:
            return self._dispatch(call)
        return self._struck(call, fault)

    def _struck(self, call: Call, fault: Fault) -> Reply:
        if fault.kind == "error":
            raise named(call, fault.error, fault.message)
        if fault.kind in _REFUSALS:
            raise _REFUSALS[fault.kind](call)
        if fault.kind == "reset-before":
            raise DropConnection
        if fault.kind == "slow":
            self.world.sleep(fault.delay)
        if fault.kind in OUTCOMES:
            call.outcome, call.outcome_delay = fault.kind, fault.delay
        if fault.kind == "never-ready":
            call.held = partial(self.faults.holds, fault.id)
        if fault.kind == "unseen":
            return self.lags.unseen(call, fault.delay, lambda: self._dispatch(call))
        reply = self._dispatch(call)
        if fault.kind == "hang":
            self.world.sleep(fault.delay)
        if fault.kind in ("hang", "reset-after"):
            raise DropConnection
        return reply

    def _dispatch(self, call: Call) -> Reply:
        with self.lags.view(call):
            return self._answered(call)

    def _answered(self, call: Call) -> Reply:
        if call.path.startswith(_SECRET_PATHS):
            raise AwsError("AccessDenied", "the control plane is reset through the admin API", 403)
        if call.path.startswith(DOWNLOADS):
            return self.services.functions.download(call.path)
        if not signed(call.environ) and call.service == "s3" and not self._open_to_all(call):
            raise denied()
        strict = self.services.strict.get(call.service)
        if strict is not None:
            return strict.handle(call)
        rule = RULES.get((call.service, call.operation))
        if rule is not None:
            return rule(call, self.services, lambda: self.world.moto.handle(call))
        return self.world.moto.handle(call)

    @staticmethod
    def _open_to_all(call: Call) -> bool:
        """Public objects and listings, about which a rule decides, and the forms that browsers post."""
        content = str(call.environ.get("CONTENT_TYPE", ""))
        return call.operation in ANONYMOUS_READS or content.startswith("multipart/form-data")
