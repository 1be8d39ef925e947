"""What RDS and ElastiCache have in common: an object store a region, typed parameters, tags, pages, errors.

A service is a table from operation name to handler. A handler gets the region's objects, the typed parameters and the
call, changes or reads the objects under the region's lock, and returns the members of the operation's result. It
never waits: work on real databases goes to the background as a job of a lifecycle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.models import service_model
from provisioner.sandbox.aws.query import parse, render
from provisioner.sandbox.aws.world import World
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from botocore.model import OperationModel

Params = dict[str, Any]
Result = dict[str, Any]
MAX_TAGS = 50


class Region:
    """One service's objects in one region. Subclasses add the objects; ``lock`` guards them."""

    service: ClassVar[str] = ""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.lock = threading.RLock()
        self.tags: dict[str, dict[str, str]] = {}

    def arn(self, kind: str, ident: str) -> str:
        """The ARN of an object."""
        return f"arn:aws:{self.service}:{self.name}:{ACCOUNT}:{kind}:{ident}"

    def settle(self) -> None:
        """Take every object to where it should be by now, and drop those that are gone."""

    def tag(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        """Put tags on an object; AwsError where a tag breaks the rules."""
        wanted = self.tags.get(arn, {}) | checked_tags(tags)
        if len(wanted) > MAX_TAGS:
            raise AwsError("InvalidParameterValue", f"at most {MAX_TAGS} tags on one resource")
        self.tags[arn] = wanted

    def tag_list(self, arn: str) -> list[dict[str, str]]:
        """An object's tags as the API writes them."""
        return [{"Key": key, "Value": value} for key, value in self.tags.get(arn, {}).items()]


R = TypeVar("R", bound=Region)
Handler = Callable[[R, Params, Call], Result]


class StrictService(Generic[R]):
    """One service of ours."""

    name: ClassVar[str]
    operations: Mapping[str, Handler[R]]
    region_class: type[R]

    def __init__(self, world: World) -> None:
        self.world = world
        self._regions: dict[str, R] = {}
        self._guard = threading.Lock()

    def region(self, name: str) -> R:
        """The objects of a region."""
        with self._guard:
            if name not in self._regions:
                self._regions[name] = self.region_class(name, self.world)
            return self._regions[name]

    def regions(self) -> list[R]:
        """Every region in which something was asked for."""
        with self._guard:
            return list(self._regions.values())

    def handle(self, call: Call) -> Reply:
        """Answer a call; AwsError where the service would refuse it."""
        model = service_model(self.name)
        if call.operation not in model.operation_names:
            raise AwsError(
                "InvalidAction", f"Could not find operation {call.operation} for version {model.api_version}"
            )
        handler = self.operations.get(call.operation)
        if handler is None:
            raise AwsError("NotImplemented", f"the sandbox does not offer {self.name} {call.operation}", 501)
        operation = model.operation_model(call.operation)
        params = self.parse(operation, call)
        region = self.region(call.region)
        with region.lock:
            region.settle()
            result = handler(region, params, call)
        return self.render(operation, result)

    def parse(self, operation: OperationModel, call: Call) -> Params:
        """A call's parameters, typed, in the protocol of the service."""
        return parse(operation, call.form)

    def render(self, operation: OperationModel, result: Result) -> Reply:
        """The answer, in the same."""
        return render(operation, result)

    def reset(self) -> None:
        """Forget every object, and remove the databases behind them."""
        with self._guard:
            regions, self._regions = list(self._regions.values()), {}
        for region in regions:
            with region.lock:
                for remove in self.removals(region):
                    remove()

    def removals(self, region: R) -> list[Callable[[], None]]:
        """What takes away the databases, and copies of them, behind a region's objects."""
        raise NotImplementedError


def checked_tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags as a dictionary; AwsError where one breaks the rules that all of AWS has."""
    checked: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise AwsError(
                "InvalidParameterValue", f"tag {key[:40]!r}: keys have 1 to 128 characters, values up to 256"
            )
        if key.lower().startswith("aws:"):
            raise AwsError("InvalidParameterValue", f"tag {key!r}: the prefix aws: is reserved")
        if key in checked:
            raise AwsError("InvalidParameterValue", f"tag {key!r} is given twice")
        checked[key] = value
    return checked


def page(
    items: list[Any], params: Params, key: Callable[[Any], str], *, least: int = 20
) -> tuple[list[Any], str | None]:
    """One page of ``items`` in the order of ``key``, and the marker of the next."""
    size = int(params.get("MaxRecords", 100))
    if not least <= size <= 100:
        raise AwsError("InvalidParameterValue", f"MaxRecords must be from {least} to 100")
    ordered = sorted(items, key=key)
    marker = params.get("Marker")
    if marker:
        ordered = [item for item in ordered if key(item) > marker]
    shown = ordered[:size]
    return shown, key(shown[-1]) if len(ordered) > size else None


def filtered(items: list[Any], params: Params, known: Mapping[str, Callable[[Any], str]]) -> list[Any]:
    """Those items that fit every one of the call's Filters; AwsError for a filter that the operation does not know."""
    for wish in params.get("Filters", []):
        reader = known.get(wish["Name"])
        if reader is None:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {wish['Name']}")
        items = [item for item in items if reader(item) in wish["Values"]]
    return items
