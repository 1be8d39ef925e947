"""A proxy in a plan: where its role may not decrypt the secret, the gate says so and everything goes again."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from tests.plans.conftest import Run

PLAN = """\
deployment: gated
provider: aws
region: us-east-1
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
              Action: "kms:DescribeKey"
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
    timeout: 1s
    with: {proxy: "${proxy.name}"}
outputs:
  endpoint: ${proxy.endpoint}
"""


def test_a_proxy_that_may_not_decrypt_its_secret_is_told_of_and_all_is_reversed(
    provisioner: Run, tmp_path: Path
) -> None:
    (tmp_path / "gated.yaml").write_text(PLAN)
    admin = json.loads(provisioner("sandbox", "start", "--json").stdout)["admin_url"]
    # Preflight would say so before anything is made; it cannot where somebody else's step makes the role.
    how = ("--sandbox", "--yes", "--json", "--skip-preflight", "proxy.decrypt")
    done = provisioner("deploy", str(tmp_path / "gated.yaml"), *how, check=False)
    assert done.returncode == 4, done.stderr
    report = json.loads(done.stdout)
    assert report["result"] == "reversed" and "proxy" in {change["step"] for change in report["changes"]}
    (failure,) = report["failures"]
    assert "target gated-small-db is UNAVAILABLE (AUTH_FAILURE)" in failure["error"]
    assert "role gated-small-role may not kms:Decrypt on arn:aws:kms:us-east-1:" in failure["error"]
    with urllib.request.urlopen(f"{admin}/_sandbox/inventory", timeout=10) as answer:
        left = [thing for thing in json.load(answer)["objects"] if str(thing["owner"]).startswith("gated-small/")]
    assert left == []
