"""An object that cannot be deleted because something holds it: who that is, and whether waiting helps.

=========================  =======================================================================================
all holders are leaving    wait for them, up to the step's time
one belongs to others      nobody here takes it away: try for :data:`FOREIGN` seconds, then say who it is
else (ours, or unknown)    try as often as the policy allows: an undo beside this one may be about to free it
=========================  =======================================================================================
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from provisioner.engine.context import Context
from provisioner.engine.loop import Call, Task
from provisioner.errors import CloudError, InUseError
from provisioner.model import Key
from provisioner.resource import CanNameHolders, Holder, Resource
from provisioner.state.records import Status

FOREIGN = 5.0
"""Seconds for which a holder of others is given the chance to be an old answer of a slow cloud."""

_MOST = 5


class Outlook(enum.Enum):
    """What waiting for the holders promises."""

    LEAVING = "leaving"
    STANDING = "standing"
    OPEN = "open"


def holders_of(resource: Resource, key: Key) -> Task:
    """Who holds the object, or nobody where that cannot be found out: the refusal itself is what matters."""
    if not isinstance(resource, CanNameHolders):
        return []
    try:
        return (yield Call(lambda: resource.holders(key)))
    except CloudError:
        return []


def outlook(ctx: Context, holders: Sequence[Holder]) -> Outlook:
    """See the table above."""
    if any(not _ours(ctx, holder) and not holder.leaving for holder in holders):
        return Outlook.STANDING
    if holders and all(_leaving(ctx, holder) for holder in holders):
        return Outlook.LEAVING
    return Outlook.OPEN


def _ours(ctx: Context, holder: Holder) -> bool:
    return (holder.owner or "").startswith(f"{ctx.state.deployment}/")


def _leaving(ctx: Context, holder: Holder) -> bool:
    if holder.leaving:
        return True
    record = ctx.record((holder.owner or "").partition("/")[2])
    # One that an earlier run was at may wait until this one comes to it, which may be after the object that it holds.
    return record is not None and record.status is Status.DELETING and record.since >= ctx.run.started


def named(error: InUseError, holders: Sequence[Holder]) -> InUseError:
    """The refusal with the names of the holders, and what to do about them by hand."""
    if not holders:
        return error
    who = ", ".join(holder.what for holder in holders[:_MOST])
    more = f" and {len(holders) - _MOST} more" if len(holders) > _MOST else ""
    told = InUseError(
        f"{error.message.rstrip('.')}; it is held by {who}{more}",
        where=error.where,
        hint="; ".join(dict.fromkeys(holder.by_hand for holder in holders if holder.by_hand)) or error.hint,
        cloud_code=error.cloud_code,
    )
    told.__cause__ = error
    return told
