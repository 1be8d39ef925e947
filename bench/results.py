"""``bench/results.json``: every row and every single measurement, each section as it was last taken."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.table import Row, builtins
from provisioner import __version__

PATH = Path(__file__).with_name("results.json")

Document = dict[str, Any]


def machine() -> dict[str, Any]:
    """What it was measured on and with."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "provisioner": __version__,
    }


def load(path: Path = PATH) -> Document:
    """What was measured before; an empty document where nothing was, or another version of this wrote it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = None
    return found if isinstance(found, dict) and isinstance(found.get("sections"), dict) else {"sections": {}}


def merged(
    document: Document,
    section: str,
    rows: Sequence[Row],
    measured: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> Document:
    """The document with that section as it was taken now, and every other as it was."""
    taken = {"facts": dict(facts), "rows": [builtins(row) for row in rows], "measured": list(measured)}
    return {"sections": document["sections"] | {section: taken}}


def rows_of(document: Document, order: Sequence[str]) -> list[Row]:
    """Every row, section by section in ``order``."""
    sections = document["sections"]
    return [msgspec.convert(row, Row) for name in order if name in sections for row in sections[name]["rows"]]


def save(document: Document, path: Path = PATH) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
