"""aws.rds_backup_replication: the automated backups of an RDS instance, copied to another region as they are made.

The object is the copy: it lives in the region that the backups are copied to, carries the tags, and is found by the
instance that it is of. Stopping keeps what was copied until it is as old as it was to become; that is told, with the
command that deletes it.

Weakness: retention and key are those that it was begun with, so another one begins a new copy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import arn_tags, bill_rds, tags
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.kms_alias import same_key
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import Rule, outright

_PHASES: Final = {
    "pending": Phase.PENDING,
    "creating": Phase.PENDING,
    "replicating": Phase.READY,
    "active": Phase.READY,
}
_RETAINED: Final = "retained"


def _home(source: str) -> str:
    """The region of an ARN."""
    return source.split(":")[3]


def _elsewhere(source: str | None, region: str | None) -> str | None:
    if source and region and _home(source) == region:
        return f"{region} is where the instance is; backups are copied to another region"
    return None


@resource.resource("aws.rds_backup_replication")
class RdsBackupReplication(resource.Resource):
    """A copy, in another region, of an RDS instance's automated backups."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which instance's backups are copied, where to, and for how long they are kept there."""

        source: Annotated[
            str,
            Meta(
                pattern=r"^arn:[a-z-]+:rds:[a-z0-9-]+:\d{12}:db:[A-Za-z][A-Za-z0-9-]{0,62}$",
                description="ARN of the instance, which must keep automated backups.",
            ),
        ]
        region: Annotated[
            Annotated[str, Meta(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")] | None,
            Meta(description="Region to copy to. Left out: the plan's, which then is not the instance's.",
                 examples=["us-west-2"]),
        ] = None  # fmt: skip
        retention_days: Annotated[int, Meta(ge=1, le=35, description="Days that the copies are kept.")] = 7
        kms_key: Annotated[
            Annotated[str, Meta(pattern=r"^(?!.*alias/)")] | None,
            Meta(description="ARN or id (no alias) of a KMS key of that region; an encrypted instance needs one."),
        ] = None
        tags: Tags = None

    charges = staticmethod(bill_rds.backup_copies)
    outputs: ClassVar[Mapping[str, type]] = {"arn": str, "region": str, "source": str, "resource_id": str}
    rules: ClassVar[tuple[Rule, ...]] = (Rule(("source", "region"), _elsewhere),)
    service = "rds"
    timeout = 4500.0
    holds_data = True
    identifier = "arn"
    identity = ("source",)
    immutable = frozenset({"source", "region", "retention_days", "kms_key"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {"kms_key": same_key, "tags": tags.same}

    def read(self, key: Key) -> Observed | None:
        """The copy that is being kept up; what was stopped is none."""
        found = next((one for one in self._copies(key) if one["Status"] != _RETAINED), None)
        if found is None:
            return None
        seen = tags.from_list(found.get("TagList"))
        spec = {
            "source": key.at["source"],
            "region": key.region,
            "retention_days": found.get("BackupRetentionPeriod"),
            "kms_key": found.get("KmsKeyId"),
            "tags": tags.visible(key, seen),
        }
        outputs = {
            "arn": found["DBInstanceAutomatedBackupsArn"],
            "region": key.region,
            "source": key.at["source"],
            "resource_id": found["DbiResourceId"],
        }
        phase = _PHASES.get(found["Status"], Phase.FAILED)
        return Observed(phase=phase, owner=tags.owner(seen), spec=spec, outputs=outputs, detail=found["Status"])

    def create(self, key: Key, spec: Spec) -> None:
        """Begins to copy."""
        if complaint := _elsewhere(spec.source, key.region):
            raise InvalidRequestError(complaint, where=f"rds {key.name}", hint="mend the plan; nothing was made")
        with outright():
            self._call(
                "start_db_instance_automated_backups_replication",
                key,
                SourceDBInstanceArn=spec.source,
                BackupRetentionPeriod=spec.retention_days,
                KmsKeyId=spec.kms_key,
                Tags=tags.to_list(tags.wanted(key, spec.tags)),
                SourceRegion=_home(spec.source),  # botocore signs a request for that region
            )

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings the tags; anything else needs a new copy."""
        seen = self.read(key)
        if seen is None:
            raise NotFoundError("it is gone", where=f"rds {key.name}")
        if asked(changed, "tags"):
            arn_tags.write(self.session, "rds", seen.outputs["arn"], key, spec.tags)

    def delete(self, key: Key) -> None:
        """Stops copying; what was copied stays for as long as it was to be kept."""
        if self.read(key) is not None:
            with suppress(NotFoundError):
                self._call("stop_db_instance_automated_backups_replication", key, SourceDBInstanceArn=key.at["source"])

    def discard(self, key: Key) -> None:
        """Stops copying, and deletes what was copied under the step's own tag."""
        self.delete(key)
        for one in self._left(key):
            with suppress(NotFoundError):
                self._call(
                    "delete_db_instance_automated_backup",
                    key,
                    DBInstanceAutomatedBackupsArn=one["DBInstanceAutomatedBackupsArn"],
                )

    def lingers(self, key: Key) -> str | None:
        """What was copied before it was stopped."""
        for one in self._left(key):
            arn, days = one["DBInstanceAutomatedBackupsArn"], one.get("BackupRetentionPeriod")
            return (
                f"{key.region} keeps the backups that were copied, each until it is {days} days old; sooner: "
                f"aws rds delete-db-instance-automated-backup --db-instance-automated-backups-arn {arn} "
                f"--region {key.region}"
            )
        return None

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, which has the tags."""
        for one in self._pages(region):
            source = str(one.get("DBInstanceArn", ""))
            if one["Status"] == _RETAINED or not source or _home(source) == region:
                continue
            if key := tags.found(tags.from_list(one.get("TagList")), deployment, region, source=source):
                yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        seen = self.read(key)
        if seen is not None:
            arn_tags.claim(self.session, "rds", seen.outputs["arn"], key)

    def _left(self, key: Key) -> list[Mapping[str, Any]]:
        """What is retained of the step's own."""
        found = [one for one in self._copies(key) if one["Status"] == _RETAINED]
        return [one for one in found if tags.owner(tags.from_list(one.get("TagList"))) == key.owner]

    def _copies(self, key: Key) -> list[Mapping[str, Any]]:
        where = [{"Name": "db-instance-id", "Values": [key.at["source"]]}]
        return list(self._pages(key.region, what=key.name, Filters=where))

    def _pages(self, region: str, **how: Any) -> Iterator[Mapping[str, Any]]:
        yield from self.session.pages(
            "rds", "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups", region=region, **how
        )

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("rds", operation, what=key.name, region=key.region, **parameters)
