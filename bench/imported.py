"""What Terraform's AWS provider reads of our credlink, beside what the plan asked for: ``python -m bench.imported``.

We deploy ``plans/aws-credlink.yaml`` into a sandbox of its own; Terraform then plans to import every object of it into
the equal stack in ``bench/terraform/credlink``. Such a plan tells both: ``before`` is what the provider read, ``after``
what the stack wants, which is written by hand and knows nothing of our drivers. Nothing is changed. The exit code is 1
where they differ.

It needs ``terraform`` on the PATH, and its AWS provider: from the registry, or from a directory that
``TF_CLI_ARGS_init=-plugin-dir=…`` names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from provisioner.sandbox.settings import ACCESS_KEY, REGION

ROOT: Final = Path(__file__).resolve().parents[1]
PLAN: Final = ROOT / "plans" / "aws-credlink.yaml"
STACK: Final = ROOT / "bench" / "terraform" / "credlink"
NAME: Final = "credlink-production"
OWNED: Final = {
    "aws_vpc.vpc": "vpc", "aws_subnet.private_a": "private-a", "aws_subnet.private_b": "private-b",
    "aws_security_group.db_wall": "db-wall", "aws_security_group.redis_wall": "redis-wall",
    "aws_secretsmanager_secret.db_secret": "db-secret", "aws_secretsmanager_secret.redis_secret": "redis-secret",
    "aws_sns_topic.alerts": "alerts", "aws_sns_topic_subscription.alerts_by_mail": "alerts-by-mail",
}  # fmt: skip
"""Resources whose id is the object's id in the inventory, by the step that owns it."""
NAMED: Final = {
    "aws_kms_alias.data_key_alias": "data-key-alias", "aws_iam_role.db_monitoring_role": "db-monitoring-role",
    "aws_db_subnet_group.db_subnets": "db-subnets", "aws_db_parameter_group.db_parameters": "db-parameters",
    "aws_cloudwatch_log_group.db_log": "db-log", "aws_cloudwatch_log_group.db_upgrade_log": "db-upgrade-log",
    "aws_db_instance.db": "db", "aws_elasticache_subnet_group.redis_subnets": "redis-subnets",
    "aws_elasticache_parameter_group.redis_parameters": "redis-parameters",
    "aws_elasticache_replication_group.redis": "redis", "aws_db_event_subscription.db_events": "db-events",
    **{f"aws_s3_bucket{part}.proofs": "proofs" for part in (
        "", "_versioning", "_server_side_encryption_configuration", "_public_access_block",
        "_lifecycle_configuration", "_cors_configuration",
    )},
}  # fmt: skip
"""Resources whose id is the object's name."""
UNTOLD: Final = frozenset({
    "apply_immediately", "auth_token", "deletion_window_in_days", "password", "recovery_window_in_days",
    "skip_final_snapshot",
})  # fmt: skip
"""What no service tells: how Terraform is to go about it, and secrets that are written and never read."""
UNREAD: Final = frozenset({"aws_elasticache_replication_group.redis.notification_topic_arn"})
"""What the service tells and Terraform's provider does not ask: the topic stands with the members of a group."""


class Field(NamedTuple):
    """One value that the stack asks for, and what Terraform's provider read.

    ``verdict``: same; marked, where the object carries a mark of provisioner's besides; untold, where it cannot be
    compared; DIFFERS.
    """

    resource: str
    name: str
    wanted: str
    read: str
    verdict: str


def main() -> int:
    """Deploy, plan the import, print the table."""
    if shutil.which("terraform") is None:
        sys.stderr.write("there is no terraform on the PATH\n")
        return 2
    home = Path(tempfile.mkdtemp(prefix="provisioner-import-"))
    try:
        fields = list(_fields(_planned(home)))
    finally:
        _ours(home, "sandbox", "stop")
        shutil.rmtree(home, ignore_errors=True)
    _print(fields)
    return int(any(field.verdict == "DIFFERS" for field in fields))


