"""aws.secret_rotation: a secret that gets a new value by itself, by a function and on a schedule.

Rotation is a setting of a secret and carries no tags. Whose it is stands on the secret, as the tag
``provisioner:rotation``, written before rotation is switched on: there is no moment in which it is on and nobody knows
whose it is. The undo switches it off; a value that was rotated meanwhile stays, for the database has it too.

Weaknesses: what RotateSecret starts runs on by itself, and whether it came to its end is in the function's log alone.
A create that got no answer and was never carried out leaves its mark on the secret, where it says nothing as long as
rotation is off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import tags
from provisioner.drivers.aws.given import asked
from provisioner.errors import AlreadyExistsError, NotFoundError
from provisioner.model import OWNER_TAG, Key, Observed, Phase
from provisioner.resource import outright

_MARK: Final = "provisioner:rotation"
_LEAST_HOURS: Final = 4


def _one_of(every_days: int, schedule: str) -> str | None:
    if bool(every_days) == bool(schedule):
        return "say either every_days or schedule"
    return None


def _not_too_often(schedule: str) -> str | None:
    number, _, unit = schedule.removeprefix("rate(").removesuffix(")").partition(" ")
    if schedule.startswith("rate(") and unit.startswith("hour") and int(number) < _LEAST_HOURS:
        return f"a secret can be rotated every {_LEAST_HOURS} hours at most"
    return None


@resource.resource("aws.secret_rotation")
class SecretRotation(resource.Resource):
    """When a secret is rotated, and by which function. Secrets Manager must be let call it: aws.lambda_permission."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """The rotation of one secret."""

        secret: Annotated[str, Meta(min_length=1, max_length=2048, description="ARN or name of the secret. Fixed.")]
        function_arn: Annotated[
            str,
            Meta(
                max_length=2048,
                pattern=r"^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9-_]+$",
                description="ARN of the function that rotates it.",
            ),
        ]
        every_days: Annotated[
            int, Meta(ge=0, le=1000, description="Days from one rotation to the next; 0: as schedule says.")
        ] = 0
        schedule: Annotated[
            str,
            Meta(
                max_length=256,
                pattern=r"^(rate\(\d{1,4} (hours?|days?)\)|cron\(\S+ \S+ \S+ \S+ \S+ \S+\))?$",
                description="Instead of every_days: rate() or cron(), in UTC.",
                examples=["cron(0 3 1 * ? *)"],
            ),
        ] = ""
        window: Annotated[
            str,
            Meta(pattern=r"^([1-9]\d?h)?$", description="Hours in which it may begin, as 3h; empty: AWS's own choice."),
        ] = ""
        rotate_immediately: Annotated[
            bool,
            Meta(
                description="Whether a first rotation begins as soon as this is set up. Otherwise the function is only "
                "asked to test the current value."
            ),
        ] = False

    outputs: ClassVar[Mapping[str, type]] = {"secret_arn": str}
    charges = staticmethod(charge.nothing)
    rules = (
        resource.Rule(("every_days", "schedule"), _one_of),
        resource.Rule(("schedule",), _not_too_often),
    )
    service = "secretsmanager"
    identity = ("secret",)
    immutable = frozenset({"secret"})

    def read(self, key: Key) -> Observed | None:
        """The secret's description; None where it does not rotate."""
        found = self._describe(key)
        if found is None or not found.get("RotationEnabled"):
            return None
        rules = found.get("RotationRules") or {}
        schedule = rules.get("ScheduleExpression", "")
        return Observed(
            phase=Phase.READY,
            owner=_marks(found).get(_MARK),
            spec={
                "function_arn": found.get("RotationLambdaARN", ""),
                "every_days": 0 if schedule else rules.get("AutomaticallyAfterDays", 0),
                "schedule": schedule,
                "window": rules.get("Duration", ""),
            },
            outputs={"secret_arn": found["ARN"]},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Marks the secret, then switches rotation on."""
        with outright():
            found = self._describe(key)
            if found is None:
                raise NotFoundError("the secret does not exist", where=self._where("RotateSecret", key))
            whose = _marks(found).get(_MARK)
            if found.get("RotationEnabled") and whose != key.owner:
                raise AlreadyExistsError(
                    f"the secret rotates already, {f'for {whose}' if whose else 'and nobody says for whom'}",
                    where=self._where("RotateSecret", key),
                )
            self._call("tag_resource", key, Tags=tags.to_list({_MARK: key.owner}))
        self._rotate(key, spec, at_once=spec.rotate_immediately and not found.get("RotationEnabled"))

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Says all anew. A rotation begins at once only where that is what was changed."""
        self._rotate(key, spec, at_once=spec.rotate_immediately and asked(changed or ["other"], "rotate_immediately"))

    def delete(self, key: Key) -> None:
        """Switches rotation off and takes the mark away; a secret that is gone or on its way has neither."""
        found = self._describe(key)
        if found is None:
            return
        with suppress(NotFoundError):
            if found.get("RotationEnabled"):
                self._call("cancel_rotate_secret", key)
            if _MARK in _marks(found):
                self._call("untag_resource", key, TagKeys=[_MARK])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list of all secrets."""
        for item in self.session.pages("secretsmanager", "list_secrets", "SecretList", region=region):
            owner = _marks(item).get(_MARK, "")
            if item.get("RotationEnabled"):
                at = {"secret": str(item["ARN"])}
                if key := tags.found({OWNER_TAG: owner}, deployment, region, **at):
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Marks the secret again."""
        self._call("tag_resource", key, Tags=tags.to_list({_MARK: key.owner}))

    def _rotate(self, key: Key, spec: Spec, *, at_once: bool) -> None:
        rules: dict[str, Any] = {"AutomaticallyAfterDays": spec.every_days} if spec.every_days else {}
        if spec.schedule:
            rules["ScheduleExpression"] = spec.schedule
        if spec.window:
            rules["Duration"] = spec.window
        self._call(
            "rotate_secret",
            key,
            RotationLambdaARN=spec.function_arn,
            RotationRules=rules,
            RotateImmediately=at_once,
        )

    def _describe(self, key: Key) -> Mapping[str, Any] | None:
        try:
            found = self._call("describe_secret", key)
        except NotFoundError:
            return None
        return None if "DeletedDate" in found else found

    def _call(self, operation: str, key: Key, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.session.call(
            "secretsmanager",
            operation,
            what=key.at["secret"],
            region=key.region,
            SecretId=key.at["secret"],
            **parameters,
        )
        return answer

    @staticmethod
    def _where(operation: str, key: Key) -> str:
        return f"secretsmanager {operation} {key.at['secret']}"


def _marks(found: Mapping[str, Any]) -> dict[str, str]:
    return tags.from_list(found.get("Tags"))
