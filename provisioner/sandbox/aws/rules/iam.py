"""IAM: names, policy documents, the simulator, and the policies that AWS manages, which appear when first named."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.access import Access
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules.kms import check_policy
from provisioner.sandbox.aws.wire import answer, parameters
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_CALLER: Final = f":{ACCOUNT}:user/moto"
"""Who GetCallerIdentity says that one is."""
_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def create_role(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A good name and a trust policy that is one."""
    name = call.form.get("RoleName", "")
    if not _NAME.fullmatch(name):
        raise AwsError("ValidationError", f"The specified value for roleName is invalid: {name}")
    check_policy(call.form.get("AssumeRolePolicyDocument", ""), "MalformedPolicyDocument")
    return proceed()


def simulate(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """SimulatePrincipalPolicy of a role: what its own policies say of actions, resources and a context.

    Whoever has no role calls as the sandbox's one user, who may do everything.
    """
    wish = parameters(call, "InvalidInput")
    source = wish["PolicySourceArn"]
    everything = source.endswith(_CALLER)
    if not everything and not services.world.neighbours.role_exists(source):
        raise AwsError("NoSuchEntity", f"{source} cannot be found; the sandbox simulates roles and its own user")
    context = {one["ContextKeyName"]: one["ContextKeyValues"][0] for one in wish.get("ContextEntries", [])}
    access = Access(services.world.moto)
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "allowed" if everything else access.decide(source, action, resource, context),
            "MatchedStatements": [],
            "MissingContextValues": [],
        }
        for action in wish["ActionNames"]
        for resource in wish.get("ResourceArns") or ["*"]
    ]
    return answer(call, {"EvaluationResults": results, "IsTruncated": False})


def with_aws_policy(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A policy of AWS's own exists in every account, though only those that were named are listed."""
    arn = call.form.get("PolicyArn", "")
    if arn.startswith("arn:aws:iam::aws:policy/"):
        with services.world.moto.lock("iam"):
            backend = services.world.moto.backend("iam", "aws")
            if arn not in backend.managed_policies:
                _add_aws_policy(backend, arn)
    return proceed()


def _add_aws_policy(backend: Any, arn: str) -> None:
    from moto.iam.models import AWSManagedPolicy

    name = arn.rpartition("/")[2]
    data = _aws_policies().get(name)
    if data is not None:
        policy = AWSManagedPolicy.from_data(name, ACCOUNT, "aws", data)
        backend.managed_policies[policy.arn] = policy


@functools.cache
def _aws_policies() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies
