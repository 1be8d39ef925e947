"""YAML to plain values and the place of every one of them, from files that may be careless or hostile.

Reading goes through three parts: bytes to text (size, encoding, control characters), the parser's events to
a tree of nodes (:mod:`provisioner.plan.yamlnodes`), nodes to values and positions. No object is ever constructed
from a tag, and YAML 1.1's traps are defused: only ``true`` and ``false`` are booleans, so ``on``, ``no``
and dates stay text, as does a number with a leading zero, which is an account id. Aliases are allowed; what
they expand to is bounded.

Weakness: a syntax error ends the reading of its file, so it is the only finding of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from provisioner.errors import PlanError
from provisioner.model import Finding, Position
from provisioner.plan.yamlnodes import MAX_FINDINGS, Node, Pairs, Reader, finding, scalar

TreePath: TypeAlias = tuple[str | int, ...]
"""Where in a tree: keys and list indices from the top."""

MAX_BYTES: Final = 1_000_000

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNSTORABLE_SAID: Final = ("yaml.control-character", "a NUL or half a character, written as an escape")


class Located(NamedTuple):
    """A file's value. ``positions``: the place of each value by its path; ``keys``: of the key before it."""

    value: Any
    positions: Mapping[TreePath, Position]
    keys: Mapping[TreePath, Position]
    file: str

    def at(self, path: TreePath) -> Position:
        """The place of a value, or of the nearest thing around it that the file has."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path) or Position(self.file)

    def key(self, path: TreePath) -> Position:
        """The place of the key that names a value; for an item of a list, of the item."""
        return self.keys.get(path) or self.at(path)


def load(path: Path) -> Located:
    """One YAML file. PlanError carries what is wrong with it as findings, with line and column."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as err:
        raise PlanError([_unreadable(path, err)]) from err
    return loads(data, str(path))


def loads(data: bytes, file: str) -> Located:
    """The same for bytes; ``file`` is what positions call it."""
    text = _decode(data, file)
    reader = Reader(file)
    root = reader.read(text)
    if root is None or reader.findings:
        raise PlanError(reader.findings or [finding("yaml.empty", "the file is empty", Position(file))])
    values = _Values(file)
    value = values.build(root, ())
    if values.findings:
        raise PlanError(values.findings)
    return Located(value, values.positions, values.keys, file)


def _unreadable(path: Path, err: Exception) -> Finding:
    if isinstance(err, FileNotFoundError):
        why, hint = "there is no such file", "check the path"
    elif isinstance(err, IsADirectoryError):
        why, hint = "this is a directory", "name the YAML file in it"
    elif isinstance(err, PermissionError):
        why, hint = "no permission to read it", "check its owner and mode with ls -l"
    else:
        why, hint = f"it cannot be read: {getattr(err, 'strerror', None) or err}", "check the path"
    return finding("yaml.unreadable", why, Position(str(path)), hint)


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES:,} bytes"
        raise PlanError([finding("yaml.too-large", message, Position(file), "a plan is text of a few hundred lines")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        before = data[: err.start].decode("utf-8", "replace").removeprefix("\ufeff")
        message = f"byte 0x{data[err.start]:02x} is not UTF-8 text"
        where = _position(file, before)
        raise PlanError([finding("yaml.encoding", message, where, "save the file as UTF-8")]) from err
    bad = _CONTROL.search(text)
    if bad:
        message = f"control character U+{ord(bad.group()):04X}: this is not a text file"
        where = _position(file, text[: bad.start()])
        raise PlanError([finding("yaml.control-character", message, where, "remove the character")])
    return text


def _position(file: str, before: str) -> Position:
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Position(file, len(lines), len(lines[-1]) + 1)


class _Values:
    """Nodes to values and positions. What an alias stands for is copied and keeps its place."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.positions: dict[TreePath, Position] = {}
        self.keys: dict[TreePath, Position] = {}

    def build(self, node: Node, path: TreePath) -> Any:
        content = node.content
        self.positions[path] = node.position(self.file)
        if isinstance(content, str):
            return self._scalar(node, content)
        if not isinstance(content, Pairs):
            return [self.build(item, (*path, index)) for index, item in enumerate(content)]
        values: dict[str, Any] = {}
        for key, value in content:
            name = str(key.content)
            if _UNSTORABLE.search(name):
                self._complain(*_UNSTORABLE_SAID, key)
                continue
            inner = (*path, name)
            self.keys[inner] = key.position(self.file)
            values[name] = self.build(value, inner)
        return values

    def _scalar(self, node: Node, text: str) -> Any:
        if _UNSTORABLE.search(text):
            self._complain(*_UNSTORABLE_SAID, node)
        if not node.plain:
            return text
        value = scalar(text)
        hint = "if it is text, write it in quotes"
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            self._complain("yaml.number", "this integer does not fit into 64 bits", node, hint)
        elif isinstance(value, float) and value in (float("inf"), float("-inf")):
            self._complain("yaml.number", "this number is too large", node, hint)
        return value

    def _complain(self, id_: str, message: str, node: Node, hint: str = "") -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding(id_, message, node.position(self.file), hint))
