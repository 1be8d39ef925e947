"""What moto works out anew for every call, worked out once: the sandbox shares its machine with whom it serves.

Three things took most of a call's time, or grew with the number of objects: which service a host is (moto looks at the
directories of all its services, twice a call), which methods a service has (by inspection), and the tags of an object
of EC2 (found among the tags of all). The answers are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def make_application() -> Any:
    """moto as one WSGI application, at this pace."""
    from moto.core import responses
    from moto.ec2.models.core import TaggedEC2Resource
    from moto.moto_server import werkzeug_app

    _set(werkzeug_app, "DISABLE_GLOBAL_CORS", True)  # no page may call a sandbox, so no page need be let in
    if not hasattr(responses.method_names_from_class, "cache_info"):
        _set(responses, "method_names_from_class", functools.cache(responses.method_names_from_class))
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
