"""What is known of a plan before anything is made."""

from __future__ import annotations

from pathlib import Path

from provisioner.drivers.typemap import registry
from provisioner.plan.load import load_plan
from provisioner.plan.outline import Outline, unknown

PLAN = """\
deployment: shop
provider: aws
region: us-east-1
steps:
  - name: net
    type: aws.vpc
    with: {cidr: 10.0.0.0/16}
  - name: wall
    type: aws.security_group
    with:
      vpc_id: ${net.vpc_id}
      description: "costs $${5}"
      ingress:
        - {port: 5432, cidr: "${net.cidr}"}
        - {port: 6379, cidr: "${net.vpc_id}"}
  - name: parameters
    type: aws.db_parameter_group
    with: {family: postgres15, description: of the shop}
  - name: topic
    type: aws.sns_topic
    with: {name: "${parameters.name}-events", display_name: "${net.vpc_id}"}
outputs:
  network: ${net.cidr}
  id: ${net.vpc_id}
"""


def _outline(tmp_path: Path) -> Outline:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    types = registry()
    return Outline(load_plan(path, types), types)


def test_what_a_step_sets_is_known_to_those_that_refer_to_it(tmp_path: Path) -> None:
    outline = _outline(tmp_path)
    rules = outline.items["wall"].values["ingress"]
    assert rules[0]["cidr"] == "10.0.0.0/16"
    assert outline.items["topic"].name == "shop-parameters-events"
    assert outline.outputs == {"network": "10.0.0.0/16", "id": "${net.vpc_id}"}


def test_what_only_the_cloud_can_say_is_told_from_a_value(tmp_path: Path) -> None:
    wall = _outline(tmp_path).items["wall"]
    assert unknown(wall.values["ingress"])
    assert not unknown(wall.values["ingress"][0])
    assert wall.sets("vpc_id")
    assert wall.get("vpc_id", "nobody knows") == "nobody knows"


def test_nested_values_have_their_defaults(tmp_path: Path) -> None:
    assert _outline(tmp_path).items["wall"].values["ingress"][0]["protocol"] == "tcp"


def test_links_lead_to_the_step_that_is_referred_to_and_back(tmp_path: Path) -> None:
    outline = _outline(tmp_path)
    wall, net = outline.items["wall"], outline.items["net"]
    assert outline.link(wall, "vpc_id") is net
    assert outline.link(wall, "vpc_id", "aws.subnet") is None
    assert outline.users(net) == [wall, outline.items["topic"]]


def test_a_finding_points_at_the_field_in_the_file(tmp_path: Path) -> None:
    outline = _outline(tmp_path)
    found = outline.finding("x.y", outline.items["wall"], "ingress", "too open")
    assert found.where is not None
    assert (found.where.line, found.subject) == (14, "steps.wall.with.ingress")
