"""The lazy type map: type name → where its class is, cloud → how a session is opened.

A new type is one file and one line here. Nothing is imported until a plan uses it.
"""

from __future__ import annotations

from typing import Final

from provisioner.resource import Registry

_AWS: Final = "provisioner.drivers.aws"
_CHECK: Final = "provisioner.drivers.check"
_SQL: Final = "provisioner.drivers.sql"

TYPES: Final[dict[str, str]] = {
    "aws.account": f"{_AWS}.account:Account",
    "aws.vpc": f"{_AWS}.vpc:Vpc",
    "aws.subnet": f"{_AWS}.subnet:Subnet",
    "aws.security_group": f"{_AWS}.security_group:SecurityGroup",
    "aws.default_vpc": f"{_AWS}.default_vpc:DefaultVpc",
    "aws.default_subnet": f"{_AWS}.default_subnet:DefaultSubnet",
    "aws.network_acl": f"{_AWS}.network_acl:NetworkAcl",
    "aws.internet_gateway": f"{_AWS}.internet_gateway:InternetGateway",
    "aws.elastic_ip": f"{_AWS}.elastic_ip:ElasticIp",
    "aws.nat_gateway": f"{_AWS}.nat_gateway:NatGateway",
    "aws.route_table": f"{_AWS}.route_table:RouteTable",
    "aws.vpc_endpoint": f"{_AWS}.vpc_endpoint:VpcEndpoint",
    "aws.kms_key": f"{_AWS}.kms_key:KmsKey",
    "aws.kms_alias": f"{_AWS}.kms_alias:KmsAlias",
    "aws.iam_role": f"{_AWS}.iam_role:IamRole",
    "aws.secret": f"{_AWS}.secret:ManagedSecret",
    "aws.secret_version": f"{_AWS}.secret_version:SecretVersion",
    "aws.db_subnet_group": f"{_AWS}.db_subnet_group:DbSubnetGroup",
    "aws.db_parameter_group": f"{_AWS}.db_parameter_group:DbParameterGroup",
    "aws.rds_instance": f"{_AWS}.rds_instance:RdsInstance",
    "aws.rds_proxy": f"{_AWS}.rds_proxy:RdsProxy",
    "aws.rds_proxy_health": f"{_AWS}.rds_proxy_health:RdsProxyHealth",
    "aws.rds_read_replica": f"{_AWS}.rds_read_replica:RdsReadReplica",
    "aws.rds_backup_replication": f"{_AWS}.rds_backup_replication:RdsBackupReplication",
    "aws.rds_event_subscription": f"{_AWS}.rds_event_subscription:RdsEventSubscription",
    "aws.cache_subnet_group": f"{_AWS}.cache_subnet_group:CacheSubnetGroup",
    "aws.cache_parameter_group": f"{_AWS}.cache_parameter_group:CacheParameterGroup",
    "aws.cache_replication_group": f"{_AWS}.cache_replication_group:CacheReplicationGroup",
    "aws.s3_bucket": f"{_AWS}.s3_bucket:S3Bucket",
    "aws.sns_topic": f"{_AWS}.sns_topic:SnsTopic",
    "aws.sns_subscription": f"{_AWS}.sns_subscription:SnsSubscription",
    "aws.sns_message": f"{_AWS}.sns_message:SnsMessage",
    "aws.log_group": f"{_AWS}.log_group:LogGroup",
    "aws.lambda_function": f"{_AWS}.lambda_function:LambdaFunction",
    "aws.lambda_permission": f"{_AWS}.lambda_permission:LambdaPermission",
    "aws.secret_rotation": f"{_AWS}.secret_rotation:SecretRotation",
    "aws.cloudwatch_alarm": f"{_AWS}.cloudwatch_alarm:CloudwatchAlarm",
    "aws.composite_alarm": f"{_AWS}.composite_alarm:CompositeAlarm",
    "aws.alarms": f"{_AWS}.alarms:Alarms",
    "aws.alarms_quiet": f"{_AWS}.alarms_quiet:AlarmsQuiet",
    "aws.cloudwatch_dashboard": f"{_AWS}.cloudwatch_dashboard:CloudwatchDashboard",
    "aws.budget": f"{_AWS}.budget:Budget",
    "sql.extension": f"{_SQL}.extension:Extension",
    "check.tcp": f"{_CHECK}.tcp:Tcp",
    "check.postgres": f"{_CHECK}.postgres:Postgres",
    "check.redis": f"{_CHECK}.redis:Redis",
}
"""``module:Class`` by type name."""

SESSIONS: Final[dict[str, str]] = {
    "aws": f"{_AWS}.session:open_session",
    "check": f"{_CHECK}.session:open_session",
    "sql": f"{_SQL}.session:open_session",
}
"""``module:function(region) -> Session`` by cloud, the part of a type's name before the dot."""


def registry() -> Registry:
    """All types of this installation."""
    return Registry(TYPES, SESSIONS)
