"""Rules of network ACLs: what a plan writes, what EC2 stores, and what can be said against a list."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws import acl_rules
from provisioner.drivers.aws.acl_rules import Entry, answered, from_cloud, from_plan, problem, to_cloud, to_plan

EVERYTHING = {"number": 100, "protocol": "all", "cidr": "0.0.0.0/0"}
ANSWERS = {"number": 130, "port": 1024, "to_port": 65535, "cidr": "0.0.0.0/0"}


def _rule(number: int, port: int | None, **more: Any) -> dict[str, Any]:
    return {"number": number, "cidr": "0.0.0.0/0", **({} if port is None else {"port": port}), **more}


SEED = [_rule(100, 5432), _rule(110, 6379), _rule(120, 443)]


@pytest.mark.parametrize(
    "rule",
    [
        _rule(100, 5432),
        _rule(1, 1024, to_port=65535, action="deny", cidr="10.0.0.0/16"),
        _rule(32766, 53, protocol="udp"),
        _rule(10, 8, to_port=0, protocol="icmp"),
        _rule(10, None, protocol="icmpv6", cidr="::/0"),
        EVERYTHING,
    ],
)
def test_what_a_plan_writes_is_what_it_reads_back(rule: dict[str, Any]) -> None:
    wanted = from_plan([rule])
    stored = [to_cloud(number, entry, egress=True) for number, entry in wanted.items()]
    assert from_cloud(stored, egress=True) == wanted == from_plan(to_plan(wanted))
    assert from_cloud(stored, egress=False) == {}


def test_the_last_rule_of_aws_is_none_of_the_plans() -> None:
    last = {"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    assert from_cloud([last, {**last, "RuleNumber": 32768, "Ipv6CidrBlock": "::/0"}], egress=False) == {}


def test_a_protocol_without_a_name_here_is_shown_by_its_number_and_is_a_difference() -> None:
    seen = from_cloud(
        [{"RuleNumber": 7, "Protocol": "47", "RuleAction": "allow", "Egress": False, "CidrBlock": "10.0.0.0/8"}],
        egress=False,
    )
    assert seen == {7: Entry("allow", "47", -1, -1, "10.0.0.0/8")}
    assert not acl_rules.same([_rule(7, 1, cidr="10.0.0.0/8")], to_plan(seen)) and acl_rules.same([], [])


def test_the_order_in_the_plan_means_nothing_and_the_number_does() -> None:
    assert acl_rules.same(SEED, list(reversed(SEED)))
    assert not acl_rules.same(SEED, [*SEED[:2], {**SEED[2], "number": 121}])


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ([_rule(100, None)], "rule 100: tcp needs a port"),
        ([_rule(100, 10, to_port=9)], "to_port 9 is below"),
        ([_rule(100, 5432, protocol="all")], "has no ports"),
        ([_rule(100, 5432, cidr="10.0.0.1/16")], "is not a network"),
        ([_rule(100, 5432), _rule(100, 6379)], "rule 100: the number is there twice"),
        ([_rule(100, 8, protocol="icmp", cidr="::/0")], "IPv6"),
        (
            [_rule(50, None, protocol="all", action="deny"), _rule(60, 5432, cidr="10.0.0.0/16")],
            "rule 60 never decides anything: rule 50 comes before it and denies all of that",
        ),
        ([_rule(50, 1, to_port=9999), _rule(60, 5432, action="deny")], "rule 50 comes before it and allows"),
    ],
)
def test_a_rule_that_aws_refuses_or_that_decides_nothing_is_named(rules: list[Any], complaint: str) -> None:
    assert complaint in (problem(rules) or "")


@pytest.mark.parametrize(
    "rules",
    [
        None,
        [],
        SEED,
        [_rule(50, 5432, action="deny", cidr="10.0.9.0/24"), _rule(60, 5432)],
        [_rule(50, 5432), _rule(60, None, protocol="all", action="deny")],
        [_rule(50, None, protocol="all", action="deny"), _rule(60, None, protocol="icmpv6", cidr="::/0")],
        [_rule(50, 8, protocol="icmp", action="deny"), _rule(60, 8, to_port=0, protocol="icmp", action="deny")],
    ],
)
def test_a_list_that_makes_sense_passes(rules: list[Any] | None) -> None:
    assert problem(rules) is None


@pytest.mark.parametrize(
    ("ingress", "egress"),
    [
        (SEED, [EVERYTHING]),
        ([_rule(100, 5432), ANSWERS], [_rule(100, 443), ANSWERS]),
        ([ANSWERS], [_rule(100, 443)]),
        ([_rule(100, 5432, cidr="10.0.0.0/16")], [{**ANSWERS, "cidr": "10.0.1.0/24"}]),
        ([_rule(100, 53, protocol="udp")], []),
        ([_rule(100, 5432, action="deny")], []),
        (None, None),
    ],
)
def test_a_service_whose_answers_find_a_way_back_passes(ingress: Any, egress: Any) -> None:
    assert answered(ingress, egress, None) is None


@pytest.mark.parametrize(
    ("ingress", "egress", "words"),
    [
        (SEED, [], "ingress rule 100 allows tcp 5432, but no egress rule"),
        (SEED, None, "no egress rule"),
        (SEED, [_rule(100, 443), _rule(110, 5432)], "1024 to 65535 for 0.0.0.0/0"),
        (SEED, [{**EVERYTHING, "action": "deny"}], "no egress rule"),
        (SEED, [{**EVERYTHING, "cidr": "::/0"}], "no egress rule"),
        ([_rule(100, 5432, cidr="10.0.0.0/16")], [{**ANSWERS, "cidr": "10.1.0.0/16"}], "no egress rule"),
        ([], [_rule(100, 443)], "egress rule 100 allows tcp 443, but no ingress rule"),
    ],
)
def test_a_service_that_can_never_answer_is_named(ingress: Any, egress: Any, words: str) -> None:
    assert words in (answered(ingress, egress, None) or "")


def test_of_an_adopted_list_what_the_plan_leaves_out_is_not_judged() -> None:
    assert answered(SEED, None, "acl-11111111") is None
    assert answered(SEED, [], "acl-11111111") is not None


def test_denials_come_first_where_rules_are_added() -> None:
    entries = from_plan([_rule(100, 80), _rule(200, 81, action="deny"), _rule(50, 82)])
    assert list(acl_rules.in_order(entries, entries, first="deny")) == [200, 50, 100]
    assert list(acl_rules.in_order(entries, entries, first="allow")) == [50, 100, 200]
