"""What a plan may say of a function, known before anything is asked of AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.drivers.aws import lambda_rules
from provisioner.drivers.aws.errors import kind_of
from provisioner.drivers.aws.lambda_function import _state
from provisioner.drivers.typemap import registry
from provisioner.errors import AccessDeniedError, BusyError, InvalidRequestError, PlanError
from provisioner.model import Phase
from provisioner.plan.load import load_plan

PLAN = """
deployment: shop
provider: aws
region: us-east-1
steps:
  - name: password
    type: aws.secret
  - name: function
    type: aws.lambda_function
    with:
      code: code
      role_arn: arn:aws:iam::123456789012:role/r
      log_group: /app/shop
      environment: {DB_SECRET_ARN: "${password.arn}", DB_PASSWORD: "${password.value}"}
"""


def test_a_secret_has_no_place_in_an_environment_but_its_arn_has(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "handler.py").write_text("")
    (tmp_path / "plan.yaml").write_text(PLAN)
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path / "plan.yaml", registry())
    (finding,) = caught.value.findings
    assert finding.id == "plan.secret-in-plain-field" and "DB_PASSWORD" in finding.message


@pytest.mark.parametrize(
    ("settings", "phase", "detail"),
    [
        ({"State": "Pending", "StateReason": "being created"}, Phase.PENDING, "Pending: being created"),
        ({"State": "Active", "LastUpdateStatus": "InProgress"}, Phase.PENDING, "update in progress"),
        ({"State": "Active", "LastUpdateStatus": "Successful"}, Phase.READY, "Active"),
        ({"State": "Inactive", "LastUpdateStatus": "Successful"}, Phase.READY, "Inactive"),
        ({"State": "Failed", "StateReason": "no room"}, Phase.FAILED, "Failed: no room"),
        (
            {"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no key"},
            Phase.FAILED,
            "update failed: no key",
        ),
        ({"State": "Deleting"}, Phase.DELETING, "Deleting"),
        ({"State": "SomethingNew"}, Phase.PENDING, "SomethingNew"),
    ],
)
def test_a_state_is_a_phase_with_lambdas_own_reason(settings: dict[str, Any], phase: Phase, detail: str) -> None:
    assert _state(settings) == (phase, detail)


@pytest.mark.parametrize(
    ("operation", "code", "message", "kind"),
    [
        (
            "CreateFunction",
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
            BusyError,
        ),
        (
            "CreateFunction",
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            BusyError,
        ),
        ("CreateFunction", "InvalidParameterValueException", "Could not unzip uploaded file.", InvalidRequestError),
        ("UpdateFunctionCode", "ResourceConflictException", "An update is in progress", BusyError),
    ],
)
def test_what_a_new_role_and_a_change_under_way_cause_is_waited_for(
    operation: str, code: str, message: str, kind: type
) -> None:
    assert kind_of(code, service="lambda", operation=operation, message=message) is kind


def test_a_permission_that_is_not_known_everywhere_yet_is_waited_for_by_a_rotation() -> None:
    unknown = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants"
    assert _rotation_kind(unknown) is BusyError
    assert _rotation_kind("You are not authorized to perform RotateSecret") is AccessDeniedError


def _rotation_kind(message: str) -> type:
    return kind_of("AccessDeniedException", service="secretsmanager", operation="RotateSecret", message=message)


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [({}, None), ({"A1": "x"}, None), ({"AWS_REGION": "x"}, "AWS_REGION"), ({"A1": "x" * 4094}, "4097 bytes")],
)
def test_an_environment_has_its_limits(variables: dict[str, str], complaint: str | None) -> None:
    found = lambda_rules.environment(variables)
    assert found is None if complaint is None else complaint in str(found)


def test_a_network_has_subnets_and_groups_or_neither() -> None:
    assert lambda_rules.network([], []) is None and lambda_rules.network(["subnet-1"], ["sg-1"]) is None
    assert lambda_rules.network(["subnet-1"], []) and lambda_rules.network([], ["sg-1"])
