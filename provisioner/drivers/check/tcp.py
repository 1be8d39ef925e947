"""check.tcp: something accepts connections."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.check.stages import reach


@resource.resource("check.tcp")
class Tcp(resource.Gate):
    """Passes when a TCP connection can be opened; nothing is sent."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Where to knock."""

        host: Annotated[str, Meta(min_length=1, description="Name or address.")]
        port: Annotated[int, Meta(ge=1, le=65535, description="TCP port.")]

    timeout = 300.0

    def check(self, spec: Spec) -> resource.Verdict:
        """One look."""
        return reach(spec.host, spec.port) or resource.Verdict(True, f"{spec.host}:{spec.port} accepts connections")
