"""One request on its way through the gateway, the answer to it, and the two ways it can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

Environ = dict[str, Any]

_READ_PREFIXES: Final = (
    "Describe", "Get", "List", "Head", "Lookup", "Search", "Scan", "Query", "BatchGet", "Check", "Select", "Simulate",
    "Preview", "Validate", "Test",
)  # fmt: skip
_READS: Final = {"Verify", "VerifyMac", "AssumeRole"}
_WRITES: Final = {"TestFailover"}


@dataclass(slots=True)
class Call:
    """What a request asks for.

    ``service`` is boto3's name for it (``cloudwatch``, not ``monitoring``), ``protocol`` the one that the caller
    speaks: query, ec2, json, rest-json, rest-xml or cbor. ``form`` holds the parameters of query and ec2 calls.
    ``outcome`` is the fault kind, if any, that decides what becomes of the object that the call makes; ``held`` tells
    whether one that is never to be ready is held back still.
    """

    service: str
    operation: str
    region: str
    protocol: str
    environ: Environ
    body: bytes = b""
    form: dict[str, str] = field(default_factory=dict)
    outcome: str = ""
    outcome_delay: float = 0.0
    held: Callable[[], bool] | None = None

    @property
    def write(self) -> bool:
        """Whether the operation changes something, by the naming rules of AWS."""
        if self.operation in _WRITES:
            return True
        return not self.operation.startswith(_READ_PREFIXES) and self.operation not in _READS

    @property
    def path(self) -> str:
        """The request's path, decoded."""
        return str(self.environ.get("PATH_INFO", "/"))


@dataclass(slots=True)
class Reply:
    """A whole answer. ``headers`` in the order they are sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class AwsError(Exception):
    """The answer is an error document of AWS. ``status`` 0: what the service's model says of the code, else 400."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class DropConnection(Exception):
    """Close the connection hard and answer nothing."""
