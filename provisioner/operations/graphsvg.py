"""A graph as SVG, drawn from its layout: bands, curves, boxes, a legend. No font, script or style sheet is fetched."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from provisioner.operations.graph import Graph, Node
from provisioner.operations.graphlayout import (
    BOX_HEIGHT,
    COLUMN_GAP,
    HEAD,
    MARGIN,
    Item,
    Layout,
    layout,
)  # fmt: skip
from provisioner.operations.graphtext import COLOURS

_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
_INK: Final = "#1f2328"
_QUIET: Final = "#656d76"
_BARE: Final = ("#ffffff", "#8c959f")
_TINTS: Final = ("#f3f7fb", "#f6f5fb", "#f3f8f4", "#fbf7f0", "#f8f4f6", "#f2f7f8")
_LEGEND: Final = 30.0
_WORDS: Final = {
    "ready": "ready",
    "creating": "at work",
    "updating": "at work",
    "deleting": "going",
    "missing": "not there",
    "check": "check",
}
_CHARACTERS: Final = 27


def svg(graph: Graph) -> str:
    """One standalone document."""
    made = layout(graph)
    words = _legend_words(graph)
    width = max(made.width, MARGIN * 2 + 9.5 * len(graph.title), MARGIN * 2 + 92.0 * len(words))
    height = made.height + (_LEGEND if words else 0.0)
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}" role="img">',
        f"<title>{escape(graph.title)}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        _text(MARGIN, HEAD - 18, graph.title, 17, _INK, bold=True),
        *_bands(made, width),
        *(_curve(made, start, end) for start, end in made.lines),
        *(_box(made, item, item.node) for item in made.items if item.node is not None),
        *_legend(words, made.height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight} fill="{colour}">{escape(text)}</text>'


def _bands(made: Layout, width: float) -> list[str]:
    parts = []
    for number, band in enumerate(made.bands):
        box = f'x="{MARGIN}" y="{band.top:.1f}" width="{width - 2 * MARGIN:.1f}" height="{band.height:.1f}"'
        parts.append(f'<rect {box} rx="10" fill="{_TINTS[number % len(_TINTS)]}"/>')
        if band.stage:
            parts.append(_text(MARGIN + 16, band.top + 24, band.stage.upper(), 11, _QUIET, bold=True))
    return parts


def _ends(made: Layout, item: Item) -> tuple[float, float]:
    """Where lines meet an item on the left and leave it on the right."""
    column = made.columns[item.column]
    return column.x, column.x + column.width


def _curve(made: Layout, start: int, end: int) -> str:
    source, target = made.items[start], made.items[end]
    x1, x2 = _ends(made, source)[1], _ends(made, target)[0]
    y1, y2 = source.y, target.y
    bend = COLUMN_GAP * 0.55
    path = f"M{x1:.1f} {y1:.1f} C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    if source.node is None:
        path = f"M{_ends(made, source)[0]:.1f} {y1:.1f} L" + path[1:]
    line = f'<path d="{path}" fill="none" stroke="#afb8c1" stroke-width="1.3"/>'
    if target.node is None:
        return line
    tip = f'<path d="M{x2:.1f} {y2:.1f} l-6.5 -3.4 v6.8 z" fill="#8c959f"/>'
    return line + tip


def _box(made: Layout, item: Item, node: Node) -> str:
    column = made.columns[item.column]
    x, y = column.x, item.y - BOX_HEIGHT / 2
    check = node.check
    fill, line = COLOURS.get(node.status, _BARE)
    dashed = ' stroke-dasharray="4 3"' if node.status == "missing" else ""
    inset = 16 if check else 13
    badge = " ⚿" if node.protect else " ↪" if node.adopted else ""
    told = f"{node.step} ({node.type})" + (f": {node.status}" if node.status else "")
    round_ = BOX_HEIGHT / 2 if check else 7
    box = f'x="{x:.1f}" y="{y:.1f}" width="{column.width:.1f}" height="{BOX_HEIGHT}" rx="{round_}"'
    return (
        f"<g><title>{escape(told)}</title>"
        f'<rect {box} fill="{fill}" stroke="{line}" stroke-width="1.2"{dashed}/>'
        + _text(x + inset, y + 20, _cut(node.step) + badge, 13, _INK, bold=True)
        + _text(x + inset, y + 35, _cut(node.type, 6), 10.5, _QUIET)
        + "</g>"
    )


def _cut(text: str, more: int = 0) -> str:
    most = _CHARACTERS + more
    return text if len(text) <= most else text[: most - 1] + "…"


def _legend_words(graph: Graph) -> dict[str, tuple[str, str]]:
    """Word → colours of the statuses that occur."""
    found = {node.status for node in graph.nodes if node.status}
    return {word: COLOURS[status] for status, word in _WORDS.items() if status in found}


def _legend(words: dict[str, tuple[str, str]], top: float) -> list[str]:
    parts = []
    for number, (word, (fill, line)) in enumerate(words.items()):
        x = MARGIN + 92 * number
        dashed = ' stroke-dasharray="4 3"' if word == _WORDS["missing"] else ""
        box = f'x="{x:.0f}" y="{top - 6:.0f}" width="14" height="14" rx="3"'
        parts.append(f'<rect {box} fill="{fill}" stroke="{line}"{dashed}/>')
        parts.append(_text(x + 20, top + 5, word, 11, _QUIET))
    return parts
