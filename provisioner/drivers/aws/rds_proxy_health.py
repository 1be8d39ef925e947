"""aws.rds_proxy_health: a gate that passes when an RDS proxy gets through to its database.

A proxy can be ``available`` and of no use: its role may not read the secret or use its key, the secret's password is
not the database's, a security group is in the way. AWS tells little of it (the details are in the debug log alone), so
where the log-in failed this asks further: :mod:`.rds_proxy_access`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import rds_proxy_access
from provisioner.drivers.aws.rds_proxy_state import health_of, told
from provisioner.errors import CloudError, NotFoundError
from provisioner.resource import Verdict

_HELP: Final[Mapping[str, str]] = {
    "UNREACHABLE": "let the proxy's security group in at the database's, and out of its own, on TCP port {port}; "
    "both must be in one VPC, and the database available",
    "CONNECTION_FAILED": "the database does not take the connection: is it available, has it connections left?",
    "PENDING_PROXY_CAPACITY": "AWS is still setting the proxy up",
    "INVALID_REPLICATION_STATE": "the database is a replica that does not follow its source",
}


@resource.resource("aws.rds_proxy_health")
class RdsProxyHealth(resource.Gate):
    """Passes when every database of an RDS proxy is AVAILABLE to it; else says why not, and what to do."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which proxy to ask."""

        proxy: Annotated[
            str, Meta(min_length=1, max_length=63, description="Name of the proxy.", examples=["${proxy.name}"])
        ]

    timeout = 300.0
    interval = 15.0

    def check(self, spec: Spec) -> Verdict:
        """One look: one call where all is well."""
        place = {"what": spec.proxy, "DBProxyName": spec.proxy}
        try:
            targets = list(self.session.pages("rds", "describe_db_proxy_targets", "Targets", **place))
        except NotFoundError:
            return Verdict(False, f"there is no proxy {spec.proxy}")
        except CloudError as error:
            if not error.retryable:
                raise
            return Verdict(False, str(error))
        if not targets:
            return Verdict(False, f"proxy {spec.proxy} has no database registered")
        poor = [target for target in targets if health_of(target).get("State") != "AVAILABLE"]
        if poor:
            return Verdict(False, "; ".join(self._complaint(spec.proxy, target) for target in poor))
        names = ", ".join(str(target.get("RdsResourceId", "")) for target in targets)
        return Verdict(True, f"proxy {spec.proxy} reaches {names}")

    def _complaint(self, proxy: str, target: Mapping[str, Any]) -> str:
        reason = str(health_of(target).get("Reason", ""))
        if reason == "AUTH_FAILURE":
            return f"{told(target)}; {rds_proxy_access.explain(self.session, proxy)}"
        help_ = _HELP.get(reason, "").format(port=target.get("Port", 5432))
        return f"{told(target)}; {help_}" if help_ else told(target)
