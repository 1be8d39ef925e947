"""aws.rds_read_replica: a copy of a DB instance that follows it, in the same region or in another, and takes reads.

What RDS wants to have in two steps: a parameter group and deletion protection are not taken when a replica of
PostgreSQL is made, so they follow by an update, which the read after the create asks for.

A replica that somebody promoted is a database of its own, with data that is nowhere else: it counts as failed, so that
nothing is done to it before a person has looked, and it is never deleted without a final snapshot.

Weakness: which of the source's settings are inherited is RDS's own choice; what a plan leaves out is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_rds, rds_changes, rds_rules, rds_state, same, tags, thrift
from provisioner.drivers.aws.db_instance import DbInstance
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import InvalidRequestError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import Rule, outright

_LATER = frozenset({"parameter_group", "deletion_protection"})
"""What the create does not take: RDS refuses the one for PostgreSQL and ignores the other."""

_PROMOTED = "it follows no other instance any more: somebody promoted it, or its source is gone"


def _region(source: str) -> str:
    """Of an ARN; empty for a name.

    >>> _region("arn:aws:rds:eu-west-1:123456789012:db:app"), _region("app")
    ('eu-west-1', '')
    """
    return source.split(":")[3] if source.startswith("arn:") else ""


def _same_source(wanted: str, seen: str) -> bool:
    """RDS tells a name of the same region and an ARN of another, whatever it was given."""
    return wanted.rpartition(":")[2].lower() == seen.rpartition(":")[2].lower()


def _without_key(source: str | None, region: str | None, encrypted: bool | None, key: str | None) -> str | None:
    """Whether a replica in another region lacks a key of its own; ``region`` is None where it is the plan's."""
    far = _region(source or "")
    if far and region and far != region and encrypted and not key:
        return f"a replica in {region} of an encrypted instance in {far} needs kms_key, a key of {region}"
    return None


