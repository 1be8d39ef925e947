"""What can be done to a file. A change is plain data; :func:`changed` carries several out, one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

SCALE = 65_536

WORDS = (
    "null", "true", "false", "~", "0", "-1", "1", "15", "1.5", "1e400", "-0", "007", "0x1f", ".inf", ".nan", "[]", "{}",
    "''", '"', "'", "[", "]", "{", "}", ":", ": ", "- ", "#", "|", ">", "&a", "*a", "*b", "<<: *a", "!!python/object",
    "!x", "%YAML 1.1\n---\n", "---\n", "...\n", "? ", ",", "\t", "\r", "\r\n", "\n", "\x00", "\x07", "\x1b[31m",
    "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffe", "\ud800", "\U0001f4a9", "\U0010ffff", "é", "\\u0000",
    "\\ud800", "\\x", "\\U00110000", "${", "${}", "${a", "${a.b", "${a.b.c}", "${param.}", "${param.x}", "$${", "$",
    "${deployment.name}", "${db.endpoint}", "${ db . endpoint }", "${${a.b}}", "${param.region}${param.region}", "}",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e308", "1" * 400, "9" * 5000, "0." + "1" * 99,
    '"(a+)+b"', "(a|a)*c", "a" * 60, "[a-z]{1,9}{1,9}{1,9}", "(?<=a)b", "(" * 300, "12:30:45", "2026-01-03", "10s", "1e9d", "99999999999d", "db.t3.micro", "eu-central-1", "aws", "existing", "not x",
)  # fmt: skip
"""What is put into files: what YAML, JSON, Python and terminals might take for something else."""

NODES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 64, 10**9, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 10**400, 0.0, -1.5, 1e300,
    "", " ", "x", "true", "1", "\x00", "\ud800", "é", "x" * 300, "y" * 70_000, "${", "${a.b}", "${param.x}", "$${x}",
    [], [None], [[]], [{}], ["x", 1, None], {}, {"": ""}, {"a": {"b": []}}, {"name": "x"}, {"type": "record"}, {"kind": 1},
)  # fmt: skip
"""What takes a node's place."""


class Change(NamedTuple):
    """One change. ``at`` and ``to`` are places, from 0 to SCALE for the beginning to the end; ``what`` depends."""

    kind: str
    at: int = 0
    to: int = 0
    what: int = 0


def changed(raw: bytes, changes: tuple[Change, ...]) -> bytes:
    """The file after all changes."""
    for change in changes:
        raw = KINDS[change.kind](raw, change)
    return raw


def _offset(raw: bytes, place: int) -> int:
    return place * len(raw) // SCALE


def _flip(raw: bytes, change: Change) -> bytes:
    at = _offset(raw, change.at)
    return raw[:at] + bytes(byte ^ (1 << change.what % 8) for byte in raw[at : at + 1]) + raw[at + 1 :]


def _cut(raw: bytes, change: Change) -> bytes:
    return raw[: _offset(raw, change.at)]


def _drop(raw: bytes, change: Change) -> bytes:
    at = _offset(raw, change.at)
    return raw[:at] + raw[at + 1 + change.what % 40 :]


def _blank(raw: bytes, change: Change) -> bytes:
    """A hole, as a file system leaves one after a power cut."""
    first, last = sorted((_offset(raw, change.at), _offset(raw, change.to)))
    return raw[:first] + bytes(last - first) + raw[last:]


def _repeat(raw: bytes, change: Change) -> bytes:
    first, last = sorted((_offset(raw, change.at), _offset(raw, change.to)))
    return raw[:first] + raw[first:last] * (2 + change.what % 3) + raw[last:]


def _insert(raw: bytes, change: Change) -> bytes:
    at = _offset(raw, change.at)
    return raw[:at] + _word(change.what) + raw[at:]


def _word(number: int) -> bytes:
    return WORDS[number % len(WORDS)].encode("utf-8", "surrogatepass")


def _scalar(raw: bytes, change: Change) -> bytes:
    """What stands after a colon or a dash becomes something else."""
    lines = raw.split(b"\n")
    at = change.at * len(lines) // SCALE
    head, mark, _ = lines[at].partition(b": ")
    if not mark:
        head, mark, _ = lines[at].partition(b"- ")
    lines[at] = head + mark + _word(change.what)
    return b"\n".join(lines)


