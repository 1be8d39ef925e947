"""What a rule looks at."""

from __future__ import annotations

from datetime import date

from provisioner.plan.outline import Outline
from provisioner.survey import Survey


class Look:
    """A plan as far as it is known, the day, and whom to ask.

    ``fresh``: the steps that are about to be made, where that is known; None: all may be.
    """

    def __init__(
        self, outline: Outline, today: date, survey: Survey | None = None, fresh: frozenset[str] | None = None
    ) -> None:
        self.outline = outline
        self.today = today
        self._survey = survey
        self.fresh = fresh

    @property
    def survey(self) -> Survey:
        """Whom a rule that is ``online`` asks."""
        assert self._survey is not None, "a rule that asks the cloud says so: online=True"
        return self._survey

    @property
    def online(self) -> bool:
        return self._survey is not None

    def new(self, step: str) -> bool:
        """Whether the step may be made by the deploy that this is looked at for."""
        return self.fresh is None or step in self.fresh
