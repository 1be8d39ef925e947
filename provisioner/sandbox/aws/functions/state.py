"""What AWS Lambda knows in one region."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.lifecycle import Lifecycle
from provisioner.sandbox.aws.strict import Region
from provisioner.sandbox.aws.world import World
from provisioner.sandbox.settings import ACCOUNT

LATEST: Final = "$LATEST"


class Code(NamedTuple):
    """A zip file."""

    data: bytes

    @property
    def sha256(self) -> str:
        """As CodeSha256 has it."""
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode()


class Place(NamedTuple):
    """Where functions reach into a VPC: one interface serves all that have the same subnet and groups."""

    subnet: str
    groups: tuple[str, ...]


def places(settings: dict[str, Any]) -> Iterator[Place]:
    """The interfaces that a configuration needs."""
    network = settings["VpcConfig"]
    for subnet in network["SubnetIds"]:
        yield Place(subnet, tuple(sorted(network["SecurityGroupIds"])))


@dataclass(slots=True)
class Version:
    """A configuration with its code, as it was when it was published. ``settings`` has the API's own names."""

    number: str
    settings: dict[str, Any]
    code: Code
    modified: str


@dataclass(slots=True)
class Function:
    """A function. ``lifecycle`` is its own, ``update`` that of its last change."""

    name: str
    settings: dict[str, Any]
    code: Code
    lifecycle: Lifecycle
    update: Lifecycle
    modified: str
    versions: dict[str, Version] = field(default_factory=dict)
    published: int = 0
    policy: dict[str, dict[str, Any]] = field(default_factory=dict)
    concurrency: int | None = None
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    failure: tuple[str, str] = ("", "")
    """Code and reason, where an outcome fault made it fail."""

    def every_settings(self) -> list[dict[str, Any]]:
        """Of the function and its versions."""
        return [self.settings, *(version.settings for version in self.versions.values())]


class LambdaRegion(Region):
    """AWS Lambda in one region."""

    service = "lambda"

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, world)
        self.functions: dict[str, Function] = {}
        self.leaving: dict[Place, tuple[str, float]] = {}
        """Interfaces that nobody needs any more: the function that was last there, and when they go."""
        self.downloads: dict[str, bytes] = {}
        """Code that somebody was given an address of, by the address's last part."""
        self._nonce = secrets.token_hex(16)

    def settle(self) -> None:
        """Take every function to where it should be by now; interfaces whose time is up are gone."""
        for function in self.functions.values():
            function.lifecycle.settle()
            function.update.settle()
        now = self.world.now()
        for place in [place for place, (_, until) in self.leaving.items() if until <= now]:
            del self.leaving[place]

    def function(self, wish: str) -> Function:
        """The function of a name or an ARN; AwsError when there is none."""
        name = name_of(wish)
        if name not in self.functions:
            raise self.missing(self.arn("function", name))
        return self.functions[name]

    @staticmethod
    def missing(arn: str) -> AwsError:
        """The answer where there is no such thing."""
        return AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)

    def leave(self, name: str, before: list[dict[str, Any]]) -> None:
        """Interfaces that nobody needs after a change stay for a while."""
        needed = self.needed()
        until = self.world.now() + self.world.options.seconds("lambda:interfaces")
        for settings in before:
            for place in places(settings):
                if place not in needed:
                    self.leaving[place] = (name, until)

    def needed(self) -> dict[Place, str]:
        """The interfaces that functions and their versions need, each with a function that does."""
        return {
            place: function.name
            for function in self.functions.values()
            for settings in function.every_settings()
            for place in places(settings)
        }

    def address(self, code: Code) -> str:
        """The last part of an address from which the code can be downloaded."""
        token = f"{self._nonce}-{hashlib.sha256(code.data).hexdigest()}"
        self.downloads[token] = code.data
        return token


def name_of(wish: str) -> str:
    """The plain name in ``name``, ``123456789012:function:name`` or an ARN, maybe with a qualifier."""
    parts = wish.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]


def qualifier_of(wish: str, given: str | None) -> str:
    """The version that is meant: the one named beside, or at the ARN's end."""
    parts = wish.split(":")
    rest = parts[parts.index("function") + 2 :] if "function" in parts[:-1] else parts[1:]
    return given or (rest[0] if rest else LATEST)


def view(region: LambdaRegion, function: Function, version: Version | None = None, *, qualified: bool = False) -> Any:
    """A FunctionConfiguration."""
    settings, code = (version.settings, version.code) if version else (function.settings, function.code)
    arn = region.arn("function", function.name)
    number = version.number if version else LATEST
    shown = {name: value for name, value in settings.items() if value not in ("", None)}
    network = settings["VpcConfig"]
    state = {"State": "Active"} if version else _state(function)
    return {
        **shown,
        **state,
        "FunctionName": function.name,
        "FunctionArn": f"{arn}:{number}" if version or qualified else arn,
        "CodeSize": len(code.data),
        "CodeSha256": code.sha256,
        "LastModified": version.modified if version else function.modified,
        "Version": number,
        "PackageType": "Zip",
        "VpcConfig": {**network, "VpcId": network.get("VpcId", "")} if network["SubnetIds"] else None,
        "Environment": settings["Environment"] if settings["Environment"]["Variables"] else None,
        "DeadLetterConfig": settings["DeadLetterConfig"] if settings["DeadLetterConfig"]["TargetArn"] else None,
        "Layers": [{"Arn": arn, "CodeSize": 0} for arn in settings["Layers"]] or None,
        "RevisionId": function.revision,
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    }


def _state(function: Function) -> dict[str, Any]:
    code, reason = function.failure
    state, update = function.lifecycle.status, function.update.status
    shown: dict[str, Any] = {"State": state, "LastUpdateStatus": update}
    if state == "Pending":
        shown |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    if state == "Failed":
        shown |= {"StateReason": reason, "StateReasonCode": code}
    if update == "Failed":
        shown |= {"LastUpdateStatusReason": reason, "LastUpdateStatusReasonCode": code}
    return shown


def account_of(arn: str) -> str:
    """The account in an ARN."""
    return arn.split(":")[4] if arn.count(":") >= 5 else ACCOUNT
