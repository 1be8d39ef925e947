"""Which findings a plan has waived, and what is wrong with its waivers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Final

from provisioner.model import Finding, Severity
from provisioner.plan.model import Plan, Waiver

EXPIRED: Final = "waiver.expired"
UNUSED: Final = "waiver.unused"
UNKNOWN: Final = "waiver.unknown-rule"

WAIVERS: Final[Mapping[str, str]] = {
    EXPIRED: """The day of a waiver has passed, so that what it waived counts again.

Do: mend what it waived, or look at it again and move the day.""",
    UNUSED: """A waiver waives nothing: what it is about is no longer found.

Do: take it out; where it is meant for one environment alone, say so with environments.""",
    UNKNOWN: """A waiver names a rule that does not exist.

Do: mend its id; provisioner scan --rules and provisioner preflight --rules list them.""",
}
"""What is wrong with a waiver, and after ``Do:`` what to do about it."""


class Waivers:
    """The waivers of a plan on a day. :meth:`of` remembers which were needed."""

    def __init__(self, plan: Plan, today: date) -> None:
        self.plan = plan
        self.today = today
        self._used: set[Waiver] = set()

    def of(self, rule: str, step: str) -> Waiver | None:
        """The waiver that holds for a finding of a rule about a step; one about no step is waived for all."""
        for waiver in self.plan.waivers:
            if waiver.rule == rule and (waiver.steps is None or step in waiver.steps):
                self._used.add(waiver)
                if waiver.until >= self.today:
                    return waiver
        return None

    def findings(self, checked: Collection[str], known: Collection[str]) -> Iterator[Finding]:
        """What is wrong with them: expired, of no use, or of a rule that nobody knows.

        ``checked``: the ids of the rules that were asked; a waiver of another may well be of use elsewhere.
        """
        for number, waiver in enumerate(self.plan.waivers):
            if waiver.rule not in known:
                yield _finding(UNKNOWN, number, waiver, f"there is no rule {waiver.rule!r}", "mend its id")
            elif waiver.rule not in checked:
                continue
            elif waiver not in self._used:
                what = f"nothing is found of {waiver.rule} that it could waive"
                yield _finding(UNUSED, number, waiver, what, "take it out")
            elif waiver.until < self.today:
                what = f"the waiver of {waiver.rule} ended on {waiver.until}"
                yield _finding(
                    EXPIRED, number, waiver, what, "mend what it waived, or look at it again and move the day"
                )


def _finding(id_: str, number: int, waiver: Waiver, message: str, hint: str) -> Finding:
    return Finding(
        id=id_,
        message=message,
        severity=Severity.WARNING,
        where=waiver.where,
        subject=f"waivers[{number}]",
        hint=hint,
    )
