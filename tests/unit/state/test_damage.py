"""Files that were truncated, edited or mixed up are refused, with what is wrong, where, and what to run."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import pytest

from provisioner.errors import StateDamagedError, StateError, StateFormatError, StateLineageError
from provisioner.state import journal, snapshot
from provisioner.state.store import Store, peek
from tests.unit.state.toys import NAME, WHO, opened, put, put_change, put_run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A snapshot at serial 3 and a journal from 4 to 6, as a killed run leaves them."""
    path = tmp_path / "d"
    with opened(path) as store:
        store.commit([put_run(1), put("db", size=20), put_change(1, "db")])
        store.fold()
        for step in ("cache", "bucket", "topic"):
            store.commit([put(step)])
        image = {file.name: file.read_bytes() for file in path.iterdir()}
    for name, raw in image.items():
        (path / name).write_bytes(raw)
    return path


def refusal(directory: Path, kind: type[StateError] = StateDamagedError) -> StateError:
    """The error that opening and peeking give alike, with nothing changed on the disk."""
    before = {file.name: file.read_bytes() for file in directory.iterdir() if file.name != "lock"}
    with pytest.raises(kind) as opening:
        Store.open(directory, NAME, who=WHO)
    with pytest.raises(kind) as peeking:
        peek(directory, NAME)
    assert str(opening.value) == str(peeking.value)
    assert {file.name: file.read_bytes() for file in directory.iterdir() if file.name != "lock"} == before
    return opening.value


def test_a_snapshot_cut_at_any_line_is_refused_with_its_position(directory: Path) -> None:
    path = directory / snapshot.NAME
    whole = path.read_bytes()
    for end in range(0, len(whole) - 2, 37):
        path.write_bytes(whole[:end])
        said = str(refusal(directory))
        assert str(path) in said
        assert "empty" in said or "truncated" in said or "not JSON" in said
    path.write_bytes(whole[:100])
    error = refusal(directory)
    assert f"{path}:5:20: it ends too early, after 100 bytes" in str(error)
    assert "state recover" in error.hint


def test_an_edited_value_is_noticed_and_the_way_to_keep_it_is_named(directory: Path) -> None:
    path = directory / snapshot.NAME
    path.write_bytes(path.read_bytes().replace(b'"size": 20', b'"size": 21'))
    error = refusal(directory)
    assert "changed it" in str(error)
    assert "--accept-edited" in error.hint


def test_white_space_is_not_an_edit(directory: Path) -> None:
    path = directory / snapshot.NAME
    path.write_bytes(msgspec.json.format(path.read_bytes(), indent=0))
    state = peek(directory, NAME)
    assert state is not None
    assert state.serial == 6


def test_steps_put_into_another_order_are_an_edit(directory: Path) -> None:
    with opened(directory):
        pass
    path = directory / snapshot.NAME
    tree = msgspec.json.decode(path.read_bytes())
    tree["steps"] = dict(reversed(tree["steps"].items()))
    path.write_bytes(msgspec.json.encode(tree))
    refusal(directory)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0" * 64, "blank bytes"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"{}", '"format" number'),
        (b'{"format": true}', '"format" number'),
        (b"<<<<<<< HEAD\n", "not JSON"),
        (b'{"a":\n  \xff}', "not JSON"),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_what_is_not_a_state_is_refused_in_words(directory: Path, content: bytes, said: str) -> None:
    (directory / snapshot.NAME).write_bytes(content)
    assert said in str(refusal(directory))


def test_a_well_sealed_file_that_is_not_a_state_is_refused_with_the_field(directory: Path) -> None:
    state = peek(directory, NAME)
    assert state is not None
    state.steps["db"].since = "yesterday"  # type: ignore[assignment]
    (directory / snapshot.NAME).write_bytes(snapshot.encode(state))
    assert "since" in str(refusal(directory))


@pytest.mark.parametrize("field", ["serial", "since", "started"])
@pytest.mark.parametrize("number", [-1, 10**30])
def test_a_number_that_no_calendar_and_no_counter_has_is_refused_with_the_field(
    directory: Path, field: str, number: int
) -> None:
    state = peek(directory, NAME)
    assert state is not None
    holder: object = {"serial": state, "since": state.steps["db"], "started": state.runs[0]}[field]
    setattr(holder, field, 424242)
    raw = snapshot.encode(state).replace(b"424242", str(number).encode())
    path = directory / snapshot.NAME
    path.write_bytes(raw)
    with pytest.raises(StateDamagedError, match="something other than provisioner changed it"):
        peek(directory, NAME)
    with pytest.raises(StateDamagedError, match=field):
        snapshot.decode(raw, str(path), {}, accept_edited=True)


