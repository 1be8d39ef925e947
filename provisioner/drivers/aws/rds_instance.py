"""aws.rds_instance: one RDS for PostgreSQL instance.

Settings are validated by :mod:`rds_rules`, descriptions are read by :mod:`rds_state`, changes are worked out by
:mod:`rds_changes`, and :mod:`rds_versions` finds the engine's version; here are the Spec and what makes it, the other
verbs are :mod:`db_instance`'s.

Weakness: RDS never reports a password, so whether it is the one of the plan cannot be seen. Each update sends it
along, which does no harm when it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import (
    bill_rds,
    checklists,
    rds_changes,
    rds_rules,
    rds_state,
    rds_versions,
    same,
    tags,
    thrift,
    windows,
)
from provisioner.drivers.aws.db_instance import DbInstance
from provisioner.drivers.aws.tags import Tags
from provisioner.model import Key, Observed
from provisioner.resource import outright
from provisioner.secret import Secret


@resource.resource("aws.rds_instance")
class RdsInstance(DbInstance):
    """One RDS for PostgreSQL instance. Changes are applied at once, not in the maintenance window."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A database instance. What is left out takes the safe side: encrypted, private, Multi-AZ, 7 days of
        backups."""

        name: Annotated[
            Annotated[str, Meta(max_length=63)] | None,
            Meta(description="Identifier. Left out: deployment-step."),
        ] = None
        engine: Annotated[Literal["postgres"], Meta(description="The database engine.")] = "postgres"
        engine_version: Annotated[
            str,
            Meta(pattern=r"^\d{2}(\.\d{1,2})?$", examples=["15", "15.13"],
                 description="Major version, which is the newest minor on offer when it is made, or an exact one."),
        ]  # fmt: skip
        instance_class: Annotated[
            str,
            Meta(
                pattern=r"^db\.[a-z0-9-]+\.[a-z0-9-]+$",
                description="Compute and memory.",
                examples=["db.t3.small"],
            ),
        ]
        allocated_storage: Annotated[
            int, Meta(ge=20, le=65536, description="Storage in GiB: a minimum, for storage only ever grows.")
        ] = 20
        max_allocated_storage: Annotated[
            Annotated[int, Meta(ge=22, le=65536)] | None,
            Meta(description="GiB up to which RDS may grow the storage by itself."),
        ] = None
        storage_type: Annotated[Literal["gp3", "gp2", "io1", "io2"], Meta(description="Kind of volume.")] = "gp3"
        iops: Annotated[
            Annotated[int, Meta(ge=1000, le=256000)] | None,
            Meta(description="Provisioned IOPS; gp3 from 400 GiB on."),
        ] = None
        throughput: Annotated[
            Annotated[int, Meta(ge=500, le=4000)] | None,
            Meta(description="Throughput in MiB/s; gp3 from 400 GiB on."),
        ] = None
        multi_az: Annotated[
            bool, Meta(description="Keep a standby in another availability zone (doubles the price).")
        ] = True
        db_name: Annotated[
            Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")] | None,
            Meta(description="Database made with the instance; left out: none."),
        ] = None
        username: Annotated[
            str,
            Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,15}$", description="Master user.", examples=["app_admin"]),
        ]
        password: Annotated[
            Secret,
            Meta(description="The master user's password: 8 to 128 printable ASCII without / \" @ and spaces."),
        ]
        port: Annotated[int, Meta(ge=1150, le=65535, description="TCP port.")] = 5432
        subnet_group: Annotated[
            str | None, Meta(description="Name of a DB subnet group; left out: the default VPC.")
        ] = None
        security_groups: Annotated[
            list[str] | None, Meta(description="Ids of security groups; left out: the VPC's default one.")
        ] = None
        parameter_group: Annotated[str | None, Meta(description="Name of a DB parameter group.")] = None
        parameters_applied: Annotated[
            bool,
            Meta(description="Restart once when a static parameter waits for it; false leaves the restart to you."),
        ] = True
        storage_encrypted: Annotated[bool, Meta(description="Encrypt storage, backups and snapshots.")] = True
        kms_key: Annotated[
            Annotated[str, Meta(pattern=r"^(?!.*alias/)")] | None,
            Meta(description="ARN or id (no alias: AWS reports ARNs) of the KMS key; left out: the one AWS manages."),
        ] = None
        backup_retention_days: Annotated[
            int, Meta(ge=0, le=35, description="Days that automated backups are kept; 0 switches them off.")
        ] = 7
        backup_window: Annotated[
            Annotated[str, Meta(pattern=windows.DAILY)] | None,
            Meta(description="Daily backup window in UTC, 30 minutes or more.", examples=["03:00-04:00"]),
        ] = None
        maintenance_window: Annotated[
            Annotated[str, Meta(pattern=windows.WEEKLY)] | None,
            Meta(description="Weekly maintenance window in UTC, 30 minutes or more.", examples=["mon:04:00-mon:05:00"]),
        ] = None
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
            True
        )
        publicly_accessible: Annotated[bool, Meta(description="Have an address that the internet resolves.")] = False
        auto_minor_version_upgrade: Annotated[
            bool, Meta(description="Take minor versions in the maintenance window.")
        ] = True
        copy_tags_to_snapshot: Annotated[bool, Meta(description="Give snapshots the instance's tags.")] = True
        snapshot_before_update: Annotated[
            bool,
            Meta(description="Take a snapshot, which is kept, before the engine's version or the kind of storage "
                             "changes."),
        ] = True  # fmt: skip
        iam_authentication: Annotated[bool, Meta(description="Let IAM identities log in with a token.")] = False
        extended_support: Annotated[
            bool,
            Meta(description="Stay on a major version past its end of life, billed by the vCPU hour. "
                             "False: AWS upgrades it, and refuses to create one that has ended."),
        ] = False  # fmt: skip
        ca_certificate: Annotated[
            str | None, Meta(description="CA of the server's certificate.", examples=["rds-ca-rsa2048-g1"])
        ] = None
        tags: Tags = None

    charges, savings = staticmethod(bill_rds.instance), staticmethod(thrift.instance)
    points = staticmethod(checklists.rds)
    rules = rds_rules.RULES
    holds_data = True
    immutable = frozenset({"name", "engine", "db_name", "username", "subnet_group", "storage_encrypted", "kms_key"})
    one_way = frozenset({"allocated_storage", "engine_version"})
    settles = frozenset({"engine_version"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        **DbInstance.matches, "engine_version": rds_rules.same_version, "allocated_storage": same.at_least,
        "backup_window": windows.same, "maintenance_window": windows.same,
    }  # fmt: skip

    def settle(self, key: Key, known: Mapping[str, Any], seen: Observed | None) -> Mapping[str, Any]:
        """The version that ``15`` is for a new instance, or for the upgrade of one that is there; one call."""
        wish, have = str(known["engine_version"]), seen.spec.get("engine_version") if seen is not None else None
        if have is None:
            return {"engine_version": rds_versions.creatable(self.session, key, wish)}
        return {"engine_version": rds_versions.upgradable(self.session, key, wish, have)}

    def create(self, key: Key, spec: Spec) -> None:
        """Starts the creation, with tags and every setting."""
        self.sending(key)
        with outright():
            self.call(
                "create_db_instance",
                key,
                Engine=spec.engine,
                DBName=spec.db_name,
                MasterUsername=spec.username,
                DBSubnetGroupName=spec.subnet_group,
                Port=spec.port,
                StorageEncrypted=spec.storage_encrypted,
                KmsKeyId=spec.kms_key,
                EnableCloudwatchLogsExports=sorted(spec.log_exports) or None,
                MasterUserPassword=spec.password,
                Tags=tags.to_list(tags.wanted(key, spec.tags)),
                **rds_changes.requested(spec),
            )

    def mine(self, instance: Mapping[str, Any]) -> bool:
        """A replica is of a type of its own."""
        return not rds_state.source(instance)
