"""May a record lie in this bucket? Never in one that strangers can read, and encrypted at rest.

Two ways, for neither is enough alone: what the bucket says about itself (S3; what the credentials may not ask is
skipped), and trying it: without credentials, the lock object that was just written must not be had.
Cloud Storage and Azure encrypt everything, always, so there is nothing to ask.

Weakness: a Cloud Storage bucket that is open to every Google account (``allAuthenticatedUsers``), but not to the
anonymous, passes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from provisioner.errors import RefusedError, StateError
from provisioner.location import Address
from provisioner.state.remote import lease
from provisioner.state.remote.bucket import Bucket


def check(address: Address, stranger: Bucket, refuse: Callable[[], None]) -> None:
    """RefusedError. ``stranger`` reaches the same objects without credentials; the lock object must be there.

    ``refuse``: asks the bucket about itself.
    """
    refuse()
    if _readable(stranger):
        raise RefusedError(
            "the bucket is open to the public: anybody could read this deployment's record",
            where=str(address),
            hint="close it to the public, or use another bucket",
        )


def _readable(stranger: Bucket) -> bool:
    with contextlib.suppress(StateError):  # refused, as it should be
        return stranger.get(lease.NAME) is not None
    return False
