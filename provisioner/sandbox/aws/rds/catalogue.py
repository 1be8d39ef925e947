"""The read-only calls about what RDS offers: engine versions, orderable options, certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.rds import versions
from provisioner.sandbox.aws.rds.state import RdsRegion
from provisioner.sandbox.aws.strict import Params, Result, page
from provisioner.sandbox.settings import ACCOUNT

DEFAULT_CERTIFICATE: Final = "rds-ca-rsa2048-g1"
CERTIFICATES: Final = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")
LOG_EXPORTS: Final = ("postgresql", "upgrade", "iam-db-auth-error")


def describe_engine_versions(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBEngineVersions: PostgreSQL alone."""
    if p.get("Engine", "postgres") != "postgres":
        return {"DBEngineVersions": []}
    wish = p.get("EngineVersion", "")
    found = [v for v in versions.versions() if not wish or v == wish or v.partition(".")[0] == wish]
    if p.get("DefaultOnly"):
        major = int(wish.partition(".")[0]) if wish else None
        found = [v for v in found if v == versions.default_version(major)]
    if p.get("DBParameterGroupFamily"):
        found = [v for v in found if versions.family(v) == p["DBParameterGroupFamily"]]
    shown, marker = page(found, p, lambda v: ".".join(part.zfill(3) for part in v.split(".")))
    return {"DBEngineVersions": [_engine_version(v) for v in shown], "Marker": marker}


def _engine_version(version: str) -> dict[str, Any]:
    return {
        "Engine": "postgres",
        "MajorEngineVersion": version.partition(".")[0],
        "EngineVersion": version,
        "DBParameterGroupFamily": versions.family(version),
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {version}-R1",
        "ValidUpgradeTarget": versions.upgrade_targets(version),
        "ExportableLogTypes": list(LOG_EXPORTS),
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True,
        "SupportedCACertificateIdentifiers": list(CERTIFICATES),
        "SupportsCertificateRotationWithoutRestart": True,
        "Status": "available",
    }


def describe_orderable_options(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeOrderableDBInstanceOptions: every class in every version and storage type."""
    if p["Engine"] != "postgres":
        return {"OrderableDBInstanceOptions": []}
    zones = [{"Name": zone} for zone in region.world.neighbours.zones(region.name)]
    found = [
        (version, cls, storage)
        for version in versions.versions()
        if p.get("EngineVersion", version) in (version, version.partition(".")[0])
        for cls in versions.CLASSES
        if p.get("DBInstanceClass", cls) == cls
        for storage in versions.STORAGE_TYPES
    ]
    shown, marker = page(found, p, "|".join)
    options = [_orderable(version, cls, storage, zones) for version, cls, storage in shown]
    return {"OrderableDBInstanceOptions": options, "Marker": marker}


def _orderable(version: str, cls: str, storage: str, zones: list[dict[str, str]]) -> dict[str, Any]:
    iops = storage != "gp2"
    return {
        "Engine": "postgres",
        "EngineVersion": version,
        "DBInstanceClass": cls,
        "LicenseModel": "postgresql-license",
        "AvailabilityZones": zones,
        "MultiAZCapable": True,
        "ReadReplicaCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": storage,
        "SupportsIops": iops,
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": True,
        "MinStorageSize": 100 if storage.startswith("io") else 20,
        "MaxStorageSize": 65536,
        "SupportsStorageAutoscaling": True,
        "SupportsStorageThroughput": storage == "gp3",
        "SupportedNetworkTypes": ["IPV4"],
    }


def describe_certificates(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeCertificates."""
    wish = p.get("CertificateIdentifier")
    if wish and wish not in CERTIFICATES:
        raise AwsError("CertificateNotFound", f"Certificate not found: {wish}")
    return {
        "DefaultCertificateForNewLaunches": DEFAULT_CERTIFICATE,
        "Certificates": [
            {
                "CertificateIdentifier": name,
                "CertificateType": "CA",
                "CertificateArn": f"arn:aws:rds:{region.name}::cert:{name}",
                "ValidFrom": datetime(2021, 5, 25, tzinfo=UTC),
                "ValidTill": datetime(2061, 5, 25, tzinfo=UTC),
                "CustomerOverride": False,
            }
            for name in CERTIFICATES
            if wish in (None, name)
        ],
    }


def describe_pending_maintenance(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribePendingMaintenanceActions: nothing is ever due."""
    return {"PendingMaintenanceActions": []}


def describe_account_attributes(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeAccountAttributes: the quotas that a database layer meets."""
    quotas = (
        ("DBInstances", len(region.instances), 40),
        ("AllocatedStorage", sum(i.settings["AllocatedStorage"] for i in region.instances.values()), 100_000),
        ("ManualSnapshots", len(region.snapshots), 100),
        ("DBParameterGroups", len(region.parameter_groups), 50),
        ("DBSubnetGroups", len(region.subnet_groups), 50),
        ("EventSubscriptions", len(region.subscriptions), 20),
    )
    return {"AccountQuotas": [{"AccountQuotaName": n, "Used": used, "Max": most} for n, used, most in quotas]}


def managed_key_arn(region: RdsRegion) -> str:
    """The ARN of the key that AWS keeps for RDS in every account (alias/aws/rds)."""
    return f"arn:aws:kms:{region.name}:{ACCOUNT}:key/5f0c1e1a-0000-4000-8000-aaaa0000{sum(map(ord, region.name)):04d}"
