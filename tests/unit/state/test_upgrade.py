"""A state of an older format is upgraded with a copy kept, snapshot and journal alike."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioner.errors import StateFormatError
from provisioner.state import journal, snapshot
from provisioner.state.store import Store, peek
from provisioner.state.upgrade import Upgrade
from tests.unit.state.toys import NAME, WHO, opened, put


def _rename(tree: dict[str, Any]) -> dict[str, Any]:
    tree["steps"] = {name: {**step, "step": step["step"].upper()} for name, step in tree.pop("resources").items()}
    return tree


def _rename_entry(tree: dict[str, Any]) -> dict[str, Any]:
    tree["record"]["step"] = tree["record"]["step"].upper()
    return tree


UPGRADES = {0: Upgrade(_rename, _rename_entry)}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Format 0 with a snapshot and a line in the journal, as a killed run of an old version leaves them."""
    path = tmp_path / "d"
    with opened(path) as store:
        store.commit([put("db")])
        store.fold()
        store.commit([put("cache")])
        image = {file.name: file.read_bytes() for file in path.iterdir()}
    for name, raw in image.items():
        (path / name).write_bytes(raw)
    tree = msgspec.json.decode(image[snapshot.NAME])
    tree["resources"] = tree.pop("steps")
    del tree["checksum"]
    tree["format"] = 0
    tree["checksum"] = hashlib.sha256(msgspec.json.encode(tree)).hexdigest()
    (path / snapshot.NAME).write_bytes(msgspec.json.encode(tree))
    return path


def test_snapshot_and_journal_are_upgraded_and_the_old_file_is_kept(directory: Path) -> None:
    old = (directory / snapshot.NAME).read_bytes()
    store = Store.open(directory, NAME, who=WHO, upgrades=UPGRADES)
    assert {name: record.step for name, record in store.state.steps.items()} == {"db": "DB", "CACHE": "CACHE"}
    store.close()
    assert (directory / "state.json.v0").read_bytes() == old
    assert (directory / journal.NAME).read_bytes() == b""
    state = peek(directory, NAME)
    assert state is not None
    assert (state.format, state.serial) == (1, 2)


def test_a_reader_upgrades_in_memory_only(directory: Path) -> None:
    old = (directory / snapshot.NAME).read_bytes()
    state = peek(directory, NAME, upgrades=UPGRADES)
    assert state is not None
    assert state.format == 1
    assert (directory / snapshot.NAME).read_bytes() == old


def test_a_format_that_nothing_leads_from_is_refused(directory: Path) -> None:
    with pytest.raises(StateFormatError, match="format 0"):
        Store.open(directory, NAME, who=WHO)
