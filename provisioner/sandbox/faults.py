"""Faults: bad days on request.

A fault waits for calls that fit it (service, operation, a piece of text in the request), lets the first ``skip``
pass, strikes ``times`` of them, and then is spent. The gateway asks ``FaultBook.strike`` once per call.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

from provisioner.errors import UsageError

KINDS: Final = {
    "error": "answer with the error code in `error`, without effect",
    "invalid": "answer with the service's own word for a value that it does not take, without effect",
    "throttling": "answer with the service's own throttling error, without effect",
    "internal": "answer with the service's own internal error (5xx), without effect",
    "reset-before": "drop the connection, without effect",
    "reset-after": "let the call take effect, then drop the connection without an answer",
    "slow": "wait `delay` seconds (default 5), then carry on as usual",
    "hang": "let the call take effect, then keep the caller waiting `delay` seconds (default 3600), then drop it",
    "failed": "rds, elasticache, lambda: the object that the call makes or changes ends in a failed state",
    "never-ready": "rds, elasticache, lambda, ec2: the object that the call makes, changes or deletes stays on its way "
    "for as long as the fault is in the list",
    "ready-then-failed": "rds, elasticache, lambda: the object becomes ready, and fails `delay` seconds later "
    "(default 1)",
    "unseen": "reads do not show what the call made, changed or deleted for `delay` seconds (default 1)",
}
OUTCOMES: Final = {
    "failed": ("rds", "elasticache", "lambda"),
    "never-ready": ("rds", "elasticache", "lambda", "ec2"),
    "ready-then-failed": ("rds", "elasticache", "lambda"),
}
"""Kinds that decide what becomes of an object, and the services whose objects are on their way for a while."""
_DEFAULT_DELAY: Final = {"slow": 5.0, "hang": 3600.0}
_FIELDS: Final = {"service", "operation", "kind", "error", "message", "times", "skip", "match", "delay"}


@dataclass(slots=True)
class Fault:
    """One fault. ``times`` 0 strikes for ever; ``service`` and ``operation`` "*" are any; ``delay`` is in seconds."""

    id: int
    service: str
    operation: str
    kind: str
    error: str
    message: str
    times: int
    skip: int
    match: str
    delay: float
    seen: int = 0
    struck: int = 0

    def fits(self, service: str, operation: str, text: str) -> bool:
        """Whether a call is one of those that this fault waits for."""
        return (
            self.service in ("*", service)
            and self.operation in ("*", operation)
            and (not self.match or self.match in text)
        )

    @property
    def spent(self) -> bool:
        """Whether it will strike no more."""
        return 0 < self.times <= self.struck


class FaultBook:
    """The faults in force; safe to use from several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._next = 1
        self._lock = threading.Lock()

    def add(self, wish: dict[str, Any]) -> Fault:
        """Put a fault in force; UsageError says what is wrong with ``wish``."""
        unknown = set(wish) - _FIELDS
        if unknown:
            raise UsageError(
                f"a fault has no {', '.join(sorted(unknown))}", hint=f"fields: {', '.join(sorted(_FIELDS))}"
            )
        kind = str(wish.get("kind") or "error")
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is no kind of fault", hint=f"one of: {', '.join(KINDS)}")
        if kind == "error" and not wish.get("error"):
            raise UsageError("a fault needs an error code or a kind", hint='for example "error": "AccessDenied"')
        if kind in OUTCOMES and wish.get("service") not in OUTCOMES[kind]:
            only = ", ".join(OUTCOMES[kind])
            raise UsageError(f"the kind {kind} is for {only} alone", hint="name one of them as `service`")
        times, skip, delay = wish.get("times", 1), wish.get("skip", 0), wish.get("delay")
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in (times, skip)):
            raise UsageError("`times` and `skip` are whole numbers from 0")
        if delay is not None and (isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0):
            raise UsageError("`delay` is a number of seconds")
        with self._lock:
            fault = Fault(
                id=self._next,
                service=str(wish.get("service") or "*"),
                operation=str(wish.get("operation") or "*"),
                kind=kind,
                error=str(wish.get("error") or ""),
                message=str(wish.get("message") or ""),
                times=times,
                skip=skip,
                match=str(wish.get("match") or ""),
                delay=_DEFAULT_DELAY.get(kind, 1.0) if delay is None else float(delay),
            )
            self._next += 1
            self._faults.append(fault)
        return fault

    def strike(self, service: str, operation: str, text: str) -> Fault | None:
        """The fault that strikes this call, if any: the oldest that fits, is not spent and let ``skip`` calls pass."""
        with self._lock:
            for fault in self._faults:
                if fault.spent or not fault.fits(service, operation, text):
                    continue
                fault.seen += 1
                if fault.seen > fault.skip:
                    fault.struck += 1
                    return fault
        return None

    def holds(self, fault_id: int) -> bool:
        """Whether the fault is still in the list, spent or not."""
        with self._lock:
            return any(fault.id == fault_id for fault in self._faults)

    def needs_text(self) -> bool:
        """Whether any fault looks into requests, so that nobody decodes them for nothing."""
        with self._lock:
            return any(fault.match and not fault.spent for fault in self._faults)

    def list(self) -> list[Fault]:
        """Every fault that was added, the spent ones included, oldest first."""
        with self._lock:
            return list(self._faults)

    def clear(self, fault_id: int | None = None) -> int:
        """Take away one fault, or all; how many there were."""
        with self._lock:
            before = len(self._faults)
            self._faults = [] if fault_id is None else [f for f in self._faults if f.id != fault_id]
            return before - len(self._faults)
