"""aws.lambda_permission: a service of AWS that may call a function.

A permission is a statement in the function's policy and carries no tags. Whose it is stands on the function, as the
tag ``provisioner:permission/<name>``, written before the statement is made.

Weaknesses: a create that got no answer and was never carried out leaves its mark on the function, where it says nothing
as long as there is no such statement. Permissions of a lost record are looked for on functions alone whose name has the
deployment's in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import tags
from provisioner.errors import AlreadyExistsError, NotFoundError
from provisioner.model import OWNER_TAG, Key, Observed, Phase
from provisioner.resource import outright

_MARK: Final = "provisioner:permission/"


@resource.resource("aws.lambda_permission")
class LambdaPermission(resource.Resource):
    """One statement of a function's policy."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Who may call a function. What a field limits is fixed; another permission takes its place."""

        name: (
            Annotated[str, Meta(max_length=100, description="Id of the statement; left out: deployment-step.")] | None
        ) = None
        function: Annotated[
            str,
            Meta(
                pattern=r"^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9-_]+$",
                description="ARN of the function.",
            ),
        ]
        service: Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9.-]+\.amazonaws\.com$",
                description="The service that may call it.",
                examples=["secretsmanager.amazonaws.com"],
            ),
        ]
        source_arn: Annotated[
            str,
            Meta(pattern=r"^(arn:.+)?$", description="ARN (or pattern of one) on whose behalf; empty: any of theirs."),
        ] = ""
        source_account: Annotated[
            str,
            Meta(pattern=r"^(\d{12})?$", description="Account on whose behalf; empty: any. S3's ARNs do not say it."),
        ] = ""

    outputs: ClassVar[Mapping[str, type]] = {"name": str}
    charges = staticmethod(charge.nothing)
    service = "lambda"
    identity = ("function",)
    name_pattern = r"[A-Za-z0-9_-]{1,100}"

    def read(self, key: Key) -> Observed | None:
        """The statement of the key's name; whose it is from the function's tags."""
        try:
            statement = self._statement(key)
            if statement is None:
                return None
            marks = self._marks(key)
        except NotFoundError:
            return None
        condition = statement.get("Condition") or {}
        return Observed(
            phase=Phase.READY,
            owner=marks.get(_MARK + key.name),
            spec={
                "name": key.name,
                "function": key.at["function"],
                "service": (statement.get("Principal") or {}).get("Service", ""),
                "source_arn": (condition.get("ArnLike") or {}).get("AWS:SourceArn", ""),
                "source_account": (condition.get("StringEquals") or {}).get("AWS:SourceAccount", ""),
            },
            outputs={"name": key.name},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Marks the function, then adds the statement."""
        with outright():
            if self._statement(key) is not None and self._marks(key).get(_MARK + key.name) != key.owner:
                raise AlreadyExistsError(
                    "the function has a permission of that name, which is not ours",
                    where=f"lambda AddPermission {key.name}",
                )
            self._mark(key)
        self._call(
            "add_permission",
            key,
            StatementId=key.name,
            Action="lambda:InvokeFunction",
            Principal=spec.service,
            SourceArn=spec.source_arn or None,
            SourceAccount=spec.source_account or None,
        )

    def delete(self, key: Key) -> None:
        """Removes the statement, then the mark."""
        with suppress(NotFoundError):
            self._call("remove_permission", key, StatementId=key.name)
        with suppress(NotFoundError):
            if _MARK + key.name in self._marks(key):
                self._plain("untag_resource", key, Resource=key.at["function"], TagKeys=[_MARK + key.name])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """The marks of those functions whose name has the deployment's in it, and the statement of each."""
        for item in self.session.pages("lambda", "list_functions", "Functions", region=region):
            arn = str(item["FunctionArn"])
            if deployment in str(item["FunctionName"]):
                with suppress(NotFoundError):  # deleted since it was listed
                    marks = self.session.call("lambda", "list_tags", what=arn, region=region, Resource=arn).get("Tags")
                    for tag, owner in (marks or {}).items():
                        name = tag.removeprefix(_MARK)
                        found = tags.found({OWNER_TAG: owner}, deployment, region, name, function=arn)
                        if tag.startswith(_MARK) and found and self._statement(found) is not None:
                            yield found

    def claim(self, key: Key, identifier: str) -> None:
        """Marks the function again."""
        self._mark(key)

    def _statement(self, key: Key) -> Mapping[str, Any] | None:
        """None where there is no such statement, or no policy at all, or no function."""
        try:
            document = json.loads(self._call("get_policy", key)["Policy"])
        except NotFoundError:
            return None
        return next((one for one in document["Statement"] if one.get("Sid") == key.name), None)

    def _marks(self, key: Key) -> dict[str, str]:
        return dict(self._plain("list_tags", key, Resource=key.at["function"]).get("Tags") or {})

    def _mark(self, key: Key) -> None:
        self._plain("tag_resource", key, Resource=key.at["function"], Tags={_MARK + key.name: key.owner})

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self._plain(operation, key, FunctionName=key.at["function"], **parameters)

    def _plain(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("lambda", operation, what=key.name, region=key.region, **parameters)
