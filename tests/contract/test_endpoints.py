"""What VPC endpoints promise beyond the suite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import InUseError
from provisioner.model import Key, Phase
from provisioner.sandbox import supervisor
from tests.contract.world import World, differing, gone, settle

ENDPOINT = "aws.vpc_endpoint"


def _network(world: World) -> dict[str, Any]:
    vpc = {"vpc_id": world.make("aws.vpc", "net", {"cidr": "10.71.0.0/16", "dns_hostnames": True})[1].outputs["vpc_id"]}
    subnet = world.make("aws.subnet", "a", {**vpc, "cidr": "10.71.0.0/24", "zone_index": 0})[1]
    wall = world.make("aws.security_group", "wall", vpc)[1]
    groups = [wall.outputs["group_id"]]
    return {**vpc, "service": "kms", "subnets": [subnet.outputs["subnet_id"]], "security_groups": groups}


def _key(world: World, step: str) -> Key:
    return world._made[step][1]


def test_what_it_holds_names_it_until_it_is_gone_and_then_it_does_not_exist_any_more(lone_world: World) -> None:
    tree = _network(lone_world)
    key, seen = lone_world.make(ENDPOINT, "kms", tree)
    number = seen.outputs["endpoint_id"]
    assert seen.outputs["service_name"] == "com.amazonaws.us-east-1.kms"
    assert seen.outputs["dns_name"].startswith(number)
    assert _holders(lone_world) == [(f"VPC endpoint {number} (com.amazonaws.us-east-1.kms)", key.owner, False)] * 2
    sandbox, driver = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent, lone_world.driver(ENDPOINT)
    fault = {"service": "ec2", "operation": "DeleteVpcEndpoints", "kind": "never-ready"}
    supervisor.admin(sandbox, "POST", "/_sandbox/faults", fault)
    try:
        driver.delete(key)
        assert driver.read(key).phase is Phase.DELETING
        assert {leaving for _, _, leaving in _holders(lone_world)} == {True}
    finally:
        supervisor.admin(sandbox, "DELETE", "/_sandbox/faults")
    gone(driver, key)
    listed = lone_world.session().client("ec2").describe_vpc_endpoints(VpcEndpointIds=[number])["VpcEndpoints"]
    assert [one["State"] for one in listed] == ["deleted"]
    again = lone_world.make(ENDPOINT, "kms", tree)[1]
    assert again.outputs["endpoint_id"] != number


def _holders(world: World) -> list[tuple[str, str | None, bool]]:
    """Who is in the way of deleting the group and the subnet."""
    found = []
    for type_, step in (("aws.security_group", "wall"), ("aws.subnet", "a")):
        with pytest.raises(InUseError):
            world.driver(type_).delete(_key(world, step))
        (holder,) = world.driver(type_).holders(_key(world, step))
        assert "`aws ec2 describe-vpc-endpoints --vpc-endpoint-ids vpce-" in holder.by_hand
        found.append(holder[:3])
    return found


def test_a_gateway_to_s3_is_a_route_in_each_of_its_tables_which_no_plan_takes_for_its_own(lone_world: World) -> None:
    vpc = {"vpc_id": lone_world.make("aws.vpc", "net", {"cidr": "10.72.0.0/16"})[1].outputs["vpc_id"]}
    tables = []
    for step in ("one", "two"):
        made = lone_world.make("aws.route_table", step, {**vpc, "routes": []})[1]
        tables.append(str(made.outputs["route_table_id"]))
    tree = {**vpc, "kind": "gateway", "service": "s3", "route_tables": tables[:1]}
    key, seen = lone_world.make(ENDPOINT, "s3", tree)
    assert differing(lone_world.driver(ENDPOINT), lone_world.spec(ENDPOINT, tree), seen) == set()
    assert seen.outputs["dns_name"] == "" and _leads(lone_world, tables) == [True, False]
    after = lone_world.spec(ENDPOINT, {**tree, "route_tables": tables[1:]})
    lone_world.driver(ENDPOINT).update(key, after, {"route_tables"})
    assert differing(lone_world.driver(ENDPOINT), after, settle(lone_world.driver(ENDPOINT), key)) == set()
    assert _leads(lone_world, tables) == [False, True]
    table = lone_world.driver("aws.route_table").read(_key(lone_world, "two"))
    assert table.spec["routes"] == []


def _leads(world: World, tables: list[str]) -> list[bool]:
    listed = world.session().client("ec2").describe_route_tables(RouteTableIds=tables)["RouteTables"]
    leads = {
        table["RouteTableId"]: any(route.get("DestinationPrefixListId") for route in table["Routes"])
        for table in listed
    }
    return [leads[table] for table in tables]


def test_an_endpoint_to_s3_with_private_dns_needs_no_gateway_beside_it(lone_world: World) -> None:
    _, seen = lone_world.make(ENDPOINT, "s3", {**_network(lone_world), "service": "s3"})
    assert seen.spec["private_dns"] is True
