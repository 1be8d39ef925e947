"""aws.rds_instance: one RDS for PostgreSQL instance.

Settings are validated by :mod:`rds_rules`, descriptions are read by :mod:`rds_state`; here are the Spec and
the calls.

Weakness: RDS never reports a password, so whether it is the one of the plan cannot be seen. Each update sends it
along, which does no harm when it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import (
    arn_tags,
    bill_rds,
    failed,
    given,
    rds_rules,
    rds_state,
    rds_versions,
    same,
    tags,
    thrift,
    windows,
)
from provisioner.drivers.aws.final import leave_snapshot
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.kms_alias import same_key
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import BusyError, InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright
from provisioner.secret import Secret


@resource.resource("aws.rds_instance")
class RdsInstance(resource.Resource):
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

    outputs: ClassVar[Mapping[str, type]] = {
        "name": str, "arn": str, "endpoint": str, "port": int, "resource_id": str, "engine_version": str,
        "username": str, "db_name": str, "status": str, "availability_zone": str, "storage": int,
    }  # fmt: skip
    charges, savings = staticmethod(bill_rds.instance), staticmethod(thrift.instance)
    rules = rds_rules.RULES
    service = "rds"
    timeout = 1800.0
    holds_data = True
    identifier = "resource_id"
    protection = "deletion_protection"
    unprotect = (
        "aws rds modify-db-instance --db-instance-identifier {name} --no-deletion-protection --apply-immediately "
        "--region {region}"
    )
    name_pattern = r"(?=.{1,63}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    immutable = frozenset({"name", "engine", "db_name", "username", "subnet_group", "storage_encrypted", "kms_key"})
    one_way = frozenset({"allocated_storage", "engine_version"})
    settles = frozenset({"engine_version"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "engine_version": rds_rules.same_version,
        "allocated_storage": same.at_least,
        "backup_window": windows.same,
        "maintenance_window": windows.same,
        "kms_key": same_key,
        "security_groups": same.as_set,
        "log_exports": same.as_set,
        "parameters_applied": rds_rules.in_force,
        "subnet_group": same.name,
        "parameter_group": same.name,
        "tags": tags.same,
    }

    def settle(self, key: Key, known: Mapping[str, Any], seen: Observed | None) -> Mapping[str, Any]:
        """The version that ``15`` is for a new instance, or for the upgrade of one that is there; one call."""
        wish, have = str(known["engine_version"]), seen.spec.get("engine_version") if seen is not None else None
        if have is None:
            return {"engine_version": rds_versions.creatable(self.session, key, wish)}
        return {"engine_version": rds_versions.upgradable(self.session, key, wish, have)}

    def read(self, key: Key) -> Observed | None:
        """The instance of the key's name; one call."""
        instance = self._describe(key)
        return rds_state.observed(instance, key, sent=self._sent(key)) if instance else None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list of all instances a region."""
        seen: dict[str, Observed] = {}
        for region, wanted in same.by_region(keys).items():
            for instance in self.session.pages("rds", "describe_db_instances", "DBInstances", region=region):
                key = wanted.get(instance["DBInstanceIdentifier"])
                if key is not None:
                    seen[key.owner] = rds_state.observed(instance, key, sent=self._sent(key))
        return seen

    def create(self, key: Key, spec: Spec) -> None:
        """Starts the creation, with tags and every setting."""
        self.session.memory("rds sent")[f"{key.region} {key.name}"] = True
        with outright():
            self._call(
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
                **_changeable(spec),
            )

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sends what differs, all together; restarts where parameters wait for it and nothing else is to be sent.

        A restart that is still due after other changes shows in ``parameters_applied``, so the engine comes back.
        """
        instance = self._describe(key)
        if instance is None:
            raise NotFoundError("it is gone", where=f"rds {key.name}")
        if rds_state.unmendable(instance["DBInstanceStatus"]):
            failed.refuse(f"rds {key.name}", instance["DBInstanceStatus"])
        if rds_state.phase(instance, sent=self._sent(key)) is Phase.PENDING:
            raise BusyError(f"it is {instance['DBInstanceStatus']}", where=f"rds {key.name}")
        seen = rds_state.settings(instance)
        problem = rds_rules.growth(spec.allocated_storage, seen["allocated_storage"])
        if problem and asked(changed, "allocated_storage"):
            raise InvalidRequestError(problem, where=f"rds {key.name}")
        plan = spec.tags if asked(changed, "tags") else None
        tagged = arn_tags.write(self.session, "rds", instance["DBInstanceArn"], key, plan)
        changes = _changes(spec, seen, changed)
        restart = asked(changed, "parameters_applied") and spec.parameters_applied and rds_state.reboot_due(instance)
        if asked(changed, "password"):
            changes["MasterUserPassword"] = spec.password
        with nullcontext() if tagged else outright():
            if changes:
                self.session.memory("rds sent")[f"{key.region} {key.name}"] = True
                self._call("modify_db_instance", key, ApplyImmediately=True, **changes)
            elif restart:
                self._call("reboot_db_instance", key)

    def delete(self, key: Key) -> None:
        """Starts the deletion, leaving a final snapshot ``<name>-final-<UTC time>`` wherever RDS can make
        one."""
        instance = self._describe(key)
        if instance is None or rds_state.phase(instance) is Phase.DELETING:
            return
        replica = "ReadReplicaSourceDBInstanceIdentifier" in instance
        if replica or rds_state.unmendable(instance["DBInstanceStatus"]):
            self._delete(key, SkipFinalSnapshot=True)
        else:
            leave_snapshot(
                key.name,
                lambda name: self._delete(key, SkipFinalSnapshot=False, FinalDBSnapshotIdentifier=name),
            )

    def discard(self, key: Key) -> None:
        """Starts the deletion for good: protection off, no snapshot, no automated backups."""
        instance = self._describe(key)
        if instance is None or rds_state.phase(instance) is Phase.DELETING:
            return
        if instance.get("DeletionProtection"):
            self._call("modify_db_instance", key, DeletionProtection=False, ApplyImmediately=True)
        self._delete(key, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, which has the tags."""
        for item in self.session.pages("rds", "describe_db_instances", "DBInstances", region=region):
            marks = tags.from_list(item.get("TagList"))
            if key := tags.found(marks, deployment, region, item["DBInstanceIdentifier"]):
                yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        instance = self._describe(key)
        if instance is not None:
            arn_tags.claim(self.session, "rds", instance["DBInstanceArn"], key)

    def _sent(self, key: Key) -> bool:
        """Whether this session has sent a creation or modification: :func:`rds_state.phase` says what follows."""
        return f"{key.region} {key.name}" in self.session.memory("rds sent")

    def _delete(self, key: Key, **how: Any) -> None:
        with suppress(NotFoundError):
            self._call("delete_db_instance", key, **how)

    def _describe(self, key: Key) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._call("describe_db_instances", key)["DBInstances"][0]
        except NotFoundError:
            return None
        return found

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call(
            "rds", operation, what=key.name, region=key.region, DBInstanceIdentifier=key.name, **parameters
        )


_FIELDS = {
    "engine_version": "EngineVersion",
    "instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "max_allocated_storage": "MaxAllocatedStorage",
    "storage_type": "StorageType",
    "iops": "Iops",
    "throughput": "StorageThroughput",
    "multi_az": "MultiAZ",
    "security_groups": "VpcSecurityGroupIds",
    "parameter_group": "DBParameterGroupName",
    "backup_retention_days": "BackupRetentionPeriod",
    "backup_window": "PreferredBackupWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "performance_insights": "EnablePerformanceInsights",
    "performance_insights_retention_days": "PerformanceInsightsRetentionPeriod",
    "monitoring_interval": "MonitoringInterval",
    "monitoring_role_arn": "MonitoringRoleArn",
    "deletion_protection": "DeletionProtection",
    "publicly_accessible": "PubliclyAccessible",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "copy_tags_to_snapshot": "CopyTagsToSnapshot",
    "iam_authentication": "EnableIAMDatabaseAuthentication",
    "ca_certificate": "CACertificateIdentifier",
}
"""Spec field → request field, of those that create and modify spell alike."""

_TOGETHER = (
    ("allocated_storage", "storage_type", "iops", "throughput"),
    ("monitoring_interval", "monitoring_role_arn"),
    ("backup_window", "maintenance_window"),
    ("performance_insights", "performance_insights_retention_days"),
    ("parameter_group", "engine_version"),
)
"""RDS judges these as one, so when one of them changes all are sent."""


def _changeable(spec: RdsInstance.Spec, names: Sequence[str] = tuple(_FIELDS)) -> dict[str, Any]:
    """Request fields for those spec fields that are set; a role goes only with monitoring."""
    found = {_FIELDS[name]: getattr(spec, name) for name in names if name in _FIELDS}
    if "extended_support" in names or names == tuple(_FIELDS):
        support = "open-source-rds-extended-support"
        found["EngineLifecycleSupport"] = support if spec.extended_support else f"{support}-disabled"
    if not (spec.monitoring_interval and spec.monitoring_role_arn):
        found.pop("MonitoringRoleArn", None)
    return {field: value for field, value in found.items() if value is not None}


def _changes(spec: RdsInstance.Spec, seen: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """What ``modify_db_instance`` must be sent to bring ``seen`` to the spec, as far as ``changed`` allows."""
    spec = given.as_seen(spec, seen, changed, _TOGETHER)
    names = [name for name in (*_FIELDS, "extended_support") if asked(changed, name)]
    differing = {name for name in names if name in seen and _differs(spec, seen, name)}
    for group in _TOGETHER:
        if differing & set(group):
            differing |= set(group)
    if seen["allocated_storage"] >= spec.allocated_storage:
        differing.discard("allocated_storage")  # grown by itself; it cannot shrink
    if rds_rules.same_version(spec.engine_version, str(seen["engine_version"])):
        differing.discard("engine_version")
    changes = _changeable(spec, sorted(differing))
    if "EngineVersion" in changes and spec.engine_version.split(".")[0] != str(seen["engine_version"]).split(".")[0]:
        changes["AllowMajorVersionUpgrade"] = True
    if asked(changed, "port") and spec.port != seen["port"]:
        changes["DBPortNumber"] = spec.port
    if asked(changed, "log_exports"):
        changes |= _export_changes(spec.log_exports, seen["log_exports"])
    return changes


def _differs(spec: RdsInstance.Spec, seen: Mapping[str, Any], name: str) -> bool:
    wanted, found = getattr(spec, name), seen[name]
    if wanted is None:
        return False
    equal = RdsInstance.matches.get(name)
    return not (equal(wanted, found) if equal and found is not None else wanted == found)


def _export_changes(wanted: Sequence[str], seen: Sequence[str]) -> dict[str, Any]:
    enable, disable = sorted(set(wanted) - set(seen)), sorted(set(seen) - set(wanted))
    lists = {"EnableLogTypes": enable, "DisableLogTypes": disable}
    named = {name: types for name, types in lists.items() if types}
    return {"CloudwatchLogsExportConfiguration": named} if named else {}
