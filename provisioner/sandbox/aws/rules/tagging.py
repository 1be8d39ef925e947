"""Resource Groups Tagging API: one list of what carries tags, ours and moto's, that does not change while it is read.

moto walks its own dictionaries from page to page while others write to them, and knows nothing of our databases. Here
the first page takes a picture of all that fits, and its token leads through the picture.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.inventory.item import as_dict
from provisioner.sandbox.aws.wire import answer, parameters

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_INVALID: Final = "InvalidParameterException"
_PAGING: Final = ("ResourcesPerPage", "TagsPerPage", "PaginationToken")
_NOT_REGIONAL: Final = ("iam", "sts")
_PLAIN: Final = {"s3": "bucket", "sns": "topic", "sqs": "queue"}
"""Services whose ARNs do not say what kind of thing it is."""
_KEPT_PICTURES: Final = 256
Tagged = tuple[str, dict[str, str]]


@dataclass(slots=True)
class Pictures:
    """What is left to tell of the lists that were begun, by token; the latest 256."""

    left: OrderedDict[str, list[Tagged]] = field(default_factory=OrderedDict)

    def keep(self, rest: list[Tagged]) -> str:
        """A token for the rest of a list; each works any number of times."""
        token = uuid.uuid4().hex
        self.left[token] = rest
        while len(self.left) > _KEPT_PICTURES:
            self.left.popitem(last=False)
        return token


def get_resources(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """What carries tags in the region, by ARN; page by page. Untagged things are not told."""
    wish = parameters(call, _INVALID)
    size, most_tags = _limits(wish)
    token = wish.get("PaginationToken")
    if token:
        if token not in services.pictures.left:
            raise AwsError("PaginationTokenExpiredException", "The token expired or was never given")
        fitting = services.pictures.left[token]
    else:
        every = (found for found in _everything(call.region, services) if _fits(found, wish))
        fitting = sorted(every, key=itemgetter(0))
    shown = _page(fitting, size, most_tags)
    rest = fitting[len(shown) :]
    listed = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for arn, tags in shown
    ]
    return answer(
        call, {"ResourceTagMappingList": listed, "PaginationToken": services.pictures.keep(rest) if rest else ""}
    )


def _limits(wish: dict[str, Any]) -> tuple[int, int]:
    arns = wish.get("ResourceARNList")
    for other in (*_PAGING, "TagFilters", "ResourceTypeFilters"):
        if arns and wish.get(other):
            raise AwsError(_INVALID, f"{other} cannot be given together with ResourceARNList")
    filters = wish.get("TagFilters") or []
    if any(not one.get("Key") or len(one.get("Values") or []) > 20 for one in filters):
        raise AwsError(_INVALID, "a tag filter has a key and at most 20 values")
    if len({one["Key"] for one in filters}) < len(filters):
        raise AwsError(_INVALID, "a key is in one tag filter only")
    if len(wish.get("ResourceTypeFilters") or []) > 100:
        raise AwsError(_INVALID, "at most 100 resource types")
    size, most_tags = wish.get("ResourcesPerPage", 50), wish.get("TagsPerPage", 500)
    if not 1 <= size <= 100:
        raise AwsError(_INVALID, "ResourcesPerPage must be between 1 and 100")
    if not 100 <= most_tags <= 500:
        raise AwsError(_INVALID, "TagsPerPage must be between 100 and 500")
    return (size if not arns else len(arns)), most_tags


def _page(fitting: list[Tagged], size: int, most_tags: int) -> list[Tagged]:
    shown, tags = 0, 0
    for _, has in fitting[:size]:
        tags += max(1, len(has))
        if tags > most_tags and shown:
            break
        shown += 1
    return fitting[:shown]


def _fits(found: Tagged, wish: dict[str, Any]) -> bool:
    arn, tags = found
    arns, kinds = wish.get("ResourceARNList"), wish.get("ResourceTypeFilters")
    if arns and arn not in arns:
        return False
    if kinds and not {_service(arn), f"{_service(arn)}:{_kind(arn)}"} & set(kinds):
        return False
    return all(
        one["Key"] in tags and (not one.get("Values") or tags[one["Key"]] in one["Values"])
        for one in wish.get("TagFilters") or []
    )


def _service(arn: str) -> str:
    return arn.split(":")[2]


def _kind(arn: str) -> str:
    """AWS's word for the kind of thing, as it stands in the ARN."""
    rest = arn.split(":", 5)[5]
    return _PLAIN.get(_service(arn)) or rest.replace("/", ":").partition(":")[0]


def _everything(region: str, services: Services) -> Iterator[Tagged]:
    for strict in services.strict.values():
        if any(known.name == region for known in strict.regions()):
            home = strict.region(region)
            with home.lock:
                home.settle()
                yield from ((arn, dict(tags)) for arn, tags in home.tags.items() if tags)
    moto = services.world.moto
    for service in moto.used():
        if service not in _NOT_REGIONAL and service not in services.strict:
            with moto.lock(service):
                if any(known in (region, "aws") for known in moto.regions(service)):
                    yield from list(_of_moto(service, region, moto.backend(service, region)))


def _of_moto(service: str, region: str, backend: Any) -> Iterator[Tagged]:
    listed = getattr(backend, "iter_tagged_resources", None)
    if listed is None:
        return
    elsewhere = {b.arn for b in backend.buckets.values() if b.region_name != region} if service == "s3" else ()
    for found in listed():
        if found.tags and found.arn not in elsewhere:
            yield found.arn, as_dict(found.tags)
