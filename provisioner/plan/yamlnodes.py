"""The middle of reading YAML: the parser's events become a tree of nodes, and a scalar's text its meaning.

Everything that makes YAML dangerous or surprising is refused here: tags, merge keys, duplicate keys, keys
that are not text, aliases that expand without bound, nesting without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from provisioner.model import Finding, Position

MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 64
MAX_SCALAR: Final = 65_536
MAX_FINDINGS: Final = 100
_LONGEST_NUMBER: Final = 100

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def finding(id_: str, message: str, where: Position, hint: str = "") -> Finding:
    """An error at a place."""
    return Finding(id=id_, message=message, where=where, hint=hint)


class Pairs(list["tuple[Node, Node]"]):
    """The content of a mapping, told from a list's by its class."""


class Node:
    """A scalar's text, a list, or pairs of keys and values; ``size`` and ``height`` with aliases expanded."""

    __slots__ = ("column", "content", "height", "line", "plain", "size")

    def __init__(self, mark: Any, content: str | list[Node] | Pairs, plain: bool = False) -> None:
        self.line: int = mark.line + 1
        self.column: int = mark.column + 1
        self.content = content
        self.plain = plain  # a scalar without quotes, which may mean something else than text
        self.size = 1
        self.height = 1

    def position(self, file: str) -> Position:
        return Position(file, self.line, self.column)


class _Stop(Exception):
    """Reading on would find nothing sensible; the findings say why."""


class Reader:
    """The parser's events to one tree of nodes. Nothing here depends on recursion in the parser."""

    def __init__(self, file: str, loader: Any = None) -> None:
        """``loader``: a PyYAML loader class; the fast one where PyYAML was built with it."""
        self.file = file
        self._loader = loader or _Loader
        self.findings: list[Finding] = []
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0

    def read(self, text: str) -> Node | None:
        """The document's root; None where there is none or the reading stopped."""
        loader = self._loader(text)
        try:
            return self._document(self._events(loader, text))
        except _Stop:
            return None
        finally:
            loader.dispose()

    def complain(self, id_: str, message: str, mark: Any, hint: str = "") -> None:
        where = Position(self.file, mark.line + 1, mark.column + 1)
        self.findings.append(finding(id_, message, where, hint))
        if len(self.findings) >= MAX_FINDINGS:
            raise _Stop

    def _events(self, loader: Any, text: str) -> Iterator[Any]:
        try:
            while loader.check_event():
                yield loader.get_event()
        except yaml.MarkedYAMLError as err:
            mark = err.problem_mark or err.context_mark
            what = ", ".join(part for part in (err.context, err.problem) if part)
            lines = text.splitlines()
            line = lines[mark.line] if mark and mark.line < len(lines) else ""
            hint = "indent with spaces, not tabs" if "\t" in line[: len(line) - len(line.lstrip())] else ""
            self.complain("yaml.syntax", f"not YAML: {what}", mark or yaml.Mark("", 0, 0, 0, None, 0), hint)
            raise _Stop from err
        except (yaml.YAMLError, ValueError, OverflowError) as err:
            # The pure Python scanner lets chr() speak for itself on an impossible escape.
            self.complain("yaml.syntax", f"not YAML: {err}", yaml.Mark("", 0, 0, 0, None, 0))
            raise _Stop from err

    def _document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.complain(
                        "yaml.documents",
                        "a second document begins here",
                        event.start_mark,
                        "one file, one document",
                    )
                    raise _Stop
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        self._check(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_SCALAR:
                self.complain("yaml.too-large", f"text of more than {MAX_SCALAR:,} characters", event.start_mark)
            node = Node(event.start_mark, event.value, plain=bool(event.implicit[0]))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, events, depth)
        else:
            node = self._mapping(event, events, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _check(self, event: Any, depth: int) -> None:
        self._count(1, event.start_mark)
        self._check_depth(depth, event.start_mark)
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")[:40]
            self.complain(
                "yaml.tag",
                f"the tag {shown} is not allowed",
                event.start_mark,
                "plain values only; quote text",
            )

    def _count(self, nodes: int, mark: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self.complain("yaml.too-large", f"more than {MAX_NODES:,} values, aliases expanded", mark)
            raise _Stop

    def _check_depth(self, depth: int, mark: Any) -> None:
        if depth > MAX_DEPTH:
            self.complain("yaml.too-deep", f"nested more than {MAX_DEPTH} levels deep", mark)
            raise _Stop

    def _alias(self, event: Any, depth: int) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            inside = event.anchor in self._anchors
            why = "stands inside what it refers to" if inside else "refers to no anchor above it"
            self.complain("yaml.alias", f"the alias *{event.anchor} {why}", event.start_mark)
            return Node(event.start_mark, "")
        self._count(node.size, event.start_mark)
        self._check_depth(depth + node.height - 1, event.start_mark)
        return node

    def _sequence(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        items: list[Node] = []
        node = Node(event.start_mark, items)
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            items.append(_grow(node, self._node(inner, events, depth + 1)))
        return node

    def _mapping(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        pairs = Pairs()
        node = Node(event.start_mark, pairs)
        seen: dict[str, int] = {}
        for inner in events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            key = self._node(inner, events, depth + 1)
            usable = self._check_key(key, inner.start_mark, seen)
            value = _grow(node, self._node(next(events), events, depth + 1))
            if usable:
                pairs.append((key, value))
        return node

    def _check_key(self, key: Node, mark: Any, seen: dict[str, int]) -> bool:
        name = key.content
        if not isinstance(name, str):
            self.complain("yaml.key", "a key must be text, not a list or a mapping", mark)
        elif key.plain and name == "<<":
            self.complain("yaml.merge", "merge keys (<<) are not supported", mark, "write the keys out")
        elif key.plain and not isinstance(scalar(name), str):
            self.complain(
                "yaml.key",
                f"the key {name[:40] or '(nothing)'} is not text",
                mark,
                f'quote it: "{name[:40]}"',
            )
        elif name in seen:
            message = f"the key {name[:60]!r} is in this mapping already, in line {seen[name]}"
            self.complain("yaml.duplicate-key", message, mark, "keep one of them")
        else:
            seen[name] = key.line
            return True
        return False


def _grow(outer: Node, inner: Node) -> Node:
    outer.size += inner.size
    outer.height = max(outer.height, inner.height + 1)
    return inner


def scalar(text: str) -> Any:
    """What unquoted text means: None, a boolean, an integer, a number, or itself.

    >>> [scalar(t) for t in ("true", "yes", "15", "007", "1.5", "12:30:45", "2026-01-03", "~")]
    [True, 'yes', 15, '007', 1.5, '12:30:45', '2026-01-03', None]
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[:1] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        # Beyond 4,300 digits Python refuses to convert; any number that long is out of range alike.
        return int(text, 0) if len(text) < _LONGEST_NUMBER else 10**_LONGEST_NUMBER
    if _NUMBER.fullmatch(text):
        return float(text)
    return text
