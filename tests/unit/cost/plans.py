"""Small plans, written for one test each."""

from __future__ import annotations

from pathlib import Path

from provisioner.drivers.typemap import registry
from provisioner.plan.load import load_plan
from provisioner.plan.outline import Outline
from provisioner.resource import Registry

HEAD = """\
deployment: shop
provider: aws
region: us-east-1
"""

DB = """\
  - name: db
    type: aws.rds_instance
    with:
      engine_version: "15"
      instance_class: db.t3.micro
      multi_az: false
      username: app_admin
      password: ${secret.value}
"""

SECRET = """\
  - name: secret
    type: aws.secret
"""


def outline(
    folder: Path, steps: str, *, head: str = HEAD, environment: str | None = None, types: Registry | None = None
) -> Outline:
    """What is known of a plan that has these steps."""
    path = folder / "plan.yaml"
    path.write_text(f"{head}steps:\n{steps}")
    known = types or registry()
    return Outline(load_plan(path, known, environment=environment), known)


def with_db(**fields: object) -> str:
    """The steps of a database and its secret, with more or other fields."""
    lines = [line for line in DB.splitlines() if not any(line.strip().startswith(f"{name}:") for name in fields)]
    more = [f"      {name}: {_text(value)}" for name, value in fields.items()]
    return "\n".join([SECRET.rstrip(), *lines, *more]) + "\n"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
