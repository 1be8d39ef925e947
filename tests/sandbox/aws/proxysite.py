"""A database with all that a proxy in front of it needs: each part can be spoiled by itself."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.aws.conftest import PASSWORD, Aws

VIA = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}


class Site:
    """A database with all that a proxy in front of it needs: each part can be spoiled by itself."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = aws.subnets()
        self.front, self.wall = self.group("front"), self.group("wall")
        rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
        self.rule = [{**rule, "UserIdGroupPairs": [{"GroupId": self.front}]}]
        aws.ec2.authorize_security_group_ingress(GroupId=self.wall, IpPermissions=self.rule)
        self.key = aws.kms.create_key()["KeyMetadata"]["Arn"]
        self.secret = self.make_secret("login", {"username": "app", "password": PASSWORD})
        self.role = self.make_role("rds.amazonaws.com")
        self.allow(self.read, self.decrypt)
        aws.ready_database(VpcSecurityGroupIds=[self.wall])

    def group(self, name: str) -> str:
        return str(self.aws.ec2.create_security_group(GroupName=name, Description="d", VpcId=self.vpc)["GroupId"])

    def make_secret(self, name: str, value: object) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        made = self.aws.secretsmanager.create_secret(Name=name, SecretString=text, KmsKeyId=self.key)
        return str(made["ARN"])

    def make_role(self, service: str, name: str = "proxy") -> str:
        allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        return str(self.aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])

    @property
    def read(self) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": self.secret}

    @property
    def decrypt(self) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": self.key, "Condition": VIA}

    def allow(self, *statements: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.aws.iam.put_role_policy(RoleName="proxy", PolicyName="p", PolicyDocument=json.dumps(document))

    def wish(self, **extra: Any) -> dict[str, Any]:
        usual = {
            "DBProxyName": "proxy",
            "EngineFamily": "POSTGRESQL",
            "Auth": [{"AuthScheme": "SECRETS", "SecretArn": self.secret}],
            "RoleArn": self.role,
            "VpcSubnetIds": self.subnets,
            "VpcSecurityGroupIds": [self.front],
            "RequireTLS": True,
        } | extra
        return {name: value for name, value in usual.items() if value is not None}

    def proxy(self, **extra: Any) -> dict[str, Any]:
        """A proxy that is available."""
        self.aws.rds.create_db_proxy(**self.wish(**extra))
        self.aws.pass_time()
        found: dict[str, Any] = self.aws.rds.describe_db_proxies(DBProxyName="proxy")["DBProxies"][0]
        return found

    def registered(self, **extra: Any) -> None:
        self.proxy(**extra)
        self.aws.rds.register_db_proxy_targets(DBProxyName="proxy", DBInstanceIdentifiers=["db"])

    def health(self) -> tuple[str, str]:
        """State and reason as a new look finds them."""
        for _ in range(2):
            self.aws.pass_time()
            found = self.aws.rds.describe_db_proxy_targets(DBProxyName="proxy")["Targets"][0]["TargetHealth"]
        return found["State"], found.get("Reason", "")

    def told(self) -> list[str]:
        """The lines of the proxy's log."""
        group = "/aws/rds/proxy/proxy"
        if not self.aws.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        found = self.aws.logs.get_log_events(logGroupName=group, logStreamName="proxy")
        return [event["message"] for event in found["events"]]
