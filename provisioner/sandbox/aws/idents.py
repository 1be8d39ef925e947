"""Names for what stands behind the control plane."""

from __future__ import annotations

import itertools
import secrets

_serials = itertools.count(1)


def database_ident(kind: str) -> str:
    """A name for a database or a copy of one; never used twice."""
    return f"{kind}-{next(_serials)}-{secrets.token_hex(3)}"
