"""A registry without a cloud: types that exercise every kind of field, output and rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from provisioner.model import Key, Observed
from provisioner.resource import Gate, Registry, Resource, Rule, Verdict, resource
from provisioner.resource import Spec as BaseSpec
from provisioner.secret import Secret


class _Inert(Resource):
    """Nothing in here is ever called: plans are read, not carried out."""

    def read(self, key: Key) -> Observed | None:
        raise NotImplementedError

    def create(self, key: Key, spec: Any) -> None:
        raise NotImplementedError

    def delete(self, key: Key) -> None:
        raise NotImplementedError


@resource("toy.network")
class Network(_Inert):
    """A network; several subnets of it can be handed on as a list."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        cidr: Annotated[str, msgspec.Meta(description="IPv4 range, a.b.c.d/n", pattern=r"^\d+\.\d+\.\d+\.\d+/\d+$")]
        name: str | None = None

    outputs: ClassVar[Mapping[str, type]] = {"id": str, "subnets": list, "size": int, "labels": dict, "public": bool}


@resource("toy.secret")
class SecretValue(_Inert):
    """A generated secret."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        length: Annotated[int, msgspec.Meta(description="Characters", ge=8, le=64)] = 32

    outputs: ClassVar[Mapping[str, type]] = {"value": Secret, "arn": str}


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A nested part of a spec."""

    day: Literal["mon", "sun"]
    hours: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=23)]], msgspec.Meta(min_length=2, max_length=2)]


def _storage_grows(storage: int, most: int | None) -> str | None:
    return None if most is None or most >= storage else f"max_storage ({most}) is less than storage ({storage})"


def _typeable(password: Secret | None) -> str | None:
    return None if password is None or "@" not in password.reveal() else "a password has no @ in it"


@resource("toy.database")
class Database(_Inert):
    """A database with every kind of field."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        version: Annotated[str, msgspec.Meta(description="Major version, '15'")]
        storage: Annotated[int, msgspec.Meta(description="Storage in GiB", ge=20, le=65536)] = 20
        max_storage: Annotated[int, msgspec.Meta(description="Storage in GiB")] | None = None
        ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
        multi_az: bool = False
        password: Secret | None = None
        subnets: list[str] = []
        network: str | None = None
        kind: Literal["small", "large"] = "small"
        window: Window | None = None
        windows: list[Window] = []
        tags: dict[str, str] | None = None
        extra: Any = None
        name: str | None = None

    outputs: ClassVar[Mapping[str, type]] = {"endpoint": str, "port": int, "password": Secret}
    rules: ClassVar[Sequence[Rule]] = (
        Rule(("storage", "max_storage"), _storage_grows),
        Rule(("password",), _typeable),
    )
    name_pattern: ClassVar[str] = r"[a-z][a-z0-9-]{0,30}"


@resource("toy.document")
class Document(_Inert):
    """Free mappings: one that may hold secrets, one that may not."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        value: dict[str, Any]
        notes: dict[str, Any] = {}

    secret_fields: ClassVar[frozenset[str]] = frozenset({"value"})


@resource("toy.version")
class Version(_Inert):
    """An object that belongs to another one."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        of: str
        name: str | None = None

    identity: ClassVar[tuple[str, ...]] = ("of",)


@resource("check.tcp")
class Tcp(Gate):
    """A gate."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        host: str
        port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
        password: Secret | None = None

    def check(self, spec: Any) -> Verdict:
        raise NotImplementedError


REGISTRY = Registry(
    {cls.type: f"tests.unit.toy:{cls.__name__}" for cls in (Network, SecretValue, Database, Document, Version, Tcp)},
    {},
)