@resource.resource("aws.rds_read_replica")
class RdsReadReplica(DbInstance):
    """A read replica of an RDS instance. It is read-only, and holds nothing that its source does not hold."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A read replica. What is left out is as RDS chooses it, mostly as the source has it."""

        name: Annotated[
            Annotated[str, Meta(max_length=63)] | None,
            Meta(description="Identifier. Left out: deployment-step."),
        ] = None
        source: Annotated[
            str,
            Meta(
                pattern=r"^(arn:[a-z-]+:rds:[a-z0-9-]+:\d{12}:db:)?[A-Za-z][A-Za-z0-9-]{0,62}$",
                description="The instance to follow, which must keep backups: its name, or its ARN from another "
                "region. It can have 15 replicas.",
            ),
        ]
        region: Annotated[
            Annotated[str, Meta(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d+$")] | None,
            Meta(description="Region of the replica. Left out: the plan's.", examples=["us-west-2"]),
        ] = None
        instance_class: Annotated[
            Annotated[str, Meta(pattern=r"^db\.[a-z0-9-]+\.[a-z0-9-]+$")] | None,
            Meta(description="Compute and memory. Left out: the source's.", examples=["db.t3.micro"]),
        ] = None
        allocated_storage: Annotated[
            Annotated[int, Meta(ge=20, le=65536)] | None, Meta(description="Storage in GiB. Left out: the source's.")
        ] = None
        max_allocated_storage: Annotated[
            Annotated[int, Meta(ge=22, le=65536)] | None,
            Meta(description="GiB up to which RDS may grow the storage by itself."),
        ] = None
        storage_type: Annotated[Literal["gp3", "gp2", "io1", "io2"] | None, Meta(description="Kind of volume.")] = None
        iops: Annotated[
            Annotated[int, Meta(ge=1000, le=256000)] | None,
            Meta(description="Provisioned IOPS; gp3 from 400 GiB on."),
        ] = None
        throughput: Annotated[
            Annotated[int, Meta(ge=500, le=4000)] | None,
            Meta(description="Throughput in MiB/s; gp3 from 400 GiB on."),
        ] = None
        multi_az: Annotated[bool, Meta(description="Keep a standby of the replica in another zone.")] = False
        port: Annotated[
            Annotated[int, Meta(ge=1150, le=65535)] | None, Meta(description="TCP port. Left out: the source's.")
        ] = None
        subnet_group: Annotated[
            str | None,
            Meta(description="Name of a DB subnet group of the replica's region. Left out: the source's, or in "
                             "another region the default VPC's."),
        ] = None  # fmt: skip
        security_groups: Annotated[
            list[str] | None, Meta(description="Ids of security groups; left out: the VPC's default one.")
        ] = None
        parameter_group: Annotated[
            str | None,
            Meta(description="Name of a DB parameter group of the replica's region. Left out: the source's, or in "
                             "another region the family's default. Another one means a restart after the create."),
        ] = None  # fmt: skip
        parameters_applied: Annotated[
            bool,
            Meta(description="Restart once when a static parameter waits for it; false leaves the restart to you."),
        ] = True
        storage_encrypted: Annotated[
            bool, Meta(description="Whether the source is encrypted, for then its replicas are, and only then.")
        ] = True
        kms_key: Annotated[
            Annotated[str, Meta(pattern=r"^(?!.*alias/)")] | None,
            Meta(description="ARN or id (no alias) of a KMS key of the replica's region. Left out: the source's, "
                             "which another region cannot use."),
        ] = None  # fmt: skip
        performance_insights: Annotated[bool, Meta(description="Collect query statistics (Performance Insights).")] = (
            False
        )
        performance_insights_retention_days: Annotated[
            Annotated[int, Meta(ge=7, le=731)] | None,
            Meta(description="Days these are kept: 7 (free), a multiple of 31, or 731."),
        ] = None
        monitoring_interval: Annotated[
            Literal[0, 1, 5, 10, 15, 30, 60],
            Meta(description="Seconds between Enhanced Monitoring samples; 0 is off."),
        ] = 0
        monitoring_role_arn: Annotated[
            str,
            Meta(description="ARN of the role that Enhanced Monitoring writes with; not used while that is off."),
        ] = ""
        log_exports: Annotated[
            list[Literal["postgresql", "upgrade", "iam-db-auth-error"]],
            Meta(description="Logs sent to CloudWatch."),
        ] = []
        deletion_protection: Annotated[bool, Meta(description="Refuse to be deleted until this is switched off.")] = (
            False
        )
        publicly_accessible: Annotated[bool, Meta(description="Have an address that the internet resolves.")] = False
        auto_minor_version_upgrade: Annotated[
            bool, Meta(description="Take minor versions in the maintenance window.")
        ] = True
        copy_tags_to_snapshot: Annotated[bool, Meta(description="Give snapshots the replica's tags.")] = True
        iam_authentication: Annotated[bool, Meta(description="Let IAM identities log in with a token.")] = False
        ca_certificate: Annotated[
            str | None, Meta(description="CA of the server's certificate.", examples=["rds-ca-rsa2048-g1"])
        ] = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {
        **{name: kind for name, kind in DbInstance.outputs.items() if name != "db_name"},
        "source": str,
        "region": str,
    }
    charges, savings = staticmethod(bill_rds.replica), staticmethod(thrift.instance)
    rules: ClassVar[tuple[Rule, ...]] = (
        *rds_rules.of(Spec),
        Rule(("source", "region", "storage_encrypted", "kms_key"), _without_key),
    )
    immutable = frozenset({"name", "source", "region", "subnet_group", "storage_encrypted", "kms_key", "port"})
    one_way = frozenset({"allocated_storage"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        **DbInstance.matches, "allocated_storage": same.at_least, "source": _same_source,
    }  # fmt: skip

    def create(self, key: Key, spec: Spec) -> None:
        """Starts the creation, with tags and every setting that RDS takes then."""
        far = _region(spec.source)
        complaint = _without_key(spec.source, key.region, spec.storage_encrypted, spec.kms_key)
        if complaint:
            raise InvalidRequestError(complaint, where=f"rds {key.name}", hint="mend the plan; nothing was made")
        self.sending(key)
        with outright():
            self.call(
                "create_db_instance_read_replica",
                key,
                SourceDBInstanceIdentifier=self._arn(key, spec.source) if spec.subnet_group else spec.source,
                SourceRegion=far if far and far != key.region else None,  # botocore signs a request for that region
                DBSubnetGroupName=spec.subnet_group,
                Port=spec.port,
                KmsKeyId=spec.kms_key,
                EnableCloudwatchLogsExports=sorted(spec.log_exports) or None,
                Tags=tags.to_list(tags.wanted(key, spec.tags)),
                **rds_changes.requested(spec, set(spec.__struct_fields__) - _LATER),
            )

    def mine(self, instance: Mapping[str, Any]) -> bool:
        """What follows another."""
        return bool(rds_state.source(instance))

    def observed(self, instance: Mapping[str, Any], key: Key) -> Observed:
        """What a description tells; broken where it does not follow its source (any more)."""
        seen = super().observed(instance, key)
        source = rds_state.source(instance)
        trouble = (_PROMOTED if not source else _stopped(instance)) if seen.phase is Phase.READY else ""
        if trouble:
            seen = msgspec.structs.replace(seen, phase=Phase.FAILED, detail=trouble)
        outputs = {name: value for name, value in seen.outputs.items() if name in self.outputs}
        own = {"source": source, "region": key.region}
        return msgspec.structs.replace(seen, spec={**seen.spec, **own}, outputs={**outputs, **own})

    def discard(self, key: Key) -> None:
        """Starts the deletion for good; of one that was promoted a final snapshot is left all the same."""
        instance = self.describe(key)
        if instance is None or rds_state.source(instance):
            super().discard(key)
        else:
            self.unguard(key, instance)
            self.delete(key)

    def _arn(self, key: Key, source: str) -> str:
        """A source that goes by its name alone allows its replicas no subnet group of their own."""
        caller = self.session.caller()
        place = f"arn:{caller['partition']}:rds:{key.region}:{caller['account']}:db"
        return source if _region(source) else f"{place}:{source}"


def _stopped(instance: Mapping[str, Any]) -> str:
    """Why replication has ended, where RDS says so; it tells nothing while all is well, or that it is."""
    for info in instance.get("StatusInfos", ()):
        if info.get("StatusType") == "read replication" and info.get("Status") in ("error", "terminated"):
            return f"replication: {info['Status']}" + (f" ({info['Message']})" if info.get("Message") else "")
    return ""
