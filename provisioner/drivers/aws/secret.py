"""aws.secret: a generated password in Secrets Manager, alone or inside a JSON document.

The value is made here, by the operating system's random source, goes to AWS in the create call and is kept
nowhere. It is read back only when something needs it. It is never overwritten: a secret that exists keeps
its value.

A deleted secret keeps its name for its recovery window. Making the same step again takes it back with its value (with
a new one only where the plan asks for another shape by now), and says so if the name belongs to somebody else. From
then on it carries a mark, and nothing here destroys it at once any more: neither the undo of the run that took it back
nor ``--allow-data-loss``.
Secrets Manager's list may lag by five minutes. So it is believed in two cases alone: at a glance (a preview, a look for
drift), and of a secret that this session has just made and not changed since: its ARN ends in six characters of chance,
so no older list has it. What the list does not show is described singly.
"""

from __future__ import annotations

import json
import secrets
import string
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_store, checklists, secret_list
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.kms_alias import same_key
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BusyError,
    InvalidRequestError,
    NotFoundError,
    QuotaError,
)
from provisioner.model import OWNER_TAG, Key, Observed, Phase
from provisioner.resource import outright
from provisioner.secret import Secret
from provisioner.spec import plain

ALPHABET = string.ascii_letters + string.digits + "-"
"""What every consumer takes unquoted: RDS refuses / " @ and space, ElastiCache all but ! & # $ ^ < > -, and
the rest would need escaping in URLs and shells. 32 characters of it are 191 bits."""
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
_FEWEST = 32
_VALUE_KEY = "provisioner:value-key"
"""Tag: the member of the JSON document that is the generated value."""
_DEFAULT_DAYS = 30
_DEFAULT_KEY = "alias/aws/secretsmanager"
_MADE: Final = "secrets made"
"""Place → ARN of what this session made and has not changed since."""


class Generate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the value is made."""

    length: Annotated[int, Meta(ge=16, le=128, description="Characters.")] = 32
    exclude: Annotated[str, Meta(description="Characters of [A-Za-z0-9-] that must not occur.")] = ""
    template: (
        Annotated[
            dict[str, str],
            Meta(
                description="Members of a JSON document that the value joins; left out: the value alone.",
                examples=[{"engine": "postgres", "username": "app"}],
            ),
        ]
        | None
    ) = None
    key: Annotated[str, Meta(min_length=1, max_length=256, description="Its member's name in the document.")] = (
        "password"
    )


def _enough(generate: Any) -> str | None:
    given = plain(generate)
    left = set(ALPHABET) - set(given.get("exclude", ""))
    if len(left) < _FEWEST:
        return f"exclude leaves {len(left)} characters; {_FEWEST} are needed"
    if given.get("key", "password") in (given.get("template") or {}):
        return f"template has the member {given.get('key', 'password')!r}, which is to be generated"
    return None


def password(length: int, exclude: str = "") -> str:
    """Random characters of :data:`ALPHABET`: a letter first, one of each class at least (where not
    excluded)."""
    alphabet = [character for character in ALPHABET if character not in exclude]
    classes = [group for group in (set(group) - set(exclude) for group in _CLASSES) if group]
    while True:
        drawn = "".join(secrets.choice(alphabet) for _ in range(length))
        if drawn[0] != "-" and all(group.intersection(drawn) for group in classes):
            return drawn


@resource.resource("aws.secret")
class ManagedSecret(resource.Resource):
    """A secret whose value nobody ever chose or saw."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A Secrets Manager secret with a generated value."""

        name: (
            Annotated[
                str,
                Meta(max_length=512, description="Name in the region; left out: deployment-step. Fixed."),
            ]
            | None
        ) = None
        generate: Annotated[Generate, Meta(description="How the value is made, once.")] = Generate()
        description: Annotated[str, Meta(max_length=2048, description="What it is for.")] = ""
        kms_key_id: (
            Annotated[
                str,
                Meta(max_length=2048, description="Id or ARN of the KMS key. Left out of a new one: AWS's own."),
            ]
            | None
        ) = None
        recovery_days: Annotated[
            int, Meta(ge=7, le=30, description="Days that a deleted secret can be taken back.")
        ] = _DEFAULT_DAYS
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"value": Secret, "arn": str, "name": str}
    charges = staticmethod(bill_store.secret)
    points = staticmethod(checklists.secret)
    """``value``: the generated value (of a document, its member); fetched when it is used."""
    rules = (resource.Rule(("generate",), _enough),)
    service = "secretsmanager"
    identifier = "arn"
    immutable = frozenset({"name", "generate"})
    matches: ClassVar = {"kms_key_id": same_key, "tags": tagging.same}
    name_pattern = r"[A-Za-z0-9/_+=.@-]{1,512}"
    holds_data = True

    def read(self, key: Key) -> Observed | None:
        """The secret's description; its value stays where it is until somebody asks for it."""
        found = self._describe(key)
        return None if found is None or "DeletedDate" in found else self._observe(key, found)

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed | resource.Singly]:
        """A list of those that it can be believed of; the others are read singly."""
        glancing, made = self.session.glancing, self.session.memory(_MADE)
        seen: dict[str, Observed | resource.Singly] = {}
        for region in dict.fromkeys(key.region for key in keys):
            asked = [key for key in keys if key.region == region]
            wanted = [key for key in asked if glancing or _place(key) in made]
            listed = secret_list.named(self.session, wanted, region) if len(wanted) > 1 else {}
            for key in asked:
                found = listed.get(key.name)
                if found is not None and (glancing or found["ARN"] == made.get(_place(key))):
                    seen[key.owner] = self._observe(key, found)
                elif not (glancing and len(wanted) > 1):
                    seen[key.owner] = resource.SINGLY
        return seen

    def _observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        marks = tagging.from_list(found.get("Tags"))
        return Observed(
            phase=Phase.READY,
            owner=tagging.owner(marks),
            spec={
                "name": found["Name"],
                "description": found.get("Description", ""),
                "kms_key_id": found.get("KmsKeyId") or _DEFAULT_KEY,
                "recovery_days": int(marks.get(tagging.RECOVERY_DAYS, _DEFAULT_DAYS)),
                "tags": tagging.visible(key, marks),
            },
            outputs={
                "value": Secret(lambda: self._value(key, found, marks.get(_VALUE_KEY))),
                "arn": found["ARN"],
                "name": found["Name"],
            },
            made=found["CreatedDate"].timestamp(),
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes it with a new value, or takes back the step's own from deletion with the value it has, if that fits."""
        try:
            with outright():
                answer = self._call(
                    "create_secret",
                    key,
                    Name=key.name,
                    SecretString=_make_value(spec.generate),
                    ClientRequestToken=_token(key),
                    Tags=tagging.to_list(tagging.wanted(key, spec.tags, own=_own_tags(spec))),
                    KmsKeyId=spec.kms_key_id,
                    Description=spec.description or None,
                )
            self.session.memory(_MADE)[_place(key)] = answer["ARN"]
        except (BusyError, AlreadyExistsError):
            if not self._take_back(key):
                raise
            self.update(key, spec)
            self._renew(key, spec)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings description, key, recovery window and tags to the plan; never the value."""
        found = self._describe(key)
        if found is None:
            raise NotFoundError("it does not exist any more", where=f"secretsmanager update {key.name}")
        request: dict[str, Any] = {}
        if asked(changed, "description") and spec.description != found.get("Description", ""):
            request["Description"] = spec.description
        if (
            asked(changed, "kms_key_id")
            and spec.kms_key_id
            and not same_key(spec.kms_key_id, found.get("KmsKeyId") or _DEFAULT_KEY)
        ):
            request["KmsKeyId"] = spec.kms_key_id
        if request:
            self._call("update_secret", key, SecretId=key.name, **request)
        plan = spec.tags if asked(changed, "tags") else None
        own = _own_tags(spec) if asked(changed, "recovery_days") else None
        put, drop = tagging.changes(key, plan, tagging.from_list(found.get("Tags")), own=own)
        if put:
            self._call("tag_resource", key, SecretId=key.name, Tags=tagging.to_list(put))
        if drop:
            self._call("untag_resource", key, SecretId=key.name, TagKeys=drop)

    def delete(self, key: Key) -> None:
        """Schedules the deletion; the step's next create takes it back within its window."""
        found = self._describe(key)
        if found is not None:
            self._schedule(key, found)

    def discard(self, key: Key) -> None:
        """Deletes it for good; AWS takes a moment more before the name is free.

        One that was taken back from its recovery window is only scheduled again: an earlier run made its value, and
        what it opens may be older still. That holds for ``destroy --allow-data-loss`` too.
        """
        found = self._describe(key)
        if found is None:
            return
        if tagging.kept(tagging.from_list(found.get("Tags"))):
            self._schedule(key, found)
        else:
            self._remove(key, ForceDeleteWithoutRecovery=True)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list; what is scheduled for deletion is not in it."""
        what = [{"Key": "tag-key", "Values": [OWNER_TAG]}]
        for item in self.session.pages("secretsmanager", "list_secrets", "SecretList", region=region, Filters=what):
            if key := tagging.found(tagging.from_list(item.get("Tags")), deployment, region, item["Name"]):
                yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        self._call("tag_resource", key, SecretId=identifier or key.name, Tags=tagging.to_list(tagging.mark(key)))

    def lingers(self, key: Key) -> str | None:
        """How long a scheduled one can still be taken back."""
        found = self._describe(key)
        if found is None or "DeletedDate" not in found:
            return None
        days = tagging.from_list(found.get("Tags")).get(tagging.RECOVERY_DAYS, _DEFAULT_DAYS)
        return f"its name and value are kept for {days} days; until then the next deploy takes it back"

    def _call(self, operation: str, key: Key, **parameters: Any) -> dict[str, Any]:
        if not operation.startswith(("describe_", "get_")):
            self.session.memory(_MADE).pop(_place(key), None)
        answer: dict[str, Any] = self.session.call(
            "secretsmanager", operation, what=key.name, region=key.region, **parameters
        )
        return answer

    def _describe(self, key: Key) -> dict[str, Any] | None:
        try:
            return self._call("describe_secret", key, SecretId=key.name)
        except NotFoundError:
            return None

    def _remove(self, key: Key, **how: Any) -> None:
        try:
            self._call("delete_secret", key, SecretId=key.name, **how)
        except NotFoundError:
            return

    def _schedule(self, key: Key, found: Mapping[str, Any]) -> None:
        if "DeletedDate" in found:
            return
        # What is scheduled takes no tags, and a run may die right after taking it back: so it is marked before.
        with suppress(AccessDeniedError, InvalidRequestError, QuotaError):  # taking back makes up for it
            self._mark(key)
        days = tagging.from_list(found.get("Tags")).get(tagging.RECOVERY_DAYS, _DEFAULT_DAYS)
        self._remove(key, RecoveryWindowInDays=int(days))

    def _mark(self, key: Key) -> None:
        self._call("tag_resource", key, SecretId=key.name, Tags=tagging.to_list(tagging.taken_back()))

    def _take_back(self, key: Key) -> bool:
        """Restores the step's own secret from deletion; False where the name is taken for another reason."""
        found = self._describe(key)
        if found is None or "DeletedDate" not in found:
            return False
        owner = tagging.owner(tagging.from_list(found.get("Tags")))
        if owner != key.owner:
            taken = AlreadyExistsError(
                f"a secret of this name is scheduled for deletion since {found['DeletedDate']:%Y-%m-%d},"
                f" and it belongs to {owner or 'nobody that we know'}",
                where=f"secretsmanager CreateSecret {key.name}",
                hint="choose another name; or restore it and adopt it; or delete it for good with "
                f"`aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {key.name}`",
            )
            taken.nothing_done = taken.for_good = True
            raise taken
        self._call("restore_secret", key, SecretId=key.name)
        self._mark(key)
        return True

    def _renew(self, key: Key, spec: Spec) -> None:
        """A new value for a secret that was taken back, where nobody could use the one that it has."""
        try:
            text = self._call("get_secret_value", key, SecretId=key.name).get("SecretString", "")
        except AccessDeniedError:
            return  # who may not look must not judge
        except InvalidRequestError as err:
            if err.cloud_code == "DecryptionFailure":
                err.hint = (
                    "the key that it was encrypted with must come back first (`aws kms cancel-key-deletion`, then "
                    "`aws kms enable-key`); or delete the secret for good with `aws secretsmanager delete-secret "
                    f"--force-delete-without-recovery --secret-id {key.name}` and deploy again"
                )
            raise
        if not _fits(str(text), spec.generate):
            self._call("put_secret_value", key, SecretId=key.name, SecretString=_make_value(spec.generate))

    def _value(self, key: Key, found: Mapping[str, Any], member: str | None) -> str:
        text = str(secret_list.current(self.session, found, key.region, key.name).get("SecretString", ""))
        if member is None:
            return text
        where = f"secretsmanager GetSecretValue {key.name}"
        hint = f"somebody changed the value; it must be a JSON document with the member {member!r}"
        try:
            document = json.loads(text)
        except ValueError:
            # The cause would quote the document.
            raise InvalidRequestError("the value is not JSON", where=where, hint=hint) from None
        if not isinstance(document, dict) or member not in document:
            raise InvalidRequestError(f"the value has no member {member!r}", where=where, hint=hint)
        return str(document[member])


def _place(key: Key) -> str:
    return f"{key.region} {key.name}"


def _make_value(generate: Generate) -> Secret:
    value = password(generate.length, generate.exclude)
    return Secret(value if generate.template is None else json.dumps({**generate.template, generate.key: value}))


def _fits(text: str, generate: Generate) -> bool:
    """Whether a value has the shape that the plan asks for; a rotation may have added members to a document."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    members = document if isinstance(document, dict) else {}
    if bool(members) != (generate.template is not None) or not (generate.template or {}).items() <= members.items():
        return False
    value = members.get(generate.key) if members else text
    return isinstance(value, str) and len(value) >= generate.length and not set(value) & set(generate.exclude)


def _token(key: Key) -> str:
    """The same for the same step, so that a repeated create cannot make a second version."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"provisioner:{key.region}/{key.owner}/{key.name}"))


def _own_tags(spec: ManagedSecret.Spec) -> dict[str, str]:
    member = {_VALUE_KEY: spec.generate.key} if spec.generate.template is not None else {}
    return {tagging.RECOVERY_DAYS: str(spec.recovery_days), **member}
