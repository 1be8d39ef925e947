"""Pure parts of the AWS drivers: tags, traffic rules, policies, passwords, paging."""

from __future__ import annotations

import doctest
import importlib
import math
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.drivers.aws import policy, tags, traffic
from provisioner.drivers.aws.alarm_base import older
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.secret import ALPHABET, password
from provisioner.model import Key

KEY = Key(deployment="credlink", step="db", name="credlink-db")
OWNER = "provisioner:owner"


@pytest.mark.parametrize("module", ["alarm_rules", "errors", "given", "page", "policy", "same", "kms_alias"])
def test_the_examples_in_docstrings_are_true(module: str) -> None:
    tested = doctest.testmod(importlib.import_module(f"provisioner.drivers.aws.{module}"))
    assert tested.attempted and not tested.failed


class TestTags:
    def test_an_object_is_made_with_its_owner_and_the_plans_tags(self) -> None:
        assert tags.wanted(KEY, {"team": "a"}, named=True) == {
            "Name": "credlink-db",
            "team": "a",
            OWNER: "credlink/db",
        }

    def test_a_plan_may_choose_another_name_tag_but_no_other_owner(self) -> None:
        assert tags.wanted(KEY, {"Name": "x"}, named=True)["Name"] == "x"
        assert tags.wanted(KEY, {OWNER: "me"})[OWNER] == "credlink/db"

    def test_only_the_plans_tags_are_shown(self) -> None:
        assert tags.visible(KEY, {OWNER: "x", "aws:cloudformation:stack": "y", "team": "a"}) == {"team": "a"}

    def test_tags_that_the_plan_leaves_out_are_not_managed(self) -> None:
        assert tags.changes(KEY, None, {"team": "a"}) == ({}, [])
        assert tags.same(None, {"team": "a"})

    def test_changes_touch_neither_the_owner_nor_what_is_the_clouds(self) -> None:
        seen = {OWNER: "credlink/db", "aws:x": "1", "Name": "credlink-db", "old": "1", "team": "a"}
        assert tags.changes(KEY, {"team": "b"}, seen, named=True) == ({"team": "b"}, ["old"])

    @given(
        st.dictionaries(st.sampled_from("abc"), st.text(max_size=3)),
        st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3)),
    )
    def test_changes_carried_out_leave_no_changes(self, plan: dict[str, str], seen: dict[str, str]) -> None:
        seen = {**seen, OWNER: "credlink/db"}
        put, drop = tags.changes(KEY, plan, seen, named=True)
        after = {tag: text for tag, text in {**seen, **put}.items() if tag not in drop}
        assert tags.changes(KEY, plan, after, named=True) == ({}, [])
        assert tags.same_named(plan, tags.visible(KEY, after))

    @pytest.mark.parametrize("owner", [{}, {OWNER: "they/theirs"}])
    def test_to_an_object_of_others_tags_are_added_and_none_removed(self, owner: dict[str, str]) -> None:
        seen = {"Name": "corp-main", "costcentre": "42", "team": "a", **owner}
        assert tags.changes(KEY, {"team": "x"}, seen, named=True) == ({"team": "x"}, [])
        shown = tags.visible(KEY, {**seen, "team": "x"})
        assert tags.same({"team": "x"}, shown) and tags.same_named({"team": "x"}, shown)
        assert not tags.same({"team": "y"}, shown) and not tags.same({"more": "1"}, shown)

    def test_a_tag_too_many_on_an_object_of_ours_is_a_difference(self) -> None:
        shown = tags.visible(KEY, {OWNER: "credlink/db", "Name": "n", "team": "x"})
        assert tags.same_named({"team": "x"}, shown) and not tags.same({"team": "x"}, shown)


RULES = st.one_of(
    st.builds(
        lambda port, cidr: {"port": port, "cidr": cidr},
        st.integers(0, 65535),
        st.sampled_from(["10.0.0.0/16", "0.0.0.0/0", "::/0", "fd00::/8"]),
    ),
    st.builds(
        lambda low, more, group: {
            "protocol": "udp",
            "port": low,
            "to_port": low + more,
            "security_group": group,
        },
        st.integers(0, 60000),
        st.integers(0, 5000),
        st.sampled_from(["self", "sg-12345678"]),
    ),
    st.sampled_from(
        [
            {"protocol": "all", "prefix_list": "pl-1"},
            {"protocol": "icmp", "cidr": "10.0.0.0/8", "description": "ping"},
        ]
    ),
)