def _lines(work: Callable[[list[bytes], int, int, int], None]) -> Callable[[bytes, Change], bytes]:
    def change_lines(raw: bytes, change: Change) -> bytes:
        lines = raw.split(b"\n")
        work(lines, change.at * len(lines) // SCALE, change.to * len(lines) // SCALE, change.what)
        return b"\n".join(lines)

    return change_lines


def _move(lines: list[bytes], at: int, to: int, what: int) -> None:
    lines.insert(to, lines.pop(at))


def _double(lines: list[bytes], at: int, to: int, what: int) -> None:
    lines.insert(to, lines[at])


def _leave_out(lines: list[bytes], at: int, to: int, what: int) -> None:
    del lines[at : at + 1 + what % 4]


def _indent(lines: list[bytes], at: int, to: int, what: int) -> None:
    for index in range(at, min(at + 1 + what % 8, len(lines))):
        by = what % 5 - 2
        lines[index] = b" " * by + lines[index] if by > 0 else lines[index].removeprefix(b" " * -by)


def _tabs(lines: list[bytes], at: int, to: int, what: int) -> None:
    lines[at] = lines[at].replace(b"  ", b"\t")


def _crlf(raw: bytes, change: Change) -> bytes:
    return raw.replace(b"\n", (b"\r\n", b"\r", b"\n\n", b"\x85", b"\xe2\x80\xa8")[change.what % 5])


def _encoded(raw: bytes, change: Change) -> bytes:
    """The same text as another program saves it."""
    marks = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
    codes = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-be")
    return marks[change.what % 4] + raw.decode("utf-8", "replace").encode(codes[change.what % 4])


def _nest(raw: bytes, change: Change) -> bytes:
    """Brackets without end, of one kind or the other, closed or not."""
    depth = (10, 60, 70, 500, 3000, 100_000)[change.what % 6]
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"), (b"- ", b""), (b"? ", b""))[change.to % 4]
    at = _offset(raw, change.at)
    return raw[:at] + opening * depth + (b"1" + closing * depth if change.to % 3 else b"") + raw[at:]


def _bomb(raw: bytes, change: Change) -> bytes:
    """Aliases of aliases: a billion values in twenty lines; or parameters used many times over."""
    each = 2 + change.what % 9
    rows = [b"  - &z0 [" + b"x" * 50 + b"]"]
    rows += [b"  - &z%d [%s]" % (n, b", ".join([b"*z%d" % (n - 1)] * each)) for n in range(1, 4 + change.to % 30)]
    return raw + b"\nbomb:\n" + b"\n".join(rows) + b"\n"


def _long(raw: bytes, change: Change) -> bytes:
    """One long thing: text, a list, a line of references, keys."""
    many = (100, 5000, 70_000)[change.to % 3]
    thing = (b"x", b"${param.region}", b"${a.b} ", b"- a\n", b"k, ", b'"', b"a: ", b"# ")[change.what % 8] * many
    at = _offset(raw, change.at)
    return raw[:at] + thing + raw[at:]


def _swallow(raw: bytes, change: Change) -> bytes:
    return (b"", b"\n", b"\x00", b"null", b"[]", b"{}", b'"x"', b"1", b"- ", b"\xff", b"{" * 9)[change.what % 11]


# -- nodes ----------------------------------------------------------------------------------------------------


def _node(raw: bytes, change: Change) -> bytes:
    """A node of a JSON document, or of one line of a JSON-lines file, becomes another thing."""
    return _in_tree(raw, change, lambda parent, key: parent.__setitem__(key, _thing(change.what)))


def _lose_node(raw: bytes, change: Change) -> bytes:
    return _in_tree(raw, change, lambda parent, key: parent.__delitem__(key))


def _twin_node(raw: bytes, change: Change) -> bytes:
    """A node takes the place of another."""
    tree = _parsed(raw)
    if not isinstance(tree, dict | list) or not (places := list(_places(tree))):
        return raw
    source, key = places[change.to * len(places) // SCALE]
    return _in_tree(raw, change, lambda parent, at: parent.__setitem__(at, source[key]))


def _thing(number: int) -> Any:
    return NODES[number % len(NODES)]


def _in_tree(raw: bytes, change: Change, work: Callable[[Any, Any], None]) -> bytes:
    lines = raw.split(b"\n")
    for index in (change.to * len(lines) // SCALE, None):
        tree = _parsed(raw if index is None else lines[index].partition(b" ")[2])
        if isinstance(tree, dict | list) and (places := list(_places(tree))):
            work(*places[change.at * len(places) // SCALE])
            if index is None:
                return _dumped(tree)
            lines[index] = b"00000000 " + _dumped(tree)
            return b"\n".join(lines)
    return raw


def _parsed(raw: bytes) -> Any:
    """None also for what is nested deeper than the changes here can walk."""
    try:
        return json.loads(raw) if _flat(raw) else None
    except (ValueError, RecursionError):
        return None


def _flat(raw: bytes) -> bool:
    return b"[" * 50 not in raw and b'{"a":' * 50 not in raw


def _dumped(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every node as its parent and its key there."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


KINDS: dict[str, Callable[[bytes, Change], bytes]] = {
    "flip": _flip,
    "cut": _cut,
    "drop": _drop,
    "blank": _blank,
    "repeat": _repeat,
    "insert": _insert,
    "scalar": _scalar,
    "move": _lines(_move),
    "double": _lines(_double),
    "leave out": _lines(_leave_out),
    "indent": _lines(_indent),
    "tabs": _lines(_tabs),
    "crlf": _crlf,
    "encoded": _encoded,
    "nest": _nest,
    "bomb": _bomb,
    "long": _long,
    "swallow": _swallow,
    "node": _node,
    "lose node": _lose_node,
    "twin node": _twin_node,
}
