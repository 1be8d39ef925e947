"""Looks at what lives inside another object, a database's extension: with what was lent, and knowing what it lives in.

What lives inside something is gone with it, whether anybody can still ask there or not. Which step gave the address is
told by the recorded outputs of the steps above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.engine.loop import Look, Task
from provisioner.errors import UnavailableError
from provisioner.model import Key, Observed, Phase
from provisioner.refs import UnresolvedError, parse, resolve
from provisioner.spec import defaults
from provisioner.state.records import Record

if TYPE_CHECKING:
    from provisioner.engine.context import Context


def look_inside(ctx: Context, resource: Any, key: Key, step: str) -> Task:
    """``Observed | None``; what is lent already counts, else it is taken from the record."""
    record = ctx.record(step)
    if key.owner not in ctx.lent and record is not None:
        try:
            yield from _lend_recorded(ctx, resource, key, record)
        except UnresolvedError as error:
            if (yield from _home_is_gone(ctx, resource, record)):
                return None
            raise ctx.unresolved(step, error) from error
    try:
        seen: Observed | None = yield from ctx.retrier.once(Look(resource, key), resource.service)
    except UnavailableError:
        if record is not None and (yield from _home_is_gone(ctx, resource, record)):
            return None
        seen = yield from ctx.retrier.look(Look(resource, key), resource.service, heard=ctx.heard(step))
    return seen


def _lend_recorded(ctx: Context, resource: Any, key: Key, record: Record) -> Task:
    tree = {**defaults(resource.Spec), **parse(record.spec)}
    part = {name: tree[name] for name in resource.borrows if name in tree}
    yield from ctx.ensure(part)
    yield from ctx.reveal(part, record.step)
    ctx.lend(resource, key, resolve(part, ctx.lookup))


def _home_is_gone(ctx: Context, resource: Any, record: Record) -> Task:
    """Whether the recorded address is one that a step above gave whose object is not there any more."""
    address = record.spec.get(resource.inside)
    for need in record.needs:
        home = ctx.record(need)
        if home is None or address not in home.outputs.values():
            continue
        seen = yield from ctx.look(ctx.drivers.resource(home.type), home.key, need)
        return seen is None or seen.phase is Phase.DELETING
    return False
