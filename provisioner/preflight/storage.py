"""Storage: growth, and what gp3 gives at which size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.preflight.book import RDS_GUIDE, rule
from provisioner.preflight.rds import INSTANCES
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

_GROWTH: Final = f"{RDS_GUIDE}/USER_PIOPS.Autoscaling.html"
_ROOM: Final = 1.26
_FAST_FROM: Final = 400
_NEAR: Final = 300


@rule(
    "storage.no-growth",
    Level.WARNING,
    source=_GROWTH,
    hint="set max_allocated_storage; a database whose disk is full stops",
)
def no_growth(look: Look) -> Iterator[Hit]:
    """A database's storage does not grow by itself."""
    for item in look.outline.of("aws.rds_instance"):
        if not item.sets("max_allocated_storage"):
            yield on(item, "allocated_storage", f"{item.get('allocated_storage')} GiB are all there will ever be")


@rule("storage.little-room", Level.WARNING, source=_GROWTH, hint="AWS recommends 26% above allocated_storage at least")
def little_room(look: Look) -> Iterator[Hit]:
    """Storage may grow by itself, but by less than AWS recommends."""
    for item in look.outline.of(*INSTANCES):
        size, most = item.get("allocated_storage"), item.get("max_allocated_storage")
        if isinstance(size, int) and isinstance(most, int) and size * 1.1 <= most < size * _ROOM:
            yield on(item, "max_allocated_storage", f"{most} GiB is {round(most / size * 100 - 100)}% above {size} GiB")


@rule(
    "storage.gp3-step",
    Level.WARNING,
    source=f"{RDS_GUIDE}/CHAP_Storage.html#gp3-storage",
    hint="400 GiB of gp3 have 12000 IOPS and 500 MiB/s included, less has 3000 and 125",
)
def gp3_step(look: Look) -> Iterator[Hit]:
    """A gp3 volume stays just below the size from which it is four times as fast for nothing."""
    for item in look.outline.of("aws.rds_instance"):
        size = item.get("allocated_storage")
        if item.get("storage_type") == "gp3" and isinstance(size, int) and _NEAR <= size < _FAST_FROM:
            yield on(item, "allocated_storage", f"{size} GiB is just short of {_FAST_FROM}")


@rule(
    "storage.gp2",
    Level.WARNING,
    source=f"{RDS_GUIDE}/CHAP_Storage.html#USER_PIOPS",
    hint="storage_type: gp3 costs less and does not run out of burst credits",
)
def gp2(look: Look) -> Iterator[Hit]:
    """A gp2 volume, whose speed depends on its size and on credits."""
    for item in look.outline.of(*INSTANCES):
        if item.get("storage_type") == "gp2":
            yield on(item, "storage_type", "gp2 slows down when its burst credits are spent")
