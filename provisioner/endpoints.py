"""Where the clouds are: ``PROVISIONER_ENDPOINTS`` names a JSON file with an entry a cloud, written by the sandbox.

With it set, the machine's own credentials are not used, whatever happens: a rehearsal must not reach the real cloud,
nor send it real keys.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import msgspec

from provisioner.errors import SandboxError

ENDPOINTS: Final = "PROVISIONER_ENDPOINTS"
"""The environment variable that names ``endpoints.json``."""


class Endpoint(msgspec.Struct, frozen=True):
    """The ``aws`` entry of ``endpoints.json``; ``ca`` is the path of the databases' certificate authority."""

    url: str
    region: str = ""
    ca: str = ""
    access_key_id: str = "sandbox"
    secret_access_key: str = "sandbox"  # noqa: S105 - what a local endpoint takes, and nothing else


def endpoint_of(cloud: str) -> Endpoint | None:
    """A cloud's entry; None where the variable is not set, which means the real one. SandboxError."""
    name = os.environ.get(ENDPOINTS)
    if not name:
        return None
    hint = "`provisioner sandbox start` writes it; unset PROVISIONER_ENDPOINTS to work with the real cloud"
    try:
        entries = json.loads(Path(name).read_text(encoding="utf-8"))
        return msgspec.convert(entries[cloud], Endpoint)
    except KeyError as err:
        raise SandboxError(f"it has no entry for {cloud}", where=name, hint=hint) from err
    except (OSError, ValueError, TypeError, RecursionError) as err:
        # An unreadable file must never mean "then the real cloud".
        raise SandboxError(f"{ENDPOINTS} cannot be used: {err}", where=name, hint=hint) from err
