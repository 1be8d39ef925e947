"""The plan of light resources has as many of each kind as it says."""

from __future__ import annotations

from collections import Counter

import yaml

from bench.light import text


def test_a_quarter_is_of_each_kind_and_the_network_is_not_counted() -> None:
    kinds = Counter(step["type"] for step in yaml.safe_load(text(100))["steps"])
    assert kinds == {
        "aws.vpc": 1, "aws.security_group": 25, "aws.secret": 25, "aws.sns_topic": 25, "aws.cloudwatch_alarm": 25,
    }  # fmt: skip


def test_a_size_that_four_does_not_divide_is_met_all_the_same() -> None:
    assert len(yaml.safe_load(text(150))["steps"]) == 151


def test_each_alarm_tells_a_topic_that_is_there_before_it() -> None:
    steps = yaml.safe_load(text(10))["steps"]
    for place, step in enumerate(steps):
        for action in step["with"].get("alarm_actions", []):
            assert action.removeprefix("${").removesuffix(".arn}") in [one["name"] for one in steps[:place]]
