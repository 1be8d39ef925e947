"""What its cloud calls failed for good: it takes no modification, so none is sent, and none is waited for."""

from __future__ import annotations

from typing import NoReturn

from provisioner.errors import InvalidRequestError
from provisioner.resource import outright

HINT = "roll back the run that made it; or destroy it and deploy again, from its last snapshot where it held data"


def refuse(where: str, status: str) -> NoReturn:
    """Refuses an update of it, before anything was sent."""
    with outright():
        raise InvalidRequestError(f"it is {status}, and nothing can be changed of it any more", where=where, hint=HINT)
