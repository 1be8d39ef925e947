"""A value that never shows itself: printed, formatted, logged or pickled it is ``***`` or an error."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn

MASK = "***"


class Secret:
    """A string that only :meth:`reveal` gives out.

    It may be lazy, so that a value which nobody needs is never fetched:

    >>> s = Secret("hunter2")
    >>> print(s, repr(s), f"{s:>5}")
    *** Secret(***)   ***
    >>> s == Secret(lambda: "hunter2")
    True
    """

    __slots__ = ("_fetch", "_value")

    def __init__(self, value: str | Callable[[], str]) -> None:
        self._value: str | None = value if isinstance(value, str) else None
        self._fetch: Callable[[], str] | None = None if isinstance(value, str) else value

    def reveal(self) -> str:
        """The plain value. Callers hand it to an SDK or a connection and keep it nowhere."""
        if self._value is None:
            assert self._fetch is not None
            self._value = self._fetch()
            self._fetch = None
        return self._value

    @property
    def fetched(self) -> bool:
        """Whether :meth:`reveal` needs no call any more."""
        return self._fetch is None

    def fingerprint(self, salt: str) -> str:
        """A short keyed digest (scrypt, 16 hex digits) that notices change and gives nothing away."""
        return _fingerprint(self.reveal(), salt)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __bool__(self) -> bool:
        return True

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied into a file")


@lru_cache(maxsize=4096)
def _fingerprint(value: str, salt: str) -> str:
    # Slow on purpose: a person's short password must not be guessable from a state file.
    digest = hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**12, r=8, p=1, dklen=8)
    return digest.hex()
