"""A deploy whose record lies in a bucket dies; another machine that has the plan and nothing else carries it on."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from provisioner.sandbox import supervisor
from tests.crash.rig import Rig

BUCKET = "acme-records"
URL = f"s3://{BUCKET}/team"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("checkouts"))
    try:
        yield made
    finally:
        made.close()


def another_machine(rig: Rig, name: str) -> Path:
    """A home that holds nothing."""
    rig.home = rig.directory / name
    return rig.home


@pytest.mark.parametrize("share", [0.3, 0.75])
def test_a_second_checkout_recovers_what_the_first_left_when_it_died(rig: Rig, share: float) -> None:
    rig.fresh()
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    session.client("s3", endpoint_url=rig.info.aws_url).create_bucket(Bucket=BUCKET)
    first = another_machine(rig, f"first-{share}")
    rig.fault(operation="CreateDBInstance" if share > 0.5 else "CreateSubnet", kind="hang", delay=5)
    process = rig.start(*rig.verb("deploy", "--state", URL))
    while not rig.struck() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    rig.said += [text.decode() for text in process.communicate()]
    supervisor.admin(rig.sandbox, "DELETE", "/_sandbox/faults")
    assert not first.exists(), "nothing of the deployment is kept on the first machine"

    another_machine(rig, f"second-{share}")
    code, _, err = rig.run(*rig.verb("deploy", "--state", URL))
    assert code == 0, err
    assert "taken over" in err or "took over" in err, err
    recorded = json.loads(rig.run("state", "pull", *rig.verb("")[1:4], "--sandbox", "--state", URL)[1])
    owners = sorted(str(thing["owner"]) for thing in rig.inventory() if BUCKET not in json.dumps(thing))
    steps = {step for step, record in recorded["steps"].items() if not record["adopted"]}
    deployment = recorded["deployment"]
    assert len(owners) == len(set(owners)), "nothing was made twice"
    parts = {step for step, record in recorded["steps"].items() if record["type"] == "aws.secret_version"}
    assert set(owners) == {f"{deployment}/{step}" for step in steps - parts}
    rig.remember_secrets()
    assert rig.leaks() == []

    another_machine(rig, f"third-{share}")
    code, _, err = rig.run(*rig.verb("destroy", "--state", URL, "--allow-data-loss"))
    assert code == 0, err
    assert [thing for thing in rig.inventory() if BUCKET not in json.dumps(thing)] == []
