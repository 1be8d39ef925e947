"""A function's code through deploy, another checkout, change and rollback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.plans.conftest import Run

PLAN = """
deployment: echo
provider: aws
region: us-east-1
steps:
  - name: log
    type: aws.log_group
    with: {name: /app/echo}
  - name: role
    type: aws.iam_role
    with: {services: [lambda.amazonaws.com]}
  - name: function
    type: aws.lambda_function
    with:
      code: functions/echo
      handler: main.answer
      role_arn: ${role.arn}
      log_group: ${log.name}
      environment: {GREETING: hello}
outputs:
  function: ${function.name}
"""


def _checkout(home: Path, text: str) -> str:
    code = home / "functions" / "echo"
    code.mkdir(parents=True)
    (code / "main.py").write_text(f"def answer(event, context):\n    return {text!r}\n")
    (home / "plan.yaml").write_text(PLAN)
    return str(home / "plan.yaml")


def test_code_is_the_same_in_another_checkout_and_the_code_before_comes_back_without_its_folder(
    provisioner: Run, client: Callable[[str], Any], tmp_path: Path
) -> None:
    def said() -> Any:
        return json.loads(client("lambda").invoke(FunctionName="echo-function", Payload=b"{}")["Payload"].read())

    first = _checkout(tmp_path / "first", "one")
    provisioner("deploy", first, "--sandbox", "--yes")
    try:
        assert said() == "one"
        second = _checkout(tmp_path / "second", "one")
        shutil.rmtree(tmp_path / "first")
        Path(second).with_name("functions").joinpath("echo", "main.py").write_text(
            "def answer(event, context):\n    return 'two'\n"
        )
        report = json.loads(provisioner("deploy", second, "--sandbox", "--yes", "--json").stdout)
        assert {change["step"]: change["action"] for change in report["changes"]} == {"function": "update"}
        assert said() == "two"
        provisioner("rollback", second, "--sandbox", "--yes")
        assert said() == "one"
    finally:
        provisioner("destroy", _checkout(tmp_path / "third", "three"), "--sandbox", "--yes")
    assert client("lambda").list_functions()["Functions"] == []
    assert client("logs").describe_log_groups(logGroupNamePrefix="/app/echo")["logGroups"] == []
