"""The directory of a sandbox's databases: held by one host at a time, swept when it comes and goes.

Where servers cannot reach it (see ``rootless``) their data moves to ``home``, a directory in the system's
temporary place, whose path is kept in the file ``home`` so that the next host finds what a killed one left
there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.processes import end_leftover
from provisioner.sandbox.databases.rootless import HOME_PREFIX, Identity, settle_home

_KINDS: Final = ("postgres", "valkey", "snapshots")


class Premises:
    """``root`` with its lock; SandboxError where another host holds it.

    ``home`` is where PostgreSQL's data goes: ``root``, until :meth:`settle` finds that servers cannot reach
    it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.home = self.root
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = _hold(self.root)
        try:
            self._sweep()
        except BaseException:
            os.close(self._held)
            raise

    def settle(self, identity: Identity) -> Path:
        """Choose ``home`` for servers of ``identity``; once chosen it stays."""
        if self.home == self.root:
            self.home = settle_home(identity, self.root)
            (self.root / "home").write_text(str(self.home), encoding="utf-8")
        return self.home

    def directory(self, kind: str, name: str) -> Path:
        """A path of its own for any ``name``, in a directory that exists; nothing is made at the path."""
        parent = (self.root if kind == "valkey" else self.home) / kind
        parent.mkdir(exist_ok=True)
        # Servers must get through, whatever our umask says; what is below is closed.
        parent.chmod(0o711)
        return parent / quote(name, safe="").replace(".", "%2E")

    def leave(self) -> None:
        """Delete every database and snapshot and let the directory go."""
        self._delete_data()
        os.close(self._held)

    def _sweep(self) -> None:
        """End and delete what an earlier host left behind: it was killed, or the machine went down."""
        with suppress(FileNotFoundError):
            told = Path((self.root / "home").read_text(encoding="utf-8"))
            # What a file names is deleted only if it can be one of ours.
            if told.name.startswith(HOME_PREFIX):
                self.home = told
        for base in {self.root, self.home}:
            pid_files = (*base.glob("postgres/*/data/postmaster.pid"), *base.glob("valkey/*/*/valkey.pid"))
            for pid_file in pid_files:
                end_leftover(pid_file)
        self._delete_data()
        self.home = self.root

    def _delete_data(self) -> None:
        for kind in _KINDS:
            if (self.root / kind).exists():
                shutil.rmtree(self.root / kind)
        if self.home != self.root and self.home.exists():
            shutil.rmtree(self.home)


def _hold(root: Path) -> int:
    """Take the directory for this process, for as long as the returned file descriptor is open."""
    held = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        os.close(held)
        raise SandboxError(
            f"another sandbox is at work in {root}",
            where="sandbox databases",
            hint="stop it, or use another directory",
        ) from err
    return held
