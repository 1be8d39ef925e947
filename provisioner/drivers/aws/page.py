"""Lists that AWS hands out in pages, read as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

_T = TypeVar("_T")


def items(client: Any, operation: str, key: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
    """Every item under ``key`` of every page of ``operation`` (snake_case), fetched as they are asked for."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**parameters):
            yield from page.get(key) or ()
    else:
        yield from getattr(client, operation)(**parameters).get(key) or ()


def chunks(values: Sequence[_T], size: int) -> Iterator[list[_T]]:
    """The values in lists of at most ``size``, for filters and batch calls that take only so many.

    >>> list(chunks([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
