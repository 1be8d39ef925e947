"""Puts the owner's tag back on an object of ours that has lost it: see :mod:`provisioner.engine.lost` for which."""

from __future__ import annotations

from typing import Any

from provisioner.engine.course import Course
from provisioner.engine.loop import Call, Task
from provisioner.engine.lost import identifier
from provisioner.errors import CloudError
from provisioner.state.records import Change


def claim(course: Course, change: Change) -> Task:
    """Returns what it saw last.

    The record stays as it is: to tag twice does no harm, and a crash before it leaves what the next look finds again.
    """
    record = course.record
    assert record is not None
    if course.claimed:
        yield from course.tick(course.started, "the owner's tag to show")
        return (yield from course.look())
    yield from course.ctx.retrier.turn(course.resource.service)
    yield from course.ctx.commit(*course.ctx.announce(change))
    course.ctx.audit("claim", record)
    resource: Any = course.resource
    key, ident = course.key, identifier(course.resource, record)
    try:
        yield from course.ctx.retrier.once(Call(lambda: resource.claim(key, ident)), resource.service)
    except CloudError as error:
        if not error.retryable:
            raise
        yield from course.pause(error)
        return (yield from course.look())
    course.claimed = True
    course.accepted()
    return (yield from course.look())
