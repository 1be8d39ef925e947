"""Where provisioner keeps its files: ``PROVISIONER_HOME``, by default ``./.provisioner``.

``deployments/`` has the records of the real thing, ``sandbox-deployments/`` those of rehearsals, so that one can never
touch the other; ``sandbox/`` is the sandbox's own data.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Home(msgspec.Struct, frozen=True):
    """The directories of one user."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        return cls(Path(os.environ.get("PROVISIONER_HOME") or ".provisioner").absolute())

    @property
    def sandbox(self) -> Path:
        return self.root / "sandbox"

    def deployments(self, *, sandbox: bool) -> Path:
        return self.root / ("sandbox-deployments" if sandbox else "deployments")

    def deployment(self, name: str, *, sandbox: bool) -> Path:
        return self.deployments(sandbox=sandbox) / name
