"""The ends of a step that no call of ours can help: each raises, and says what somebody can do."""

from __future__ import annotations

from provisioner.engine.compare import Difference
from provisioner.engine.course import Course
from provisioner.engine.loop import Task
from provisioner.errors import NotFoundError, TerminalStateError
from provisioner.model import Observed


def missing(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    """NotFoundError: it was to be adopted, and is not there."""
    identity = ", ".join(f"{name} {value}" for name, value in course.key.at.items()) or course.key.name
    raise NotFoundError(
        f"there is nothing to adopt: no {course.resource.type} with {identity}",
        where=course.step,
        hint="check the parameter that names it, the region and the account",
    )
    yield


def broken(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    """TerminalStateError: in a state that no waiting mends, and it may hold data."""
    assert seen is not None
    raise TerminalStateError(
        f"{course.key.name} is in a state that no waiting mends: {seen.detail or seen.phase.value}",
        where=course.step,
        hint="the cloud's console or event log has the reason; mend it there or in the plan, then deploy again",
    )
    yield
