"""aws.s3_bucket: a bucket with its versioning, encryption, public access block, lifecycle and CORS as one
object.

A bucket is made with its owner's tag and then configured by one call for each setting. ``read`` reports each
setting as it is, so a bucket whose making was cut off is completed by ``create`` or ``update`` alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_store, checklists, s3_rules, tagged, tags, thrift
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.s3_rules import CorsRule, LifecycleRule
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    CloudError,
    HoldsDataError,
    InUseError,
    NotFoundError,
)
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright
from provisioner.spec import fields

_BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_OLD_HOME: Final = "us-east-1"
"""The one region that must not be named as a LocationConstraint."""


_NEW: Final[Mapping[str, Any]] = {
    "versioning": False,
    "block_public_access": True,
    "encryption": "AES256",
    "kms_key": None,
    "lifecycle": [],
    "cors": [],
    "tls_only": False,
}
"""A bucket just made, since April 2023. Where S3 should change its mind the read that follows shows it, and an update
sets what is missing."""


def _kms(encryption: str, _key: str) -> str | None:
    return None if encryption == "aws:kms" else "a KMS key needs encryption: aws:kms"


@resource.resource("aws.s3_bucket")
class S3Bucket(resource.Resource):
    """One general-purpose bucket. Names are global: prefix yours with something of your own."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A bucket. What is left out takes the safe side: versioned, encrypted, closed to the public."""

        name: Annotated[
            Annotated[str, Meta(min_length=3, max_length=63)] | None,
            Meta(description="Name, unique in all of AWS. Left out: deployment-step."),
        ] = None
        versioning: Annotated[bool, Meta(description="Keep replaced and deleted versions.")] = True
        encryption: Annotated[Literal["AES256", "aws:kms"], Meta(description="Default encryption.")] = "AES256"
        kms_key: Annotated[
            str | None, Meta(description="ARN of the KMS key for aws:kms; left out: the one AWS manages.")
        ] = None
        block_public_access: Annotated[bool, Meta(description="Refuse every way of making it public.")] = True
        lifecycle: Annotated[
            list[LifecycleRule], Meta(max_length=1000, description="What becomes of objects as they age.")
        ] = []
        cors: Annotated[list[CorsRule], Meta(max_length=100, description="Web pages that browsers let in.")] = []
        tls_only: Annotated[
            bool | None,
            Meta(
                description="Refuse requests without TLS, by a statement in the bucket's policy; others in it stay. "
                "Left out: the policy is not looked at."
            ),
        ] = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str, "domain": str, "region": str}
    charges = staticmethod(bill_store.bucket)
    savings = staticmethod(thrift.bucket)
    points = staticmethod(checklists.bucket)
    rules = (
        rule(_kms, "encryption", "kms_key"),
        rule(s3_rules.lifecycle_complaint, "lifecycle"),
    )
    service = "s3"
    holds_data = True
    name_pattern = r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
    immutable = frozenset({"name"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "lifecycle": s3_rules.same_lifecycle,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The bucket of the key's name, one call a setting."""
        seen = tagged.known(self.session, self._arn(key), key.region) or self._tags(key)
        if seen is None:
            return None
        tagged.forget(self.session, self._arn(key))
        try:
            spec = {**self._settings(key), "tags": tags.visible(key, seen)}
        except NotFoundError:  # deleted meanwhile
            return None
        region = key.region or self.session.region
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec=spec,
            outputs={
                "name": key.name,
                "arn": self._arn(key),
                "domain": f"{key.name}.s3.{region}.amazonaws.com",
                "region": region,
            },
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the bucket with its tags, then configures it; goes on with one of ours that is half made.

        In us-east-1 a second CreateBucket succeeds, whoever of the account made the first: so it looks
        before.
        """
        with outright():
            seen = self._tags(key)
            if seen is None:
                region = key.region or self.session.region
                place = {} if region == _OLD_HOME else {"LocationConstraint": region}
                marks = tags.wanted(key, spec.tags)
                self._call("create_bucket", key, CreateBucketConfiguration={**place, "Tags": tags.to_list(marks)})
                tagged.born(self.session, self._arn(key), marks)
        if seen is None:
            self._configure(key, spec, _NEW)
        elif tags.owner(seen) == key.owner:
            self._configure(key, spec, self._settings(key))
        else:
            raise AlreadyExistsError("the bucket belongs to somebody else", where=f"s3 CreateBucket {key.name}")

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets what differs."""
        self._configure(key, spec, self._settings(key), changed)
        seen = self._tags(key)
        if seen is None:
            raise NotFoundError("it is gone", where=f"s3 {key.name}")
        put, drop = tags.changes(key, spec.tags if asked(changed, "tags") else None, seen)
        if put or drop:
            # The whole set is replaced, so what stays goes with it: whoever's ownership tag, and AWS's own tags.
            stays = {tag: text for tag, text in seen.items() if tag not in drop}
            self._call("put_bucket_tagging", key, Tagging={"TagSet": tags.to_list({**stays, **put})})

    def delete(self, key: Key) -> None:
        """Deletes an empty bucket; HoldsDataError while anything is in it."""
        tagged.forget(self.session, self._arn(key))
        try:
            self._call("delete_bucket", key)
        except NotFoundError:
            return
        except HoldsDataError as error:
            error.hint = (
                f"empty it (`aws s3api list-object-versions --bucket {key.name}` shows what is in it), or say "
                "--allow-data-loss to delete what is in it, versions included"
            )
            error.message += self._contents(key)
            raise

    def discard(self, key: Key) -> None:
        """Deletes the bucket and all that is in it, every version."""
        with suppress(NotFoundError):
            while self._empty_page(key):
                pass
            try:
                self._call("delete_bucket", key)
            except HoldsDataError as error:  # somebody wrote meanwhile: what is new goes in the next round
                raise InUseError(error.message, where=error.where, cloud_code=error.cloud_code) from error

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks every bucket of the account for its tags; those that do not let us are not ours."""
        for item in self.session.call("s3", "list_buckets", region=region)["Buckets"]:
            place = Key(deployment=deployment, step="", name=str(item["Name"]), region=region)
            with suppress(AccessDeniedError):
                if key := tags.found(self._tags(place) or {}, deployment, region, place.name):
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back; the whole set is written, so what else is there goes with it."""
        seen = self._tags(key) or {}
        self._call("put_bucket_tagging", key, Tagging={"TagSet": tags.to_list({**seen, **tags.mark(key)})})

    def _arn(self, key: Key) -> str:
        return f"arn:{self.session.caller()['partition']}:s3:::{key.name}"

    def _contents(self, key: Key) -> str:
        """What is in it, as far as one look tells."""
        with suppress(CloudError):
            page = self._call("list_object_versions", key, MaxKeys=3)
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            names = dict.fromkeys(str(item["Key"]) for item in found)
            return f"; it holds {', '.join(names)}{' and more' if page.get('IsTruncated') else ''}"
        return ""

    def _empty_page(self, key: Key) -> bool:
        """Deletes up to 1,000 versions and delete markers; False when there were none."""
        page = self._call("list_object_versions", key)
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not found:
            return False
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        answer = self._call("delete_objects", key, Delete={"Objects": objects, "Quiet": True})
        for error in answer.get("Errors", ()):
            kind = AccessDeniedError if error.get("Code") == "AccessDenied" else InUseError
            raise kind(
                f"{error.get('Key')}: {error.get('Message', 'not deleted')}",
                where=f"s3 DeleteObjects {key.name}",
                cloud_code=str(error.get("Code", "")),
            )
        return True

    def _tags(self, key: Key) -> dict[str, str] | None:
        """All tags, none at all, or None where there is no bucket."""
        tagged.forget(self.session, self._arn(key))
        try:
            return tags.from_list(self._call("get_bucket_tagging", key)["TagSet"])
        except NotFoundError as error:
            if error.cloud_code == "NoSuchTagSet":
                return {}
            return None
        except AccessDeniedError as error:
            error.hint = "allow s3:GetBucketTagging; or the name is another account's, for names are global"
            raise

    def _settings(self, key: Key) -> dict[str, Any]:
        block = self._get("get_public_access_block", "PublicAccessBlockConfiguration", key) or {}
        found = {
            "versioning": self._get("get_bucket_versioning", "Status", key) == "Enabled",
            "block_public_access": all(block.get(switch) for switch in _BLOCKS),
            "lifecycle": s3_rules.lifecycle_plain(self._get("get_bucket_lifecycle_configuration", "Rules", key) or ()),
            "cors": s3_rules.cors_plain(self._get("get_bucket_cors", "CORSRules", key) or ()),
        }
        if self.session.manages(key.owner, "tls_only"):
            found["tls_only"] = s3_rules.tls_only(self._get("get_bucket_policy", "Policy", key))
        return found | self._encryption(key)

    def _encryption(self, key: Key) -> dict[str, Any]:
        rules = (self._get("get_bucket_encryption", "ServerSideEncryptionConfiguration", key) or {}).get("Rules")
        default = (rules or [{}])[0].get("ApplyServerSideEncryptionByDefault", {})
        # kms_key is None where it is AWS's own.
        return {"encryption": default.get("SSEAlgorithm"), "kms_key": default.get("KMSMasterKeyID")}

    def _configure(self, key: Key, spec: Spec, seen: Mapping[str, Any], changed: Collection[str] = ()) -> None:
        """The public access block comes first: nothing that follows may open what it closes."""
        wanted = fields(spec)
        if asked(changed, "block_public_access") and spec.block_public_access != seen["block_public_access"]:
            switches = dict.fromkeys(_BLOCKS, spec.block_public_access)
            self._call("put_public_access_block", key, PublicAccessBlockConfiguration=switches)
        coded = spec.encryption != seen["encryption"] or spec.kms_key not in (None, seen["kms_key"])
        if asked(changed, "encryption", "kms_key") and coded:
            self._call("put_bucket_encryption", key, ServerSideEncryptionConfiguration=_encryption_request(spec))
        if asked(changed, "versioning") and spec.versioning != seen["versioning"]:
            status = "Enabled" if spec.versioning else "Suspended"
            self._call("put_bucket_versioning", key, VersioningConfiguration={"Status": status})
        if asked(changed, "tls_only") and spec.tls_only not in (None, seen.get("tls_only")):
            self._put_policy(key, spec)
        if asked(changed, "lifecycle") and not s3_rules.same_lifecycle(wanted["lifecycle"], seen["lifecycle"]):
            self._put_lifecycle(key, spec)
        if asked(changed, "cors") and wanted["cors"] != seen["cors"]:
            self._put_cors(key, spec)

    def _put_policy(self, key: Key, spec: Spec) -> None:
        """Ours is one statement; what else is in the policy stays."""
        there = self._get("get_bucket_policy", "Policy", key)
        document = s3_rules.with_tls(there, self._arn(key), wanted=bool(spec.tls_only))
        if document is not None:
            self._call("put_bucket_policy", key, Policy=document)
        elif there:
            self._call("delete_bucket_policy", key)

    def _put_lifecycle(self, key: Key, spec: Spec) -> None:
        if spec.lifecycle:
            document = {"Rules": s3_rules.lifecycle_request(spec.lifecycle)}
            self._call("put_bucket_lifecycle_configuration", key, LifecycleConfiguration=document)
        else:
            self._call("delete_bucket_lifecycle", key)

    def _put_cors(self, key: Key, spec: Spec) -> None:
        if spec.cors:
            document = {"CORSRules": s3_rules.cors_request(spec.cors)}
            self._call("put_bucket_cors", key, CORSConfiguration=document)
        else:
            self._call("delete_bucket_cors", key)

    def _get(self, operation: str, field: str, key: Key) -> Any:
        """A setting, or None where it was never made; NotFoundError when the bucket itself is gone."""
        try:
            return self._call(operation, key).get(field)
        except CloudError as error:
            if isinstance(error, NotFoundError) and error.cloud_code != "NoSuchBucket":
                return None
            raise

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("s3", operation, what=key.name, region=key.region, Bucket=key.name, **parameters)


def _encryption_request(spec: S3Bucket.Spec) -> dict[str, Any]:
    default: dict[str, str] = {"SSEAlgorithm": spec.encryption}
    if spec.kms_key is not None:
        default["KMSMasterKeyID"] = spec.kms_key
    # Bucket keys cut the calls to KMS, which are billed, and change nothing else.
    key = {"BucketKeyEnabled": True} if spec.encryption == "aws:kms" else {}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, **key}]}
