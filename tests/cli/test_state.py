"""``state``: the record, with its plan, with a broken plan, and without one."""

from __future__ import annotations

from provisioner.state.store import Owner, Store
from tests.cli.conftest import Desk


def test_list_and_show_work_by_plan_and_by_name(desk: Desk) -> None:
    desk.deploy()
    for words in ([desk.plan], ["--deployment", "shop"]):
        assert [step["step"] for step in desk.json("state", "list", *words)["steps"]] == ["net", "vault", "db"]
        assert desk.json("state", "show", *words, "db")["status"] == "ready"
        assert desk.json("state", "show", *words)["deployment"] == "shop"


def test_a_broken_plan_blocks_nothing(desk: Desk) -> None:
    desk.deploy()
    desk.edit("toy.database", "toy.databaze")
    assert desk.run("state", "list", desk.plan).code == 0


def test_rm_forgets_the_record_and_leaves_the_object(desk: Desk) -> None:
    desk.deploy()
    assert desk.run("state", "rm", desk.plan, "db").code == 2  # it asks, and nobody is there
    made = desk.run("state", "rm", desk.plan, "db", "--yes")
    assert made.code == 0
    assert "stays in the cloud" in made.out
    assert [step["step"] for step in desk.json("state", "list", desk.plan)["steps"]] == ["net", "vault"]
    assert desk.cloud.only("shop-db")
    assert '"event":"state.removed"' in (desk.record() / "audit.jsonl").read_text()
    assert desk.deploy("--json").code == 0
    assert len(desk.cloud.live()) == 3


def test_the_words_are_sorted_out(desk: Desk) -> None:
    desk.deploy()
    assert desk.run("state", "rm", desk.plan, "--yes").code == 2
    assert desk.run("state", "rm", desk.plan, "nope", "--yes").code == 2
    assert desk.run("state", "list").code == 2
    assert desk.run("state", "list", desk.plan, "db").code == 2
    assert desk.run("state", "list", "--deployment", "../shop").code == 2
    assert desk.run("state", "list", "--deployment", "other").code == 1


def test_unlock_takes_a_living_owner_s_lock_only_by_force(desk: Desk) -> None:
    desk.deploy()
    assert "nobody holds the lock" in desk.run("state", "unlock", desk.plan).out
    store = Store.open(desk.record(), "shop", who=Owner(user="ann", command="x"))
    made = desk.run("state", "unlock", desk.plan)
    assert made.code == 6
    assert "ann, pid" in made.err
    assert desk.json("state", "unlock", desk.plan, "--force")["unlocked"] is True
    assert not store.still_ours()
    store.close()


def test_recover_says_what_is_wrong_and_has_it_back(desk: Desk) -> None:
    desk.deploy()
    assert "the record is whole" in desk.run("state", "recover", desk.plan).out
    path = desk.record() / "state.json"
    path.write_text(path.read_text()[:200])
    made = desk.deploy()
    assert made.code == 1
    assert "state recover" in made.err
    made = desk.run("state", "recover", desk.plan)
    assert made.code == 2
    assert "would lose nothing" in made.err
    made = desk.run("state", "recover", desk.plan, "--yes", "--json")
    assert made.code == 0
    assert (made.json["recovered"], made.json["lost"], made.json["steps"]) == (True, [], 3)
    assert desk.deploy("--json").json["changes"] == []


def test_an_edited_record_is_taken_only_on_request(desk: Desk) -> None:
    desk.deploy()
    path = desk.record() / "state.json"
    path.write_text(path.read_text().replace('"shop-net"', '"shop-not"'))
    assert desk.run("status", desk.plan).code == 1
    made = desk.run("state", "recover", desk.plan, "--accept-edited", "--yes", "--json")
    assert made.code == 0
    assert made.json["source"] == "state.json"
