"""What AWS Lambda takes and what it does not: limits and rules of a function's fields, known before a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta

Runtime = Literal["python3.12", "python3.13", "nodejs22.x", "provided.al2023"]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Variable = Annotated[str, Meta(min_length=2, pattern=r"^[a-zA-Z][a-zA-Z0-9_]+$")]
RoleArn = Annotated[str, Meta(pattern=r"^arn:aws[a-zA-Z-]*:iam::\d{12}:role/.+$")]
SubnetId = Annotated[str, Meta(pattern=r"^subnet-[0-9a-z]+$")]
GroupId = Annotated[str, Meta(pattern=r"^sg-[0-9a-zA-Z]+$")]
LayerArn = Annotated[str, Meta(pattern=r"^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+$")]
TargetArn = Annotated[str, Meta(pattern=r"^(arn:aws[a-zA-Z-]*:(sqs|sns):[a-z0-9-]+:\d{12}:.+)?$")]
KeyArn = Annotated[str, Meta(pattern=r"^(arn:aws[a-zA-Z-]*:kms:.+)?$")]

_ENVIRONMENT_MOST: Final = 4096
_RESERVED: Final = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
})  # fmt: skip


def network(subnets: Sequence[str] | None, groups: Sequence[str] | None) -> str | None:
    """Both or neither: a function is in a network with walls or in none."""
    if bool(subnets) != bool(groups):
        return "subnets and security_groups go together: a function in a network needs both"
    return None


def environment(variables: Mapping[str, str] | None) -> str | None:
    """None of Lambda's own names, and 4 KB at most."""
    given = variables or {}
    taken = sorted(_RESERVED & given.keys())
    if taken:
        return f"{', '.join(taken)}: Lambda sets this itself and refuses it"
    size = sum(len(f"{name}={value}".encode()) for name, value in given.items())
    if size > _ENVIRONMENT_MOST:
        return f"the variables have {size} bytes, and Lambda takes {_ENVIRONMENT_MOST}"
    return None
