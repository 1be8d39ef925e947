"""A proxy in front of a PostgreSQL: an endpoint of its own that lets in whom it has credentials for.

It plays RDS Proxy and its like. What it lets through goes to the server as it is, password and all: nothing is pooled.
Its texts are RDS Proxy's.

Weakness: who logs in with a password that is the database's and not the one of the proxy's secret gets in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from provisioner.sandbox.databases.addresses import Endpoint, endpoint_of, listen
from provisioner.sandbox.databases.authority import Authority
from provisioner.sandbox.databases.tlsfront import Front, FrontLoop, Refusal, Speech

_NOBODY: Final[Mapping[str, bool]] = MappingProxyType({})
_PROTOCOL: Final = "08P01"
_AUTHORIZATION: Final = "28000"
_NO_CONNECTION: Final = Refusal("08006", "Timed-out waiting to acquire database connection")


@dataclass(frozen=True, slots=True)
class ProxyRules:
    """Whom a proxy lets in. ``users``: by name whether he needs an IAM token; ``reachable``: there is a server."""

    users: Mapping[str, bool] = field(default_factory=lambda: _NOBODY)
    require_tls: bool = True
    reachable: bool = False

    def refusal(self, user: str, secure: bool) -> Refusal | None:
        """Why a user is not let through."""
        if not user:
            return Refusal(
                _PROTOCOL,
                "A user name is missing from the connection startup packet. Provide a user name for this connection.",
            )
        if self.require_tls and not secure:
            return Refusal(_AUTHORIZATION, "This RDS Proxy requires TLS connections")
        if user not in self.users:
            return Refusal(
                _AUTHORIZATION,
                f"This RDS proxy has no credentials for the role {user}. Check the credentials for this role and try "
                "again.",
            )
        if self.users[user]:  # nobody here can tell a good token from a bad one
            return Refusal(_AUTHORIZATION, f"IAM authentication failed for the role {user}")
        return None if self.reachable else _NO_CONNECTION


class PostgresProxy:
    """One proxy's endpoint, which stays the same until it is removed."""

    def __init__(self, fronts: FrontLoop, authority: Authority, port: int) -> None:
        sock = listen(port)
        try:
            self.endpoint = endpoint_of(sock)
            context = authority.server_context(self.endpoint.host)
            self._front: Front | None = fronts.open(sock, Speech.POSTGRES, [], context=context)
        except BaseException:
            sock.close()
            raise
        self.direct(None, ProxyRules())

    def direct(self, target: Endpoint | None, rules: ProxyRules) -> None:
        """Where connections go from now on, and whose."""
        if self._front is not None:
            self._front.retarget([target] if target else [])
            self._front.admits = rules.refusal if target else ProxyRules(rules.users, rules.require_tls).refusal

    def remove(self, fronts: FrontLoop) -> None:
        """Close the endpoint and every connection through it."""
        if self._front is not None:
            fronts.close_front(self._front)
            self._front = None
