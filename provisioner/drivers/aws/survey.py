"""What checks ask before anything is made: who, may they, what is on offer, what is taken. Every call reads.

Answers are kept in the session, and shared with the types where these ask the same (zones, versions).

Weaknesses. S3 answers 403 for a bucket of somebody else's, and also where the caller may not list: then nobody can
tell. Quotas are those that AWS counts by itself (RDS), or that are counted here by a list call (VPCs, groups …).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from provisioner.drivers.aws import permissions, rds_versions
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.session import AwsSession
from provisioner.drivers.aws.tags import from_list
from provisioner.errors import AccessDeniedError, NotFoundError
from provisioner.model import OWNER_TAG, Key
from provisioner.survey import Deleted, Offer, Quota

_T = TypeVar("_T")

_ROLE: Final = re.compile(r"^arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/")
_ACTIONS_AT_ONCE: Final = 100
_NAMES_AT_ONCE: Final = 10
_NETWORK: Final = {
    "VPCs": ("L-F678F1CE", "describe_vpcs", "Vpcs"),
    "Security groups": ("L-E79EC296", "describe_security_groups", "SecurityGroups"),
    "Internet gateways": ("L-A4707A72", "describe_internet_gateways", "InternetGateways"),
    "Network ACLs": ("L-B4A6D682", "describe_network_acls", "NetworkAcls"),
    "Elastic IPs": ("L-0263D0A3", "describe_addresses", "Addresses"),
}
"""Quota code, and the call that counts what there is."""
_SERVICE: Final = {"Elastic IPs": "ec2"}


class AwsSurvey:
    """The answers for one region."""

    def __init__(self, session: AwsSession, region: str = "") -> None:
        self.session = session
        self.region = region or session.region
        self._answers = session.memory(f"survey {self.region}")

    def caller(self) -> str:
        """The ARN of the credentials' owner."""
        return self.session.caller()["arn"]

    def account(self) -> str:
        """Twelve digits."""
        return self.session.account()

    def zones(self) -> Sequence[str]:
        """Availability zones, not local or wavelength ones."""

        def ask() -> list[str]:
            found = self._call("ec2", "describe_availability_zones")["AvailabilityZones"]
            return sorted(
                zone["ZoneName"]
                for zone in found
                if zone.get("State") == "available" and zone.get("ZoneType", "availability-zone") == "availability-zone"
            )

        return self._once("zones", ask)

    def versions(self, service: str, engine: str, major: str = "") -> Sequence[str]:
        """Of a major version where one is given; ``cache`` has few enough to be listed at once."""
        if service == "rds":
            key = Key(deployment="", step="", name=engine, region=self.region)
            return sorted(rds_versions.listed(self.session, key, major), key=rds_versions.number)

        def ask() -> list[str]:
            found = self._pages("elasticache", "describe_cache_engine_versions", "CacheEngineVersions", Engine=engine)
            return [str(one["EngineVersion"]) for one in found]

        return self._once(f"cache versions {engine}", ask)

    def offers(self, instance_class: str, version: str) -> Sequence[Offer]:
        """Every way in which RDS sells the class with that exact version."""

        def ask() -> list[Offer]:
            found = self._pages(
                "rds",
                "describe_orderable_db_instance_options",
                "OrderableDBInstanceOptions",
                Engine="postgres",
                EngineVersion=version,
                DBInstanceClass=instance_class,
            )
            return [
                Offer(
                    storage_type=str(one.get("StorageType", "")),
                    multi_az=bool(one.get("MultiAZCapable")),
                    zones=tuple(sorted(zone["Name"] for zone in one.get("AvailabilityZones", ()))),
                )
                for one in found
            ]

        return self._once(f"offers {instance_class} {version}", ask)

    def parameters(self, service: str, family: str) -> Mapping[str, str]:
        """Those that can be modified, with AllowedValues as AWS writes them."""

        def ask() -> dict[str, str]:
            if service == "rds":
                found = self._marked("rds", "describe_engine_default_parameters", DBParameterGroupFamily=family)
            else:
                found = self._marked(
                    "elasticache", "describe_engine_default_parameters", CacheParameterGroupFamily=family
                )
            return {
                str(one["ParameterName"]): str(one.get("AllowedValues", ""))
                for one in found
                if one.get("IsModifiable", True)
            }

        return self._once(f"parameters {service} {family}", ask)

    def quotas(self, service: str, names: Collection[str]) -> Sequence[Quota]:
        """Those of ``names`` that are known of ``rds`` or ``network``."""
        if service == "rds":
            return [quota for quota in self._once("rds quotas", self._rds_quotas) if quota.what in names]
        return [self._once(f"quota {name}", partial(self._counted, name)) for name in _NETWORK if name in names]

    def _rds_quotas(self) -> list[Quota]:
        found = self._call("rds", "describe_account_attributes")["AccountQuotas"]
        return [Quota(str(one["AccountQuotaName"]), int(one["Used"]), int(one["Max"])) for one in found]

    def _counted(self, name: str) -> Quota:
        code, operation, key = _NETWORK[name]
        service = _SERVICE.get(name, "vpc")
        quota = self._call("service-quotas", "get_service_quota", ServiceCode=service, QuotaCode=code)["Quota"]
        used = sum(1 for _ in self._pages("ec2", operation, key))
        return Quota(name, used, int(quota["Value"]), code)

    def bucket(self, name: str) -> str:
        """By HeadBucket, which says 403 of a bucket of another account."""

        def ask() -> str:
            try:
                self._call("s3", "head_bucket", Bucket=name, ExpectedBucketOwner=self.account())
            except NotFoundError:
                return "free"
            except AccessDeniedError:
                return "taken"
            return "ours"

        return self._once(f"bucket {name}", ask)

    def deleted_secrets(self, names: Collection[str]) -> Mapping[str, Deleted]:
        """One list call for ten names."""
        found: dict[str, Deleted] = {}
        for some in chunks(sorted(names), _NAMES_AT_ONCE):
            listed = self._pages(
                "secretsmanager",
                "list_secrets",
                "SecretList",
                IncludePlannedDeletion=True,
                Filters=[{"Key": "name", "Values": some}],
            )
            for one in listed:
                if one["Name"] in some and "DeletedDate" in one:
                    owner = from_list(one.get("Tags")).get(OWNER_TAG)
                    found[one["Name"]] = Deleted(owner, f"{one['DeletedDate']:%Y-%m-%d}")
        return found

    def denied(self, actions: Collection[str]) -> Mapping[str, bool]:
        """By IAM's simulator, on any resource and without conditions; the root user may do all."""
        arn = self.caller()
        if arn.endswith(":root"):
            return {}
        role = _ROLE.match(arn)
        source = f"arn:{role[1]}:iam::{role[2]}:role/{role[3]}" if role is not None else arn
        refused: dict[str, bool] = {}
        for some in chunks(sorted(actions), _ACTIONS_AT_ONCE):
            answers = self._pages(
                "iam", "simulate_principal_policy", "EvaluationResults", PolicySourceArn=source, ActionNames=some
            )
            refused |= {
                str(one["EvalActionName"]): one["EvalDecision"] == "explicitDeny"
                for one in answers
                if one["EvalDecision"] != "allowed"
            }
        return refused

    def actions(self, type_name: str) -> Sequence[str]:
        """From the table in :mod:`permissions`."""
        return permissions.actions(type_name)

    # -- calls ----------------------------------------------------------------------------------------------------

    def _once(self, question: str, ask: Callable[[], _T]) -> _T:
        if question not in self._answers:
            self._answers[question] = ask()
        answer: _T = self._answers[question]
        return answer

    def _call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.session.call(service, operation, what="preflight", region=self.region, **parameters)

    def _pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        found = self.session.pages(service, operation, key, what="preflight", region=self.region, **parameters)
        return list(found)

    def _marked(self, service: str, operation: str, **parameters: Any) -> list[Any]:
        """Pages whose list stands one level down, in EngineDefaults, with a Marker beside it."""
        found: list[Any] = []
        marker: str | None = None
        while True:
            answer = self._call(service, operation, Marker=marker, **parameters)["EngineDefaults"]
            found += answer.get("Parameters", [])
            marker = answer.get("Marker")
            if not marker:
                return found
