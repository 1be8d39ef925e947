"""Run by path with ``python -I -S``: become who the database needs to be, then become the database.

``_launch.py MODE UID GID PARENT SIGNAL COMMAND…``: MODE is ``plain``, ``userns`` (a user namespace in which
we are UID) or ``setuid``. SIGNAL is what the kernel sends us when the thread that started us ends (0:
nothing).

A program of its own, not a ``preexec_fn``: only a process with one thread may enter a user namespace, and
running Python between fork and exec in a program with threads can hang. It imports nothing but the standard
library.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def main(words: list[str]) -> None:
    """Does not return: the process becomes the command."""
    mode, command = words[0], words[5:]
    uid, gid, parent, death_signal = map(int, words[1:5])
    libc = ctypes.CDLL(None, use_errno=True)
    if mode == "userns":
        own_uid, own_gid = os.geteuid(), os.getegid()
        if libc.unshare(CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER) was refused")
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {own_uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {own_gid} 1", encoding="ascii")
    elif mode == "setuid":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    # Python ignores these, and an ignored signal stays ignored over exec.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    if death_signal and sys.platform == "linux":
        # After the change of identity, which clears it.
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the program that started this database has already ended")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
