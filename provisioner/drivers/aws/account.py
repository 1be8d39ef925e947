"""aws.account: the account that the credentials belong to, as a step whose outputs others can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NoReturn

from provisioner import charge, resource
from provisioner.errors import InvalidRequestError
from provisioner.model import Key, Observed, Phase

_HINT = "write `adopt: existing` on the step"


@resource.resource("aws.account")
class Account(resource.Resource):
    """The AWS account in use. It is never made nor deleted: the step must say ``adopt: existing``."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Nothing to choose: the credentials decide."""

    outputs: ClassVar[Mapping[str, type]] = {"id": str, "arn": str, "region": str, "partition": str}
    charges = staticmethod(charge.nothing)
    """``id``: twelve digits; ``arn``: of the caller; ``partition``: aws, aws-cn or aws-us-gov."""
    service = "sts"

    def read(self, key: Key) -> Observed:
        """Always there; owner None, as nobody's tag can be on it."""
        caller = self.session.caller()
        return Observed(
            phase=Phase.READY,
            owner=None,
            outputs={
                "id": caller["account"],
                "arn": caller["arn"],
                "region": key.region or self.session.region,
                "partition": caller["partition"],
            },
        )

    def create(self, key: Key, spec: Spec) -> NoReturn:
        """Refuses."""
        raise InvalidRequestError("an AWS account can only be adopted", where=f"aws.account {key.step}", hint=_HINT)

    def delete(self, key: Key) -> NoReturn:
        """Refuses."""
        raise InvalidRequestError("an AWS account is not deleted", where=f"aws.account {key.step}", hint=_HINT)
