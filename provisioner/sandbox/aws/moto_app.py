"""moto, the emulator behind everything that is not ours, kept in one place.

moto's backends are plain dictionaries without locks, so one service's calls run one after another here: a list call
that runs while another thread creates would otherwise fail now and then. Operations that may call back into the same
service (a message delivered to a subscriber, a function that runs) are left out of this.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from provisioner.sandbox.aws import motopace
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.settings import ACCOUNT

_UNLOCKED: Final = {("sns", "Publish"), ("sns", "PublishBatch"), ("sns", "Subscribe")}
_BACKEND: Final = {"lambda": "awslambda"}
"""Where moto calls a service by another name than boto3."""
_TOUCHED_BY_OURS: Final = ("logs",)
"""Services in which our own make objects: log groups for exported logs."""
_ENVIRONMENT: Final = {
    # Machine images are none of a database layer's business, and loading them takes a second. The policies that AWS
    # manages take 0.3 s; the rules for IAM load them one by one.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "false",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}


class Moto:
    """moto's services as one WSGI application and as Python objects."""

    def __init__(self) -> None:
        os.environ.update(_ENVIRONMENT)
        self._app: Any = motopace.make_application()
        self._locks: dict[str, threading.RLock] = {}
        self._used: set[str] = set()
        self._guard = threading.Lock()

    def touch(self, service: str) -> None:
        """A rule answers for a service itself and keeps the objects in moto: they count like any."""
        with self._guard:
            self._used.add(service)

    def handle(self, call: Call) -> Reply:
        """Let moto answer."""
        self.touch(call.service)
        if (call.service, call.operation) in _UNLOCKED:
            return self._run(call)
        with self.lock(call.service):
            return self._run(call)

    def _run(self, call: Call) -> Reply:
        from werkzeug.test import run_wsgi_app

        handler = motopace.direct(call)
        try:
            if handler is not None:
                return motopace.ask(handler, call)
            body, status, headers = run_wsgi_app(self._app, call.environ, buffered=True)
        except NotImplementedError as err:
            raise AwsError(
                "NotImplemented", f"the sandbox does not offer {call.service} {call.operation}", 501
            ) from err
        return Reply(int(status.split()[0]), list(headers), b"".join(body))

    @contextmanager
    def lock(self, service: str) -> Iterator[None]:
        """Hold ``service`` still while looking at its objects."""
        with self._guard:
            lock = self._locks.setdefault(service, threading.RLock())
        with lock:
            yield

    def backend(self, service: str, region: str) -> Any:
        """moto's own object for a service in a region, or in all where it is global. Hold ``lock`` meanwhile."""
        regions = _accounts(service)[ACCOUNT]
        return regions[region] if region in regions else regions["aws"]

    def homes(self, service: str, region: str) -> list[dict[Any, Any]]:
        """The dictionaries that hold a service's objects, and their tags. Hold ``lock`` meanwhile."""
        backend = self.backend(service, region)
        tags = getattr(getattr(backend, "tagger", None), "tags", None)
        # Whose a bucket is stands beside the accounts; without its bucket such an entry sends moto round in circles.
        owners = getattr(_accounts(service), "bucket_accounts", None)
        return [home for home in (*vars(backend).values(), tags, owners) if isinstance(home, dict)]

    def used(self) -> list[str]:
        """The services that were called since the start or the last reset, but for those that moto does not have."""
        from moto.backends import list_of_moto_modules

        known = set(list_of_moto_modules())
        with self._guard:
            return sorted(s for s in {*self._used, *_TOUCHED_BY_OURS} if _BACKEND.get(s, s) in known)

    def regions(self, service: str) -> list[str]:
        """The regions in which moto holds anything of a service: where nobody ever asked, nothing is made."""
        return sorted(dict.keys(_accounts(service)[ACCOUNT]))

    def warm(self, service: str, region: str) -> None:
        """Load a service before somebody waits for it."""
        with self.lock(service):
            self.backend(service, region)

    def reset(self) -> None:
        """Forget every object of every service."""
        from moto.core.base_backend import BackendDict, BaseBackend

        with self._guard:
            locks = list(self._locks.values())
        for lock in locks:
            lock.acquire()
        try:
            every: Any = BackendDict
            for backends in list(every._instances):
                for _, _, backend in list(backends.iter_backends()):
                    # What only forgets need not be built anew: it is when somebody asks for it.
                    if type(backend).reset is not BaseBackend.reset:
                        backend.reset()
                backends.clear()
            every._instances.clear()
            self._used.clear()
        finally:
            for lock in reversed(locks):
                lock.release()


def _accounts(service: str) -> Any:
    """moto's objects of a service: by account, then by region."""
    import moto.backends

    backends: Any = moto.backends
    return backends.get_backend(_BACKEND.get(service, service))
