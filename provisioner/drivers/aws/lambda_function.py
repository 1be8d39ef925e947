"""aws.lambda_function: code of the plan's own, run by AWS Lambda.

The code is a folder beside the plan. Lambda tells the digest of the zip it was given, and the zip of a folder is the
same on every machine (:mod:`provisioner.folder`), so code is compared like any other field. :mod:`.lambda_code` says
where earlier code comes from when a change is undone.

Lambda makes a log group by itself, without retention and without an owner, where a function names none; so a function
names one here, to be made before it.

Weaknesses: secrets do not belong into a function's environment, where everybody sees them who may look at the function:
fields that are secret are refused; give it the ARN of a secret instead. A function in a VPC leaves network interfaces
behind that hold its security groups for up to 45 minutes after it is gone; nothing can hurry that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from provisioner import folder, resource
from provisioner.drivers.aws import bill_net, lambda_code, lambda_rules, same, tags
from provisioner.drivers.aws.given import as_seen, asked
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

_PHASES: Final[Mapping[str, Phase]] = {
    "Active": Phase.READY,
    "Inactive": Phase.READY,  # asleep after weeks without a call; the next one wakes it
    "ActiveNonInvocable": Phase.READY,
    "Failed": Phase.FAILED,
    "Deleting": Phase.DELETING,
}


@resource.resource("aws.lambda_function")
class LambdaFunction(resource.Resource):
    """One function, from a folder of the plan's."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A Lambda function."""

        name: lambda_rules.Name | Annotated[None, Meta(description="Name. Left out: deployment-step.")] = None
        code: Annotated[
            folder.Folder,
            Meta(
                description="Folder with the code, relative to the plan's file; several put into one are joined by +. "
                "At most 50 MB.",
                examples=["lambdas/data_export + lambdas/shared"],
            ),
        ]
        handler: Annotated[
            str, Meta(min_length=1, max_length=128, pattern=r"^\S+$", description="What is called: module.function.")
        ] = "handler.handler"
        runtime: Annotated[lambda_rules.Runtime, Meta(description="What runs it.")] = "python3.13"
        description: Annotated[str, Meta(max_length=256, description="What it is for.")] = ""
        memory_mb: Annotated[int, Meta(ge=128, le=32768, description="Memory in MB; CPU grows with it.")] = 256
        timeout_seconds: Annotated[
            int, Meta(ge=1, le=900, description="Seconds after which a call is cut off. AWS's own default is 3.")
        ] = 30
        role_arn: Annotated[lambda_rules.RoleArn, Meta(description="ARN of the role that it acts in.")]
        log_group: Annotated[
            str,
            Meta(
                min_length=1,
                max_length=512,
                pattern=r"^[\.\-_/#A-Za-z0-9]+$",
                description="Name of the log group that it writes to; make it first, as an aws.log_group.",
            ),
        ]
        log_format: Annotated[Literal["JSON", "Text"], Meta(description="How log lines are written.")] = "JSON"
        subnets: Annotated[
            list[lambda_rules.SubnetId],
            Meta(max_length=16, description="Ids of subnets from which it reaches a VPC; empty: it reaches none."),
        ] = []
        security_groups: Annotated[
            list[lambda_rules.GroupId], Meta(max_length=5, description="Ids of the groups that it wears there.")
        ] = []
        environment: Annotated[
            dict[lambda_rules.Variable, str],
            Meta(
                description="Environment variables, at most 4 KB; no secrets: give the ARN of one.",
                examples=[{"DB_SECRET_ARN": "${db-secret.arn}"}],
            ),
        ] = msgspec.field(default_factory=dict)
        kms_key: Annotated[
            lambda_rules.KeyArn, Meta(description="ARN of the key that encrypts the environment; empty: AWS's own.")
        ] = ""
        layers: Annotated[
            list[lambda_rules.LayerArn], Meta(max_length=5, description="ARNs of layer versions; later ones win.")
        ] = []
        reserved_concurrency: (
            Annotated[
                int,
                Meta(
                    ge=0,
                    description="Calls at a time, at most and for it alone; 0: it is never called. "
                    "Left out: not managed.",
                ),
            ]
            | None
        ) = None
        dead_letter_arn: Annotated[
            lambda_rules.TargetArn,
            Meta(description="ARN of a queue or topic for events that failed for good; empty: they are dropped."),
        ] = ""
        tracing: Annotated[
            Literal["Active", "PassThrough"], Meta(description="Whether X-Ray traces calls by itself.")
        ] = "PassThrough"
        architecture: Annotated[Literal["x86_64", "arm64"], Meta(description="Kind of processor.")] = "x86_64"
        ephemeral_mb: Annotated[int, Meta(ge=512, le=10240, description="Room in /tmp, in MB.")] = 512
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str}
    charges = staticmethod(bill_net.function)
    rules = (
        resource.Rule(("subnets", "security_groups"), lambda_rules.network),
        resource.Rule(("environment",), lambda_rules.environment),
    )
    service = "lambda"
    name_pattern = r"[A-Za-z0-9_-]{1,64}"
    immutable = frozenset({"name"})
    timeout = 600.0
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "code": folder.same,
        "subnets": same.as_set,
        "security_groups": same.as_set,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """All from one call."""
        try:
            found = self._call("get_function", key)
        except NotFoundError:
            return None
        settings, marks = found["Configuration"], dict(found.get("Tags") or {})
        phase, detail = _state(settings)
        return Observed(
            phase=phase,
            owner=tags.owner(marks),
            spec={**_seen(settings, found), "tags": tags.visible(key, marks)},
            outputs={"name": settings["FunctionName"], "arn": settings["FunctionArn"]},
            detail=detail,
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the function with its tags, then reserves concurrency; a read shows what is still missing."""
        with outright():
            self._call(
                "create_function",
                key,
                Code={"ZipFile": lambda_code.package(self.session, key, spec.code)},
                Architectures=[spec.architecture],
                Tags=tags.wanted(key, spec.tags),
                **_settings(spec),
            )
        if spec.reserved_concurrency is not None:
            self._reserve(key, spec.reserved_concurrency)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings one kind of thing after the other to the plan; while Lambda is at work on one, the next is BusyError.

        Tags and concurrency first, which Lambda changes at once; then all settings in one call; then the code, so that
        the version that is kept of the code before is in the new network, and holds nothing of the old one.
        """
        found = self._call("get_function", key)
        settings = found["Configuration"]
        seen = _seen(settings, found)
        spec = as_seen(spec, seen, changed, _TOGETHER)
        self._retag(key, spec, settings["FunctionArn"], found.get("Tags") or {}, changed)
        if asked(changed, "reserved_concurrency") and spec.reserved_concurrency not in (
            None,
            seen["reserved_concurrency"],
        ):
            self._reserve(key, spec.reserved_concurrency)
        told = [name for name in _FIELDS if asked(changed, name) and _differs(spec, seen, name)]
        code = asked(changed, "code") and _differs(spec, seen, "code")
        code = code or (asked(changed, "architecture") and _differs(spec, seen, "architecture"))
        data = lambda_code.package(self.session, key, spec.code) if code else b""
        parts = {_FIELDS[name] for name in told}
        if told:
            whole = _settings(spec)
            self._call("update_function_configuration", key, **{name: whole[name] for name in parts})
        if code:
            lambda_code.keep(self.session, key, settings, spec.code)
            self._call("update_function_code", key, ZipFile=data, Architectures=[spec.architecture])
        if code or "VpcConfig" in parts:  # not sooner: the code that is wanted may have come from one of them
            lambda_code.let_go_of_other_networks(self.session, key, spec.security_groups)

    def delete(self, key: Key) -> None:
        """Deletes the function with all its versions."""
        with suppress(NotFoundError):
            self._call("delete_function", key)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those functions for their tags whose name has the deployment's in it: an account may have thousands."""
        listed = self.session.pages("lambda", "list_functions", "Functions", region=region)
        named = ((str(item["FunctionName"]), str(item["FunctionArn"])) for item in listed)
        yield from tags.by_name(named, deployment, region, self._listed_tags)

    def _listed_tags(self, place: Key, arn: str) -> dict[str, str]:
        answer = self.session.call("lambda", "list_tags", what=place.name, region=place.region, Resource=arn)
        return answer.get("Tags") or {}

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        arn = self._call("get_function", key)["Configuration"]["FunctionArn"]
        self.session.call("lambda", "tag_resource", what=key.name, region=key.region, Resource=arn, Tags=tags.mark(key))

    def _retag(self, key: Key, spec: Spec, arn: str, seen: Mapping[str, str], changed: Collection[str]) -> None:
        put, drop = tags.changes(key, spec.tags if asked(changed, "tags") else None, seen)
        place = {"what": key.name, "region": key.region, "Resource": arn}
        if put:
            self.session.call("lambda", "tag_resource", Tags=put, **place)
        if drop:
            self.session.call("lambda", "untag_resource", TagKeys=drop, **place)

    def _reserve(self, key: Key, number: int | None) -> None:
        self._call("put_function_concurrency", key, ReservedConcurrentExecutions=number)

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call(
            "lambda", operation, what=key.name, region=key.region, FunctionName=key.name, **parameters
        )


_FIELDS: Final[Mapping[str, str]] = {
    "handler": "Handler",
    "runtime": "Runtime",
    "description": "Description",
    "memory_mb": "MemorySize",
    "timeout_seconds": "Timeout",
    "role_arn": "Role",
    "log_group": "LoggingConfig",
    "log_format": "LoggingConfig",
    "subnets": "VpcConfig",
    "security_groups": "VpcConfig",
    "environment": "Environment",
    "kms_key": "KMSKeyArn",
    "layers": "Layers",
    "dead_letter_arn": "DeadLetterConfig",
    "tracing": "TracingConfig",
    "ephemeral_mb": "EphemeralStorage",
}
"""The Spec's field → the part of a function's configuration that it is in."""

_TOGETHER: Final = (("code", "architecture"), ("log_group", "log_format"), ("subnets", "security_groups"))


def _settings(spec: LambdaFunction.Spec) -> dict[str, Any]:
    return {
        "Handler": spec.handler,
        "Runtime": spec.runtime,
        "Description": spec.description,
        "MemorySize": spec.memory_mb,
        "Timeout": spec.timeout_seconds,
        "Role": spec.role_arn,
        "LoggingConfig": {"LogGroup": spec.log_group, "LogFormat": spec.log_format},
        "VpcConfig": {"SubnetIds": spec.subnets, "SecurityGroupIds": spec.security_groups},
        "Environment": {"Variables": spec.environment},
        "KMSKeyArn": spec.kms_key,
        "Layers": spec.layers,
        "DeadLetterConfig": {"TargetArn": spec.dead_letter_arn},
        "TracingConfig": {"Mode": spec.tracing},
        "EphemeralStorage": {"Size": spec.ephemeral_mb},
    }


def _seen(settings: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    network = settings.get("VpcConfig") or {}
    environment = settings.get("Environment") or {}
    logging = settings.get("LoggingConfig") or {}
    seen = {
        "name": settings["FunctionName"],
        "code": f"{folder.MARK}{lambda_code.hexadecimal(settings['CodeSha256'])}",
        "handler": settings.get("Handler", ""),
        "runtime": settings.get("Runtime", ""),
        "description": settings.get("Description", ""),
        "memory_mb": settings["MemorySize"],
        "timeout_seconds": settings["Timeout"],
        "role_arn": settings["Role"],
        "log_group": logging.get("LogGroup", ""),
        "log_format": logging.get("LogFormat", "Text"),
        "subnets": sorted(network.get("SubnetIds") or ()),
        "security_groups": sorted(network.get("SecurityGroupIds") or ()),
        "environment": dict(environment.get("Variables") or {}),
        "kms_key": settings.get("KMSKeyArn", ""),
        "layers": [layer["Arn"] for layer in settings.get("Layers") or ()],
        "reserved_concurrency": (found.get("Concurrency") or {}).get("ReservedConcurrentExecutions"),
        "dead_letter_arn": (settings.get("DeadLetterConfig") or {}).get("TargetArn", ""),
        "tracing": (settings.get("TracingConfig") or {}).get("Mode", "PassThrough"),
        "architecture": (settings.get("Architectures") or ["x86_64"])[0],
        "ephemeral_mb": (settings.get("EphemeralStorage") or {}).get("Size", 512),
    }
    if environment.get("Error"):  # its key may not be used by whoever asks: what is in it is not told
        del seen["environment"]
    return seen


def _differs(spec: LambdaFunction.Spec, seen: Mapping[str, Any], name: str) -> bool:
    matches = LambdaFunction.matches.get(name)
    wanted, there = getattr(spec, name), seen.get(name)
    return not matches(wanted, there) if matches and there is not None else bool(wanted != there)


def _state(settings: Mapping[str, Any]) -> tuple[Phase, str]:
    """The phase, and Lambda's own words for it: of the function first, then of its last update."""
    state, update = str(settings.get("State", "Active")), str(settings.get("LastUpdateStatus", "Successful"))
    phase = _PHASES.get(state, Phase.PENDING)
    if phase is not Phase.READY:
        return phase, _with_reason(state, settings.get("StateReason"))
    if update == "InProgress":
        return Phase.PENDING, "update in progress"
    if update == "Failed":
        return Phase.FAILED, _with_reason("update failed", settings.get("LastUpdateStatusReason"))
    return Phase.READY, state


def _with_reason(word: str, reason: object) -> str:
    return f"{word}: {reason}" if reason else word
