"""What each type of credlink is struck by: the calls that make, change and remove its object, and a change to make.

``makes``, ``changes``, ``backs`` and ``removes`` are the writes of a create, of the change below, of that change taken
back, and of a removal, in the order in which they are sent; the first is the main one, but where ``at`` says otherwise.
A clean round holds them to what the sandbox's request log tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.refs import Ref

Tree = dict[str, Any]


def _same(tree: Tree) -> Tree:
    return tree


def _with(**fields: Any) -> Callable[[Tree], Tree]:
    return lambda tree: {**tree, **fields}


def _inside(field: str, **members: Any) -> Callable[[Tree], Tree]:
    return lambda tree: {**tree, field: {**tree[field], **members}}


@dataclass(frozen=True, kw_only=True)
class Handling:
    """``before`` and ``after`` make the two specs between which an update goes out of the plan's own.

    ``waits``: the verbs after which an object of this type is on its way for a while. ``hidden``: what a read tells
    of an object that is another each time it is made. ``comes_back``: one that was deleted is taken back by the next
    create, so that only an empty cloud shows how one is made.
    """

    service: str
    makes: tuple[str, ...]
    removes: tuple[str, ...]
    changes: tuple[str, ...] = ()
    backs: tuple[str, ...] = ()
    before: Callable[[Tree], Tree] = _same
    after: Callable[[Tree], Tree] = _same
    waits: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    comes_back: bool = False
    at: Mapping[str, int] = None  # type: ignore[assignment]

    def calls(self, verb: str) -> tuple[str, ...]:
        """The writes of a verb, the main one first."""
        listed = {"deploy": self.makes, "update": self.changes, "back": self.backs, "undo": self.removes}[verb]
        main = (self.at or {}).get(verb, 0)
        return (*listed[main : main + 1], *listed[:main], *listed[main + 1 :])


ALWAYS = frozenset({"deploy", "update", "back", "undo"})
_RULE = {"port": 5433, "cidr": "10.0.0.0/16"}


def _more_ingress(tree: Tree) -> Tree:
    return {**tree, "ingress": [*tree["ingress"], _RULE]}


HANDLING: Mapping[str, Handling] = {
    "aws.vpc": Handling(
        service="ec2",
        makes=("CreateVpc", "ModifyVpcAttribute"),
        changes=("ModifyVpcAttribute",),
        backs=("ModifyVpcAttribute",),
        removes=("DeleteVpc",),
        before=_with(dns_hostnames=True),
        after=_with(dns_hostnames=False),
        waits=frozenset({"deploy"}),
        hidden=frozenset({"vpc_id"}),
    ),
    "aws.subnet": Handling(
        service="ec2",
        makes=("CreateSubnet",),
        changes=("ModifySubnetAttribute",),
        backs=("ModifySubnetAttribute",),
        removes=("DeleteSubnet",),
        before=_with(map_public_ip=False),
        after=_with(map_public_ip=True),
        waits=frozenset({"deploy"}),
        hidden=frozenset({"subnet_id"}),
    ),
    "aws.security_group": Handling(
        service="ec2",
        makes=("CreateSecurityGroup", "AuthorizeSecurityGroupIngress"),
        changes=("AuthorizeSecurityGroupIngress",),
        backs=("RevokeSecurityGroupIngress",),
        removes=("DeleteSecurityGroup",),
        after=_more_ingress,
        hidden=frozenset({"group_id"}),
    ),
    "aws.kms_key": Handling(
        service="kms",
        makes=("CreateKey", "EnableKeyRotation"),
        changes=("UpdateKeyDescription",),
        backs=("UpdateKeyDescription",),
        removes=("TagResource", "ScheduleKeyDeletion"),
        after=_with(description="something else"),
        comes_back=True,
        at={"undo": 1},
    ),
    "aws.kms_alias": Handling(
        service="kms",
        makes=("TagResource", "CreateAlias"),
        changes=("TagResource", "UpdateAlias"),
        backs=("TagResource", "UpdateAlias"),
        removes=("DeleteAlias", "UntagResource"),
        after=_with(key_id=Ref("spare-key", "key_id")),
        at={"deploy": 1, "update": 1, "back": 1},
    ),
    "aws.iam_role": Handling(
        service="iam",
        makes=("CreateRole", "AttachRolePolicy"),
        changes=("UpdateRole",),
        backs=("UpdateRole",),
        removes=("DetachRolePolicy", "DeleteRole"),
        after=_with(description="something else"),
        at={"undo": 1},
    ),
    "aws.secret": Handling(
        service="secretsmanager",
        makes=("CreateSecret",),
        changes=("UpdateSecret",),
        backs=("UpdateSecret",),
        removes=("DeleteSecret",),
        after=_with(description="something else"),
    ),
    "aws.secret_version": Handling(
        service="secretsmanager",
        makes=("PutSecretValue", "UpdateSecretVersionStage"),
        changes=("PutSecretValue",),
        backs=("PutSecretValue",),
        removes=("UpdateSecretVersionStage",),
        after=_inside("value", dbname="another"),
    ),
    "aws.sns_topic": Handling(
        service="sns",
        makes=("CreateTopic",),
        changes=("SetTopicAttributes",),
        backs=("SetTopicAttributes",),
        removes=("DeleteTopic",),
        after=_with(display_name="something else"),
    ),
    "aws.sns_subscription": Handling(
        service="sns",
        makes=("TagResource", "Subscribe"),
        removes=("UntagResource",),
        at={"deploy": 1},
    ),
    "aws.db_subnet_group": Handling(
        service="rds",
        makes=("CreateDBSubnetGroup",),
        changes=("ModifyDBSubnetGroup",),
        backs=("ModifyDBSubnetGroup",),
        removes=("DeleteDBSubnetGroup",),
        after=_with(description="something else"),
    ),
    "aws.db_parameter_group": Handling(
        service="rds",
        makes=("CreateDBParameterGroup", "ModifyDBParameterGroup"),
        changes=("ModifyDBParameterGroup",),
        backs=("ModifyDBParameterGroup",),
        removes=("DeleteDBParameterGroup",),
        after=_inside("parameters", log_min_duration_statement="2000"),
    ),
    "aws.log_group": Handling(
        service="logs",
        makes=("CreateLogGroup", "PutRetentionPolicy"),
        changes=("PutRetentionPolicy",),
        backs=("PutRetentionPolicy",),
        removes=("DeleteLogGroup",),
        after=_with(retention_days=14),
    ),
    "aws.rds_instance": Handling(
        service="rds",
        makes=("CreateDBInstance",),
        changes=("ModifyDBInstance",),
        backs=("ModifyDBInstance",),
        removes=("DeleteDBInstance",),
        after=_with(backup_retention_days=3),
        waits=ALWAYS,
    ),
    "aws.cache_subnet_group": Handling(
        service="elasticache",
        makes=("CreateCacheSubnetGroup",),
        changes=("ModifyCacheSubnetGroup",),
        backs=("ModifyCacheSubnetGroup",),
        removes=("DeleteCacheSubnetGroup",),
        after=_with(description="something else"),
    ),
    "aws.cache_parameter_group": Handling(
        service="elasticache",
        makes=("CreateCacheParameterGroup", "ModifyCacheParameterGroup"),
        changes=("ModifyCacheParameterGroup",),
        backs=("ModifyCacheParameterGroup",),
        removes=("DeleteCacheParameterGroup",),
        after=_inside("parameters", **{"maxmemory-policy": "allkeys-lfu"}),
    ),
    "aws.cache_replication_group": Handling(
        service="elasticache",
        makes=("CreateReplicationGroup",),
        changes=("ModifyReplicationGroup",),
        backs=("ModifyReplicationGroup",),
        removes=("DeleteReplicationGroup",),
        after=_with(node_type="cache.t3.small"),
        waits=ALWAYS,
    ),
    "aws.s3_bucket": Handling(
        service="s3",
        makes=(
            "CreateBucket",
            "PutBucketVersioning",
            "PutBucketLifecycleConfiguration",
            "PutBucketCors",
        ),
        changes=("PutBucketCors",),
        backs=("PutBucketCors",),
        removes=("DeleteBucket",),
        after=lambda tree: {**tree, "cors": [{**tree["cors"][0], "max_age_seconds": 600}]},
    ),
    "aws.rds_event_subscription": Handling(
        service="rds",
        makes=("CreateEventSubscription",),
        changes=("ModifyEventSubscription",),
        backs=("ModifyEventSubscription",),
        removes=("DeleteEventSubscription",),
        after=_with(categories=["failover", "failure"]),
        waits=ALWAYS,
    ),
}
