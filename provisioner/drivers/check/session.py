"""What gates share: the certificates to trust. No cloud is asked for anything."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provisioner.endpoints import ENDPOINTS
from provisioner.errors import SandboxError


class CheckSession:
    """``anchors``: paths of PEM files with the certificate authorities of the endpoints in use."""

    def __init__(self, anchors: Sequence[str] = ()) -> None:
        self.anchors = tuple(anchors)

    def identity(self) -> str:
        """Gates act for nobody."""
        return "check:"


def open_session(region: str = "") -> CheckSession:
    """The session; every ``ca`` of the file that PROVISIONER_ENDPOINTS names, where it is set."""
    name = os.environ.get(ENDPOINTS)
    if not name:
        return CheckSession()
    try:
        entries: Any = json.loads(Path(name).read_text(encoding="utf-8"))
        named = [str(entry["ca"]) for entry in entries.values() if isinstance(entry, dict) and entry.get("ca")]
    except (OSError, ValueError, AttributeError, RecursionError) as err:
        raise SandboxError(
            f"{ENDPOINTS} cannot be used: {err}",
            where=name,
            hint="`provisioner sandbox start` writes this file",
        ) from err
    return CheckSession(list(dict.fromkeys(named)))