class TestTraffic:
    @given(st.lists(RULES, max_size=8))
    def test_rules_survive_the_way_to_the_cloud_and_back(self, rules: list[dict[str, object]]) -> None:
        flows = traffic.from_plan(rules)
        permissions = traffic.to_cloud(flows, flows, "sg-0")
        assert traffic.from_cloud(permissions, "sg-0") == flows
        assert traffic.from_plan(traffic.to_plan(flows)) == flows

    def test_order_spelling_and_grouping_mean_nothing(self) -> None:
        seen = traffic.from_cloud(
            [
                {
                    "IpProtocol": "tcp",
                    "FromPort": 5432,
                    "ToPort": 5432,
                    "IpRanges": [{"CidrIp": "10.0.1.0/24"}, {"CidrIp": "10.0.2.0/24"}],
                    "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}],
                }
            ],
            "sg-0",
        )
        plan = [
            {"port": 5432, "cidr": "FD00:0::/8"},
            {"port": 5432, "to_port": 5432, "cidr": "10.0.2.0/24"},
            {"port": 5432, "cidr": "10.0.1.0/24", "protocol": "tcp"},
        ]
        assert traffic.same(plan, traffic.to_plan(seen))

    @pytest.mark.parametrize("protocol", ["icmp", "icmpv6"])
    def test_an_icmp_type_without_a_code_is_every_code(self, protocol: str) -> None:
        rule = {"protocol": protocol, "port": 8, "cidr": "10.0.0.0/8"}
        flows = traffic.from_plan([rule])
        sent = traffic.to_cloud(flows, flows, "sg-0")[0]
        assert (sent["FromPort"], sent["ToPort"]) == (8, -1)
        assert traffic.to_plan(flows) == [rule]
        coded = {**rule, "to_port": 8}
        assert traffic.to_plan(traffic.from_plan([coded])) == [{**coded}]
        assert traffic.from_plan([coded]) != flows

    def test_a_code_of_every_icmp_type_is_refused(self) -> None:
        assert "needs a type" in str(traffic.problem([{"protocol": "icmp", "to_port": 0, "cidr": "10.0.0.0/8"}]))
        assert traffic.problem([{"protocol": "icmp", "cidr": "10.0.0.0/8"}]) is None

    def test_a_rule_that_is_there_twice_is_named(self) -> None:
        assert "rule 1" in str(traffic.problem([{"port": 1, "cidr": "::/0"}, {"port": 1, "cidr": "0::/0"}]))


class TestPolicies:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"Action": "a"}, {"Action": ["a"]}),
            ({"Action": ["b", "a"]}, {"Action": ["a", "b"]}),
            (
                {"Statement": {"Effect": "Allow", "Action": "a"}},
                {"Statement": [{"Effect": "Allow", "Action": "a"}]},
            ),
            (
                {"Principal": {"AWS": "123456789012"}},
                {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
            ),
            ({"Condition": {"Bool": {"x": True}}}, {"Condition": {"Bool": {"x": "true"}}}),
        ],
    )
    def test_two_spellings_of_one_policy_are_the_same(self, one: object, other: object) -> None:
        assert policy.same(one, other)

    def test_another_action_is_a_difference(self) -> None:
        assert not policy.same({"Statement": [{"Action": "a"}]}, {"Statement": [{"Action": "b"}]})
        assert not policy.same({"Principal": "*"}, {"Principal": {"AWS": "*"}})

    def test_everything_on_everything_is_noticed(self) -> None:
        wide = {"Effect": "Allow", "Action": ["s3:Get*", "*"], "Resource": "*"}
        assert policy.allows_everything({"Statement": wide})
        assert not policy.allows_everything({"Statement": [{**wide, "Resource": "arn:aws:s3:::b"}]})
        assert not policy.allows_everything({"Statement": [{**wide, "Effect": "Deny"}]})


class TestPasswords:
    def test_a_password_fits_every_consumer_unquoted(self) -> None:
        drawn = {password(32) for _ in range(300)}
        assert len(drawn) == 300
        assert all(len(one) == 32 and set(one) <= set(ALPHABET) and one[0] != "-" for one in drawn)
        assert not set(ALPHABET) & set("/\"@ '\\%?&#:+=")
        for group in (string.ascii_lowercase, string.ascii_uppercase, string.digits):
            assert all(set(one) & set(group) for one in drawn)

    def test_excluded_characters_never_occur(self) -> None:
        assert not set("".join(password(64, "0O1lI-") for _ in range(50))) & set("0O1lI-")

    def test_thirty_two_characters_are_hard_to_guess(self) -> None:
        assert 32 * math.log2(len(ALPHABET)) > 128


@given(st.lists(st.integers()), st.integers(1, 5))
def test_chunks_lose_nothing(values: list[int], size: int) -> None:
    parts = list(chunks(values, size))
    assert [value for part in parts for value in part] == values
    assert all(0 < len(part) <= size for part in parts)


@pytest.mark.parametrize(("seconds", "is_older"), [(0.0, False), (0.4, False), (-30.0, False), (1.5, True)])
def test_an_alarm_whose_settings_are_newer_than_its_state_was_there_before_they_were_set(
    seconds: float, is_older: bool
) -> None:
    now = datetime.now(UTC)
    settings = now + timedelta(seconds=seconds)
    assert older({"StateUpdatedTimestamp": now, "AlarmConfigurationUpdatedTimestamp": settings}) is is_older
    assert older({})
