"""What a deploy must not be refused for: what the plan does not say, and what is as it should be.

Preflight's errors and the scan's findings of level high end a deploy, so one too many is a deployment that cannot be
mended in the night.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.rules.rule import Level
from tests.unit.rules.bend import every_case, look, outline
from tests.unit.rules.test_families import PASSWORD, STRONG

PROXY: dict[str, Any] = next(case["bent"] for case in every_case() if case["rule"] == "proxy.trust")
FUNCTION: dict[str, Any] = next(case["bent"] for case in every_case() if case["rule"] == "lambda.trust")


def _with(bent: dict[str, Any], step: str, **fields: Any) -> dict[str, Any]:
    return {**bent, step: {**bent[step], **fields}}


def _proxied(**fields: Any) -> dict[str, Any]:
    return _with(PROXY, "+proxy", **{"with": {**PROXY["+proxy"]["with"], **fields}})


def _acl(*ingress: dict[str, Any]) -> dict[str, Any]:
    rules = [{"number": 100 + number, **rule} for number, rule in enumerate(ingress)]
    egress = [{"number": 100, "protocol": "all", "cidr": "0.0.0.0/0"}]
    return {
        "+list": {"type": "aws.network_acl", "with": {"vpc_id": "${vpc.vpc_id}", "ingress": rules, "egress": egress}}
    }


def _adopted(step: str, type_: str, **fields: Any) -> dict[str, Any]:
    return {f"+{step}": {"type": type_, "adopt": "existing", "with": fields}}


CACHE = _adopted(
    "theirs", "aws.cache_replication_group", name="theirs", engine_version="7.0", node_type="cache.t3.small"
)
ROLE = {
    "+proxy-role": {
        "type": "aws.iam_role",
        "adopt": "existing",
        "with": {"name": "theirs", "services": ["rds.amazonaws.com"]},
    }
}
SECRET = {"+login": {"type": "aws.secret", "adopt": "existing", "with": {"name": "their-login"}}}

NOT_JUDGED: dict[str, tuple[str, dict[str, Any]]] = {
    "an adopted cache, whose token the plan does not say": ("sec.cache-open", CACHE),
    "an adopted role, whose policies the plan does not say": ("proxy.read-secret", {**PROXY, **ROLE}),
    "a role that may all but": (
        "proxy.read-secret",
        _with(
            PROXY,
            "+proxy-role",
            **{
                "with": {
                    "services": ["rds.amazonaws.com"],
                    "inline_policies": {
                        "most": {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:x:::y"}]}
                    },
                }
            },
        ),
    ),
    "an adopted secret, whose document somebody else writes": (
        "proxy.document",
        {**SECRET, **_proxied(auth=[{"secret_arn": "${login.arn}"}])},
    ),
    "a proxy let in by the id of a group that it wears": (
        "proxy.shut-out",
        {
            **_proxied(security_groups=["sg-0123456789abcdef0"]),
            "wall.ingress": [
                {"port": 5432, "security_group": "sg-0123456789abcdef0"},
                {"port": 6379, "cidr": "${sub-b.cidr}"},
            ],
        },
    ),
    "a database that also wears a group which is no step": (
        "proxy.shut-out",
        {**PROXY, "db.security_groups": ["${wall.group_id}", "sg-0123456789abcdef0"]},
    ),
    "a list that lets in a network behind a VPN as well as its own": (
        "net.acl-source-outside",
        _acl({"port": 5432, "cidr": "${vpc.cidr}"}, {"port": 5432, "cidr": "10.200.0.0/16"}),
    ),
    "pings from anywhere": ("sec.acl-world", _acl({"protocol": "icmp", "cidr": "0.0.0.0/0"})),
    "answers to the ports that Linux asks from": (
        "sec.acl-world",
        _acl({"port": 32768, "to_port": 61000, "cidr": "0.0.0.0/0"}),
    ),
    "a name that is kept secret": (
        "secret.weak",
        {"credentials.value/username": "${param.db_password}"},
    ),
    "an ARN of elsewhere in what a function is told": (
        "region.arn",
        _with(
            FUNCTION,
            "+export",
            **{"with": {**FUNCTION["+export"]["with"], "environment": {"COPY": "arn:aws:s3:eu-west-1:123456789012:x"}}},
        ),
    ),
    "the number of connections that RDS really allows, where no parameter says one": (
        "alarm.other-facts",
        {
            "db-parameters.parameters/max_connections": None,
            "answers.parameters": None,
            "+words": {
                "type": "aws.alarms",
                "with": {
                    "kind": "rds",
                    "target": "${db.name}",
                    "thresholds": {"connections": {"critical": 80}},
                    "max_connections": 189,
                },
            },
        },
    ),
    "an alarm that nobody connects any more": (
        "alarm.direction",
        {
            "alarm.metric": "DatabaseConnections",
            "alarm.threshold": 1,
            "alarm.comparison_operator": "LessThanThreshold",
        },
    ),
    "a budget's topic in another region": (
        "region.arn",
        {
            "+money": {
                "type": "aws.budget",
                "with": {
                    "limit": 50,
                    "notifications": [
                        {"kind": "actual", "above": 80, "topic": "arn:aws:sns:us-west-2:123456789012:money"}
                    ],
                },
            }
        },
    ),
    "a NAT gateway in the default VPC, whose main table leads out": (
        "net.nat-private",
        {
            "+theirs": {"type": "aws.default_vpc", "adopt": "existing"},
            "+way": {
                "type": "aws.subnet",
                "with": {"vpc_id": "${theirs.vpc_id}", "cidr": "172.31.200.0/24", "zone_index": 0},
            },
            "+address": {"type": "aws.elastic_ip"},
            "+nat": {
                "type": "aws.nat_gateway",
                "with": {"subnet_id": "${way.subnet_id}", "allocation_id": "${address.allocation_id}"},
            },
        },
    ),
    "a formula that is not understood": (
        "capacity.pool",
        {
            "db-parameters.parameters/superuser_reserved_connections": "{SUM(1,2)}",
            "applications": [{"name": "web", "processes": 1, "pool_size": 1}],
        },
    ),
    "a tag that looks like a zone": ("region.zone", {"vpc.tags": {"home": "eu-west-1a"}}),
}


@pytest.mark.parametrize("name", NOT_JUDGED)
def test_a_deploy_is_not_refused_for(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule, bent = NOT_JUDGED[name]
    monkeypatch.setenv(PASSWORD, "shopadmin" if rule == "secret.weak" else STRONG)
    report = look(outline(tmp_path, bent))
    fatal = [str(one.finding) for one in report.unwaived(Level.ERROR, Level.HIGH) if one.finding.id == rule]
    assert fatal == []
