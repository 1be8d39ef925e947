"""The vendor's service models, read in less time and kept in less memory than botocore's own reader takes.

A model is a large JSON document (EC2's has four megabytes), nearly all of it shapes, of which a run uses a handful. So
each shape stays text until somebody asks for it.

Weakness: what a shape's text says is checked only then; botocore ships the files, so it is taken to be JSON.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

_OPENERS: Final[dict[str, Callable[..., Any]]] = {".json": open, ".json.gz": gzip.open}
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Shapes(dict[str, Any]):
    """Shapes by name, each decoded when it is first looked up.

    >>> shapes = Shapes({"Name": msgspec.Raw(b'{"type": "string"}')})
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
                return _model(text) if path.name.startswith("service-2.") else msgspec.json.decode(text)
        return None


def _model(text: bytes) -> dict[str, Any]:
    parts = _RAW.decode(text)
    return {
        name: Shapes(_RAW.decode(part)) if name == "shapes" else msgspec.json.decode(part)
        for name, part in parts.items()
    }
