"""Which step may start: a ready-set, not batches. A step starts the moment the last thing it needs is done."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence

from provisioner.engine.loop import Loop, Result, Task


class Schedule:
    """Runs one task a node, each after the nodes that it needs; position in ``order`` breaks ties.

    A failed node holds back all that need it. With ``halt`` no further node starts after the first failure; else
    only what hangs on the failed one is held back.
    """

    def __init__(
        self,
        loop: Loop,
        order: Sequence[str],
        needs: Mapping[str, Iterable[str]],
        start: Callable[[str], Task],
        done: Callable[[str, Result], None],
        *,
        halt: bool,
    ) -> None:
        self._loop = loop
        self._start = start
        self._done = done
        self._halt = halt
        self._place = {name: place for place, name in enumerate(order)}
        self._unmet: dict[str, int] = {}
        self._above: dict[str, set[str]] = {}
        self._dependents: dict[str, list[str]] = {name: [] for name in order}
        for name in order:
            above = {need for need in needs.get(name, ()) if need in self._place}
            self._unmet[name] = len(above)
            self._above[name] = above
            for need in above:
                self._dependents[need].append(name)
        self._ready = [(self._place[name], name) for name in order if not self._unmet[name]]
        heapq.heapify(self._ready)
        self.failed: dict[str, BaseException] = {}
        self.finished: set[str] = set()

    def begin(self) -> None:
        """Starts what can start; call :meth:`Loop.run` after it."""
        while self._ready and not (self._halt and self.failed) and not self._loop.stopping:
            _, name = heapq.heappop(self._ready)
            self._loop.spawn(self._start(name), self._landing(name))

    @property
    def held_back(self) -> list[str]:
        """Nodes that were never started or did not finish, in order."""
        return [name for name in self._place if name not in self.finished and name not in self.failed]

    def blockers(self, name: str) -> list[str]:
        """The failed nodes that held a node back, in order."""
        found: set[str] = set()
        waiting, met = [name], {name}
        while waiting:
            above = self._above[waiting.pop()] - met
            met |= above
            found |= above & self.failed.keys()
            waiting.extend(above - self.failed.keys())
        return sorted(found, key=self._place.__getitem__)

    def _landing(self, name: str) -> Callable[[Result], None]:
        def land(result: Result) -> None:
            if result.error is not None:
                self.failed[name] = result.error
            else:
                self.finished.add(name)
                for dependent in self._dependents[name]:
                    self._unmet[dependent] -= 1
                    if not self._unmet[dependent]:
                        heapq.heappush(self._ready, (self._place[dependent], dependent))
            self._done(name, result)
            self.begin()

        return land


def reversed_needs(order: Sequence[str], needs: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Who must go before whom when everything is taken down: each node after all that need it."""
    turned: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for need in needs.get(name, ()):
            if need in turned:
                turned[need].append(name)
    return turned
