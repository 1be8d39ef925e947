"""How preflight ends what would not go well."""

from __future__ import annotations

from provisioner.errors import PlanError


class PreflightError(PlanError):
    """The plan is valid, and what it asks for would not go well: preflight found errors. Nothing was changed.

    Do: mend what the findings say; ``--skip-preflight RULE`` leaves out a rule that is wrong about your plan.
    """

    code = "preflight"
    said = "preflight found"
