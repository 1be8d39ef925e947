"""Plans beyond their values: quickstart's URLs work as they stand, and credlink lives in a network of somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.plans.conftest import PLANS, Run


def test_quickstarts_urls_connect_as_they_stand(provisioner: Run) -> None:
    import psycopg
    import redis

    plan = (str(PLANS / "quickstart.yaml"), "--sandbox")
    provisioner("deploy", *plan, "--yes")
    try:
        url = provisioner("outputs", *plan, "--raw", "postgres_url", "--reveal").stdout.strip()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert connection.pgconn.ssl_in_use
        url = provisioner("outputs", *plan, "--raw", "redis_url", "--reveal").stdout.strip()
        assert url.startswith("rediss://")
        with redis.Redis.from_url(url) as client:
            assert client.set("a", "1") and client.get("a") == b"1"
    finally:
        provisioner("destroy", *plan, "--yes", "--allow-data-loss")


def test_credlink_moves_into_a_network_of_somebody_else_and_leaves_it_behind(
    provisioner: Run, client: Callable[[str], Any]
) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in ((1, "a"), (2, "b"))
    ]
    given = {
        "network": "existing", "vpc_id": vpc, "vpc_cidr": "10.7.0.0/16",
        "private_a_id": subnets[0], "private_a_cidr": "10.7.1.0/24",
        "private_b_id": subnets[1], "private_b_cidr": "10.7.2.0/24",
    }  # fmt: skip
    parameters = [word for name, value in given.items() for word in ("--param", f"{name}={value}")]
    plan = (str(PLANS / "aws-credlink.yaml"), "-e", "development", "--sandbox", *parameters)
    report = json.loads(provisioner("deploy", *plan, "--yes", "--json").stdout)
    try:
        assert report["outputs"]["vpc_id"] == vpc
        actions = {change["step"]: change["action"] for change in report["changes"]}
        assert {actions[step] for step in ("vpc", "private-a", "private-b")} == {"adopt"}
        homes = client("rds").describe_db_instances(DBInstanceIdentifier="credlink-development-db")["DBInstances"][0]
        assert sorted(s["SubnetIdentifier"] for s in homes["DBSubnetGroup"]["Subnets"]) == sorted(subnets)
    finally:
        provisioner("destroy", *plan, "--yes", "--allow-data-loss")
    assert [subnet["SubnetId"] for subnet in ec2.describe_subnets(SubnetIds=subnets)["Subnets"]]
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
