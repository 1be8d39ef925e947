"""``rollback`` and ``destroy``."""

from __future__ import annotations

from tests.cli.conftest import Desk


def test_rollback_returns_to_the_deployment_before(desk: Desk) -> None:
    desk.deploy()
    desk.edit("type: toy.thing, stage: foundation", "type: toy.thing, with: {colour: blue}")
    desk.deploy()
    assert desk.cloud.only("shop-net").spec["colour"] == "blue"
    made = desk.run("rollback", desk.plan, "--yes")
    assert made.code == 0
    assert "restore the earlier values" in made.err
    assert "1 change taken back" in made.out
    assert desk.cloud.only("shop-net").spec["colour"] == "red"


def test_rollback_of_the_first_deploy_leaves_nothing(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("rollback", desk.plan, "--yes", "--json")
    assert (made.code, made.json["result"]) == (0, "succeeded")
    assert desk.cloud.live() == []


def test_a_second_rollback_has_nothing_to_do_and_says_so(desk: Desk) -> None:
    desk.deploy()
    desk.run("rollback", desk.plan, "--yes")
    made = desk.run("rollback", desk.plan, "--yes")
    assert made.code == 2
    assert "no run to roll back" in made.err


def test_destroy_shows_what_goes_and_takes_it_in_reverse_order(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("destroy", desk.plan, "--yes")
    assert made.code == 0
    assert "holds data: a copy is kept" in made.err
    assert "Destroy: 3 to delete, 0 to let go." in made.err
    assert "3 deleted" in made.out
    assert next(name for verb, name in desk.cloud.writes() if verb == "delete") == "shop-db"
    assert desk.cloud.live() == []


def test_destroy_refuses_what_the_plan_protects_and_changes_nothing(desk: Desk) -> None:
    desk.edit("    stage: data\n", "    stage: data\n    protect: true\n")
    desk.deploy()
    made = desk.run("destroy", desk.plan, "--yes", "--json")
    assert made.code == 3
    assert made.json["error"]["code"] == "refused"
    assert len(desk.cloud.live()) == 3


def test_destroy_refuses_deletion_protection_unless_data_loss_is_allowed(desk: Desk) -> None:
    desk.edit('uses: ["${net.id}"]', 'uses: ["${net.id}"], protected: true')
    desk.deploy()
    assert desk.run("destroy", desk.plan, "--yes").code == 3
    assert len(desk.cloud.live()) == 3
    assert desk.run("destroy", desk.plan, "--yes", "--allow-data-loss").code == 0
    assert desk.cloud.live() == []


def test_a_plan_that_is_no_longer_valid_does_not_stop_destroy_or_rollback(desk: Desk) -> None:
    desk.deploy()
    desk.edit("type: toy.database", "type: toy.databaze")
    made = desk.run("destroy", desk.plan, "--yes")
    assert made.code == 0
    assert "going on from the record of shop alone" in made.err
    assert "[plan.unknown-type]" in made.err
    assert desk.cloud.live() == []


def test_a_rollback_of_what_was_never_deployed_is_an_error_that_leaves_nothing_behind(desk: Desk) -> None:
    made = desk.run("rollback", desk.plan, "--yes")
    assert made.code == 1
    assert "nothing was ever deployed as 'shop'" in made.err
    assert not desk.home.exists()


def test_a_destroy_of_what_was_never_deployed_looks_for_its_tag_finds_nothing_and_is_done(desk: Desk) -> None:
    made = desk.run("destroy", desk.plan, "--yes")
    assert made.code == 0
    assert "shop destroyed: nothing to do" in made.out
    assert not desk.cloud.writes()


def test_without_a_record_and_a_valid_plan_a_destroy_has_nothing_to_go_by_and_leaves_nothing_behind(desk: Desk) -> None:
    desk.edit("type: toy.database", "type: toy.databaze")
    made = desk.run("destroy", desk.plan, "--yes")
    assert made.code == 0
    assert "nothing to destroy: nothing was ever deployed as 'shop'" in made.err
    made = desk.run("destroy", desk.plan, "--yes", "--json")
    assert made.code == made.json["exit_code"] == 0
    assert (made.json["deployment"], made.json["run"], made.json["result"]) == ("shop", None, "succeeded")
    assert (made.json["changes"], made.json["remains"]) == ([], [])
    assert not desk.home.exists()
    assert not desk.cloud.calls


def test_a_destroy_of_the_wrong_one_of_two_records_is_an_error_that_says_so(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("destroy", desk.plan, "--yes", "--sandbox")
    assert made.code == 1
    assert "outside the sandbox: leave --sandbox out" in made.err
    assert len(desk.cloud.live()) == 3


def test_the_hint_says_where_the_other_record_is(desk: Desk) -> None:
    desk.deploy()
    assert "outside the sandbox: leave --sandbox out" in desk.run("status", desk.plan, "--sandbox").err


def test_both_ask_before_they_change_anything(desk: Desk) -> None:
    desk.deploy()
    for verb in ("rollback", "destroy"):
        made = desk.run(verb, desk.plan)
        assert made.code == 2
        assert "--yes" in made.err
    assert len(desk.cloud.live()) == 3


def test_destroying_twice_is_done_twice(desk: Desk) -> None:
    desk.deploy()
    desk.run("destroy", desk.plan, "--yes")
    made = desk.run("destroy", desk.plan, "--yes")
    assert made.code == 0
    assert "nothing to do" in made.out


def test_a_destroy_lists_what_the_cloud_keeps_for_a_time(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.keeps["shop-db"] = "kept for 7 days"
    made = desk.run("destroy", desk.plan, "--yes")
    assert made.code == 0
    assert "deleted, and kept by the cloud for a time:" in made.out
    assert "shop-db  kept for 7 days" in made.out
