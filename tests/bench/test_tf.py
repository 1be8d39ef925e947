"""Terraform is used as it is found, and whatever is missing of it is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.process import Failed
from bench.tf import Terraform

SCRIPT = """#!/bin/sh
echo "Warning: there is no configuration file"
case "$1" in
  version) echo '{"terraform_version": "1.11.4", "provider_selections": {"registry.terraform.io/hashicorp/aws": "5.100.0"}}';;
  *) echo "$@" AWS_PROFILE="$AWS_PROFILE" >> said; if [ -e ../refuse ]; then printf '│ \\n│ Error: no such provider\\n'; exit 1; fi;;
esac
"""


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack, and a script on PATH that answers like Terraform; the scratch is beside them."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "terraform"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("AWS_PROFILE", "the-real-one")
    monkeypatch.delenv("TF_PLUGIN_DIR", raising=False)
    (tmp_path / "stacks" / "light" / ".terraform").mkdir(parents=True)
    (tmp_path / "stacks" / "light" / "main.tf").touch()
    (tmp_path / "stacks" / "light" / "terraform.tfstate").touch()
    (tmp_path / "scratch").mkdir()
    return tmp_path / "stacks"


def _terraform(stacks: Path) -> Terraform:
    return Terraform(stacks.parent / "scratch", stacks)


def test_where_there_is_none_that_is_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failed) as caught:
        Terraform(tmp_path)
    assert caught.value.gist == "terraform: not found"


def test_a_stack_is_worked_on_in_a_copy_without_what_an_earlier_run_left(stacks: Path) -> None:
    terraform = _terraform(stacks)
    place = terraform.stack("light")
    assert sorted(one.name for one in place.iterdir()) == ["main.tf", "said"]
    assert (terraform.version, terraform.provider) == ("1.11.4", "aws 5.100.0")


def test_it_is_initialised_once_from_the_given_plugins_and_never_sees_real_credentials(
    stacks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_PLUGIN_DIR", "/plugins")
    terraform = _terraform(stacks)
    terraform.stack("light")
    said = (terraform.stack("light") / "said").read_text().splitlines()
    assert said == ["init -input=false -no-color -plugin-dir=/plugins AWS_PROFILE="]


def test_a_provider_that_is_not_found_is_told_with_the_reason(stacks: Path) -> None:
    (stacks.parent / "scratch" / "refuse").touch()
    terraform = _terraform(stacks)
    with pytest.raises(Failed) as caught:
        terraform.stack("light")
    assert caught.value.gist == "terraform: no AWS provider, see TF_PLUGIN_DIR: Error: no such provider"


def test_a_stack_that_nobody_wrote_is_named(stacks: Path) -> None:
    with pytest.raises(Failed, match="there is no stack heavy"):
        _terraform(stacks).stack("heavy")
