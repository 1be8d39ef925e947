"""What a rule looks at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from provisioner.errors import ProvisionerError
from provisioner.plan.outline import Outline
from provisioner.survey import Survey


class Fresh(NamedTuple):
    """What a deploy would do: the steps that it makes and changes, and why it cannot do others.

    ``unknown``: why nobody knows; then all may be made.
    """

    made: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    problems: Mapping[str, str] = {}
    unknown: ProvisionerError | None = None


class Look:
    """A plan as far as it is known, the day, whom to ask, and what a deploy would do (None: nobody looked)."""

    def __init__(self, outline: Outline, today: date, survey: Survey | None = None, fresh: Fresh | None = None) -> None:
        self.outline = outline
        self.today = today
        self.fresh = fresh
        self._survey = survey

    @property
    def survey(self) -> Survey:
        """Whom a rule that is ``online`` asks."""
        assert self._survey is not None, "a rule that asks the cloud says so: online=True"
        return self._survey

    @property
    def online(self) -> bool:
        return self._survey is not None

    def made(self, step: str) -> bool:
        """Whether the step may be made by the deploy that this is looked at for."""
        return self.fresh is None or self.fresh.unknown is not None or step in self.fresh.made

    def touched(self, step: str) -> bool:
        """Whether it may be made or changed."""
        return self.made(step) or (self.fresh is not None and step in self.fresh.changed)
