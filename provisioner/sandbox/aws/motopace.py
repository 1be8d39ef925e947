"""What moto works out anew for every call, worked out once: the sandbox shares its machine with whom it serves.

Three things took most of a call's time, or grew with the number of objects: which service a host is (moto looks at the
directories of all its services, twice a call), which methods a service has (by inspection), and the tags of an object
of EC2 (found among the tags of all). The answers are the same.

Services that have one address only are asked without Flask, which finds its way to that address anew for every call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from provisioner.sandbox.aws.call import Call, Reply
from provisioner.sandbox.settings import ACCOUNT, REGION

_ONE_ADDRESS: Final = frozenset({"cloudwatch", "ec2", "iam", "kms", "logs", "secretsmanager", "sns", "sts"})
Handler = Callable[[Any, str, dict[str, str]], Any]


def make_application() -> Any:
    """moto as one WSGI application, at this pace."""
    from moto.core import responses
    from moto.ec2.models.core import TaggedEC2Resource
    from moto.moto_server import werkzeug_app

    _set(werkzeug_app, "DISABLE_GLOBAL_CORS", True)  # no page may call a sandbox, so no page need be let in
    inspect: Any = vars(responses).get("method_names_from_class")
    if not hasattr(inspect, "cache_info"):
        _set(responses, "method_names_from_class", functools.cache(inspect))
    _set(TaggedEC2Resource, "get_tags", _tags)
    application: Any = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    application.get_backend_for_host = _remembered(application.get_backend_for_host)
    return application


def _set(home: object, name: str, value: object) -> None:
    if not hasattr(home, name):
        raise RuntimeError(f"this release of moto has no {name}: the sandbox needs the one in constraints.txt")
    setattr(home, name, value)


def _remembered(find: Callable[[str | None], Any]) -> Callable[[str | None], Any]:
    known: dict[str | None, Any] = {}

    def found(host: str | None) -> Any:
        if host not in known:
            known[host] = find(host)
        return known[host]

    return found


def _tags(self: Any) -> list[dict[str, str]]:
    """An object's tags, as moto's own ``describe_tags`` has them."""
    from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

    tags = self.ec2_backend.tags.get(self.id) if self.id else None
    if not tags:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "")
    return [{"resource_id": self.id, "key": key, "value": value, "resource_type": kind} for key, value in tags.items()]


def direct(call: Call) -> Handler | None:
    """What answers the call in moto, where that is known without looking at more than its service."""
    plain = call.service in _ONE_ADDRESS and call.environ.get("REQUEST_METHOD") == "POST" and call.path == "/"
    return _handler(call.service) if plain else None


@functools.cache
def _handler(service: str) -> Handler | None:
    import moto.backends

    backends: Any = moto.backends
    every = backends.get_backend(service)[ACCOUNT]
    paths: dict[str, Handler] = every[REGION if REGION in every else "aws"].flask_paths
    return paths.get("/")


@functools.cache
def _request_class() -> Any:
    from moto.core.request import Request

    return type("DirectRequest", (Request,), {"from_wsgi_server": True})


def ask(handler: Handler, call: Call) -> Reply:
    """The answer of one of moto's handlers, as its server would send it."""
    from werkzeug.exceptions import HTTPException

    request = _request_class()(dict(call.environ))
    try:
        result = handler(request, request.raw_url, dict(request.headers))
    except HTTPException as refused:
        result = refused.code or 400, dict(refused.get_headers()), refused.get_body()
    status, headers, content = result if len(result) == 3 else (200, {}, result)
    body = content if isinstance(content, bytes) else str(content).encode()
    told = [(str(name), str(value)) for name, value in headers.items()]
    if not any(name.lower() == "content-type" for name, _ in told):
        told.append(("Content-Type", "text/xml"))
    return Reply(int(status), told, body)
