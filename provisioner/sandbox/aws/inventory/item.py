"""One line of the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.model import OWNER_TAG


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """An object. ``service`` is boto3's name, ``type`` AWS's word for it, ``owner`` "" where none is known."""

    service: str
    type: str
    id: str
    name: str
    owner: str = ""

    def to_json(self) -> dict[str, Any]:
        """The line as the admin API writes it."""
        return {
            "cloud": "aws",
            "service": self.service,
            "type": self.type,
            "id": self.id,
            "name": self.name,
            "owner": self.owner or None,
        }


def as_dict(tags: object) -> dict[str, str]:
    """Tags in any of the shapes that moto keeps them in."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    if not isinstance(tags, Iterable):
        return {}
    pairs = [{str(key).lower(): value for key, value in tag.items()} for tag in tags if isinstance(tag, Mapping)]
    return {str(p.get("key", p.get("tagkey", ""))): str(p.get("value", p.get("tagvalue", ""))) for p in pairs}


def owner_of(tags: object) -> str:
    """The value of the ownership tag, "" where there is none."""
    return as_dict(tags).get(OWNER_TAG, "")
