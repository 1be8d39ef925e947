"""Reading YAML: what a scalar means, where everything stands, and that nothing hostile gets further than a finding."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.errors import PlanError
from provisioner.model import Finding, Position
from provisioner.plan.yamlfile import MAX_BYTES, load, loads
from provisioner.plan.yamlnodes import MAX_DEPTH, MAX_FINDINGS, MAX_NODES, MAX_SCALAR, Reader


def findings(data: bytes) -> tuple[Finding, ...]:
    with pytest.raises(PlanError) as caught:
        loads(data, "f.yaml")
    return caught.value.findings


def only(data: bytes) -> tuple[str, int, int]:
    (finding,) = findings(data)
    assert finding.where is not None and finding.where.file == "f.yaml"
    return finding.id, finding.where.line, finding.where.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("null", None),
        ("~", None),
        ("", None),
        ("15", 15),
        ("-3", -3),
        ("0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", "017"),
        ("012345678901", "012345678901"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.2.3", "1.2.3"),
        ("10.0.0.0/16", "10.0.0.0/16"),
        ("12:30:45", "12:30:45"),
        ("03:00-04:00", "03:00-04:00"),
        ("2026-01-03", "2026-01-03"),
        ("'15'", "15"),
        ('"true"', "true"),
        ("''", ""),
        ("-", "-"),
        ("+", "+"),
        ("=", "="),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_a_scalar_means_what_it_looks_like(text: str, value: object) -> None:
    if text == "-":
        text = "'-'"
    read = loads(f"a: {text}\n".encode(), "f").value["a"]
    assert read == value and type(read) is type(value)


def test_every_value_and_key_has_its_place() -> None:
    located = loads("a: 1\nb:\n  - x\n  - {c: é, d: 5}\n".encode(), "f")
    assert located.value == {"a": 1, "b": ["x", {"c": "é", "d": 5}]}
    assert located.at(("b", 1, "d")) == Position("f", 4, 15)
    assert located.key(("b", 1, "d")) == Position("f", 4, 12)
    assert located.at(("b", 0)) == located.key(("b", 0)) == Position("f", 3, 5)
    assert located.at(()) == Position("f", 1, 1)


def test_what_is_not_in_the_file_has_the_place_of_what_is_around_it() -> None:
    located = loads(b"a:\n  b: 1\n", "f")
    assert located.at(("a", "c", "d")) == located.at(("a",)) == Position("f", 2, 3)


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfa: 1\nb: x\n", b"a: 1\r\nb: x\r\n", b"a: 1\rb: x\r", b"---\na: 1\nb: x\n...\n"]
)
def test_byte_order_marks_and_line_ends_of_other_systems_are_read(data: bytes) -> None:
    assert loads(data, "f").value == {"a": 1, "b": "x"}


def test_an_alias_is_a_copy_that_keeps_the_place_of_its_anchor() -> None:
    located = loads(b"a: &x {n: [1]}\nb: *x\n", "f")
    assert located.value["a"] == located.value["b"]
    located.value["b"]["n"].append(2)
    assert located.value["a"] == {"n": [1]}
    assert located.at(("b", "n", 0)) == Position("f", 1, 12)


@pytest.mark.parametrize(
    ("data", "id_", "line", "column"),
    [
        (b"a: [\n", "yaml.syntax", 2, 1),
        (b"a: b: c\n", "yaml.syntax", 1, 5),
        (b"a:\n\t- b\n", "yaml.syntax", 2, 1),
        (b'a: "\\q"\n', "yaml.syntax", 1, 5),
        (b'a: "\\ud800"\n', "yaml.syntax", 1, 7),
        (b'a: "\\U00110000"\n', "yaml.syntax", 1, 7),
        (b"%YAML 9.9\n--- a\n", "yaml.syntax", 1, 1),
        (b"a: \xe9\n", "yaml.encoding", 1, 4),
        ("a: 1\n".encode("utf-16"), "yaml.encoding", 1, 1),
        (b"ok: 1\na: x\x00\n", "yaml.control-character", 2, 5),
        (b'a: "x\\0"\n', "yaml.control-character", 1, 4),
        (b'a: {"x\\0": 1}\n', "yaml.control-character", 1, 5),
        (b"\x7fELF\x01", "yaml.control-character", 1, 1),
        (b"", "yaml.empty", 1, 1),
        (b"# a comment\n", "yaml.empty", 1, 1),
        (b"a: 1\n---\nb: 1\n", "yaml.documents", 2, 1),
        (b"a: 1\na: 2\n", "yaml.duplicate-key", 2, 1),
        (b"5: x\n", "yaml.key", 1, 1),
        (b"~: x\n", "yaml.key", 1, 1),
        (b"a: &x {b: 1}\nc:\n  <<: *x\n", "yaml.merge", 3, 3),
        (b"a: !!str 5\n", "yaml.tag", 1, 4),
        (b"a: !!python/object/apply:os.system [ls]\n", "yaml.tag", 1, 4),
        (b"a: ! x\n", "yaml.tag", 1, 4),
        (b"a: *x\n", "yaml.alias", 1, 4),
        (b"a: &x [*x]\n", "yaml.alias", 1, 8),
        (b"a: 9223372036854775808\n", "yaml.number", 1, 4),
        (b"a: " + b"9" * 5_000 + b"\n", "yaml.number", 1, 4),
        (b"a: 1e999\n", "yaml.number", 1, 4),
        (b"a: " + b"x" * (MAX_SCALAR + 1) + b"\n", "yaml.too-large", 1, 4),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(data: bytes, id_: str, line: int, column: int) -> None:
    assert only(data) == (id_, line, column)


def test_all_structural_findings_come_at_once() -> None:
    data = b"a: 1\na: 2\nb: !x 3\nc: *nowhere\n<<: {}\n"
    assert [finding.id for finding in findings(data)] == ["yaml.duplicate-key", "yaml.tag", "yaml.alias", "yaml.merge"]


def test_a_tab_is_called_a_tab() -> None:
    (finding,) = findings(b"a:\n\tb: 1\n")
    assert "tabs" in finding.hint


def test_a_file_of_ten_megabytes_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: [[[[\n" * 1_300_000)
    with pytest.raises(PlanError) as caught:
        load(path)
    assert caught.value.findings[0].id == "yaml.too-large"


def test_the_largest_file_is_read_and_one_byte_more_is_not() -> None:
    data = b"a: 1\n#"
    assert loads(data.ljust(MAX_BYTES, b"#"), "f").value == {"a": 1}
    assert only(data.ljust(MAX_BYTES + 1, b"#"))[0] == "yaml.too-large"


def bomb(width: int, height: int) -> bytes:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, height)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(("width", "height"), [(10, 20), (2, 60), (1_000, 5)])
def test_aliases_cannot_explode(width: int, height: int) -> None:
    assert only(bomb(width, height))[0] == "yaml.too-large"


def test_aliases_cannot_nest_deeper_than_text_may() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 70)]
    assert only("\n".join(lines).encode())[0] == "yaml.too-deep"


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- ", b"? "])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200_000])
def test_nesting_without_end_is_refused(opening: bytes, depth: int) -> None:
    id_ = only((opening * depth)[:MAX_BYTES])[0]
    assert id_ in ("yaml.too-deep", "yaml.syntax")


def test_the_number_of_values_is_bounded() -> None:
    assert len(loads(b"a: [" + b"1," * (MAX_NODES - 10) + b"1]", "f").value["a"]) == MAX_NODES - 9
    assert only(b"a: [" + b"1," * (MAX_NODES + 10) + b"1]")[0] == "yaml.too-large"


def test_findings_are_bounded() -> None:
    assert len(findings(b"a: 1\n" * 5_000)) == MAX_FINDINGS
    assert len(findings(b"a: [" + b"1e999, " * 5_000 + b"]")) == MAX_FINDINGS


def test_a_directory_a_missing_and_an_unreadable_file_are_findings(tmp_path: Path) -> None:
    closed = tmp_path / "closed.yaml"
    closed.write_text("a: 1")
    closed.chmod(0)
    cases = [(tmp_path, "directory"), (tmp_path / "none.yaml", "no such file"), (Path("a\0b"), "cannot be read")]
    if os.geteuid() != 0:  # root reads what it likes
        cases.append((closed, "no permission"))
    for path, words in cases:
        with pytest.raises(PlanError) as caught:
            load(path)
        (finding,) = caught.value.findings
        assert finding.id == "yaml.unreadable" and words in finding.message and finding.hint
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "data",
    [b"a: [\n", b'a: "\\ud800"\n', b'a: "\\U00110000"\n', b"a:\n\t- b\n", b"[" * 500, bomb(10, 20), b"a: !x b\n"],
)
def test_the_slow_parser_refuses_the_same(data: bytes) -> None:
    """PyYAML comes without its fast parser on some systems."""
    reader = Reader("f.yaml", yaml.SafeLoader)
    root = reader.read(data.decode())
    # Half a character in an escape gets through here; it is refused with the values.
    assert reader.findings or (root is not None and b"ud800" in data)


WORDS = "[ ] { } , - &x *x !!str ! <<: ? : > ' ${a.b} ... --- %TAG # 1e9 0x true ~ \\ é @ ` a: b:"
SNIPPETS = st.sampled_from([*WORDS.split(" "), *'"|\n\t \ufeff\x85\x00', "a: ", "- ", "? ", "b:\n", "---\n", "  "])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.binary(max_size=200), st.lists(SNIPPETS, max_size=40).map(lambda parts: "".join(parts).encode())))
def test_nothing_but_plan_errors_comes_out_of_any_bytes(data: bytes) -> None:
    try:
        located = loads(data, "f")
    except PlanError as error:
        assert error.findings and all(f.where and f.where.line >= 1 and f.where.column >= 1 for f in error.findings)
    else:
        assert located.at(()).line >= 1


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00\x85\ufeff\u2028\u2029", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), PLAIN, min_size=1, max_size=4))
def test_what_json_can_say_is_read_as_json_would(value: dict[str, Any]) -> None:
    import json

    assert loads(json.dumps(value, ensure_ascii=False).encode(), "f").value == value
