"""``--state URL``, ``PROVISIONER_STATE`` and ``state:``, on every store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Desk
from tests.remote.stores import ObjectStore


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("PROVISIONER_ENDPOINTS", raising=False)
    monkeypatch.delenv("PROVISIONER_STATE", raising=False)
    (tmp_path / "first").mkdir()
    return Desk(tmp_path / "first")


def second_checkout(desk: Desk, directory: Path) -> Desk:
    """The same plan and the same cloud, on a machine that knows nothing else."""
    directory.mkdir()
    other = Desk(directory)
    other.cloud = desk.cloud
    other.plan.write_text(desk.plan.read_text())
    return other


def test_a_deployment_is_carried_on_from_a_second_checkout(store: ObjectStore, desk: Desk, tmp_path: Path) -> None:
    url = f"{store.bucket()}/team/data"
    assert desk.deploy("--state", url).code == 0
    assert not desk.home.exists(), "nothing of it is kept here"
    other = second_checkout(desk, tmp_path / "second")
    assert other.json("deploy", other.plan, "--yes", "--state", url)["changes"] == []
    assert other.json("status", other.plan, "--state", url)["standing"] == "complete"
    assert other.run("outputs", other.plan, "--state", url, "--raw", "db").code == 0
    audit = other.json("history", other.plan, "--state", url, "--audit")
    assert audit["whole"] is True and audit["path"].startswith(f"{url}/deployments/shop/")
    assert other.run("destroy", other.plan, "--state", url, "--yes", "--allow-data-loss").code == 0
    assert desk.cloud.things == {}


def test_the_plan_or_the_variable_may_say_where(
    store: ObjectStore, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{store.bucket()}/plan"
    desk.edit("provider: toy\n", f"provider: toy\nstate: {url}\n")
    assert desk.deploy().code == 0
    assert not desk.home.exists()
    assert desk.json("state", "list", desk.plan)["steps"]
    desk.edit(f"state: {url}\n", "")
    monkeypatch.setenv("PROVISIONER_STATE", url)
    assert desk.json("deploy", desk.plan, "--yes")["changes"] == []
    monkeypatch.delenv("PROVISIONER_STATE")
    assert desk.json("state", "list", "--deployment", "shop", "--state", url)["steps"]


def test_a_public_bucket_is_refused_before_anything_is_made(store: ObjectStore, desk: Desk) -> None:
    result = desk.deploy("--state", f"{store.bucket(public=True)}/x")
    assert result.code == 3
    assert "public" in result.err
    assert desk.cloud.things == {}


def test_a_bucket_that_is_not_there_is_an_error_with_its_name(store: ObjectStore, desk: Desk) -> None:
    result = desk.deploy("--state", f"{store.scheme}://never-made/x")
    assert result.code != 0
    assert f"{store.scheme}://never-made" in result.err and "no such bucket" in result.err
    assert desk.cloud.things == {}


def test_a_record_is_carried_into_the_bucket_and_out_again(store: ObjectStore, desk: Desk, tmp_path: Path) -> None:
    assert desk.deploy().code == 0
    url = f"{store.bucket()}/moved"
    refused = desk.deploy("--state", url)
    assert refused.code != 0 and "state push" in refused.err, "it would be deployed a second time"
    pushed = desk.json("state", "push", desk.plan, desk.record() / "state.json", "--state", url, "--yes")
    assert pushed["pushed"] is True and pushed["where"].startswith(url)
    assert desk.json("deploy", desk.plan, "--yes", "--state", url)["changes"] == []
    assert desk.run("state", "pull", desk.plan, "--state", url, "-o", tmp_path / "out.json").code == 0
    pulled = json.loads((tmp_path / "out.json").read_text())
    assert pulled["steps"].keys() == json.loads((desk.record() / "state.json").read_text())["steps"].keys()


def test_what_was_moved_into_a_bucket_is_not_deployed_from_here_any_more(store: ObjectStore, desk: Desk) -> None:
    assert desk.deploy().code == 0
    url = f"{store.bucket()}/moved"
    assert desk.run("state", "push", desk.plan, desk.record() / "state.json", "--state", url, "--yes").code == 0
    refused = desk.deploy()
    assert refused.code != 0 and url in refused.err and "moved-to" in refused.err
    assert desk.deploy("--state", url).code == 0
    pulled = desk.home / "back.json"
    assert desk.run("state", "pull", desk.plan, "--state", url, "-o", pulled).code == 0
    assert desk.run("state", "push", desk.plan, pulled, "--yes").code == 0
    assert desk.deploy().code == 0


def test_a_push_that_is_declined_leaves_no_record_behind(store: ObjectStore, desk: Desk) -> None:
    assert desk.deploy().code == 0
    url = f"{store.bucket()}/declined"
    asked = desk.run("state", "push", desk.plan, desk.record() / "state.json", "--state", url)
    assert asked.code == 2 and "--yes" in asked.err
    assert "state push" in desk.deploy("--state", url).err, "the record here is still the only one"


def test_records_that_went_different_ways_do_not_replace_each_other(
    store: ObjectStore, desk: Desk, tmp_path: Path
) -> None:
    url = f"{store.bucket()}/fork"
    assert desk.deploy("--state", url).code == 0
    assert desk.run("state", "pull", desk.plan, "--state", url, "-o", tmp_path / "fork.json").code == 0
    assert desk.run("state", "push", desk.plan, tmp_path / "fork.json", "--yes").code == 0
    assert desk.deploy("--param", "size=2").code == 0
    assert desk.deploy("--param", "size=3").code == 0
    assert desk.deploy("--state", url, "--param", "size=4").code == 0
    refused = desk.run("state", "push", desk.plan, desk.record() / "state.json", "--state", url, "--yes")
    assert refused.code != 0 and ("different ways" in refused.err or "is newer" in refused.err)


def test_the_variable_and_the_plan_must_not_disagree(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("provider: toy\n", "provider: toy\nstate: s3://one/x\n")
    monkeypatch.setenv("PROVISIONER_STATE", "s3://two/x")
    result = desk.deploy()
    assert result.code == 2 and "s3://one/x" in result.err and "s3://two/x" in result.err


def test_a_deployment_that_was_destroyed_here_may_begin_anew_in_a_bucket(store: ObjectStore, desk: Desk) -> None:
    assert desk.deploy().code == 0
    assert desk.run("destroy", desk.plan, "--yes", "--allow-data-loss").code == 0
    assert desk.deploy("--state", f"{store.bucket()}/anew").code == 0


def test_an_older_record_does_not_replace_a_newer_one(store: ObjectStore, desk: Desk, tmp_path: Path) -> None:
    url = f"{store.bucket()}/newer"
    assert desk.deploy("--state", url).code == 0
    assert desk.run("state", "pull", desk.plan, "--state", url, "-o", tmp_path / "old.json").code == 0
    assert desk.deploy("--state", url, "--param", "size=2").code == 0
    refused = desk.run("state", "push", desk.plan, tmp_path / "old.json", "--state", url, "--yes")
    assert refused.code != 0 and "is newer" in refused.err
    forced = desk.json("state", "push", desk.plan, tmp_path / "old.json", "--state", url, "--yes", "--force")
    assert forced["kept"]
    assert desk.deploy("--state", url, "--param", "size=2").code == 0
    serials = desk.json("state", "snapshots", desk.plan, "--state", url)["snapshots"]
    assert serials == sorted(serials) and len(serials) >= 2
    earlier = json.loads(desk.run("state", "pull", desk.plan, "--state", url, "--serial", str(serials[-1])).out)
    assert earlier["serial"] == serials[-1]


def test_a_rehearsal_does_not_touch_the_record_of_the_plan(store: ObjectStore, desk: Desk) -> None:
    url = f"{store.bucket()}/real"
    desk.edit("provider: toy\n", f"provider: toy\nstate: {url}\n")
    listed = desk.run("state", "list", desk.plan, "--sandbox")
    assert listed.code != 0 and "nothing was ever deployed" in listed.err
    assert url not in listed.err


@pytest.mark.parametrize("url", ["s3:bucket", "ftp://bucket/x", "s3://", "s3://a/../b", "https://s3.example/x"])
def test_what_is_no_place_for_a_record_is_refused(desk: Desk, url: str) -> None:
    result = desk.deploy("--state", url)
    assert result.code == 2
    assert "is no place for a record" in result.err and "gs://BUCKET/PREFIX" in result.err
    desk.edit("provider: toy\n", f"provider: toy\nstate: {url}\n")
    result = desk.run("validate", desk.plan)
    assert result.code == 3
    assert "3:8 " in result.err and "state:" in result.err
