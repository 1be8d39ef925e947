"""What types inside a database share: the certificates to trust, and the fence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provisioner.drivers.check.session import CheckSession
from provisioner.drivers.check.session import open_session as open_check


class SqlSession(CheckSession):
    """``anchors``: paths of PEM files with the certificate authorities of the endpoints in use."""

    def __init__(self, anchors: Sequence[str] = ()) -> None:
        super().__init__(anchors)
        self.ask: Callable[[], None] = lambda: None
        """Asked before a connection is opened; LockLostError once another run may be at work."""

    def fence(self, check: Callable[[], None]) -> None:
        """From now on ``check`` is asked before anything is sent."""
        self.ask = check

    def identity(self) -> str:
        """Whoever the plan's users are; no account."""
        return "sql:"


def open_session(region: str = "") -> SqlSession:
    """The session; every ``ca`` of the file that PROVISIONER_ENDPOINTS names, where it is set."""
    return SqlSession(open_check(region).anchors)
