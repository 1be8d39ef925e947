"""What the sandbox would have sent: mail, text messages and calls to web addresses, kept to be read.

Nothing leaves the machine. A subscription of a queue gets its message in the queue as well.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final

_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address. ``kind``: notification or confirmation; ``link``: what confirms the subscription."""

    number: int
    id: str
    time: str
    kind: str
    topic: str
    protocol: str
    endpoint: str
    subject: str
    message: str
    link: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON."""
        return asdict(self)


class Inbox:
    """The latest 1,000 messages; safe to use from several threads."""

    def __init__(self) -> None:
        self._letters: deque[Letter] = deque(maxlen=_KEPT)
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()

    def put(self, **letter: str) -> None:
        """Keep one; ``letter`` has the fields of Letter but for number and id."""
        with self._guard:
            self._letters.append(Letter(number=next(self._numbers), id=str(uuid.uuid4()), **letter))

    def letters(self, since: int = 0) -> list[Letter]:
        """Those after number ``since``, oldest first."""
        with self._guard:
            return [letter for letter in self._letters if letter.number > since]

    def clear(self) -> None:
        """Throw them all away."""
        with self._guard:
            self._letters.clear()
