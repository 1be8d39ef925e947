"""What a caller must be allowed to do for each type: to look, make, change and remove. What IAM calls them.

The actions of the calls that the types make; where one call needs several, all of them. Preflight asks IAM's simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_TAGS: Final = "ec2:CreateTags"

ACTIONS: Final[Mapping[str, Sequence[str]]] = {
    "aws.vpc": ("ec2:DescribeVpcs", "ec2:CreateVpc", "ec2:ModifyVpcAttribute", "ec2:DeleteVpc", _TAGS),
    "aws.subnet": (
        "ec2:DescribeSubnets", "ec2:DescribeAvailabilityZones", "ec2:CreateSubnet", "ec2:DeleteSubnet", _TAGS,
    ),
    "aws.security_group": (
        "ec2:DescribeSecurityGroups", "ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
        "ec2:DeleteSecurityGroup", _TAGS,
    ),
    "aws.network_acl": (
        "ec2:DescribeNetworkAcls", "ec2:CreateNetworkAcl", "ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAclEntry",
        "ec2:ReplaceNetworkAclAssociation", "ec2:DeleteNetworkAcl", _TAGS,
    ),
    "aws.internet_gateway": (
        "ec2:DescribeInternetGateways", "ec2:CreateInternetGateway", "ec2:AttachInternetGateway",
        "ec2:DetachInternetGateway", "ec2:DeleteInternetGateway", _TAGS,
    ),
    "aws.elastic_ip": ("ec2:DescribeAddresses", "ec2:AllocateAddress", "ec2:ReleaseAddress", _TAGS),
    "aws.nat_gateway": ("ec2:DescribeNatGateways", "ec2:CreateNatGateway", "ec2:DeleteNatGateway", _TAGS),
    "aws.route_table": (
        "ec2:DescribeRouteTables", "ec2:CreateRouteTable", "ec2:CreateRoute", "ec2:AssociateRouteTable",
        "ec2:DisassociateRouteTable", "ec2:DeleteRouteTable", _TAGS,
    ),
    "aws.vpc_endpoint": (
        "ec2:DescribeVpcEndpoints", "ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints", _TAGS,
    ),
    "aws.kms_key": (
        "kms:ListKeys", "kms:DescribeKey", "kms:ListResourceTags", "kms:CreateKey", "kms:TagResource",
        "kms:EnableKeyRotation", "kms:ScheduleKeyDeletion",
    ),
    "aws.kms_alias": ("kms:ListAliases", "kms:CreateAlias", "kms:DeleteAlias"),
    "aws.iam_role": (
        "iam:GetRole", "iam:CreateRole", "iam:TagRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PassRole",
        "iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole",
    ),
    "aws.secret": (
        "secretsmanager:DescribeSecret", "secretsmanager:CreateSecret", "secretsmanager:GetSecretValue",
        "secretsmanager:TagResource", "secretsmanager:DeleteSecret",
    ),
    "aws.secret_version": (
        "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
    ),
    "aws.db_subnet_group": (
        "rds:DescribeDBSubnetGroups", "rds:CreateDBSubnetGroup", "rds:AddTagsToResource", "rds:DeleteDBSubnetGroup",
    ),
    "aws.db_parameter_group": (
        "rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:CreateDBParameterGroup",
        "rds:ModifyDBParameterGroup", "rds:AddTagsToResource", "rds:DeleteDBParameterGroup",
    ),
    "aws.rds_instance": (
        "rds:DescribeDBInstances", "rds:DescribeDBEngineVersions", "rds:CreateDBInstance", "rds:ModifyDBInstance",
        "rds:RebootDBInstance", "rds:AddTagsToResource", "rds:CreateDBSnapshot", "rds:DescribeDBSnapshots",
        "rds:DeleteDBInstance",
    ),
    "aws.rds_read_replica": (
        "rds:DescribeDBInstances", "rds:CreateDBInstanceReadReplica", "rds:ModifyDBInstance", "rds:AddTagsToResource",
        "rds:DeleteDBInstance",
    ),
    "aws.rds_backup_replication": (
        "rds:DescribeDBInstanceAutomatedBackups", "rds:StartDBInstanceAutomatedBackupsReplication",
        "rds:StopDBInstanceAutomatedBackupsReplication", "rds:DeleteDBInstanceAutomatedBackup",
        "rds:AddTagsToResource",
    ),
    "aws.rds_proxy": (
        "rds:DescribeDBProxies", "rds:CreateDBProxy", "rds:RegisterDBProxyTargets", "rds:DescribeDBProxyTargets",
        "rds:ModifyDBProxyTargetGroup", "rds:AddTagsToResource", "rds:DeleteDBProxy",
    ),
    "aws.rds_event_subscription": (
        "rds:DescribeEventSubscriptions", "rds:CreateEventSubscription", "rds:DeleteEventSubscription",
    ),
    "aws.cache_subnet_group": (
        "elasticache:DescribeCacheSubnetGroups", "elasticache:CreateCacheSubnetGroup", "elasticache:AddTagsToResource",
        "elasticache:DeleteCacheSubnetGroup",
    ),
    "aws.cache_parameter_group": (
        "elasticache:DescribeCacheParameterGroups", "elasticache:CreateCacheParameterGroup",
        "elasticache:ModifyCacheParameterGroup", "elasticache:DeleteCacheParameterGroup",
    ),
    "aws.cache_replication_group": (
        "elasticache:DescribeReplicationGroups", "elasticache:CreateReplicationGroup",
        "elasticache:ModifyReplicationGroup", "elasticache:AddTagsToResource", "elasticache:DeleteReplicationGroup",
    ),
    "aws.s3_bucket": (
        "s3:ListBucket", "s3:CreateBucket", "s3:PutBucketTagging", "s3:PutEncryptionConfiguration",
        "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:PutBucketCORS",
        "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
        "s3:DeleteBucket",
    ),
    "aws.sns_topic": ("sns:GetTopicAttributes", "sns:CreateTopic", "sns:TagResource", "sns:DeleteTopic"),
    "aws.sns_subscription": ("sns:ListSubscriptionsByTopic", "sns:Subscribe", "sns:Unsubscribe"),
    "aws.log_group": (
        "logs:DescribeLogGroups", "logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource",
        "logs:DeleteLogGroup",
    ),
    "aws.cloudwatch_alarm": (
        "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:DeleteAlarms",
    ),
    "aws.alarms": (
        "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:DeleteAlarms",
    ),
    "aws.composite_alarm": (
        "cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm", "cloudwatch:TagResource",
        "cloudwatch:DeleteAlarms",
    ),
    "aws.cloudwatch_dashboard": (
        "cloudwatch:GetDashboard", "cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards",
    ),
    "aws.budget": ("budgets:ViewBudget", "budgets:ModifyBudget"),
    "aws.lambda_function": (
        "lambda:GetFunction", "lambda:CreateFunction", "lambda:TagResource", "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction", "iam:PassRole",
    ),
    "aws.lambda_permission": ("lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission"),
    "aws.secret_rotation": (
        "secretsmanager:DescribeSecret", "secretsmanager:RotateSecret", "secretsmanager:CancelRotateSecret",
        "lambda:InvokeFunction",
    ),
}  # fmt: skip


def actions(type_name: str) -> Sequence[str]:
    """The actions of a type; none for one that is not in the table."""
    return ACTIONS.get(type_name, ())
