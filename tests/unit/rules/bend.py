"""Cases: the shop's plan with something bent, and what is found then."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from provisioner.drivers.typemap import registry
from provisioner.plan.load import load_plan
from provisioner.plan.outline import Outline
from provisioner.preflight.check import known_ids, preflight
from provisioner.rules.run import Report
from provisioner.scan.scan import scan

HERE = Path(__file__).parent
TODAY = date(2026, 11, 20)
SHOP: Any = yaml.safe_load((HERE / "shop.yaml").read_text())
TYPES = registry()


def cases(family: str) -> list[dict[str, Any]]:
    """Of one file: ``rule``, ``why``, ``bent`` (see :func:`bend`), and optionally ``says``, ``level``, ``at``."""
    found: list[dict[str, Any]] = yaml.safe_load((HERE / "cases" / f"{family}.yaml").read_text())
    return found


def every_case() -> list[dict[str, Any]]:
    return [case for path in sorted((HERE / "cases").glob("*.yaml")) for case in cases(path.stem)]


def bend(bent: dict[str, Any]) -> dict[str, Any]:
    """The shop with changes: ``step.field.inner: value`` (null takes it out), ``+step: {…}`` (a new one, at the end),
    ``-step`` (gone); anything else is a key of the plan itself, ``outputs.name`` one of its outputs.
    """
    plan = copy.deepcopy(SHOP)
    steps = {step["name"]: step for step in plan["steps"]}
    for key, value in bent.items():
        name, _, rest = key.partition(".")
        if key.startswith("+"):
            plan["steps"].append({"name": key[1:], **value})
        elif key.startswith("-"):
            plan["steps"].remove(steps.pop(key[1:]))
        elif name in steps:
            _set(steps[name].setdefault("with", {}), rest.split("/"), value)
        elif name == "outputs":
            plan["outputs"][rest] = value
        else:
            plan[key] = value
    return dict(plan)


def _set(tree: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree[int(part)] if isinstance(tree, list) else tree.setdefault(part, {})
    last: Any = int(path[-1]) if isinstance(tree, list) else path[-1]
    if value is None and isinstance(tree, dict):
        tree.pop(last)
    else:
        tree[last] = value


def outline(tmp_path: Path, bent: dict[str, Any], **options: Any) -> Outline:
    """What is known of the bent plan, which must be valid."""
    (tmp_path / "code").mkdir(exist_ok=True)
    (tmp_path / "code" / "handler.py").write_text("def handler(event, context):\n    return event\n")
    path = tmp_path / "plan.yaml"
    path.write_text(json.dumps(bend(bent)))
    return Outline(load_plan(path, TYPES, **options), TYPES)


def look(made: Outline, today: date = TODAY, **options: Any) -> Report:
    """Both books over a plan; what preflight shows of the scan is there once, with the scan's own level."""
    known = known_ids()
    safety = scan(made, today, known=known)
    first = preflight(made, today, skip=[rule for rule in safety.rules if rule in _grave()], **options)
    return Report(
        deployment=first.deployment, results=[*first.results, *safety.results], rules=[*first.rules, *safety.rules]
    )


def _grave() -> frozenset[str]:
    from provisioner.preflight.check import every_rule

    return frozenset(every_rule())
