"""The credlink plan against a real sandbox: deploys in this process, kills in another, and counts what is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import msgspec

from provisioner.drivers.typemap import registry
from provisioner.operations.deploy import deploy
from provisioner.operations.destroy import destroy
from provisioner.operations.reversal import rollback
from provisioner.operations.site import Options, Outcome, open_site
from provisioner.plan.load import load_plan
from provisioner.plan.model import Plan
from provisioner.resource import Registry
from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import SandboxOptions
from provisioner.state.store import peek
from tests.crash.subjects import CREDLINK, PARTS, SETS, Subject

ROOT = Path(__file__).resolve().parents[2]

CREATES = {
    "aws.vpc": "CreateVpc",
    "aws.subnet": "CreateSubnet",
    "aws.security_group": "CreateSecurityGroup",
    "aws.kms_key": "CreateKey",
    "aws.kms_alias": "CreateAlias",
    "aws.iam_role": "CreateRole",
    "aws.secret": "CreateSecret",
    "aws.secret_version": "PutSecretValue",
    "aws.db_subnet_group": "CreateDBSubnetGroup",
    "aws.db_parameter_group": "CreateDBParameterGroup",
    "aws.rds_instance": "CreateDBInstance",
    "aws.cache_subnet_group": "CreateCacheSubnetGroup",
    "aws.cache_parameter_group": "CreateCacheParameterGroup",
    "aws.cache_replication_group": "CreateReplicationGroup",
    "aws.s3_bucket": "CreateBucket",
    "aws.sns_topic": "CreateTopic",
    "aws.sns_subscription": "Subscribe",
    "aws.log_group": "CreateLogGroup",
    "aws.rds_event_subscription": "CreateEventSubscription",
    "aws.rds_read_replica": "CreateDBInstanceReadReplica",
    "aws.rds_backup_replication": "StartDBInstanceAutomatedBackupsReplication",
    "aws.rds_proxy": "CreateDBProxy",
    "aws.network_acl": "CreateNetworkAcl",
    "aws.vpc_endpoint": "CreateVpcEndpoint",
    "aws.lambda_function": "CreateFunction",
    "aws.lambda_permission": "AddPermission",
    "aws.secret_rotation": "RotateSecret",
    "aws.alarms": "PutMetricAlarm",
    "aws.cloudwatch_dashboard": "PutDashboard",
    "aws.budget": "CreateBudget",
}
"""The call that makes an object of each type."""

UNTAGGED = {"aws.sns_subscription", "aws.kms_alias", "aws.lambda_permission", "aws.secret_rotation"}
"""Types whose making call cannot carry the owner's tag; a plan has one of each at most."""


