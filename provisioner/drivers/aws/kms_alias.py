"""aws.kms_alias: a name for a key, ``alias/…``.

Aliases cannot be tagged. Who owns one is written on its key, as the tag ``provisioner:alias/<name>``,
before the alias is made or moved: so there is no moment in which the alias exists and nobody knows whose it
is.

Weakness: the key that an alias pointed to before keeps the tag. KMS may show the alias there for seconds, and without
the tag it would be nobody's; where the alias points elsewhere the tag says nothing. And a create that got no answer and
was never carried out leaves its mark on the key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import absent, tagged
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.kms_tags import tag_list
from provisioner.errors import (
    AccessDeniedError,
    BusyError,
    CloudError,
    InvalidRequestError,
    NotFoundError,
    ThrottledError,
)
from provisioner.model import OWNER_TAG, Key, Observed, Phase
from provisioner.resource import outright

_MARKED: Final = "kms_alias marked"
_MARK: Final = "provisioner:alias/"
"""How the tags of a key begin that say whose its aliases are."""


def same_key(wanted: str, seen: str) -> bool:
    """Whether two names of a KMS key (id, alias, ARN of either) are the same one.

    >>> same_key("arn:aws:kms:us-east-1:123456789012:key/1234", "1234")
    True
    """
    return _short(wanted) == _short(seen)


def _short(name: str) -> str:
    return name.rpartition(":")[2].removeprefix("key/")


@resource.resource("aws.kms_alias")
class KmsAlias(resource.Resource):
    """A stable name that can be pointed at another key."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A KMS alias."""

        name: (
            Annotated[
                str,
                Meta(max_length=100, description="Name without `alias/`; left out: deployment-step. Fixed."),
            ]
            | None
        ) = None
        region: Annotated[
            Annotated[str, Meta(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")] | None,
            Meta(
                description="Region of the alias and its key. Left out: the plan's. Fixed.",
                examples=["us-west-2"],
            ),
        ] = None
        key_id: Annotated[str, Meta(description="Id or ARN of the key.", examples=["${data-key.key_id}"])]

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "key_id": str}
    charges = staticmethod(charge.nothing)
    """``name``: with ``alias/`` before it, as every KMS call takes it."""
    service = "kms"
    immutable = frozenset({"name", "region"})
    matches: ClassVar = {"key_id": same_key}
    name_pattern = r"(?!aws/|alias/)[a-zA-Z0-9/_-]{1,100}"

    def read(self, key: Key) -> Observed | None:
        """Follows the alias to its key, whose tags say whose it is."""
        found = self._key(key)
        if found is None:
            return absent.note(self.session, self.type, key, None)
        target = str(found["KeyId"])
        return Observed(
            phase=Phase.READY,
            owner=self._owner(key, found),
            spec={"name": key.name, "region": key.region or self.session.region, "key_id": target},
            outputs={"name": _alias(key), "key_id": target},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Marks the key, then makes the alias; where that is refused, the mark is taken off again."""
        make = partial(self._call, "create_alias", key, AliasName=_alias(key), TargetKeyId=spec.key_id)
        with outright():
            free = absent.take(self.session, self.type, key) or self._target(key) is None
            if not free:  # the mark would claim an alias of somebody else
                make()
                return
            self._tag(key, spec.key_id)
        open_ended, me = self.session.memory("kms_alias unanswered"), f"{key.region} {key.owner}"
        try:
            make()
        except CloudError as error:
            if error.retryable and not isinstance(error, ThrottledError | BusyError):
                open_ended[me] = True  # it may have been made after all: then the mark says whose it is
            elif me not in open_ended:
                self._take_mark_off(key, spec.key_id, error)
            raise
        open_ended.pop(me, None)
        self.session.memory(_MARKED)[me] = _short(spec.key_id)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Points it at another key of the same region."""
        self._tag(key, spec.key_id)
        self._call("update_alias", key, AliasName=_alias(key), TargetKeyId=spec.key_id)

    def delete(self, key: Key) -> None:
        """Deletes the alias and its mark; the key stays."""
        self.session.memory(_MARKED).pop(f"{key.region} {key.owner}", None)
        target = self._target(key)
        if target is None:
            return
        try:
            self._call("delete_alias", key, AliasName=_alias(key))
        except NotFoundError:
            return
        self._untag(key, target)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks the keys behind all aliases of the account for their marks."""
        for item in self.session.pages("kms", "list_aliases", "Aliases", region=region):
            name = str(item["AliasName"]).removeprefix("alias/")
            if "TargetKeyId" in item and not name.startswith("aws/"):
                with suppress(NotFoundError, AccessDeniedError):
                    marks = tag_list(self.session, item["TargetKeyId"], region)
                    owner = marks.get(f"{_MARK}{name}", "")
                    if key := tagging.found({OWNER_TAG: owner}, deployment, region, name):
                        yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Marks the key behind the alias again."""
        target = self._target(key)
        if target is not None:
            self._tag(key, target)

    def _call(self, operation: str, key: Key, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.session.call("kms", operation, what=key.name, region=key.region, **parameters)
        return answer

    def _target(self, key: Key) -> str | None:
        found = self._key(key)
        return None if found is None else str(found["KeyId"])

    def _key(self, key: Key) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._call("describe_key", key, KeyId=_alias(key))["KeyMetadata"]
        except NotFoundError:
            return None
        return found

    def _owner(self, key: Key, target: Mapping[str, Any]) -> str | None:
        """As the key behind it says; the first look after a create of ours knows what that has just written there."""
        if self.session.memory(_MARKED).pop(f"{key.region} {key.owner}", None) == target["KeyId"]:
            return key.owner
        listed = tagged.known(self.session, target["Arn"], key.region) or {}
        return listed.get(_mark(key)) or tag_list(self.session, target["KeyId"], key.region, key.name).get(_mark(key))

    def _tag(self, key: Key, target: str) -> None:
        self.session.memory(_MARKED).pop(f"{key.region} {key.owner}", None)
        self._call(
            "tag_resource",
            key,
            KeyId=target,
            Tags=tagging.to_list({_mark(key): key.owner}, "TagKey", "TagValue"),
        )

    def _take_mark_off(self, key: Key, target: str, refused: CloudError) -> None:
        """Else an alias that somebody makes for that key later would pass for ours."""
        try:
            self._untag(key, target)
        except CloudError as error:
            refused.add_note(f"the tag {_mark(key)} is still on the key {target}, take it off: {error}")

    def _untag(self, key: Key, target: str) -> None:
        try:
            self._call("untag_resource", key, KeyId=target, TagKeys=[_mark(key)])
        except (NotFoundError, InvalidRequestError) as err:
            _expect_dying_key(err)


def _expect_dying_key(err: CloudError) -> None:
    """A key that is scheduled for deletion takes no change, and its tags go with it."""
    if not isinstance(err, NotFoundError) and err.cloud_code != "KMSInvalidStateException":
        raise err


def _alias(key: Key) -> str:
    return f"alias/{key.name}"


def _mark(key: Key) -> str:
    return f"{_MARK}{key.name}"
