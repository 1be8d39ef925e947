"""The objects of a service that nobody wrote a collector for: whatever its backend keeps that is a model of moto's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from provisioner.sandbox.aws.inventory.item import Item


def collect(service: str, backend: Any) -> Iterator[Item]:
    """Every model in a dictionary or list of ``backend``; the type is the model's class name in AWS's spelling."""
    from moto.core.common_models import BaseModel

    for attribute, home in vars(backend).items():
        values = home.items() if isinstance(home, Mapping) else enumerate(home) if isinstance(home, list) else ()
        for key, thing in values:
            if isinstance(thing, BaseModel) and not _is_default(thing):
                kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(thing).__name__.removeprefix("Fake")).lower()
                ident = str(getattr(thing, "arn", None) or getattr(thing, "id", None) or f"{attribute}/{key}")
                yield Item(service, kind, ident, str(getattr(thing, "name", None) or key))


def _is_default(thing: Any) -> bool:
    return getattr(thing, "name", None) == "default"