class Rig:
    """One sandbox and one user's home."""

    def __init__(self, directory: Path, subject: Subject = CREDLINK) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.sandbox = directory / "sandbox"
        self.subject = subject
        self.info = supervisor.start(self.sandbox, SandboxOptions())
        self._number = 0
        self.said: list[str] = []
        """Everything that any run printed or told as an event."""
        self.canaries: set[str] = set()

    def close(self) -> None:
        supervisor.stop(self.sandbox)

    def fresh(self) -> None:
        """An empty cloud and an empty home."""
        supervisor.admin(self.sandbox, "DELETE", "/_sandbox/faults")
        supervisor.reset(self.sandbox)
        self._number += 1
        self.home = self.directory / f"home-{self._number}"

    # -- in this process ------------------------------------------------------------------------------------

    def plan(self, **retry: float) -> Plan:
        """The subject's, with retries that follow each other at once unless told otherwise."""
        plan = plan_of(self.subject)
        quick = {"backoff_initial": 0.02, "backoff_most": 0.2, **retry}
        return msgspec.structs.replace(plan, settings=msgspec.structs.replace(plan.settings, **quick))

    def types(self) -> Registry:
        """The types that runs in this process use, with their sessions."""
        return registry()

    def _run(self, verb: Any, *arguments: Any) -> Outcome:
        plan = self.plan()
        directory = self.state_directory(plan.deployment)
        listeners = [lambda event: self.said.append(json.dumps(event))]
        types = self.types()
        site_of = open_site(directory, plan.deployment, types, plan.region, command="test", listeners=listeners)
        with site_of as site:
            outcome: Outcome = verb(site, plan, *arguments)
        self.said += [f"{failure.error!r} {failure.error} {failure.error.hint}" for failure in outcome.failures]
        return outcome

    def deploy(self, **options: Any) -> Outcome:
        return self._run(deploy, Options(**options), lambda planned: True)

    def destroy(self, **options: Any) -> Outcome:
        return self._run(destroy, Options(allow_data_loss=True, **options), lambda records: True)

    def rollback(self, **options: Any) -> Outcome:
        return self._run(rollback, Options(allow_data_loss=True, **options), lambda target: True)

    def state_directory(self, deployment: str) -> Path:
        return self.home / "sandbox-deployments" / deployment

    # -- in another process ---------------------------------------------------------------------------------

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """`provisioner WORDS` in the background, with this rig's home and sandbox."""
        environment = {
            **os.environ,
            "PROVISIONER_HOME": str(self.home),
            "PROVISIONER_ENDPOINTS": self.info.endpoints,
            "PYTHONPATH": str(ROOT),
        }
        program = "import sys; from provisioner.cli.main import main; sys.exit(main())"
        return subprocess.Popen(
            [sys.executable, "-c", program, *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=180)
        self.said += [out.decode(), err.decode()]
        return process.returncode, out.decode(), err.decode()

    def verb(self, verb: str, *more: str) -> list[str]:
        return [verb, *self.subject.words("a"), "--sandbox", "--yes", *more]

    # -- secrets ---------------------------------------------------------------------------------------------

    def remember_secrets(self) -> None:
        """Learns every password and token that the cloud holds now, from boto3 alone."""
        client = boto3.session.Session("test", "test", region_name=self.subject.region).client(
            "secretsmanager", endpoint_url=self.info.aws_url
        )
        for secret in client.list_secrets()["SecretList"]:
            text = client.get_secret_value(SecretId=secret["ARN"])["SecretString"]
            self.canaries.add(json.loads(text)["password"] if text.startswith("{") else text)

    def leaks(self) -> list[str]:
        """Where a remembered secret stands that must not: in what runs said, or in a file of the home."""
        places = {f"said {number}": text for number, text in enumerate(self.said)}
        for path in self.home.rglob("*"):
            if path.is_file():
                places[str(path)] = path.read_text(encoding="utf-8", errors="replace")
        return [place for place, text in places.items() if any(secret in text for secret in self.canaries)]

    # -- what is there --------------------------------------------------------------------------------------

    def fault(self, **wish: Any) -> None:
        supervisor.admin(self.sandbox, "POST", "/_sandbox/faults", wish)

    def struck(self) -> int:
        """How often the faults in force have struck."""
        faults = supervisor.admin(self.sandbox, "GET", "/_sandbox/faults")["faults"]
        return sum(fault["struck"] for fault in faults)

    def inventory(self) -> list[dict[str, Any]]:
        objects: list[dict[str, Any]] = supervisor.admin(self.sandbox, "GET", "/_sandbox/inventory")["objects"]
        return objects

    def requests(self) -> list[dict[str, Any]]:
        log: list[dict[str, Any]] = supervisor.admin(self.sandbox, "GET", "/_sandbox/requests")["requests"]
        return log

    def assert_state_equals_cloud(self, deployment: str) -> None:
        """Everything in the cloud is in the state, once; everything in the state is in the cloud."""
        self.assert_state_equals(self.inventory(), deployment)

    def assert_state_equals(self, things: list[dict[str, Any]], deployment: str) -> None:
        """The same of those objects that the caller has looked out of the inventory."""
        state = peek(self.state_directory(deployment), deployment)
        assert state is not None
        recorded = {f"{deployment}/{step}" for step, record in state.steps.items() if not record.adopted}
        owners = [thing["owner"] for thing in things]
        assert None not in owners, [thing for thing in things if thing["owner"] is None]
        sets = steps_of(state.steps.values(), deployment, SETS)
        doubled = {owner for owner in owners if owners.count(owner) > 1} - sets
        assert not doubled, [thing for thing in things if thing["owner"] in doubled]
        assert set(owners) <= recorded, set(owners) - recorded
        missing = recorded - set(owners) - steps_of(state.steps.values(), deployment, PARTS)
        assert not missing, missing


def steps_of(records: Any, deployment: str, types: frozenset[str]) -> set[str]:
    """The owners of the steps of these types."""
    return {f"{deployment}/{record.step}" for record in records if record.type in types}


def plan_of(subject: Subject) -> Plan:
    """The subject's plan as it is deployed first."""
    given = dict(parameter.split("=", 1) for parameter in (*subject.parameters, *subject.variants["a"]))
    return load_plan(subject.path, registry(), environment=subject.environment, parameters=given)


def made_steps(subject: Subject = CREDLINK) -> Sequence[tuple[str, str]]:
    """(step, type) of everything that a deployment makes by a call that can be struck."""
    steps = plan_of(subject).steps
    return [(step.name, step.type) for step in steps if not step.adopt and step.type in CREATES]
