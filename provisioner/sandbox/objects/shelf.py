"""The objects of one bucket or container: each change is decided and made in one piece."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Item:
    """One object. ``etag`` is without quotes, ``modified`` in seconds since 1970, ``headers`` are the stored ones."""

    key: str
    data: bytes
    etag: str
    generation: int
    modified: float
    created: float
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a listing, in order: items, and as text the common prefixes. ``token`` is empty on the last page."""

    entries: list[Item | str]
    token: str


class Ticks:
    """Numbers from a clock that never repeat and never fall, whatever the clock does. Safe in threads."""

    def __init__(self, now: Callable[[], float], per_second: int) -> None:
        self._now, self._per_second, self._last = now, per_second, 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """The time in ticks, or one more than the last."""
        with self._lock:
            self._last = max(self._last + 1, int(self._now() * self._per_second))
            return self._last


@dataclass(slots=True)
class Shelf:
    """Objects by key. ``change`` is the only writer."""

    items: dict[str, Item] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, key: str) -> Item | None:
        """The object as it is now."""
        with self.lock:
            return self.items.get(key)

    def change(self, key: str, decide: Callable[[Item | None], Item | None]) -> Item | None:
        """Put in place what ``decide`` makes of the object that is there, nothing where it says None.

        No other change comes between the two, and an exception from ``decide`` leaves all as it was.
        """
        with self.lock:
            new = decide(self.items.get(key))
            if new is None:
                self.items.pop(key, None)
            else:
                self.items[key] = new
            return new

    def page(self, *, prefix: str, delimiter: str, after: str, start: str, limit: int) -> Page:
        """At most ``limit`` entries under ``prefix``: those past the entry ``after``, of keys from ``start`` on.

        Keys are in the order of their bytes. Those with ``delimiter`` past the prefix become one common prefix.
        """
        with self.lock:
            items = list(self.items.values())
        under = [i for i in items if i.key.startswith(prefix) and i.key.encode() >= start.encode()]
        under.sort(key=lambda i: i.key.encode())
        entries: list[Item | str] = []
        last = after
        for name, entry in _grouped(under, prefix, delimiter):
            if name.encode() <= after.encode():
                continue
            if len(entries) == limit:
                return Page(entries, _token(last))
            entries.append(entry)
            last = name
        return Page(entries, "")


def _grouped(items: Iterable[Item], prefix: str, delimiter: str) -> Iterable[tuple[str, Item | str]]:
    last = ""
    for item in items:
        at = item.key.find(delimiter, len(prefix)) if delimiter else -1
        if at < 0:
            yield item.key, item
            continue
        common = item.key[: at + len(delimiter)]
        if common != last:
            last = common
            yield common, common


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def token_name(token: str) -> str:
    """Where the page of a token begins: after this name. ValueError where nobody was given such a token."""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as err:
        raise ValueError(f"no token of ours: {token!r}") from err