def test_a_newer_format_is_refused_before_its_checksum_is_judged(directory: Path) -> None:
    path = directory / snapshot.NAME
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    error = refusal(directory, StateFormatError)
    assert "format 2" in str(error)
    assert "upgrade provisioner" in error.hint


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_journal_line_that_is_bad_but_ended_is_damage(directory: Path, line: int) -> None:
    path = directory / journal.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"creating", b"deleting")
    path.write_bytes(b"".join(lines))
    error = refusal(directory)
    assert f"{path}:{line + 1}: line {line + 1} is damaged: its checksum does not fit" in str(error)


def test_a_hole_of_zeros_in_the_journal_is_damage(directory: Path) -> None:
    path = directory / journal.NAME
    raw = path.read_bytes()
    path.write_bytes(raw[:50] + b"\0" * 80 + raw[130:])
    refusal(directory)


def test_missing_and_doubled_lines_are_damage(directory: Path) -> None:
    path = directory / journal.NAME
    first, second, third = path.read_bytes().splitlines(keepends=True)
    for lines in ([second, third], [first, third], [first, second, second, third], [second, first]):
        path.write_bytes(b"".join(lines))
        assert "serial" in str(refusal(directory))


def test_half_a_commit_in_the_middle_is_damage(directory: Path) -> None:
    with opened(directory) as store:
        store.commit([put("a"), put("b")])
        store.commit([put("c")])
        first, second, third = (directory / journal.NAME).read_bytes().splitlines(keepends=True)
        lines = [journal.frames(raw).__next__().line for raw in (first, second, third)]
    assert lines[0] is not None
    assert lines[0].more == 1
    lines[0].more = 2
    (directory / journal.BACKUP).unlink()
    with opened(directory) as store:
        store.commit([put("d")])
        lines[0].serial = store.state.serial + 1
        lines[0].lineage = store.state.lineage
        assert lines[1] is not None
        lines[1].serial, lines[1].more = lines[0].serial + 1, 0
        image = (directory / journal.NAME).read_bytes() + journal.frame(lines[0]) + journal.frame(lines[1])
        (directory / journal.NAME).write_bytes(image)
        with pytest.raises(StateDamagedError, match="not whole"):
            peek(directory, NAME)


def test_a_whole_line_that_is_no_entry_is_damage(directory: Path) -> None:
    path = directory / journal.NAME
    state = peek(directory, NAME)
    assert state is not None
    bad = journal.Line(state.serial + 1, state.lineage, msgspec.Raw(b'{"type":"magic"}'))
    path.write_bytes(path.read_bytes() + journal.frame(bad))
    assert "line 4 does not fit" in str(refusal(directory))


@pytest.mark.parametrize("deep", [b'{"type":"drop","step":%s}', b'{"type":"record","record":{"spec":{"x":%s}}}'])
def test_a_whole_line_that_is_nested_without_end_is_damage(directory: Path, deep: bytes) -> None:
    path = directory / journal.NAME
    state = peek(directory, NAME)
    assert state is not None
    brackets = b"[" * 5000 + b"]" * 5000
    bad = journal.Line(state.serial + 1, state.lineage, msgspec.Raw(deep % brackets))
    path.write_bytes(path.read_bytes() + journal.frame(bad))
    assert "line 4" in str(refusal(directory))
    body = b"[" * 5000
    path.write_bytes(path.read_bytes() + b"%08x %s\n" % (zlib.crc32(body), body))
    assert "damaged" in str(refusal(directory))


def test_a_journal_of_another_state_is_named_as_such(directory: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "other") as store:
        store.commit([put("x")])
        raw = (tmp_path / "other" / journal.NAME).read_bytes()
    (directory / journal.NAME).write_bytes(raw)
    assert "another state" in str(refusal(directory, StateLineageError))


def test_a_lost_snapshot_is_never_taken_for_a_new_deployment(directory: Path) -> None:
    (directory / snapshot.NAME).unlink()
    assert "missing" in str(refusal(directory))
    (directory / journal.NAME).unlink()
    assert "missing" in str(refusal(directory))


def test_a_state_copied_without_its_journal_is_good(directory: Path) -> None:
    (directory / journal.NAME).unlink()
    with opened(directory) as store:
        assert store.state.serial == 3


def test_a_state_that_is_a_directory_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / snapshot.NAME).mkdir()
    with pytest.raises(StateError, match="cannot read it"):
        peek(tmp_path, NAME)
