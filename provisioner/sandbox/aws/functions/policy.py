"""Who else may call a function: its resource policy, statement by statement."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.functions.state import Function, LambdaRegion
from provisioner.sandbox.aws.strict import Params, Result


def add(region: LambdaRegion, p: Params, call: Call) -> Result:
    """AddPermission."""
    function = region.function(p["FunctionName"])
    sid = p["StatementId"]
    if sid in function.policy:
        raise AwsError(
            "ResourceConflictException",
            f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
            "existing statement.",
            409,
        )
    principal: Any = (
        {"Service": p["Principal"]} if p["Principal"].endswith(".amazonaws.com") else {"AWS": p["Principal"]}
    )
    condition: dict[str, Any] = {}
    if p.get("SourceAccount"):
        condition["StringEquals"] = {"AWS:SourceAccount": p["SourceAccount"]}
    if p.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": p["SourceArn"]}
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": p["Action"],
        "Resource": region.arn("function", function.name),
        **({"Condition": condition} if condition else {}),
    }
    function.policy[sid] = statement
    return {"Statement": json.dumps(statement)}


def remove(region: LambdaRegion, p: Params, call: Call) -> Result:
    """RemovePermission."""
    function = region.function(p["FunctionName"])
    if function.policy.pop(p["StatementId"], None) is None:
        raise AwsError(
            "ResourceNotFoundException", f"Statement {p['StatementId']} is not found in resource policy.", 404
        )
    return {}


def get(region: LambdaRegion, p: Params, call: Call) -> Result:
    """GetPolicy."""
    function = region.function(p["FunctionName"])
    if not function.policy:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(function.policy.values())}
    return {"Policy": json.dumps(document), "RevisionId": function.revision}


def may_invoke(function: Function, service: str, source: str, account: str) -> bool:
    """Whether a service may call the function on behalf of one of its objects."""
    return any(_lets(statement, service, source, account) for statement in function.policy.values())


def _lets(statement: dict[str, Any], service: str, source: str, account: str) -> bool:
    condition = statement.get("Condition", {})
    arn = condition.get("ArnLike", {}).get("AWS:SourceArn", "*")
    owner = condition.get("StringEquals", {}).get("AWS:SourceAccount", account)
    return (
        statement["Principal"].get("Service") == service
        and statement["Action"] in ("lambda:InvokeFunction", "lambda:*", "*")
        and fnmatchcase(source, arn)
        and owner == account
    )
