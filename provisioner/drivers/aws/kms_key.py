"""aws.kms_key: a customer-managed key for encryption at rest.

KMS assigns the id and cannot search by tag, so the key is found by listing all keys and their tags. That is
one call a key of the account; a session remembers the id once it is known.

A deleted key is not gone: KMS keeps it for 7 to 30 days, unusable. Making the same step again takes that
key back, so that what it had encrypted can be read again; of several the one that KMS keeps longest, and never one
whose fixed fields are not the plan's. Such a key carries a mark from then on, and always gets its
whole window: neither the undo of the run that took it back nor ``--allow-data-loss`` shortens it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import absent, bill_store, policy, tagged
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.kms_tags import tag_list
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AccessDeniedError, InvalidRequestError, NotFoundError, QuotaError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

_SHORTEST_WINDOW = 7
_DEFAULT_WINDOW = 30
_PHASES = {
    "Enabled": Phase.READY,
    "Disabled": Phase.READY,
    "Creating": Phase.PENDING,
    "Updating": Phase.PENDING,
    "PendingImport": Phase.FAILED,
    "Unavailable": Phase.FAILED,
}
_GONE = ("PendingDeletion", "PendingReplicaDeletion")


@resource.resource("aws.kms_key")
class KmsKey(resource.Resource):
    """A symmetric key. Losing it is losing all that it encrypted: it is never replaced by itself."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A KMS key."""

        region: Annotated[
            Annotated[str, Meta(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")] | None,
            Meta(description="Region of the key. Left out: the plan's. Fixed.", examples=["us-west-2"]),
        ] = None
        description: Annotated[str, Meta(max_length=8192, description="What it protects.")] = ""
        enabled: Annotated[bool, Meta(description="Off: nothing can be encrypted or decrypted.")] = True
        rotation: Annotated[bool, Meta(description="New key material every rotation_days.")] = True
        rotation_days: Annotated[
            int, Meta(ge=90, le=2560, description="Days between rotations; only with rotation.")
        ] = 365
        deletion_window_days: Annotated[
            int, Meta(ge=7, le=30, description="Days that a deleted key can still be taken back.")
        ] = _DEFAULT_WINDOW
        policy: (
            Annotated[
                dict[str, Any],
                Meta(description="Key policy document. Left out: AWS's default, the account decides by IAM."),
            ]
            | None
        ) = None
        multi_region: Annotated[bool, Meta(description="May be replicated to other regions; fixed.")] = False
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"key_id": str, "arn": str}
    charges = staticmethod(bill_store.key)
    service = "kms"
    identifier = "key_id"
    immutable = frozenset({"region", "multi_region"})
    matches: ClassVar = {"policy": policy.same, "tags": tagging.same}
    holds_data = True
    grace = 15.0
    reversibility = resource.Reversibility.DELAYED

    def read(self, key: Key) -> Observed | None:
        """The key with the step's tag; one that is scheduled for deletion does not exist."""
        with suppress(NotFoundError):  # it is not known everywhere yet
            for found in self._living(key):
                return self._observe(key, found)
        return None

    def create(self, key: Key, spec: Spec) -> None:
        """Takes the step's own key back where a fitting one is scheduled for deletion, else makes one; then sets it
        up."""
        begun = self._begun().get(f"{key.region} {key.owner}")
        if begun:
            return self._set_up(key, begun, spec)
        with outright():
            owned = [] if absent.take(self.session, self.type, key) else list(self._owned(key))
        living = [found for found in owned if found["KeyState"] not in _GONE]
        waiting = [found for found in owned if found["KeyState"] in _GONE and _fits(found, spec)]
        if not living and waiting:
            living = [max(waiting, key=_deleted_on)]
            self._call("cancel_key_deletion", key, KeyId=living[0]["KeyId"])
            self._mark(key, living[0])
            living[0] |= {"KeyState": "Disabled", "Enabled": False}
        if living:
            return self._bring(key, living[0], spec)
        return self._set_up(key, self._make(key, spec), spec)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings everything but ``region`` and ``multi_region`` to the plan, one call each for what differs."""
        for found in self._living(key):
            return self._bring(key, found, spec, changed)
        raise NotFoundError("it does not exist any more", where=f"kms update {key.name}")

    def delete(self, key: Key) -> None:
        """Schedules the deletion; the key is unusable at once and can be taken back within its window."""
        self._forget(key)
        for found in self._owned(key):
            self._schedule(key, found, int(found["Tags"].get(tagging.RECOVERY_DAYS, _DEFAULT_WINDOW)))

    def discard(self, key: Key) -> None:
        """Schedules it with the shortest window there is, seven days; one that was taken back with its own."""
        self._forget(key)
        for found in self._owned(key):
            own = int(found["Tags"].get(tagging.RECOVERY_DAYS, _DEFAULT_WINDOW))
            self._schedule(key, found, own if tagging.kept(found["Tags"]) else _SHORTEST_WINDOW)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks every key of the account for its tags; those that do not let us are not ours."""
        for number in sorted(item["KeyId"] for item in self.session.pages("kms", "list_keys", "Keys", region=region)):
            with suppress(NotFoundError, AccessDeniedError):
                marks = tag_list(self.session, number, region)
                key = tagging.found(marks, deployment, region)
                if key is not None and self._state(key, number) not in _GONE:
                    yield key

    def find(self, key: Key, identifier: str) -> Observed | None:
        """The key of that id, whatever tag it carries; one that is scheduled for deletion does not exist."""
        found = self._describe(key, identifier)
        return self._observe(key, found) if found is not None and found["KeyState"] not in _GONE else None

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back on the key of that id."""
        mark = tagging.to_list(tagging.mark(key), "TagKey", "TagValue")
        self._call("tag_resource", key, KeyId=identifier, Tags=mark)

    def _state(self, key: Key, number: str) -> str:
        return str(self._call("describe_key", key, KeyId=number)["KeyMetadata"]["KeyState"])

    def lingers(self, key: Key) -> str | None:
        """When it will be gone for good."""
        known = self.session.memory("kms_key").get(f"{key.region} {key.owner}")
        found = [self._describe(key, known, {})] if known else list(self._owned(key))
        dates = [f"{item['DeletionDate']:%Y-%m-%d}" for item in found if item is not None and "DeletionDate" in item]
        return f"AWS keeps it until {max(dates)}; until then the next deploy takes it back" if dates else None

    def _call(self, operation: str, key: Key, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.session.call("kms", operation, what=key.name, region=key.region, **parameters)
        return answer

    def _schedule(self, key: Key, found: Mapping[str, Any], days: int) -> None:
        if found["KeyState"] in _GONE:
            return
        # What is scheduled takes no tags, and a run may die right after taking it back: so it is marked before.
        with suppress(AccessDeniedError, InvalidRequestError, QuotaError):  # taking back makes up for it
            self._mark(key, found)
        self._call("schedule_key_deletion", key, KeyId=found["KeyId"], PendingWindowInDays=days)

    def _mark(self, key: Key, found: Mapping[str, Any]) -> None:
        mark = tagging.to_list(tagging.taken_back(), "TagKey", "TagValue")
        self._call("tag_resource", key, KeyId=found["KeyId"], Tags=mark)

    def _make(self, key: Key, spec: Spec) -> dict[str, Any]:
        """A new key, remembered until it is set up: a create that KMS stopped with "not found" goes on with it."""
        place = f"{key.region} {key.owner}"
        made = self._begun()[place] = self._new(key, spec)
        self.session.memory("kms_key")[place] = made["KeyId"]
        tagged.born(self.session, made["Arn"], made["Tags"])
        return made

    def _set_up(self, key: Key, made: Mapping[str, Any], spec: Spec) -> None:
        """What CreateKey does not take. Nothing is asked of the key, which may not be known everywhere yet."""
        place = {"KeyId": made["KeyId"]}
        if spec.rotation:
            self._call("enable_key_rotation", key, **place, RotationPeriodInDays=spec.rotation_days)
        if not spec.enabled:
            self._call("disable_key", key, **place)
        self._forget(key)

    def _begun(self) -> dict[str, Any]:
        memory: dict[str, Any] = self.session.memory("kms_key begun")
        return memory

    def _forget(self, key: Key) -> None:
        self._begun().pop(f"{key.region} {key.owner}", None)

    def _new(self, key: Key, spec: Spec) -> dict[str, Any]:
        marks = self._marks(key, spec)
        optional = {"Policy": policy.to_text(spec.policy)} if spec.policy else {}
        with outright():
            made = self._call(
                "create_key",
                key,
                Description=spec.description,
                MultiRegion=spec.multi_region,
                Tags=tagging.to_list(marks, "TagKey", "TagValue"),
                **optional,
            )["KeyMetadata"]
        return {**made, "Tags": marks}

    def _marks(self, key: Key, spec: Spec) -> dict[str, str]:
        return tagging.wanted(key, spec.tags, own=_window_tag(spec))

    def _bring(self, key: Key, found: Mapping[str, Any], spec: Spec, changed: Collection[str] = ()) -> None:
        """Each setting has its own call. A disabled key refuses some, so enabling comes first, disabling
        last."""
        place: dict[str, Any] = {"KeyId": found["KeyId"]}
        if asked(changed, "enabled") and spec.enabled and not found["Enabled"]:
            self._call("enable_key", key, **place)
        if asked(changed, "description") and spec.description != found.get("Description", ""):
            self._call("update_key_description", key, **place, Description=spec.description)
        if asked(changed, "rotation", "rotation_days"):
            self._bring_rotation(key, place, spec)
        if asked(changed, "policy") and spec.policy and not policy.same(spec.policy, self._policy(key, place)):
            self._call("put_key_policy", key, **place, PolicyName="default", Policy=policy.to_text(spec.policy))
        self._bring_tags(key, found, spec, changed)
        if asked(changed, "enabled") and not spec.enabled and found["Enabled"]:
            self._call("disable_key", key, **place)

    def _bring_tags(self, key: Key, found: Mapping[str, Any], spec: Spec, changed: Collection[str]) -> None:
        plan = spec.tags if asked(changed, "tags") else None
        own = _window_tag(spec) if asked(changed, "deletion_window_days") else None
        put, drop = tagging.changes(key, plan, found["Tags"], own=own)
        if put:
            marks = tagging.to_list(put, "TagKey", "TagValue")
            self._call("tag_resource", key, KeyId=found["KeyId"], Tags=marks)
        if drop:
            self._call("untag_resource", key, KeyId=found["KeyId"], TagKeys=drop)

    def _bring_rotation(self, key: Key, place: Mapping[str, Any], spec: Spec) -> None:
        seen = self._call("get_key_rotation_status", key, **place)
        on, days = bool(seen.get("KeyRotationEnabled")), seen.get("RotationPeriodInDays")
        if spec.rotation and (not on or days != spec.rotation_days):
            self._call("enable_key_rotation", key, **place, RotationPeriodInDays=spec.rotation_days)
        if on and not spec.rotation:
            self._call("disable_key_rotation", key, **place)

    def _policy(self, key: Key, place: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._call("get_key_policy", key, **place, PolicyName="default")["Policy"])
        return found

    def _observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        place = {"KeyId": found["KeyId"]}
        rotation = self._call("get_key_rotation_status", key, **place)
        spec: dict[str, Any] = {
            "region": key.region or self.session.region,
            "description": found.get("Description", ""),
            "enabled": found["Enabled"],
            "rotation": bool(rotation.get("KeyRotationEnabled")),
            "deletion_window_days": int(found["Tags"].get(tagging.RECOVERY_DAYS, _DEFAULT_WINDOW)),
            "multi_region": bool(found.get("MultiRegion")),
            "tags": tagging.visible(key, found["Tags"]),
        }
        if self.session.manages(key.owner, "policy"):
            spec["policy"] = self._policy(key, place)
        if "RotationPeriodInDays" in rotation:  # only while rotation is on
            spec["rotation_days"] = rotation["RotationPeriodInDays"]
        return Observed(
            phase=_PHASES.get(found["KeyState"], Phase.PENDING),
            owner=tagging.owner(found["Tags"]),
            spec=spec,
            outputs={"key_id": found["KeyId"], "arn": found["Arn"]},
            detail=found["KeyState"],
            made=found["CreationDate"].timestamp(),
        )

    def _living(self, key: Key) -> Iterator[dict[str, Any]]:
        """The step's keys that are in use: the one that this session knows, else all that carry the tag."""
        known = self.session.memory("kms_key").get(f"{key.region} {key.owner}") or self._glanced(key)
        found = [self._describe(key, known)] if known else []
        if not found or found[0] is None or found[0]["KeyState"] in _GONE:
            owned = list(self._owned(key))
            found = [item for item in owned if item["KeyState"] not in _GONE]
            if not owned:  # nor one that a create would take back
                absent.note(self.session, self.type, key, None)
        for item in found:
            if item is not None:
                self.session.memory("kms_key")[f"{key.region} {key.owner}"] = item["KeyId"]
                yield item

    def _owned(self, key: Key) -> Iterator[dict[str, Any]]:
        """Every key of the account that carries the step's tag, also those scheduled for deletion, by id."""
        denied: AccessDeniedError | None = None
        readable = 0
        listed = self.session.pages("kms", "list_keys", "Keys", what=key.name, region=key.region)
        for number in sorted(item["KeyId"] for item in listed):
            try:
                marks = self._tags(key, number)
                readable += 1
            except NotFoundError:
                continue
            except AccessDeniedError as err:  # its policy keeps us out, so it is not ours
                denied = err
                continue
            if tagging.owner(marks) == key.owner and (found := self._describe(key, number, marks)):
                yield found
        if denied and not readable:
            raise denied  # nothing can be read: then "not found" would make a key a run

    def _glanced(self, key: Key) -> str:
        """The id of the one key that a list of tagged things shows to be the step's."""
        caller = self.session.caller()
        prefix = f"arn:{caller['partition']}:kms:{key.region or self.session.region}:{caller['account']}:key/"
        arns = tagged.owned(self.session, key.region, prefix, key.owner)
        return arns[0].removeprefix(prefix) if len(arns) == 1 else ""

    def _describe(self, key: Key, number: str, marks: dict[str, str] | None = None) -> dict[str, Any] | None:
        try:
            found = self._call("describe_key", key, KeyId=number)["KeyMetadata"]
            known = tagged.known(self.session, found["Arn"], key.region) if marks is None else marks
            tagged.forget(self.session, found["Arn"])
            return {**found, "Tags": self._tags(key, number) if known is None else known}
        except NotFoundError:
            return None

    def _tags(self, key: Key, number: str) -> dict[str, str]:
        return tag_list(self.session, number, key.region, key.name)


def _fits(found: Mapping[str, Any], spec: KmsKey.Spec) -> bool:
    """What cannot be changed is as the plan wants it: another key would have to be replaced again."""
    return bool(found.get("MultiRegion")) is spec.multi_region


def _deleted_on(found: Mapping[str, Any]) -> float:
    """Seconds since the epoch; 0 where KMS does not say."""
    return float(found["DeletionDate"].timestamp()) if "DeletionDate" in found else 0.0


def _window_tag(spec: KmsKey.Spec) -> dict[str, str]:
    return {tagging.RECOVERY_DAYS: str(spec.deletion_window_days)}
