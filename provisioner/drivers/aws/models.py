"""The vendor's service models, read in less time and kept in less memory than botocore's own reader takes.

A model is a large JSON document (EC2's has four megabytes) of operations and shapes, of which a run uses a handful. So
each stays text until somebody asks for it; so do the endpoints of each of AWS's services.

Weakness: what such a text says is checked only then; botocore ships the files, so it is taken to be JSON.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

import msgspec

_OPENERS: Final[dict[str, Callable[..., Any]]] = {".json": open, ".json.gz": gzip.open}
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAWS: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


class Lazily(dict[str, Any]):
    """Values by name, each decoded when it is first looked up.

    >>> shapes = Lazily({"Name": msgspec.Raw(b'{"type": "string"}')})
    >>> shapes["Name"], shapes.get("Other")
    ({'type': 'string'}, None)
    """

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if type(value) is msgspec.Raw:
            value = self[name] = msgspec.json.decode(value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - else it would call itself


class ModelFiles:
    """The reader of botocore's ``Loader``: ``Loader(file_loader=ModelFiles())``."""

    def exists(self, file_path: str) -> bool:
        """Whether there is such a file; ``file_path`` has no ending."""
        return any(Path(file_path + ending).is_file() for ending in _OPENERS)

    def load_file(self, file_path: str) -> Any:
        """What the file says, None where there is none; ``file_path`` has no ending. msgspec.DecodeError."""
        for ending, opened in _OPENERS.items():
            path = Path(file_path + ending)
            if path.is_file():
                with opened(path, "rb") as file:
                    text = file.read()
                return _READERS.get(path.name.partition(".")[0], msgspec.json.decode)(text)
        return None


def _model(text: bytes) -> dict[str, Any]:
    return _lazily(_RAW.decode(text), ("operations", "shapes"))


def _endpoints(text: bytes) -> dict[str, Any]:
    parts = _RAW.decode(text)
    found: dict[str, Any] = {name: msgspec.json.decode(part) for name, part in parts.items() if name != "partitions"}
    return found | {"partitions": [_lazily(one, ("services",)) for one in _RAWS.decode(parts["partitions"])]}


def _lazily(parts: dict[str, msgspec.Raw], late: Collection[str]) -> dict[str, Any]:
    return {
        name: Lazily(_RAW.decode(part)) if name in late else msgspec.json.decode(part) for name, part in parts.items()
    }


_READERS: Final[dict[str, Callable[[bytes], Any]]] = {"service-2": _model, "endpoints": _endpoints}
