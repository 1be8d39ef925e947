"""Finds a Terraform with the AWS provider, and makes the stacks of ``bench/terraform`` ready for it.

The binary is the ``terraform`` on PATH. The provider is taken from the directory that ``TF_PLUGIN_DIR`` names, laid out
as ``terraform providers mirror`` does it; where that is not set, ``terraform init`` finds it by itself, as its own
configuration and the network allow. Whatever is missing is told in the table, and only our side is measured.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import process
from bench.process import Done, Failed

STACKS: Final = Path(__file__).with_name("terraform")


class Terraform:
    """A Terraform that works. ``version`` and ``provider`` are numbers, the latter known after the first ``stack``."""

    def __init__(self, scratch: Path, stacks: Path = STACKS) -> None:
        """Failed where there is none."""
        binary = shutil.which("terraform")
        if binary is None:
            raise Failed("terraform: not found")
        self.binary, self._scratch, self._stacks = binary, scratch, stacks
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_")) or k == "TF_CLI_CONFIG_FILE"}
        # It would otherwise ask the network for newer versions, and a metadata service for credentials.
        quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "AWS_EC2_METADATA_DISABLED": "true"}
        self._env = kept | quiet
        self.version = str(self._json(scratch, "version", "-json")["terraform_version"])
        self.provider = ""

    def stack(self, name: str) -> Path:
        """A copy of a stack, initialised: outside of what is measured. Failed where it cannot be."""
        if not list((self._stacks / name).glob("*.tf")):
            raise Failed(f"terraform: there is no stack {name}")
        place = self._scratch / f"stack-{name}"
        if not place.exists():
            shutil.copytree(self._stacks / name, place, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
            plugins = os.environ.get("TF_PLUGIN_DIR")
            where = [f"-plugin-dir={plugins}"] if plugins else []
            try:
                self.run(place, "init", "-input=false", "-no-color", *where)
            except Failed as err:
                shutil.rmtree(place)
                raise Failed(f"terraform: no AWS provider, see TF_PLUGIN_DIR: {err.gist}\n{err}") from err
        chosen = self._json(place, "version", "-json").get("provider_selections", {})
        self.provider = ", ".join(f"{source.rpartition('/')[2]} {number}" for source, number in chosen.items())
        return place

    def run(self, place: Path, *words: str, codes: Sequence[int] = (0,)) -> Done:
        """One command in a stack, measured. Failed where it fails."""
        return process.run([self.binary, *words], env=self._env, cwd=place, codes=codes)

    def _json(self, place: Path, *words: str) -> dict[str, Any]:
        said = "\n".join(line.text for line in self.run(place, *words).lines)
        found: dict[str, Any] = json.loads(said[said.index("{") :])  # warnings come first
        return found
