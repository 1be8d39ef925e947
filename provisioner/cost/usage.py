"""How much a deployment is used: what no plan can say, from a YAML file.

::

    steps:
      proofs: {storage_gb: 10, put_requests: 100000}
    types:
      aws.log_group: {ingest_gb: 3}
    account:
      cloudwatch.metrics: 2

A step's own word counts before its type's. What nobody says is the default that the type's charges name, 0 for most.
``account`` is what the rest of the account takes of the free allowances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from provisioner.charge import Uses
from provisioner.plan.findings import Findings
from provisioner.plan.read import Section
from provisioner.plan.yamlfile import Located, TreePath, load

_SECTIONS: Final = ("steps", "types", "account")
_Amounts = dict[str, dict[str, Decimal]]


class Usage:
    """What was said about the use of steps and types, a month each."""

    def __init__(
        self,
        steps: Mapping[str, Mapping[str, Decimal]] = {},
        types: Mapping[str, Mapping[str, Decimal]] = {},
        account: Mapping[str, Decimal] = {},
        source: Located | None = None,
    ) -> None:
        self.steps = steps
        self.types = types
        self.account = account
        self._source = source

    def of(self, step: str, type_: str) -> Uses:
        """What is known of one step."""
        return Uses({**self.types.get(type_, {}), **self.steps.get(step, {})})

    def check(
        self, asked: Mapping[str, tuple[str, Iterable[str]]], known: Iterable[str], allowances: Iterable[str]
    ) -> None:
        """PlanError with everything that nobody asked for.

        ``asked``: step → its type and the names that its charges asked for; ``known``: steps that may be named though
        they are switched off.
        """
        if self._source is None:
            return
        findings = Findings()
        for step, amounts in self.steps.items():
            if step not in asked:
                if step not in known:
                    self._unknown(findings, ("steps", step), f"there is no step {step!r}", [*asked, *known])
                continue
            for name in amounts:
                self._asked(findings, ("steps", step, name), name, asked[step][1])
        for type_, amounts in self.types.items():
            names = [name for kind, names in asked.values() if kind == type_ for name in names]
            if any(kind == type_ for kind, _ in asked.values()):
                for name in amounts:
                    self._asked(findings, ("types", type_, name), name, names)
        for name in self.account:
            self._asked(findings, ("account", name), name, allowances)
        findings.raise_errors()

    def _asked(self, findings: Findings, path: TreePath, name: str, names: Iterable[str]) -> None:
        known = sorted(set(names))
        if name not in known:
            self._unknown(findings, path, f"nothing is billed by {name!r}", known)

    def _unknown(self, findings: Findings, path: TreePath, message: str, known: list[str]) -> None:
        assert self._source is not None
        near = findings.near(str(path[-1]), known)
        hint = f"known here: {', '.join(known)}" if known else "nothing is known here"
        findings.add("plan.unknown-key", message + near, self._source, path, hint=hint, key=True)


def read_usage(path: Path) -> Usage:
    """The file. PlanError with everything that is wrong with it."""
    source = load(path)
    findings = Findings()
    root = Section(source, (), source.value, findings)
    root.allow(_SECTIONS, "in a usage file")
    steps, types = (_amounts(root.section(name)) for name in ("steps", "types"))
    account = _numbers(root.section("account"))
    findings.raise_errors()
    return Usage(steps, types, account, source)


def _amounts(section: Section) -> _Amounts:
    return {name: _numbers(section.section(name)) for name in section.value}


def _numbers(section: Section) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name in section.value:
        value: Any = section.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            section.wrong((name,), "a number, 0 or more", value)
        else:
            found[name] = Decimal(str(value))
    return found
