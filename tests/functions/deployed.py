"""Functions in the sandbox, as a deployment would make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from provisioner import folder

FUNCTIONS = Path(__file__).parents[2] / "plans" / "lambdas"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class Cloud(Protocol):
    """Where they are deployed."""

    def client(self, service: str) -> Any: ...


class Functions:
    """Functions in the sandbox."""

    def __init__(self, house: Cloud) -> None:
        self.house = house
        self.api, iam = house.client("lambda"), house.client("iam")
        made = iam.create_role(RoleName="functions", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.role = made["Role"]["Arn"]
        iam.attach_role_policy(RoleName="functions", PolicyArn=LOGS)

    def deploy(self, name: str, code: bytes = b"", memory: int = 256, timeout: int = 30, **environment: str) -> str:
        """The ARN of a function made from its folder, or from ``code``."""
        answer = self.api.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self.role,
            Handler="handler.handler",
            Code={"ZipFile": code or folder.zipped((FUNCTIONS / name, FUNCTIONS / "shared"))},
            MemorySize=memory,
            Timeout=timeout,
            Environment={"Variables": environment},
            LoggingConfig={"LogGroup": f"/functions/{name}"},
        )
        return str(answer["FunctionArn"])

    def source(self, tmp_path: Any, text: str) -> bytes:
        """A function of a few lines."""
        (tmp_path / "handler.py").write_text(text)
        return folder.zipped((tmp_path,))

    def call(self, name: str, event: Any, **more: Any) -> Any:
        """(answer, whether it is an error's)."""
        answer = self.api.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def logged(self, name: str) -> list[str]:
        """Every line in its log group."""
        events = self.house.client("logs").filter_log_events(logGroupName=f"/functions/{name}")["events"]
        return [event["message"] for event in events]
