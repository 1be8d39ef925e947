"""``cost``: bills, budgets, environments side by side, what is deployed, advice, the free tier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioner.cli.app import App
from provisioner.cli.main import root
from provisioner.cost.tables import names, price_list
from provisioner.drivers.typemap import registry
from tests.cli.conftest import Desk, Result

PLANS = Path(__file__).resolve().parents[2] / "plans"
REAL = registry()

SHOP = """\
deployment: shop
provider: aws
region: us-east-1
parameters:
  most: {type: number, default: 100}
  nodes: {type: integer, default: 1}
environments:
  test: {}
  production: {nodes: 3}
budget: {monthly: "${param.most}", warning: 20}
steps:
  - {name: key, type: aws.kms_key}
  - name: cache
    type: aws.cache_replication_group
    with:
      engine_version: "7.1"
      node_type: cache.t3.micro
      num_nodes: ${param.nodes}
      automatic_failover: false
      multi_az: false
      kms_key: ${key.arn}
"""


class Shop:
    """The command line over the real types and a small plan; nothing is called."""

    def __init__(self, folder: Path) -> None:
        self.plan = folder / "shop.yaml"
        self.plan.write_text(SHOP)

    def run(self, *words: str | Path) -> Result:
        made = CliRunner().invoke(root, ["cost", *map(str, words)], obj=App(registry=lambda: REAL))
        return Result(made.exit_code, made.stdout, made.stderr)

    def json(self, *words: str | Path) -> Any:
        return self.run(*words, "--json").json


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path)


def test_the_word_show_may_be_left_out_and_options_may_come_first(shop: Shop) -> None:
    bills = [
        shop.run(shop.plan, "-e", "test").out,
        shop.run("show", shop.plan, "-e", "test").out,
        shop.run("-e", "test", shop.plan).out,
    ]
    assert len(set(bills)) == 1
    assert "cache.t3.micro" in bills[0]
    assert "13.41" in bills[0]


def test_a_bill_tells_each_charge_with_rate_quantity_source_and_date(shop: Shop) -> None:
    bill = shop.json(shop.plan, "-e", "test")
    cache = next(step for step in bill["steps"] if step["step"] == "cache")
    line = cache["lines"][0]
    assert (line["rate"], line["quantity"], line["unit"], line["monthly"]) == (0.017, 730, "hour", 12.41)
    assert "NodeUsage:cache.t3.micro" in line["source"]
    assert line["date"] == "2026-08-10"
    assert (bill["monthly"], bill["yearly"], bill["complete"]) == (13.41, 160.92, True)


def test_what_was_assumed_is_shown_and_a_usage_file_says_better(shop: Shop, tmp_path: Path) -> None:
    usage = tmp_path / "usage.yaml"
    usage.write_text("steps: {cache: {snapshot_gb: 10}}\n")
    before, after = shop.json(shop.plan, "-e", "test"), shop.json(shop.plan, "-e", "test", "--usage", usage)
    assert after["monthly"] == pytest.approx(before["monthly"] + 0.85)
    told = {use["name"]: use["given"] for step in after["steps"] for use in step["usage"]}
    assert told == {"rotations": False, "calls": False, "snapshot_gb": True}
    assert "3 amounts of use taken for 0" in shop.run(shop.plan, "-e", "test").out


def test_a_usage_file_that_does_not_fit_is_a_finding_with_its_place(shop: Shop, tmp_path: Path) -> None:
    usage = tmp_path / "usage.yaml"
    usage.write_text("steps:\n  cahce: {snapshot_gb: 10}\n")
    made = shop.run(shop.plan, "-e", "test", "--usage", usage)
    assert made.code == 3
    assert "2:3" in made.err
    assert "did you mean 'cache'?" in made.err


def test_over_budget_is_exit_code_8_and_the_lines_on_the_way_are_told(shop: Shop) -> None:
    within = shop.run(shop.plan, "-e", "test")
    assert within.code == 0
    assert "13 % of 100.00" in within.out
    assert "warning" not in within.out
    warned = shop.run(shop.plan, "-e", "production")
    assert warned.code == 0
    assert "warning  38.23 is at or above 20.00" in warned.out
    over = shop.run(shop.plan, "-e", "production", "--budget", "38")
    assert over.code == 8
    assert "✗ over budget by 0.23" in over.out
    assert "critical  38.23 is at or above 30.40" in over.out


def test_the_plans_budget_may_be_a_parameter_and_the_command_line_wins(shop: Shop) -> None:
    found = shop.json(shop.plan, "-e", "production", "--param", "most=30")
    assert (found["exit_code"], found["budget"]["level"], found["budget"]["limit"]) == (8, "over", 30)
    found = shop.json(shop.plan, "-e", "production", "--param", "most=30", "--budget", "200")
    assert (found["exit_code"], found["budget"]["level"]) == (0, "within")


def test_without_an_environment_all_stand_side_by_side(shop: Shop) -> None:
    text = shop.run(shop.plan).out
    assert "step    test  production  change" in text
    assert "cache  12.41       37.23  +24.82" in text
    assert "test costs 24.82 (65 %) less than production" in text
    found = shop.json(shop.plan)
    assert [(bill["name"], bill["monthly"]) for bill in found["bills"]] == [("test", 13.41), ("production", 38.23)]


def test_environments_are_compared_with_the_one_that_is_named(shop: Shop) -> None:
    found = shop.json(shop.plan, "-e", "production", "--compare", "test")
    assert found["change"] == -24.82
    assert [row["change"] for row in found["rows"]] == [0, -24.82]


def test_one_environment_over_its_budget_is_enough_for_exit_code_8(shop: Shop) -> None:
    assert shop.run(shop.plan, "--budget", "20").code == 8


def test_a_term_tells_what_it_saves_and_what_is_paid_at_once(shop: Shop) -> None:
    found = shop.json(shop.plan, "-e", "test", "--term", "1y", "--payment", "all")
    assert found["on_demand"] == 13.41
    assert found["monthly"] == pytest.approx(1 + 12.41 * 0.637, abs=1e-3)
    assert found["upfront"] == pytest.approx(12.41 * 0.637 * 12, abs=1e-3)
    assert "less than 13.41 a month on demand" in shop.run(shop.plan, "-e", "test", "--term", "1y").out


@pytest.mark.parametrize(
    "words",
    [
        ("--payment", "all", "-e", "test"),
        ("--compare", "test"),
        ("-e", "test", "--compare", "production", "--deployed"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_together_are_refused(shop: Shop, words: tuple[str, ...]) -> None:
    assert shop.run(shop.plan, *words).code == 2


def test_advice_says_what_each_thing_saves_the_most_first(shop: Shop) -> None:
    found = shop.json("advise", shop.plan, "-e", "test")["advice"]
    assert [(one["id"], one["step"]) for one in found[-2:]] == [("cost.valkey", "cache"), ("cost.graviton", "cache")]
    assert [one["saves"] for one in found[-2:]] == [2.482, 0.73]
    assert found == sorted(found, key=lambda one: -one["saves"])
    assert "cache.t4g.micro instead of cache.t3.micro" in shop.run("advise", shop.plan, "-e", "test").out


def test_the_free_tier_tells_what_is_taken_and_alerts_before_it_ends(shop: Shop, tmp_path: Path) -> None:
    usage = tmp_path / "usage.yaml"
    usage.write_text("account: {cloudwatch.metrics: 2, lambda.requests: 950000}\n")
    made = shop.run("free-tier", shop.plan, "-e", "test", "--usage", usage)
    assert "alert  ElastiCache, micro nodes: 730 of 750 hours, alert from 700 hours (93 %) on" in made.out
    assert "alert  Lambda, requests: 950,000 of 1,000,000 requests, alert from 900,000 requests (90 %) on" in made.out
    found = shop.json("free-tier", shop.plan, "-e", "test", "--usage", usage)
    assert found["alerts"] == ["elasticache.hours", "lambda.requests"]
    assert found["monthly"] == {"with_all": 1.0, "with_lasting": 13.41, "list": 13.41}


def test_what_is_over_an_allowance_is_paid_for(shop: Shop) -> None:
    found = shop.json("free-tier", shop.plan, "-e", "production")
    hours = next(row for row in found["allowances"] if row["id"] == "elasticache.hours")
    assert (hours["level"], hours["used"]) == ("over", 2190)
    assert found["monthly"]["with_all"] == pytest.approx(38.23 - 750 * 0.017, abs=0.01)


def test_the_price_lists_can_be_read(shop: Shop) -> None:
    rows = shop.json("prices")["prices"]
    assert len(rows) == sum(len(listed.prices) for name in names() if (listed := price_list(name)))
    assert all(row["source"] and row["date"] for row in rows)
    assert [row["price"] for row in shop.json("prices", "aws.net/nat-data")["prices"]] == ["0.045"]


@pytest.mark.parametrize("plan", sorted(PLANS.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_own_plans_have_a_price_for_everything(shop: Shop, plan: Path) -> None:
    found = shop.json(plan)
    assert all(bill["complete"] for bill in found.get("bills", [found]))


def test_a_type_that_says_nothing_of_prices_is_shown_as_not_known(desk: Desk) -> None:
    made = desk.run("cost", desk.plan)
    assert made.code == 0
    assert "no price known" in made.out
    assert "≥ 3.00" in made.out
    assert desk.json("cost", desk.plan)["complete"] is False
    assert "it may be more" in desk.run("cost", desk.plan, "--budget", "10").out
    assert not desk.cloud.writes()


def test_the_plan_is_held_against_what_is_deployed(desk: Desk) -> None:
    assert desk.run("cost", desk.plan, "--deployed").code == 1
    desk.deploy()
    found = desk.json("cost", desk.plan, "--deployed", "--param", "size=4")
    db = next(row for row in found["rows"] if row["step"] == "db")
    assert (db["monthly"], db["change"]) == ({"deployed": 3.0, "planned": 12.0}, 9.0)
    assert "deployed  planned" in desk.run("cost", desk.plan, "--deployed").out


def test_what_is_deployed_and_no_longer_in_the_plan_is_what_is_saved(desk: Desk) -> None:
    desk.deploy()
    text = desk.plan.read_text()
    desk.plan.write_text(text[: text.index("  - name: db")])
    found = desk.json("cost", desk.plan, "--deployed")
    assert found["change"] == -3.0
