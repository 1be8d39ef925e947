"""What a plan leaves open until the cloud says it: the major version "15" is its newest minor on the day of the create.

It is settled before the step is decided, so a preview shows it and the intent on disk has it. From then on what is
there, or else what was recorded, stands for the plan's word: nothing changes because the cloud offers something newer
by now, and nobody is asked. What is to be made anew is settled anew, for what it was may no longer be on offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from provisioner.engine.context import Context, Seen, Settled
from provisioner.engine.course import Target, aim
from provisioner.engine.loop import Task
from provisioner.model import Key, Observed
from provisioner.plan.model import StepDecl
from provisioner.refs import UnresolvedError, resolve
from provisioner.resource import CanSettle
from provisioner.state.records import Record, Status


def settle(ctx: Context, decl: StepDecl, key: Key, seen: Observed | None, *, anew: bool = False) -> Task:
    """The step with values in place of words; what they came to is kept in the context for the deploy that follows.

    ``anew``: what is there is going to be replaced, and stands for nothing.
    """
    resource = ctx.drivers.resource(decl.type)
    if not isinstance(resource, CanSettle):
        return decl
    known = _known(ctx, decl)
    words = {name: known[name] for name in sorted(resource.settles) if known.get(name) is not None}
    record = ctx.record(decl.name)
    if record is not None and (record.type != decl.type or record.key != key):
        record = None  # it tells of another object
    seen = None if anew else seen
    kept = {} if anew else _kept(resource, words, record, seen)
    found: dict[str, Any] = {}
    if words.keys() - kept.keys():
        answer = yield from ctx.ask(lambda: resource.settle(key, known, seen), resource.service, decl.name)
        found = {name: value for name, value in answer.items() if name not in kept}
    ctx.settled[decl.name] = Settled(words, {**words, **kept, **found}, found)
    return _with(decl, ctx.settled[decl.name])


def settled(ctx: Context, target: Target) -> Task:
    """The target with what the preview settled, or with what is settled now where that could not foresee it."""
    decl = target.decl
    if not isinstance(target.resource, CanSettle):
        return target
    known, done = _known(ctx, decl), ctx.settled.get(decl.name)
    if done is not None and all(known.get(name) == word for name, word in done.words.items()):
        return aim(ctx, _with(decl, done))
    prior = ctx.seen.get(decl.name)
    if prior is None or prior.key != target.key:
        seen = yield from ctx.look_for(target.resource, target.key, decl.name)
        prior = ctx.seen[decl.name] = Seen(target.key, seen, ctx.clock.now())
    return aim(ctx, (yield from settle(ctx, decl, target.key, prior.seen)))


def _with(decl: StepDecl, done: Settled) -> StepDecl:
    return msgspec.structs.replace(decl, tree={**decl.tree, **done.values})


def _known(ctx: Context, decl: StepDecl) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, value in decl.tree.items():
        try:
            known[name] = resolve(value, ctx.lookup)
        except UnresolvedError:
            continue
    return known


def _kept(resource: Any, words: Mapping[str, Any], record: Record | None, seen: Observed | None) -> dict[str, Any]:
    """What stands for a word already. Of what is gone nothing does, unless a create of it may be under way."""
    there = seen.spec if seen is not None else {}
    begun = record is not None and record.status is Status.CREATING
    recorded = record.spec if record is not None and (seen is not None or begun) else {}
    kept: dict[str, Any] = {}
    for name, word in words.items():
        same = resource.matches.get(name)
        fits = [
            v for v in (there.get(name), recorded.get(name)) if v is not None and (same(word, v) if same else word == v)
        ]
        if fits:
            kept[name] = fits[0]
    return kept
