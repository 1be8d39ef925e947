"""aws.rds_proxy."""

from typing import Any

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.network import NETWORK, WALL, subnets
from tests.contract.world import World

USER = "app_admin"


def access(secret: str, key: str) -> dict[str, Any]:
    """What a proxy's role needs, and no more."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret},
            {
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": key,
                "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}},
            },
        ],
    }


def _secret(world: World) -> dict[str, Any]:
    return {"generate": {"template": {"username": USER}}, "kms_key_id": world["cmk"]["arn"], "recovery_days": 7}


def _instance(world: World) -> dict[str, Any]:
    return {
        "engine_version": "15",
        "instance_class": "db.t3.micro",
        "multi_az": False,
        "username": USER,
        "password": world["login"]["value"],
        "subnet_group": world["homes"]["name"],
        "security_groups": [world["database"]["group_id"]],
        "deletion_protection": False,
    }


def _role(world: World) -> dict[str, Any]:
    policy = access(world["login"]["arn"], world["cmk"]["arn"])
    return {"services": ["rds.amazonaws.com"], "inline_policies": {"login": policy}}


def _drift(world: World, key: Key) -> set[str]:
    rds = world.session().client("rds")
    rds.deregister_db_proxy_targets(DBProxyName=key.name, DBInstanceIdentifiers=[world["db"]["name"]])
    rds.modify_db_proxy(DBProxyName=key.name, RequireTLS=False)
    return {"db_instance", "require_tls"}


NEEDS = (
    *NETWORK,
    WALL,
    Need("spare", "aws.security_group", lambda w: {"vpc_id": w["net"]["vpc_id"]}),
    Need(
        "database",
        "aws.security_group",
        lambda w: {
            "vpc_id": w["net"]["vpc_id"],
            "ingress": [
                {"port": 5432, "security_group": w["wall"]["group_id"]},
                {"port": 5432, "security_group": w["spare"]["group_id"]},
            ],
        },
    ),
    Need("cmk", "aws.kms_key", lambda w: {}),
    Need("login", "aws.secret", _secret),
    Need("homes", "aws.db_subnet_group", lambda w: {"subnets": subnets(w, "a", "b")}),
    Need("role", "aws.iam_role", _role),
    Need("db", "aws.rds_instance", _instance),
)

CASE = Case(
    needs=NEEDS,
    spec=lambda world: {
        "name": f"{world.deployment}-proxy",
        "db_instance": world["db"]["name"],
        "auth": [{"secret_arn": world["login"]["arn"], "description": "the application"}],
        "role_arn": world["role"]["arn"],
        "subnets": subnets(world, "a", "b", "c"),
        "security_groups": [world["wall"]["group_id"]],
        "require_tls": True,
        "idle_client_timeout": 900,
        "max_connections_percent": 80,
        "max_idle_connections_percent": 20,
        "connection_borrow_timeout": 30,
        "init_query": "SET statement_timeout = '30s'",
        "tags": {"tier": "access"},
    },
    completed=True,
    changed=lambda world: {
        "auth": [{"secret_arn": world["login"]["arn"], "client_auth": "POSTGRES_MD5"}],
        "security_groups": [world["spare"]["group_id"]],
        "require_tls": False,
        "idle_client_timeout": 1800,
        "debug_logging": True,
        "max_connections_percent": 50,
        "max_idle_connections_percent": 0,
        "connection_borrow_timeout": 0,
        "init_query": "",
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"subnets": subnets(world, "a", "b")},
    drift=_drift,
    invalid=(
        {"db_instance": ""},
        {"auth": []},
        {"auth": [{"secret_arn": "login"}]},
        {"engine_family": "MYSQL"},
        {"role_arn": "role"},
        {"subnets": ["subnet-1"]},
        {"idle_client_timeout": 0},
        {"idle_client_timeout": 28_801},
        {"max_connections_percent": 0},
        {"max_connections_percent": 101},
        {"max_connections_percent": 10},
        {"max_idle_connections_percent": 81},
        {"connection_borrow_timeout": 301},
        {
            "auth": [{"secret_arn": "arn:aws:secretsmanager:us-east-1:1:secret:a", "iam_auth": "REQUIRED"}],
            "require_tls": False,
        },
        {"auth": [{"secret_arn": "arn:aws:secretsmanager:us-east-1:1:secret:a"}] * 2},
    ),
)
