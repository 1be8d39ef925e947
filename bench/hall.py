"""Where a section is measured: the sandbox, Terraform where there is one, and everything that was found there."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.process import Failed
from bench.rehearsal import Rehearsal
from bench.sides import Ours, Theirs
from bench.tf import Terraform

PARALLEL = (10, 50)
"""How many things at once Terraform is told to do: its default, and what people set who find that slow."""


class Hall:
    """One section's. ``runs``: how often each turn is taken; ``measured``: every measurement; ``why``: no Terraform."""

    def __init__(self, *, quick: bool) -> None:
        self.quick, self.runs = quick, 1 if quick else 3
        self.measured: list[dict[str, Any]] = []
        self.why = ""
        self._room = tempfile.TemporaryDirectory(prefix="provisioner-bench-")
        self.scratch = Path(self._room.name)
        self.terraform: Terraform | None = None
        try:
            self.terraform = Terraform(self.scratch)
        except Failed as err:
            self.refuse(err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if "rehearsal" in self.__dict__:
            self.rehearsal.close()
        self._room.cleanup()

    @cached_property
    def rehearsal(self) -> Rehearsal:
        """The sandbox, started when first asked for."""
        return Rehearsal(self.scratch / "sandbox")

    def ours(self, plan: Path, *words: str, changed: tuple[str, ...] = ()) -> Ours:
        """``provisioner`` with a plan."""
        return Ours(self.rehearsal, self.scratch / "home", [str(plan), *words], changed)

    def theirs(
        self, stack: str, variables: Mapping[str, str], *, changed: Mapping[str, str] | None = None, all_of: bool = True
    ) -> list[Theirs]:
        """Terraform with a stack, once a parallelism; none where it cannot work, and ``why`` says why.

        ``all_of`` False, or a quick run: with the higher parallelism alone.
        """
        place = self.stack(stack)
        if self.terraform is None or place is None:
            return []
        given = {"endpoint": self.rehearsal.url, "region": "us-east-1", **variables}
        chosen = PARALLEL if all_of and not self.quick else PARALLEL[-1:]
        return [Theirs(self.terraform, place, given, changed, parallelism=number) for number in chosen]

    def stack(self, name: str) -> Path | None:
        """A stack that Terraform can work in; None where it cannot, and ``why`` says why."""
        if self.terraform is None:
            return None
        try:
            return self.terraform.stack(name)
        except Failed as err:
            self.refuse(err)
            return None

    def refuse(self, error: Failed) -> None:
        """Terraform failed: what was not measured says so, and whoever waits hears all of it."""
        self.why = error.gist if error.gist.startswith("terraform: ") else f"terraform: {error.gist}"
        self.say(str(error))

    def say(self, text: str) -> None:
        """How far it is, for whoever waits."""
        sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()

    def note(self, numbers: dict[str, Any]) -> None:
        """Keeps one measurement, and says it."""
        self.measured.append(numbers)
        self.say(
            " ".join(str(value) if isinstance(value, str) else f"{key}={value:g}" for key, value in numbers.items())
        )
