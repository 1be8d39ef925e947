"""The sandbox's own API, on a port of its own: faults, times, requests, inventory, reset, stop.

::

    GET    /_sandbox/health              {"ready": true}
    GET    /_sandbox/inventory?all=0|1   {"objects": [...]}
    GET    /_sandbox/arrivals            {"objects": [...]}: databases and caches at rest, and since when
    GET    /_sandbox/requests?since=N    the request log;  DELETE empties it
    GET    /_sandbox/faults              POST adds one, DELETE clears all;  DELETE /_sandbox/faults/ID clears one
    GET    /_sandbox/options             PATCH changes them: {"provision_time": {"rds": "12s"}, "latency": "50ms",
                                         "rate_limit": 10, "name_release": "1s"}, any of the four
    GET    /_sandbox/inbox?since=N       {"letters": [...]}: what topics sent;  DELETE empties it
    POST   /_sandbox/confirm             {"endpoint": "ops@example.com"}: that address follows the links in its letters
    POST   /_sandbox/alarms              evaluates every alarm now, or {"at": Unix time}: {"changed": 2}
    POST   /_sandbox/reset               empties control plane and databases
    POST   /_sandbox/stop                ends the process in good order

Bodies are JSON. Errors are ``{"error": …, "hint": …}`` with status 400, 403, 404, 405 or 500. Requests that a browser
sends on behalf of a page are refused: no page may stop a sandbox.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qs

from provisioner.errors import UsageError
from provisioner.model import LATEST
from provisioner.sandbox.aws.arrivals import arrivals
from provisioner.sandbox.aws.gateway import Gateway
from provisioner.sandbox.aws.inventory import inventory
from provisioner.sandbox.aws.models import known_services, service_model
from provisioner.sandbox.aws.rules.ringing import look_everywhere
from provisioner.sandbox.aws.rules.sns import confirm_all
from provisioner.sandbox.settings import PROVISION_TIMES

_log = logging.getLogger(__name__)
Query = dict[str, list[str]]
Answer = tuple[int, Any]


class Admin:
    """The WSGI application of the admin API. ``stop`` asks the process to end; it must return at once."""

    def __init__(self, gateway: Gateway, stop: Callable[[], None]) -> None:
        self._gateway = gateway
        self._stop = stop
        self._routes: dict[tuple[str, str], Callable[[Query, Any], Answer]] = {
            ("GET", "health"): lambda query, body: (200, {"ready": True}),
            ("GET", "inventory"): self._inventory,
            ("GET", "arrivals"): lambda query, body: (200, {"objects": arrivals(self._gateway.services)}),
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda query, body: (200, {"cleared": self._gateway.faults.clear()}),
            ("GET", "options"): self._options,
            ("PATCH", "options"): self._change_options,
            ("GET", "inbox"): self._inbox,
            ("DELETE", "inbox"): self._empty_inbox,
            ("POST", "confirm"): self._confirm,
            ("POST", "alarms"): self._alarms,
            ("POST", "reset"): self._reset,
            ("POST", "stop"): self._end,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        try:
            status, answer = self._answer(environ)
        except UsageError as err:
            status, answer = 400, {"error": err.message, "hint": err.hint}
        except Exception as err:
            _log.exception("admin request failed")
            status, answer = 500, {"error": f"{type(err).__name__}: {err}", "hint": "see sandbox.log"}
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {'OK' if status < 400 else 'Error'}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        if environ.get("HTTP_ORIGIN"):
            return 403, {"error": "browsers may not use the admin API", "hint": ""}
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/")
        name = path.removeprefix("/_sandbox/")
        query = parse_qs(environ.get("QUERY_STRING", ""))
        body = _body(environ)
        if method == "DELETE" and name.startswith("faults/"):
            return self._clear_fault(name.removeprefix("faults/"))
        route = self._routes.get((method, name))
        if route is not None:
            return route(query, body)
        known = name in {route_name for _, route_name in self._routes}
        return (405 if known else 404), {"error": f"no {method} {path}", "hint": "see provisioner/sandbox/admin.py"}

    def _inventory(self, query: Query, body: Any) -> Answer:
        everything = _flag(query, "all")
        return 200, {"objects": inventory(self._gateway.services, everything=everything)}

    def _requests(self, query: Query, body: Any) -> Answer:
        return 200, self._gateway.log.report(since=_number(query, "since"))

    def _forget_requests(self, query: Query, body: Any) -> Answer:
        self._gateway.log.clear()
        return 200, {}

    def _faults(self, query: Query, body: Any) -> Answer:
        return 200, {"faults": [asdict(fault) for fault in self._gateway.faults.list()]}

    def _add_fault(self, query: Query, body: Any) -> Answer:
        if not isinstance(body, dict):
            raise UsageError("a fault is a JSON object", hint='for example {"service": "rds", "error": "AccessDenied"}')
        _check_names(str(body.get("service") or "*"), str(body.get("operation") or "*"))
        return 200, asdict(self._gateway.faults.add(body))

    def _clear_fault(self, text: str) -> Answer:
        if not text.isdigit():
            raise UsageError(f"{text!r} is not the id of a fault")
        cleared = self._gateway.faults.clear(int(text))
        return (200, {"cleared": cleared}) if cleared else (404, {"error": f"no fault {text}", "hint": ""})

    def _options(self, query: Query, body: Any) -> Answer:
        options = self._gateway.world.options
        times = {work: options.seconds(work) for work in PROVISION_TIMES}
        numbers = {name: getattr(options, name) for name in ("latency", "rate_limit", "name_release")}
        return 200, {"provision_time": times, **numbers}

    def _change_options(self, query: Query, body: Any) -> Answer:
        if not isinstance(body, dict) or set(body) - {"provision_time", "latency", "rate_limit", "name_release"}:
            raise UsageError("options are provision_time, latency, rate_limit and name_release")
        options = self._gateway.world.options
        for work, duration in dict(body.get("provision_time") or {}).items():
            options.set_provision_time(work, duration)
        if "latency" in body:
            options.set_latency(body["latency"])
        if "rate_limit" in body:
            options.set_rate_limit(body["rate_limit"])
            self._gateway.limit.clear()
        if "name_release" in body:
            options.set_name_release(body["name_release"])
        return self._options(query, None)

    def _inbox(self, query: Query, body: Any) -> Answer:
        look_everywhere(self._gateway.services, None, force=False)
        letters = self._gateway.services.inbox.letters(_number(query, "since"))
        return 200, {"letters": [letter.to_json() for letter in letters]}

    def _empty_inbox(self, query: Query, body: Any) -> Answer:
        self._gateway.services.inbox.clear()
        return 200, {}

    def _confirm(self, query: Query, body: Any) -> Answer:
        endpoint = body.get("endpoint") if isinstance(body, dict) else None
        if not isinstance(endpoint, str):
            raise UsageError("whose letters? give an endpoint", hint='for example {"endpoint": "ops@example.com"}')
        return 200, {"confirmed": confirm_all(self._gateway.services, endpoint)}

    def _alarms(self, query: Query, body: Any) -> Answer:
        at = body.get("at") if isinstance(body, dict) else None
        if at is not None and (isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= LATEST):
            raise UsageError("at is a Unix time in seconds")
        moment = None if at is None else datetime.fromtimestamp(at, UTC)
        return 200, {"changed": look_everywhere(self._gateway.services, moment, force=True)}

    def _reset(self, query: Query, body: Any) -> Answer:
        self._gateway.faults.clear()
        self._gateway.lags.clear()
        self._gateway.limit.clear()
        self._gateway.services.reset()
        self._gateway.log.clear()
        return 200, {}

    def _end(self, query: Query, body: Any) -> Answer:
        self._stop()
        return 200, {}


def _body(environ: dict[str, Any]) -> Any:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    data = environ["wsgi.input"].read(length) if length else b""
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError as err:
        raise UsageError(f"the body is not JSON: {err}") from err


def _check_names(service: str, operation: str) -> None:
    """A fault for a service or operation that does not exist would wait for ever: UsageError says so instead."""
    if service == "*":
        return
    if service not in known_services():
        close = get_close_matches(service.lower(), known_services(), 3)
        raise UsageError(
            f"there is no service {service!r}", hint=f"boto3's names count: {', '.join(close) or 'rds, s3, …'}"
        )
    names = service_model(service).operation_names
    if operation != "*" and operation not in names:
        close = get_close_matches(operation, names, 3)
        raise UsageError(f"{service} has no operation {operation!r}", hint=f"perhaps {', '.join(close) or names[0]}")


def _flag(query: Query, name: str) -> bool:
    return query.get(name, ["0"])[-1].lower() in ("1", "true", "yes")


def _number(query: Query, name: str) -> int:
    text = query.get(name, ["0"])[-1]
    if not text.isdigit():
        raise UsageError(f"{name} is a whole number from 0, not {text!r}")
    return int(text)
