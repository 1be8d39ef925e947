"""Rules that make moto as strict as AWS where a database layer would notice.

A rule stands in front of one operation: it gets the call, our own services and ``proceed`` (moto's answer). It refuses
with AwsError, or proceeds and perhaps mends what moto left out. One file a service; the table below is all there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from provisioner.sandbox.aws.call import Call, Reply
from provisioner.sandbox.aws.rules import (
    budgets,
    cloudwatch,
    dashboards,
    ec2,
    ec2endpoints,
    ec2gateways,
    ec2subnets,
    iam,
    kms,
    logs,
    ringing,
    s3,
    s3access,
    secretlabels,
    secretrotation,
    secretsmanager,
    sns,
    tagging,
)

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

Rule = Callable[[Call, "Services", Callable[[], Reply]], Reply]

_LIVE_SECRET: Final = (
    "TagResource", "UntagResource", "PutResourcePolicy", "ReplicateSecretToRegions",
)  # fmt: skip
_LIVE_KEY: Final = (
    "EnableKey", "DisableKey", "DisableKeyRotation", "UpdateKeyDescription", "TagResource",
    "UntagResource", "CreateGrant", "UpdateAlias",
)  # fmt: skip
_ENABLED_KEY: Final = (
    "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair", "Sign",
    "Verify", "GenerateMac", "VerifyMac",
)  # fmt: skip

_NAMES_POLICY: Final = (
    "AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions",
)  # fmt: skip

ANONYMOUS_READS: Final = ("GetObject", "HeadObject", "ListObjects", "ListObjectsV2")
"""Operations of S3 that callers without a signature may try."""

_SHOWS_INTERFACES: Final = (
    "DescribeNetworkInterfaces", "DescribeNetworkInterfaceAttribute", "ModifyNetworkInterfaceAttribute",
)  # fmt: skip

RULES: Final[dict[tuple[str, str], Rule]] = {
    **{("ec2", name): ec2.pending for name in ("CreateVpc", "CreateSubnet")},
    **{("ec2", name): ec2.available for name in ("DescribeVpcs", "DescribeSubnets")},
    ("ec2", "DeleteSecurityGroup"): ec2.delete_security_group,
    ("ec2", "DeleteSubnet"): ec2.delete_subnet,
    ("ec2", "DeleteVpc"): ec2.delete_vpc,
    ("ec2", "DeleteNetworkInterface"): ec2.delete_interface,
    **{("ec2", name): ec2.with_interfaces for name in _SHOWS_INTERFACES},
    ("ec2", "CreateNatGateway"): ec2.tagged_as("natgateway", ec2gateways.create_nat),
    ("ec2", "AllocateAddress"): ec2.tagged_as("elastic-ip"),
    ("ec2", "CreateInternetGateway"): ec2.tagged_as("internet-gateway"),
    ("ec2", "CreateRouteTable"): ec2.tagged_as("route-table"),
    **{("ec2", f"Describe{what}"): ec2gateways.with_default_door for what in ("InternetGateways", "RouteTables")},
    ("ec2", "DescribeNatGateways"): ec2gateways.describe_nat,
    ("ec2", "DeleteNatGateway"): ec2gateways.delete_nat,
    **{("ec2", name): ec2gateways.settled for name in ("DescribeAddresses", "AssociateAddress")},
    ("ec2", "ReleaseAddress"): ec2gateways.release,
    ("ec2", "DisassociateAddress"): ec2gateways.disassociate,
    ("ec2", "AttachInternetGateway"): ec2gateways.attach,
    ("ec2", "DetachInternetGateway"): ec2gateways.detach,
    ("ec2", "CreateVpcEndpoint"): ec2.tagged_as("vpc-endpoint", ec2endpoints.create),
    ("ec2", "DescribeVpcEndpoints"): ec2endpoints.describe,
    ("ec2", "ModifyVpcEndpoint"): ec2endpoints.modify,
    ("ec2", "DeleteVpcEndpoints"): ec2endpoints.delete,
    ("ec2", "DescribeNetworkAcls"): ec2subnets.describe_acls,
    ("ec2", "CreateNetworkAcl"): ec2.tagged_as("network-acl", ec2subnets.create_acl),
    ("ec2", "DeleteNetworkAcl"): ec2subnets.delete_acl,
    ("ec2", "CreateNetworkAclEntry"): ec2subnets.create_entry,
    ("ec2", "ReplaceNetworkAclEntry"): ec2subnets.replace_entry,
    ("ec2", "DeleteNetworkAclEntry"): ec2subnets.delete_entry,
    ("ec2", "ReplaceNetworkAclAssociation"): ec2subnets.replace_acl,
    ("ec2", "AssociateRouteTable"): ec2subnets.associate,
    **{("ec2", name): ec2subnets.route for name in ("CreateRoute", "ReplaceRoute")},
    ("ec2", "DeleteRouteTable"): ec2subnets.delete_table,
    ("secretsmanager", "CreateSecret"): secretsmanager.create,
    ("secretsmanager", "GetSecretValue"): secretsmanager.get_value,
    ("secretsmanager", "DeleteSecret"): secretsmanager.delete,
    ("secretsmanager", "PutSecretValue"): secretlabels.put_value,
    ("secretsmanager", "UpdateSecret"): secretlabels.put_value,
    ("secretsmanager", "UpdateSecretVersionStage"): secretlabels.update_stage,
    ("secretsmanager", "RotateSecret"): secretrotation.rotate,
    ("secretsmanager", "CancelRotateSecret"): secretrotation.cancel,
    ("secretsmanager", "DescribeSecret"): secretrotation.describe,
    **{("secretsmanager", name): secretsmanager.need_live for name in _LIVE_SECRET},
    ("kms", "ScheduleKeyDeletion"): kms.schedule_deletion,
    ("kms", "CancelKeyDeletion"): kms.cancel_deletion,
    ("kms", "CreateAlias"): kms.create_alias,
    ("kms", "CreateKey"): kms.create_key,
    ("kms", "EnableKeyRotation"): kms.enable_rotation,
    ("kms", "GetKeyRotationStatus"): kms.rotation_status,
    **{("kms", name): kms.need_alive for name in _LIVE_KEY},
    **{("kms", name): kms.need_enabled for name in _ENABLED_KEY},
    ("s3", "CreateBucket"): s3.create_bucket,
    ("s3", "DeleteBucket"): s3.delete_bucket,
    ("s3", "DeleteBucketEncryption"): s3.delete_encryption,
    ("s3", "PutBucketLifecycleConfiguration"): s3.put_lifecycle,
    ("s3", "PutObject"): s3access.put_object,
    ("s3", "PutBucketPolicy"): s3access.put_policy,
    **{("s3", name): s3access.read for name in ANONYMOUS_READS},
    ("sns", "CreateTopic"): sns.create_topic,
    ("sns", "Subscribe"): sns.subscribe,
    ("sns", "ConfirmSubscription"): sns.confirm,
    ("sns", "Publish"): sns.publish,
    ("sns", "ListSubscriptions"): sns.list_subscriptions,
    ("sns", "ListSubscriptionsByTopic"): sns.list_subscriptions,
    ("iam", "CreateRole"): iam.create_role,
    ("iam", "SimulatePrincipalPolicy"): iam.simulate,
    **{("iam", name): iam.with_aws_policy for name in _NAMES_POLICY},
    ("cloudwatch", "PutMetricAlarm"): ringing.put_alarm,
    ("cloudwatch", "PutCompositeAlarm"): ringing.put_composite,
    ("cloudwatch", "DescribeAlarms"): ringing.described,
    ("cloudwatch", "DescribeAlarmHistory"): ringing.history,
    ("cloudwatch", "SetAlarmState"): ringing.set_state,
    ("cloudwatch", "PutMetricData"): ringing.put_data,
    ("cloudwatch", "DeleteAlarms"): cloudwatch.delete,
    **{("cloudwatch", name): cloudwatch.tags for name in ("ListTagsForResource", "TagResource", "UntagResource")},
    ("cloudwatch", "PutDashboard"): dashboards.put,
    ("cloudwatch", "GetDashboard"): dashboards.get,
    ("cloudwatch", "ListDashboards"): dashboards.listed,
    ("cloudwatch", "DeleteDashboards"): dashboards.delete,
    ("budgets", "CreateBudget"): budgets.create,
    ("budgets", "UpdateBudget"): budgets.update,
    ("budgets", "DeleteBudget"): budgets.delete,
    **{("budgets", name): budgets.describe for name in ("DescribeBudget", "DescribeBudgets")},
    **{("budgets", name): budgets.notify for name in budgets.NOTIFY},
    **{("budgets", name): budgets.tag for name in ("ListTagsForResource", "TagResource", "UntagResource")},
    ("resourcegroupstaggingapi", "GetResources"): tagging.get_resources,
    ("logs", "PutRetentionPolicy"): logs.put_retention,
    ("logs", "CreateLogGroup"): logs.create_group,
}
