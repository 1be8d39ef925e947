"""aws.iam_role."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World

_MONITORING = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
_READ_ONLY = "arn:aws:iam::aws:policy/AmazonRDSReadOnlyAccess"


def _allow(*actions: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:s3:::b"}],
    }


def _drift(world: World, key: Key) -> set[str]:
    iam = world.session().client("iam")
    iam.delete_role_policy(RoleName=key.name, PolicyName="read")
    iam.detach_role_policy(RoleName=key.name, PolicyArn=_MONITORING)
    return {"inline_policies", "managed_policies"}


CASE = Case(
    spec=lambda world: {
        "name": f"{world.deployment}-role",
        "services": ["monitoring.rds.amazonaws.com"],
        "description": "enhanced monitoring",
        "max_session_seconds": 7200,
        "managed_policies": [_MONITORING],
        "inline_policies": {"read": _allow("s3:GetObject"), "list": _allow("s3:ListBucket")},
        "tags": {"team": "platform"},
    },
    changed=lambda world: {
        "services": ["rds.amazonaws.com", "monitoring.rds.amazonaws.com"],
        "description": "monitoring",
        "max_session_seconds": 3600,
        "managed_policies": [_READ_ONLY],
        "inline_policies": {"read": _allow("s3:GetObject", "s3:GetObjectVersion")},
        "tags": {},
    },
    replaced=lambda world: {"path": "/service/"},
    drift=_drift,
    invalid=(
        {"services": []},
        {"max_session_seconds": 60},
        {"path": "service"},
        {"inline_policies": {"all": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}},
    ),
)
