"""How strictly a gate judges a server's certificate."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from provisioner.drivers.check.session import CheckSession

Mode = Annotated[
    Literal["require", "verify", "off"],
    Meta(
        description="require: encrypted, and verified where a CA is known (ca_file, or the endpoint in use). "
        "verify: verified always, by ca_file or the machine's own CAs. off: not encrypted."
    ),
]
CaFile = Annotated[
    str | None,
    Meta(
        description="PEM file with the certificate authority; for RDS the regional bundle from "
        "truststore.pki.rds.amazonaws.com.",
        examples=["./global-bundle.pem"],
    ),
]


def anchors(session: CheckSession, ca_file: str | None) -> list[str]:
    """The PEM files to trust: the plan's, else those of the endpoints in use."""
    return [ca_file] if ca_file else list(session.anchors)
