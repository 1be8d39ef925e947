"""What a deployment hands to the next module: endpoints, where credentials are, what watches it. From the record alone.

Nothing in it is secret: a record holds no secret value, and of the plan's outputs those that hold one are left out.
What an object is to others is told by what it hands on (an endpoint, a port, a version) and by the words in the name
of its type, so no cloud is named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from provisioner.operations.outputs import recorded_outputs
from provisioner.plan.model import Plan
from provisioner.state.records import Record, RunResult, State

FORMAT: Final = 1
"""Of the artefact: grows when a key changes its meaning."""
_WATCHING: Final = {"alarm": "alarms", "alert": "alarms", "topic": "topics", "dashboard": "dashboards",
                    "log_group": "log_groups", "budget": "budgets"}  # fmt: skip
"""Word in the name of a type → what it is to whoever watches."""
_CREDENTIAL: Final = "secret"
_REFERENCES: Final = ("arn", "id", "name", "url")
"""How another module may point at an object, the best way first."""


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """``endpoints``, ``credentials`` and ``versions`` are by step; ``monitoring`` is by kind, then by step.

    ``deployed``: when the last run ended well, in seconds since the epoch; None where none did.
    """

    deployment: str
    environment: str | None
    provider: str
    region: str
    accounts: dict[str, str]
    deployed: float | None
    endpoints: dict[str, dict[str, Any]]
    credentials: dict[str, dict[str, Any]]
    monitoring: dict[str, dict[str, dict[str, Any]]]
    versions: dict[str, str]
    outputs: dict[str, Any]
    format: int = FORMAT


def artefact(state: State, plan: Plan) -> Artefact:
    """What is recorded of the deployment, as others need it."""
    ready = list(state.steps.values())
    watching: dict[str, dict[str, dict[str, Any]]] = {}
    for record in ready:
        kind = next((kind for word, kind in _WATCHING.items() if word in _word(record)), None)
        if kind is not None:
            watching.setdefault(kind, {})[record.step] = _reference(record)
    ended = (run.finished for run in reversed(state.runs) if run.result is RunResult.SUCCEEDED)
    return Artefact(
        deployment=state.deployment,
        environment=plan.environment,
        provider=state.provider or plan.provider,
        region=state.region or plan.region,
        accounts=dict(state.accounts),
        deployed=next(ended, None),
        endpoints={record.step: _endpoint(record) for record in ready if _endpoint(record)},
        credentials={record.step: _reference(record) for record in ready if _word(record).startswith(_CREDENTIAL)},
        monitoring=watching,
        versions={record.step: record.outputs["engine_version"] for record in ready if _version(record)},
        outputs=recorded_outputs(state, plan),
    )


def _word(record: Record) -> str:
    return record.type.partition(".")[2]


def _version(record: Record) -> bool:
    return isinstance(record.outputs.get("engine_version"), str)


def _endpoint(record: Record) -> dict[str, Any]:
    """``{type, name, endpoint, port, …}`` of what can be connected to."""
    found = {name: value for name, value in record.outputs.items() if name.endswith("endpoint") and value}
    if not found:
        return {}
    port = {"port": record.outputs["port"]} if "port" in record.outputs else {}
    return {"type": record.type, "name": record.key.name, "region": record.key.region, **found, **port}


def _reference(record: Record) -> dict[str, Any]:
    """``{type, name, region, arn}``: where it is, never what is in it."""
    known = {name: record.outputs[name] for name in _REFERENCES if isinstance(record.outputs.get(name), str)}
    return {"type": record.type, "name": record.key.name, "region": record.key.region, **known}


def flat(found: Artefact) -> Mapping[str, Any]:
    """The same as names and texts for an environment: ``db_endpoint``, ``db_port``, ``db_secret_arn``, the outputs."""
    made: dict[str, Any] = {}
    for step, endpoint in found.endpoints.items():
        made |= {f"{step}_{name}": value for name, value in endpoint.items() if name == "port" or "endpoint" in name}
    for step, reference in found.credentials.items():
        made |= {f"{step}_{name}": reference[name] for name in ("arn",) if name in reference}
    taken = {name.replace("-", "_").lower() for name in made}
    made |= {name: value for name, value in found.outputs.items() if name.replace("-", "_").lower() not in taken}
    return made
