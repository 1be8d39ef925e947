"""The names under which a record lies in a bucket, and putting its journal together.

::

    lock.json            who holds it, renewed
    state.json           the last snapshot
    history/SERIAL       snapshots before it
    journal/SERIAL       one commit each, since the snapshot before the last
    audit/NUMBER         audit lines, in batches
    kept/NAME            what a recovery or an upgrade set aside
    clock/RANDOM         a probe, removed at once: what time it is at the store
"""

from __future__ import annotations

from typing import Final

from provisioner.state.remote.bucket import Bucket

JOURNAL: Final = "journal/"
HISTORY: Final = "history/"
AUDIT: Final = "audit/"
KEPT: Final = "kept/"


def numbered(folder: str, value: int) -> str:
    """A name that sorts as its number does."""
    return f"{folder}{value:016d}"


def number(name: str) -> int:
    """The number in a name; 0 where somebody put another object there."""
    text = name.rpartition("/")[2]
    return int(text) if text.isascii() and text.isdigit() else 0


def is_numbered(name: str) -> bool:
    """One of ours, not another object that somebody put there."""
    return name == numbered(f"{name.rpartition('/')[0]}/", number(name))


def contents(segment: bytes) -> bytes:
    """A segment without its writer's token; empty for a claim."""
    return segment.partition(b"\n")[2]


def segments(bucket: Bucket) -> bytes:
    """The journal's lines, oldest first.

    What lies before a gap was left by a writer that had lost its lock, after the serials that it used were folded
    and dropped: it is older than the snapshot, and left out.
    """
    names = [name for name in bucket.names(JOURNAL) if is_numbered(name)]
    run: list[bytes] = []
    expected = 0
    for name, data in zip(names, bucket.get_all(names), strict=True):
        if data is None:
            continue  # folded and dropped while we looked
        lines = contents(data)
        if number(name) != expected:
            run = []
        run.append(lines)
        expected = number(name) + lines.count(b"\n")
    return b"".join(run)
