"""What ElastiCache refuses in the settings of a replication group; one rule a function."""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.sandbox.aws import windows
from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.elasticache import parameter_groups
from provisioner.sandbox.aws.elasticache.catalogue import NODE_TYPES, resolve
from provisioner.sandbox.aws.elasticache.state import CacheRegion

Settings = dict[str, Any]

_IDENT: Final = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*")
_SPECIALS: Final = "!&#$^<>-"
_MOST_NODES: Final = 6


def value(message: str) -> AwsError:
    """A value that is wrong by itself."""
    return AwsError("InvalidParameterValue", message)


def combination(message: str) -> AwsError:
    """Values that do not go together."""
    return AwsError("InvalidParameterCombination", message)


def check_ident(ident: str) -> None:
    """ReplicationGroupId."""
    if not _IDENT.fullmatch(ident) or len(ident) > 40:
        raise value(
            "The parameter ReplicationGroupId is not a valid identifier. It has 1 to 40 letters, digits and hyphens, "
            f"begins with a letter, and has no hyphen at its end nor two in a row: {ident}"
        )


def check_token(token: str) -> None:
    """AuthToken; the error never shows it."""
    fine = all("!" <= letter <= "~" and (letter.isalnum() or letter in _SPECIALS) for letter in token)
    if not 16 <= len(token) <= 128 or not fine:
        raise value(
            "Invalid AuthToken provided: it has 16 to 128 letters, digits and the characters ! & # $ ^ < > - alone."
        )


def check_settings(region: CacheRegion, s: Settings) -> None:
    """Everything that has to hold whenever a group comes to rest."""
    _check_nodes(region, s)
    _check_windows(s)
    _check_network(region, s)
    family = resolve(s["Engine"], s["EngineVersion"])[1]
    group = parameter_groups.find(region, s["CacheParameterGroupName"])
    if group.family != family:
        raise combination(f"Expected a parameter group of family {family} but found one of family {group.family}")
    if group.values.get("cluster-enabled") == "yes":
        raise AwsError("NotImplemented", "the sandbox does not offer cluster mode", 501)
    if not 0 <= s["SnapshotRetentionLimit"] <= 35:
        raise value(f"SnapshotRetentionLimit must be from 0 to 35, not {s['SnapshotRetentionLimit']}")
    topic = s.get("NotificationTopicArn")
    if topic and not region.world.neighbours.topic_exists(topic):
        raise value(f"The notification topic {topic} does not exist or ElastiCache may not publish to it")


def _check_nodes(region: CacheRegion, s: Settings) -> None:
    if s["CacheNodeType"] not in NODE_TYPES:
        raise value(f"Invalid cache node type: {s['CacheNodeType']}")
    number = s["NumCacheClusters"]
    if not 1 <= number <= _MOST_NODES:
        raise value(f"NumCacheClusters must be from 1 to {_MOST_NODES}, not {number}")
    if s["AutomaticFailover"] and number < 2:
        raise combination(
            "Replication group with automatic failover must have at least one replica: NumCacheClusters of 2 or more."
        )
    if s["MultiAZ"] and not s["AutomaticFailover"]:
        raise combination("Multi-AZ requires automatic failover to be enabled.")
    if s["MultiAZ"] and len(region.subnet_group(s["CacheSubnetGroupName"]).zones) < 2:
        raise combination("Multi-AZ requires a subnet group with subnets in at least two availability zones.")
    if not 1024 <= s["Port"] <= 65535:
        raise value(f"Invalid port: {s['Port']}. Valid ports are 1024-65535.")


def _check_windows(s: Settings) -> None:
    maintenance = windows.weekly(s["PreferredMaintenanceWindow"], least=60, what="maintenance window")
    snapshot = windows.daily(s["SnapshotWindow"], least=60, what="snapshot window")
    if windows.overlap(snapshot, maintenance):
        raise value("The snapshot window and the maintenance window must not overlap: "
                    f"{s['SnapshotWindow']} and {s['PreferredMaintenanceWindow']}")  # fmt: skip


def _check_network(region: CacheRegion, s: Settings) -> None:
    group = region.subnet_group(s["CacheSubnetGroupName"])
    for group_id in s["SecurityGroupIds"]:
        found = region.world.neighbours.security_group(region.name, group_id)
        if found is None or found.vpc != group.vpc:
            raise value(f"The security group {group_id} does not exist in the VPC {group.vpc} of the subnet group")
    if not set(s["Zones"]) <= set(group.zones):
        raise value(f"Availability zones {', '.join(s['Zones'])} are not all covered by the subnet group {group.name}")


def usable_key(region: CacheRegion, name: str) -> str:
    """The ARN of a customer's KMS key; AwsError when it cannot encrypt."""
    key = region.world.neighbours.key(region.name, name)
    if key is None or key.state != "Enabled":
        raise value(f"The KMS key {name} does not exist, is not enabled or is not accessible")
    return key.arn
