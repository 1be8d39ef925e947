"""aws.secret_version: the credentials of a database as the current version of a secret.

A version cannot be tagged, but it can carry staging labels, so ownership is one:
``provisioner/<deployment>/<step>``, put there by the very call that makes the version. The version that was
current before gets ``…/before``, so that a delete can make it current again however often the credentials
were changed in between. (Until the first such change it is AWSPREVIOUS, so a crash before that mark loses
nothing.)

What is compared is the current version, whoever wrote it: after a rotation that kept the shape, a plan that
refers to the secret's value sees the new password on both sides and finds no difference.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import secret_list
from provisioner.errors import InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright
from provisioner.secret import Secret
from provisioner.spec import plain

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"


def _same(wanted: Mapping[str, Any], seen: Secret) -> bool:
    """Whether the current document is what the plan says; both sides are revealed here and kept nowhere."""
    try:
        return bool(json.loads(seen.reveal()) == _revealed(wanted))
    except ValueError:
        return False


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: _revealed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    return value


@resource.resource("aws.secret_version")
class SecretVersion(resource.Resource):
    """A JSON document as a secret's current version, such as engine, username, password, host, port and
    dbname."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """The content of a secret."""

        secret: Annotated[str, Meta(min_length=1, max_length=2048, description="Name or ARN of the secret.")]
        value: Annotated[
            dict[str, Any],
            Meta(
                min_length=1,
                description="Members of the document; secret ones as references.",
                examples=[{"username": "app", "password": "${db-secret.value}", "host": "${db.endpoint}"}],
            ),
        ]

    outputs: ClassVar[Mapping[str, type]] = {"arn": str, "version_id": str}
    charges = staticmethod(charge.nothing)
    """``arn``: of the secret."""
    service = "secretsmanager"
    identity = ("secret",)
    immutable = frozenset({"secret"})
    secret_fields = frozenset({"value"})
    matches: ClassVar = {"value": _same}

    def read(self, key: Key) -> Observed | None:
        """The version with the step's label; its secret going away takes it along."""
        found = self._describe(key)
        if found is None:
            return None
        version = _labelled(found, _label(key))
        if version is None:
            return None
        return Observed(
            phase=Phase.READY,
            owner=key.owner,
            spec={"value": Secret(lambda: self._current(key, found))},
            outputs={"arn": found["ARN"], "version_id": version},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Puts the version, made current and labelled in one call, then marks the one that was current
        before."""
        with outright():
            found = self._describe(key)
            if found is None:
                raise NotFoundError("the secret does not exist", where=self._where("PutSecretValue", key))
            fresh = _labelled(found, _label(key)) is None
            if fresh:
                self._put(key, spec)
        if fresh:
            self._mark(key, found, _labelled(found, CURRENT))
        elif not _same(plain(spec.value), Secret(lambda: self._current(key, found))):
            self.update(key, spec)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Puts another version; the label moves along. A mark that a crash prevented is made up for first."""
        found = self._describe(key)
        if found is None:
            raise NotFoundError("the secret does not exist", where=self._where("PutSecretValue", key))
        if _labelled(found, _label(key)) == _labelled(found, CURRENT):
            self._mark(key, found, _labelled(found, PREVIOUS))
        self._put(key, spec)

    def delete(self, key: Key) -> None:
        """Makes the version before ours current again and takes our labels away; the label of ownership
        last."""
        found = self._describe(key)
        if found is None:
            return
        ours, marked = _labelled(found, _label(key)), _labelled(found, _before(key))
        before = marked or _labelled(found, PREVIOUS)
        try:
            if ours and before and ours == _labelled(found, CURRENT):
                self._stage(key, CURRENT, MoveToVersionId=before, RemoveFromVersionId=ours)
            if marked:
                self._stage(key, _before(key), RemoveFromVersionId=marked)
            if ours:
                self._stage(key, _label(key), RemoveFromVersionId=ours)
        except NotFoundError:
            return  # the whole secret went meanwhile

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

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list of all secrets: it has their versions' labels. Who loses his label is gone, so there is no claim."""
        start = f"provisioner/{deployment}/"
        for item in self.session.pages("secretsmanager", "list_secrets", "SecretList", region=region):
            labels = {label for stages in (item.get("SecretVersionsToStages") or {}).values() for label in stages}
            for step in sorted(label.removeprefix(start) for label in labels if label.startswith(start)):
                if "/" not in step:  # not the mark of the version before
                    name = f"{deployment}-{step}"
                    yield Key(deployment=deployment, step=step, name=name, region=region, at={"secret": item["ARN"]})

    def _describe(self, key: Key) -> dict[str, Any] | None:
        """The secret, or None where it is gone or scheduled to go: either way its versions are."""
        try:
            found = self._call("describe_secret", key)
        except NotFoundError:
            return None
        return None if "DeletedDate" in found else found

    def _put(self, key: Key, spec: Spec) -> None:
        text = Secret(lambda: json.dumps(_revealed(plain(spec.value))))
        self._call("put_secret_value", key, SecretString=text, VersionStages=[CURRENT, _label(key)])

    def _mark(self, key: Key, found: Mapping[str, Any], version: str | None) -> None:
        if version and _labelled(found, _before(key)) is None:
            self._stage(key, _before(key), MoveToVersionId=version)

    def _stage(self, key: Key, label: str, **where: str) -> None:
        self._call("update_secret_version_stage", key, VersionStage=label, **where)

    def _current(self, key: Key, found: Mapping[str, Any]) -> str:
        text = secret_list.current(self.session, found, key.region, key.at["secret"]).get("SecretString")
        if not isinstance(text, str):
            raise InvalidRequestError("the current version is not text", where=self._where("GetSecretValue", key))
        return text

    def _where(self, operation: str, key: Key) -> str:
        return f"secretsmanager {operation} {key.at['secret']}"


def _label(key: Key) -> str:
    return f"provisioner/{key.owner}"


def _before(key: Key) -> str:
    return f"{_label(key)}/before"


def _labelled(found: Mapping[str, Any], label: str) -> str | None:
    """The version that carries a staging label."""
    stages: Mapping[str, list[str]] = found.get("VersionIdsToStages") or {}
    return next((version for version, labels in stages.items() if label in labels), None)
