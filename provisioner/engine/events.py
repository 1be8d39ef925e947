"""What a run tells the outside: one flat dict an event, the same for a terminal, a pipe and ``--events``.

====================  =============================================================================================
run.started           first; ``format``, ``run``, ``kind``, ``deployment``, ``version``, ``steps``
check.passed          ``stage``, ``step``, ``detail``: what was looked at before anything was done
run.resumed           an earlier run that never ended is taken up again
run.reversing         ``because``: what failed; from here on steps are undone
step.started          ``step``, ``type``, ``stage``, ``action``
step.waiting          ``detail``: what is being waited for; at most one a change of detail
step.retry            ``attempt``, ``error``, ``pause`` seconds
step.finished         ``action``, ``seconds``
step.failed           ``error``, ``code``, ``hint``
step.undone           ``seconds``
step.remains          ``reason``, ``command``, ``by_hand``, ``let_go``, ``code``
step.lingers          ``detail``: what the cloud still keeps of an object that is gone
run.finished          last; ``result``, ``exit_code``, ``seconds``
====================  =============================================================================================

No event carries a value of a spec or an output, so none can carry a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

FORMAT: Final = 1

Event = dict[str, Any]
Listener = Callable[[Event], None]


class Events:
    """Numbers and stamps events and hands them to every listener, in the loop's thread."""

    def __init__(self, wall: Callable[[], float], *listeners: Listener) -> None:
        self._wall = wall
        self._listeners = list(listeners)
        self._number = 0

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def emit(self, event: str, **facts: Any) -> None:
        self._number += 1
        line: Event = {"event": event, "seq": self._number, "at": round(self._wall(), 3), **facts}
        for listener in self._listeners:
            listener(line)
