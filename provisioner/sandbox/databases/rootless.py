"""Run a server when we are root, which PostgreSQL refuses.

An ordinary user runs it as he is. Root enters a user namespace in which he is ``nobody``: no file changes
hands, and data and binaries may lie below a home that is closed to everyone else. Where namespaces are
forbidden (many containers) the server runs as the real ``nobody``, whose data and binaries must then lie
where he can reach them: weaker, for it takes a directory in the system's temporary place when the sandbox's
own is closed to him.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.binaries import PostgresBinaries

Mode = Literal["plain", "userns", "setuid"]
HOME_PREFIX: Final = "provisioner-databases-"
_LAUNCHER: Final = Path(__file__).with_name("_launch.py")
_PROBE_TIME: Final = 20.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who servers run as; ``uid`` and ``gid`` matter to ``userns`` and ``setuid`` only."""

    mode: Mode = "plain"
    uid: int = 0
    gid: int = 0

    def command(self, argv: list[str], *, death_signal: int = 0) -> list[str]:
        """The command line that runs ``argv`` as this identity.

        ``death_signal`` is sent to it when the thread that started it ends (Linux only; 0: nothing).
        """
        who = [self.mode, str(self.uid), str(self.gid), str(os.getpid()), str(death_signal)]
        return [sys.executable, "-I", "-S", str(_LAUNCHER), *who, *argv]

    def take(self, path: Path) -> None:
        """Make a file, or a tree, belong to this identity; nothing to do where it already does."""
        if self.mode != "setuid":
            return
        for inner in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(inner, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Whether a server of this identity can get to ``path`` (and read it, if it exists)."""
        if self.mode != "setuid":
            return True
        return all(self._enters(parent) for parent in (path, *path.resolve().parents) if parent.exists())

    def _enters(self, path: Path) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return bool(status.st_mode >> shift & 1)


def find_identity() -> Identity:
    """Who servers run as on this machine; SandboxError when root can become nobody in neither way."""
    if os.geteuid() != 0:
        return Identity()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as err:
        raise SandboxError(
            "PostgreSQL does not run as root, and this machine has no user 'nobody' to run it as",
            where="sandbox databases",
            hint="run as an ordinary user, or add a user named nobody",
        ) from err
    refused: list[str] = []
    for identity in (
        Identity("userns", nobody.pw_uid, nobody.pw_gid),
        Identity("setuid", nobody.pw_uid, nobody.pw_gid),
    ):
        problem = _problem(identity)
        if problem is None:
            return identity
        refused.append(f"{identity.mode}: {problem}")
    raise SandboxError(
        f"PostgreSQL does not run as root, and root cannot become nobody here ({'; '.join(refused)})",
        where="sandbox databases",
        hint="run as an ordinary user, or give the container CAP_SYS_ADMIN (user namespaces) or CAP_SETUID",
    )


def settle_home(identity: Identity, root: Path) -> Path:
    """Where the data lives: ``root`` if servers reach it, else a new temporary directory."""
    if identity.reaches(root):
        return root
    parent = Path(tempfile.gettempdir())
    if not identity.reaches(parent):
        raise SandboxError(
            f"PostgreSQL must run as nobody here, who can reach neither {root} nor {parent}",
            where="sandbox databases",
            hint="set TMPDIR to a directory that everyone may enter, or run as an ordinary user",
        )
    home = Path(tempfile.mkdtemp(prefix=HOME_PREFIX, dir=parent))
    identity.take(home)
    return home


def settle_binaries(identity: Identity, binaries: PostgresBinaries, home: Path) -> PostgresBinaries:
    """The installation itself if servers reach it, else a copy below ``home``."""
    if identity.reaches(binaries.bindir / "postgres"):
        return binaries
    if not binaries.trees:
        raise SandboxError(
            f"PostgreSQL must run as nobody here, who cannot reach {binaries.bindir}",
            where="sandbox databases",
            hint="name a PostgreSQL in a directory that everyone may enter, or run as an ordinary user",
        )
    base = binaries.trees[0].parent.parent
    target = home / "binaries"
    for tree in binaries.trees:
        if not (target / tree.relative_to(base)).exists():
            shutil.copytree(tree, target / tree.relative_to(base), symlinks=True)
    identity.take(target)
    return PostgresBinaries(
        target / binaries.bindir.relative_to(base), binaries.major, binaries.version, binaries.trees
    )


def _problem(identity: Identity) -> str | None:
    """Why this identity cannot be taken on, or None."""
    try:
        done = subprocess.run(
            identity.command(["/bin/sh", "-c", 'test "$(id -u)" != 0']),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROBE_TIME,
            check=False,
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        return str(err)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit {done.returncode}"
