"""Functions that really run: deployed into the sandbox from their folders, called through its API."""

from __future__ import annotations

import base64
import json
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import PASSWORD, PERSONAL_DATA, House
from tests.functions.deployed import LOGS, Functions


def test_the_functions_of_the_plans_run_from_their_folders_with_the_memory_of_the_plans(
    people: psycopg.Connection[Any], house: House, functions: Functions
) -> None:
    wanted = {"DB_SECRET_ARN": house.secret, "PERSONAL_DATA": json.dumps(PERSONAL_DATA)}
    for name, memory in (("data_export", 512), ("data_deletion", 256), ("audit_logging", 128)):
        functions.deploy(name, memory=memory, **wanted)
    ask = {"person_id": "42", "actor": "desk"}
    document, failed = functions.call("data_export", {**ask, "request_id": "1"})
    assert not failed and document["tables"]["app.person"] == [{"id": 42, "name": "Ada", "email": "ada@example.org"}]
    receipt, failed = functions.call("data_deletion", {**ask, "request_id": "2"})
    assert not failed and receipt["rows"] == {"app.message": 2, "app.invoice": 1, "app.person": 1}
    whole, failed = functions.call("audit_logging", {"verify": True})
    assert not failed and whole == {"rows": 2, "broken_at": None, "digest": receipt["audit"]}
    refusal, failed = functions.call("data_deletion", {**ask, "person_id": "44", "request_id": "3"})
    assert (failed, refusal["errorType"]) == ("Unhandled", "UnknownPersonError")
    lines = functions.logged("data_deletion")
    assert any("UnknownPersonError" in line for line in lines) and any(line.startswith("REPORT") for line in lines)
    assert not any(PASSWORD in line or "Ada" in line for line in lines)


def test_a_function_has_its_environment_its_context_and_nothing_of_the_sandboxs(
    house: House, functions: Functions, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SANDBOX", "x")
    text = "import os\ndef handler(event, context):\n    return [dict(os.environ), context.function_name, event]\n"
    functions.deploy("looks", functions.source(tmp_path, text), GREETING="hello")
    (environment, name, event), failed = functions.call("looks", [1])
    assert not failed and (name, event, environment["GREETING"]) == ("looks", [1], "hello")
    assert environment["AWS_ENDPOINT_URL"] == house.sandbox.aws.url
    assert "OF_THE_SANDBOX" not in environment and "PYTHONPATH" not in environment


def test_a_function_that_cannot_load_takes_too_long_or_too_much_is_ended(functions: Functions, tmp_path: Any) -> None:
    text = (
        "import time\ndef handler(event, context):\n"
        "    if event == 'long':\n        time.sleep(60)\n"
        "    if event == 'large':\n        return len(bytearray(2_000_000_000))\n"
        "    import os; os._exit(3)\n"
    )
    functions.deploy("broken", functions.source(tmp_path, "import no_such_library\n"))
    answer, failed = functions.call("broken", {})
    assert (failed, answer["errorType"]) == ("Unhandled", "ModuleNotFoundError")
    functions.deploy("greedy", functions.source(tmp_path, text), memory=128, timeout=1)
    answer, failed = functions.call("greedy", "long")
    assert failed and "timed out after 1.00 seconds" in answer["errorMessage"]
    answer, failed = functions.call("greedy", "large")
    assert (failed, answer["errorType"]) == ("Unhandled", "MemoryError")
    answer, failed = functions.call("greedy", "exit")
    assert failed and "exit status 3" in answer["errorMessage"]


def test_a_call_that_nobody_waits_for_is_carried_out_and_the_tail_of_the_log_can_be_had(
    house: House, functions: Functions, tmp_path: Any
) -> None:
    functions.deploy("speaks", functions.source(tmp_path, "def handler(event, context):\n    print('said', event)\n"))
    answer = functions.api.invoke(FunctionName="speaks", Payload=b'"later"', InvocationType="Event")
    assert answer["StatusCode"] == 202
    house.sandbox.world.jobs.settle()
    assert "said later" in functions.logged("speaks")
    answer = functions.api.invoke(FunctionName="speaks", Payload=b'"now"', LogType="Tail")
    assert "said now" in base64.b64decode(answer["LogResult"]).decode()
    assert functions.api.invoke(FunctionName="speaks", InvocationType="DryRun")["StatusCode"] == 204


def test_a_function_whose_role_may_not_write_there_has_no_logs_and_nobody_is_told(
    house: House, functions: Functions, tmp_path: Any
) -> None:
    functions.deploy("mute", functions.source(tmp_path, "def handler(event, context):\n    print('said')\n"))
    logs, iam = house.client("logs"), house.client("iam")
    logs.create_log_group(logGroupName="/functions/mute")
    iam.detach_role_policy(RoleName="functions", PolicyArn=LOGS)
    try:
        assert functions.call("mute", {}) == (None, None) and functions.logged("mute") == []
        place = "arn:aws:logs:us-east-1:123456789012:log-group:/functions/mute:*"
        allow = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": place}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName="functions", PolicyName="logs", PolicyDocument=document)
        assert functions.call("mute", {}) == (None, None) and "said" in functions.logged("mute")
    finally:
        iam.attach_role_policy(RoleName="functions", PolicyArn=LOGS)


def test_a_function_without_room_for_calls_is_not_called(functions: Functions, tmp_path: Any) -> None:
    functions.deploy("idle", functions.source(tmp_path, "def handler(event, context):\n    pass\n"))
    functions.api.put_function_concurrency(FunctionName="idle", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequests"):
        functions.call("idle", {})
