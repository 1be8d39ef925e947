"""What aws.vpc_endpoint makes of AWS's answers, and what one costs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from provisioner.charge import Uses
from provisioner.drivers.aws import bill_net
from provisioner.drivers.aws.errors import kind_of
from provisioner.drivers.aws.vpc_endpoint import VpcEndpoint
from provisioner.errors import CloudError, InUseError
from provisioner.model import OWNER_TAG, Key, Phase

KEY = Key(deployment="d", step="way", name="d-way", region="us-east-1")


class _Session:
    """Lists one endpoint and answers a delete with an item that is refused."""

    region = "us-east-1"

    def __init__(self, state: str = "available", refusal: str = "", **more: Any) -> None:
        self.item = {
            "VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.us-east-1.kms", "State": state,
            "VpcEndpointType": "Interface", "Tags": [{"Key": OWNER_TAG, "Value": KEY.owner}], **more,
        }  # fmt: skip
        self.refusal = refusal
        self._memory: dict[str, dict[str, Any]] = {}

    def memory(self, name: str) -> dict[str, Any]:
        return self._memory.setdefault(name, {})

    def pages(self, service: str, operation: str, field: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self.item

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        error = {"Code": self.refusal, "Message": "no"}
        return {"Unsuccessful": [{"ResourceId": "vpce-1", "Error": error}] if self.refusal else []}


def test_a_delete_that_is_refused_in_a_successful_answer_is_an_error() -> None:
    with pytest.raises(InUseError) as refused:
        VpcEndpoint(_Session(refusal="DependencyViolation")).delete(KEY)
    assert "vpce-1" in str(refused.value) and refused.value.cloud_code == "DependencyViolation"


def test_one_that_is_gone_meanwhile_is_deleted() -> None:
    VpcEndpoint(_Session(refusal="InvalidVpcEndpoint.NotFound")).delete(KEY)


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("pendingAcceptance", Phase.PENDING),
        ("Available", Phase.READY),
        ("rejected", Phase.FAILED),
        ("Deleting", Phase.DELETING),
        ("Deleted", None),
    ],
)
def test_a_state_means_the_same_however_it_is_written(state: str, phase: Phase | None) -> None:
    seen = VpcEndpoint(_Session(state)).read(KEY)
    assert (seen.phase if seen else None) is phase


def test_a_failed_one_says_why() -> None:
    error = {"Code": "Quota", "Message": "no more addresses"}
    seen = VpcEndpoint(_Session("failed", LastError=error)).read(KEY)
    assert seen is not None and seen.detail == "no more addresses [Quota]"


def test_two_subnets_in_one_zone_are_the_plans_mistake_and_no_name_that_is_taken() -> None:
    kind = kind_of("DuplicateSubnetsInSameZone", service="ec2", operation="CreateVpcEndpoint")
    assert issubclass(kind, CloudError) and kind.__name__ == "InvalidRequestError"


def test_it_is_billed_by_the_hour_in_each_zone_and_a_gateway_is_free() -> None:
    def quantities(item: dict[str, Any]) -> list[Decimal]:
        return [one.quantity for one in bill_net.endpoint(item, None, Uses({"data_gb": Decimal(5)}))]

    assert quantities({"kind": "interface", "subnets": ["${a.subnet_id}", "${b.subnet_id}"]}) == [1460, 5]
    assert quantities({"kind": "gateway", "route_tables": ["rtb-1"]}) == []