def _planned(home: Path) -> dict[str, Any]:
    """Terraform's plan to import what we deployed, as JSON."""
    url = json.loads(_ours(home, "sandbox", "start", "--json"))["aws_url"]
    _ours(home, "deploy", str(PLAN), "-e", "production", "--sandbox", "--yes", "--json")
    objects = json.loads(_ours(home, "sandbox", "inventory", "--json"))["objects"]
    stack = home / "stack"
    shutil.copytree(STACK, stack, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    blocks = [f'import {{\n  to = {to}\n  id = "{name}"\n}}\n' for to, name in _ids(objects, url).items()]
    (stack / "import.tf").write_text("\n".join(blocks), encoding="utf-8")
    _terraform(stack, "init")
    _terraform(stack, "plan", "-out=import.plan", f"-var=endpoint={url}", "-var=protected=true")
    planned: dict[str, Any] = json.loads(_terraform(stack, "show", "-json", "import.plan"))
    return planned


def _ids(objects: list[dict[str, Any]], url: str) -> dict[str, str]:
    """By which id Terraform knows each object."""
    by_step = {item["owner"].partition("/")[2]: item for item in objects if item["owner"]}
    ids = {to: str(by_step[step]["id"]) for to, step in OWNED.items()}
    ids |= {to: str(by_step[step]["name"]) for to, step in NAMED.items()}
    ids["aws_kms_key.data_key"] = by_step["data-key"]["id"].rpartition("/")[2]
    policy = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    ids["aws_iam_role_policy_attachment.db_monitoring_role"] = f"{by_step['db-monitoring-role']['name']}/{policy}"
    for version, step in (("redis_secret", "redis-secret"), ("db_credentials", "db-secret")):
        arn = str(by_step[step]["id"])
        ids[f"aws_secretsmanager_secret_version.{version}"] = f"{arn}|{_current_version(url, arn)}"
    return ids


def _current_version(url: str, arn: str) -> str:
    import boto3

    make: Any = boto3.client
    client = make(
        "secretsmanager", endpoint_url=url, region_name=REGION,
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY,
    )  # fmt: skip
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return next(str(version) for version, labels in stages.items() if "AWSCURRENT" in labels)


def _fields(planned: Mapping[str, Any]) -> Iterator[Field]:
    """Every attribute that the stack's text gives, of every resource that was imported."""
    given = {
        item["address"]: item.get("expressions", {}) for item in planned["configuration"]["root_module"]["resources"]
    }
    for change in sorted(planned["resource_changes"], key=lambda item: str(item["address"])):
        address, before, after = change["address"], change["change"]["before"], change["change"]["after"] or {}
        if not address.startswith("aws_"):
            continue
        if before is None:
            yield Field(address, "", "the object", "nothing", "DIFFERS")
            continue
        for name in sorted(given[address]):
            wanted, read = after.get(name), before.get(name)
            untold = (
                name in UNTOLD or f"{address}.{name}" in UNREAD or change["change"]["after_unknown"].get(name) is True
            )
            verdict = "untold" if untold else _verdict(name, wanted, read)
            hidden = name in UNTOLD or _any(change["change"]["after_sensitive"].get(name))
            yield Field(address, name, _shown(wanted, hidden), _shown(read, hidden), verdict)


def _verdict(name: str, wanted: Any, read: Any) -> str:
    if wanted == read or (name == "engine_version" and str(read).startswith(f"{wanted}.")):
        return "same"  # a major version is asked for, and the service chose the minor one
    if name == "tags":
        marks = {key for key in read or {} if key.startswith("provisioner:") and key not in wanted}
        return "marked" if {k: v for k, v in read.items() if k not in marks} == wanted else "DIFFERS"
    return "marked" if name == "description" and str(read).startswith(f"{wanted} [{NAME}/") else "DIFFERS"


def _any(sensitive: Any) -> bool:
    """Whether any part of a value is secret."""
    if isinstance(sensitive, Mapping):
        return any(_any(part) for part in sensitive.values())
    return any(_any(part) for part in sensitive) if isinstance(sensitive, list) else bool(sensitive)


def _shown(value: Any, hidden: bool) -> str:
    return "(not shown)" if hidden else json.dumps(value, ensure_ascii=False)


def _print(fields: list[Field]) -> None:
    width = max(len(field.resource) + len(field.name) + 1 for field in fields)
    for field in fields:
        place = f"{field.resource}.{field.name}"
        sys.stdout.write(f"{field.verdict:8}{place:{width}}  {field.read}\n")
        if field.verdict in ("DIFFERS", "marked"):
            sys.stdout.write(f"{'':8}{'asked for':>{width}}  {field.wanted}\n")
    count = {
        verdict: sum(field.verdict == verdict for field in fields)
        for verdict in ("same", "marked", "untold", "DIFFERS")
    }
    resources = len({field.resource for field in fields})
    sys.stdout.write(
        f"{resources} resources, {len(fields)} values: {count['same']} the same, {count['marked']} with a mark of "
        f"provisioner's, {count['untold']} that cannot be compared, {count['DIFFERS']} that differ\n"
    )


def _ours(home: Path, *words: str) -> str:
    environment = {**os.environ, "PROVISIONER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return _run([sys.executable, "-m", "provisioner", *words], ROOT, environment)


def _terraform(stack: Path, *words: str) -> str:
    plain = [] if words[0] == "show" else ["-input=false", "-no-color"]
    return _run(["terraform", *words[:1], *plain, *words[1:]], stack, {**os.environ, "CHECKPOINT_DISABLE": "1"})


def _run(command: list[str], place: Path, environment: Mapping[str, str]) -> str:
    found = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, cwd=place)
    if found.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {found.returncode}:\n{found.stdout}{found.stderr}")
    return found.stdout


if __name__ == "__main__":
    sys.exit(main())
