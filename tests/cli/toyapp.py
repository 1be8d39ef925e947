"""``python -m tests.cli.toyapp WORDS``: the command line over a toy cloud of its own process.

``TOY_SLOW=db=30`` makes what has ``db`` in its name take 30 seconds; ``TOY_FAIL=db`` refuses to create it;
``TOY_DISK=2000`` lets no file grow beyond so many bytes; ``TOY_HUMBLE=1`` takes root's right to write where a
directory's mode forbids it. ``TOY_CLOUD=FILE`` keeps the cloud in a file that outlives the process; with it
``TOY_HOLD="create shop-db FIFO"`` makes that call take until somebody who has opened the FIFO closes it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import threading
from pathlib import Path

from provisioner.cli.app import App
from provisioner.cli.main import root
from provisioner.engine.clock import SystemClock
from provisioner.errors import AccessDeniedError
from tests.engine.toycloud import ToyCloud
from tests.engine.toytypes import registry

_VERSION_3 = 0x20080522
_OVERRIDE, _SEARCH = 1, 2
_OURS = ("clock", "hooks", "_check")
"""What of a cloud belongs to the process that holds it."""
_SAVING = threading.Lock()


def cloud_of(file: Path) -> ToyCloud:
    """The cloud in a file; an empty one where there is no file."""
    cloud = ToyCloud(SystemClock())
    if file.exists():
        vars(cloud).update(pickle.loads(file.read_bytes()))
    return cloud


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _save(cloud: ToyCloud, file: Path) -> None:
    """Puts it into the file, whole; the cloud's disk is not ours, so no limit holds for it."""
    between = file.with_name(f"{file.name}.tmp")
    with _SAVING:
        size, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        _limit(resource.RLIM_INFINITY)
        between.write_bytes(pickle.dumps({name: value for name, value in vars(cloud).items() if name not in _OURS}))
        between.replace(file)
        _limit(size)


def _kept(file: Path, hold: str) -> ToyCloud:
    """A cloud that is written into its file before anybody hears that a call took effect."""
    cloud = cloud_of(file)
    verb, name, fifo = hold.split() if hold else ("", "", "")

    def hook(when: str, what: str, which: str) -> None:
        if (when, what, which) == ("before", verb, name):
            with open(fifo, "rb") as held:  # noqa: PTH123 - a FIFO
                held.read()
        if when == "after":
            _save(cloud, file)

    cloud.hooks.append(hook)
    return cloud


def _be_humble() -> None:
    """Modes count for this process too, even if it is root's."""
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, sets) == 0
    for place in (0, 1):  # effective, permitted
        sets[place] &= ~(1 << _OVERRIDE | 1 << _SEARCH)
    assert libc.capset(header, sets) == 0


def main() -> None:
    file = os.environ.get("TOY_CLOUD")
    cloud = _kept(Path(file), os.environ.get("TOY_HOLD", "")) if file else ToyCloud(SystemClock())
    name, _, seconds = os.environ.get("TOY_SLOW", "").partition("=")
    if name:
        cloud.provision[name] = float(seconds)
    refused = os.environ.get("TOY_FAIL")
    if refused:
        cloud.fail("create", refused, lambda: AccessDeniedError("no", cloud_code="AccessDenied"))
    limit = os.environ.get("TOY_DISK")
    if limit:
        _limit(int(limit))
    if os.environ.get("TOY_HUMBLE"):
        _be_humble()
    root.main(obj=App(registry=lambda: registry(cloud)))


if __name__ == "__main__":
    main()
