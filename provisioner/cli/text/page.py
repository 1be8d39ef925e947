"""A page about a deployment, in Markdown: what is there, how to reach it, who watches it, what it costs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from provisioner.cli.text.values import as_text
from provisioner.operations.handoff import Artefact
from provisioner.plan.model import Plan
from provisioner.state.records import State


def page(found: Artefact, state: State, plan: Plan, costs: Mapping[str, str]) -> str:
    """``costs``: USD a month by step, the sum under an empty name."""
    lines = [f"# {found.deployment}", ""]
    lines += [plan.description, ""] if plan.description else []
    lines += [*_facts(found, costs), ""]
    lines += _section("How to reach it", ("step", "where", "version"), _endpoints(found))
    lines += _section("Where credentials are", ("step", "reference"), _credentials(found))
    lines += _section("What watches it", ("kind", "step", "name"), _watching(found))
    lines += _section("Outputs", ("name", "value"), ((name, as_text(value)) for name, value in found.outputs.items()))
    heads = ("step", "type", "name", "status", "USD a month")
    lines += _section("What is there", heads, _objects(state, costs))
    return "\n".join(lines).rstrip() + "\n"


def _facts(found: Artefact, costs: Mapping[str, str]) -> Iterator[str]:
    accounts = ", ".join(found.accounts.values())
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.deployed)) if found.deployed is not None else "never"
    yield f"- provider: {found.provider}, region {found.region}" + (f", account {accounts}" if accounts else "")
    yield f"- last deployed: {when}"
    yield f"- costs: {costs[''] or '0.00'} USD a month, by list prices"


def _section(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not cells:
        return []
    return [f"## {title}", "", f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *cells, ""]


def _cell(text: str) -> str:
    """One line, that neither ends its cell nor is taken for markup.

    >>> _cell("a|b\\nc <d>")
    'a\\\\|b c &lt;d>'
    """
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _endpoints(found: Artefact) -> Iterator[Sequence[str]]:
    for step, one in found.endpoints.items():
        for name, value in one.items():
            if name.endswith("endpoint"):
                port = f":{one['port']}" if "port" in one else ""
                yield f"{step} ({name})" if name != "endpoint" else step, f"{value}{port}", found.versions.get(step, "")


def _credentials(found: Artefact) -> Iterator[Sequence[str]]:
    for step, one in found.credentials.items():
        yield step, str(one.get("arn") or one["name"])


def _watching(found: Artefact) -> Iterator[Sequence[str]]:
    for kind, steps in found.monitoring.items():
        for step, one in steps.items():
            yield kind.replace("_", " "), step, str(one["name"])


def _objects(state: State, costs: Mapping[str, str]) -> Iterator[Sequence[str]]:
    for record in state.steps.values():
        adopted = " (adopted)" if record.adopted else ""
        yield record.step, record.type, record.key.name, record.status.value + adopted, costs.get(record.step, "–")
