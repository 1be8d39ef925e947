"""A proxy in a plan: where its role may not decrypt the secret, the gate says so and everything goes again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.plans.conftest import Run

PLAN = """\
deployment: gated
provider: aws
region: us-east-1
parameters:
  key_actions: {type: list, default: ["kms:Decrypt"]}
environments: {small: {}}
steps:
  - {name: vpc, type: aws.vpc, with: {cidr: 10.70.0.0/16}}
  - {name: a, type: aws.subnet, with: {vpc_id: "${vpc.vpc_id}", cidr: 10.70.1.0/24, zone_index: 0}}
  - {name: b, type: aws.subnet, with: {vpc_id: "${vpc.vpc_id}", cidr: 10.70.2.0/24, zone_index: 1}}
  - {name: front, type: aws.security_group, with: {vpc_id: "${vpc.vpc_id}"}}
  - name: wall
    type: aws.security_group
    with: {vpc_id: "${vpc.vpc_id}", ingress: [{port: 5432, security_group: "${front.group_id}"}]}
  - {name: key, type: aws.kms_key}
  - name: login
    type: aws.secret
    with: {generate: {template: {username: app}}, kms_key_id: "${key.arn}", recovery_days: 7}
  - name: role
    type: aws.iam_role
    with:
      services: [rds.amazonaws.com]
      inline_policies:
        login:
          Version: "2012-10-17"
          Statement:
            - {Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: "${login.arn}"}
            - Effect: Allow
              Action: ${param.key_actions}
              Resource: ${key.arn}
              Condition: {StringEquals: {"kms:ViaService": secretsmanager.us-east-1.amazonaws.com}}
  - {name: homes, type: aws.db_subnet_group, with: {subnets: ["${a.subnet_id}", "${b.subnet_id}"]}}
  - name: db
    type: aws.rds_instance
    with:
      engine_version: "15"
      instance_class: db.t3.micro
      multi_az: false
      username: app
      password: ${login.value}
      subnet_group: ${homes.name}
      security_groups: ["${wall.group_id}"]
      deletion_protection: false
  - name: proxy
    type: aws.rds_proxy
    stage: access
    with:
      db_instance: ${db.name}
      auth: [{secret_arn: "${login.arn}"}]
      role_arn: ${role.arn}
      subnets: ["${a.subnet_id}", "${b.subnet_id}"]
      security_groups: ["${front.group_id}"]
      max_connections_percent: 90
  - name: proxy-reaches-db
    type: aws.rds_proxy_health
    stage: access
    timeout: 2s
    with: {proxy: "${proxy.name}"}
outputs:
  endpoint: ${proxy.endpoint}
"""


def test_a_proxy_that_cannot_decrypt_is_told_of_and_reversed_and_one_that_can_stays(
    provisioner: Run, tmp_path: Path
) -> None:
    (tmp_path / "gated.yaml").write_text(PLAN)
    plan = (str(tmp_path / "gated.yaml"), "--sandbox")

    def inventory() -> list[object]:
        found: list[object] = json.loads(provisioner("sandbox", "inventory", "--json").stdout)["objects"]
        return found

    provisioner("sandbox", "start")
    before = inventory()
    refused = provisioner("deploy", *plan, "--yes", "--json", "--param", "key_actions=kms:DescribeKey", check=False)
    assert refused.returncode == 4, refused.stderr
    assert "AUTH_FAILURE" in refused.stdout and "may not kms:Decrypt on arn:aws:kms:" in refused.stdout
    assert inventory() == before

    provisioner("deploy", *plan, "--yes")
    again = json.loads(provisioner("deploy", *plan, "--yes", "--json").stdout)
    assert again["changes"] == []
    provisioner("destroy", *plan, "--yes", "--allow-data-loss")
    assert inventory() == before
