"""Where everything goes in a picture of a graph: a band a stage, a column a depth, and no line through a box.

Left to right is time. An edge that passes a column runs through a *trunk* there, a thin slot in the band of the step
that it comes from, shared by all edges of that step; so between two columns lines only cross lines, never boxes. The
order in each column is found by barycentres: a few sweeps in both directions, each item near the mean of what it is
joined to.

Weakness: this is a heuristic, so more crossings than necessary remain in large graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from provisioner.operations.graph import Graph, Node

BOX_HEIGHT: Final = 46.0
TRUNK_HEIGHT: Final = 8.0
GAP: Final = 14.0
COLUMN_GAP: Final = 64.0
BAND_PADDING: Final = 20.0
BAND_HEAD: Final = 24.0
BAND_GAP: Final = 14.0
MARGIN: Final = 24.0
HEAD: Final = 46.0
NARROWEST: Final = 112.0
WIDEST: Final = 236.0
_SWEEPS: Final = 8
_NAME_WIDTH: Final = 8.4
_TYPE_WIDTH: Final = 6.4
_INSET: Final = 30.0


class Item(msgspec.Struct):
    """A box, or a trunk where ``node`` is None. ``y`` is its middle; ``left``, ``right``: what it has lines to."""

    column: int
    band: int
    node: Node | None = None
    y: float = 0.0
    left: list[int] = []
    right: list[int] = []

    @property
    def height(self) -> float:
        return BOX_HEIGHT if self.node is not None else TRUNK_HEIGHT


class Column(msgspec.Struct, frozen=True):
    """``x`` is its left edge."""

    x: float
    width: float


class Band(msgspec.Struct, frozen=True):
    """One stage's area, its head included."""

    stage: str
    top: float
    height: float


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in pixels. ``lines``: pairs of items, each to be joined by one curve."""

    width: float
    height: float
    items: list[Item]
    lines: list[tuple[int, int]]
    columns: list[Column]
    bands: list[Band]


def layout(graph: Graph) -> Layout:
    """Places a graph."""
    items, lines = _items(graph)
    columns = _columns(graph)
    cells = _cells(items, len(graph.stages), len(columns))
    for sweep in range(_SWEEPS):
        _order(items, cells, len(columns), forward=sweep % 2 == 0)
    bands = _bands(graph, items, cells, len(columns))
    for sweep in range(_SWEEPS):
        _settle(items, cells, bands, len(columns), forward=sweep % 2 == 0)
    last = columns[-1] if columns else Column(MARGIN, NARROWEST)
    bottom = bands[-1].top + bands[-1].height if bands else HEAD
    return Layout(
        width=last.x + last.width + BAND_PADDING + MARGIN,
        height=bottom + MARGIN,
        items=items,
        lines=lines,
        columns=columns,
        bands=bands,
    )


def _items(graph: Graph) -> tuple[list[Item], list[tuple[int, int]]]:
    """Boxes in the order of the plan, then trunks; and the lines between neighbours."""
    bands = {stage: number for number, stage in enumerate(graph.stages)}
    items = [Item(column=node.depth, band=bands[node.stage], node=node, left=[], right=[]) for node in graph.nodes]
    place = {node.step: number for number, node in enumerate(graph.nodes)}
    trunks: dict[tuple[int, int], int] = {}
    lines: dict[tuple[int, int], None] = {}
    for edge in graph.edges:
        source, target = place[edge.need], place[edge.step]
        before = source
        for column in range(items[source].column + 1, items[target].column):
            trunk = trunks.get((source, column))
            if trunk is None:
                trunk = trunks[source, column] = len(items)
                items.append(Item(column=column, band=items[source].band, left=[], right=[]))
            lines[before, trunk] = None
            before = trunk
        lines[before, target] = None
    for start, end in lines:
        items[start].right.append(end)
        items[end].left.append(start)
    return items, list(lines)


def _columns(graph: Graph) -> list[Column]:
    columns: list[Column] = []
    x = MARGIN + BAND_PADDING
    for depth in range(max((node.depth for node in graph.nodes), default=-1) + 1):
        width = max(box_width(node) for node in graph.nodes if node.depth == depth)
        columns.append(Column(x, width))
        x += width + COLUMN_GAP
    return columns


def box_width(node: Node) -> float:
    """Pixels that a node's text needs, within limits."""
    wanted = max(len(node.step) * _NAME_WIDTH, len(node.type) * _TYPE_WIDTH) + _INSET
    return min(max(wanted, NARROWEST), WIDEST)


_Cells = dict[tuple[int, int], list[int]]
"""Band and column → items from top to bottom."""


def _cells(items: list[Item], bands: int, columns: int) -> _Cells:
    cells: _Cells = {(band, column): [] for band in range(bands) for column in range(columns)}
    for number, item in enumerate(items):
        cells[item.band, item.column].append(number)
    return cells


def _order(items: list[Item], cells: _Cells, columns: int, *, forward: bool) -> None:
    """Sorts each cell by the barycentre of what its items are joined to on one side. ``y`` is a rank meanwhile."""
    for column in range(columns) if forward else range(columns - 1, -1, -1):
        rank = 0
        for (_, here), cell in cells.items():
            if here != column:
                continue
            cell.sort(key=_by_centre(items, forward=forward))
            for number in cell:
                items[number].y = rank
                rank += 1


def _by_centre(items: list[Item], *, forward: bool) -> Callable[[int], float]:
    def centre(number: int) -> float:
        item = items[number]
        joined = item.left if forward else item.right
        return _mean((items[other].y for other in joined), item.y)

    return centre


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return sum(found) / len(found) if found else otherwise


def _bands(graph: Graph, items: list[Item], cells: _Cells, columns: int) -> list[Band]:
    bands: list[Band] = []
    top = HEAD
    for number, stage in enumerate(graph.stages):
        room = max((_stack(items, cells[number, column]) for column in range(columns)), default=0.0)
        height = room + 2 * BAND_PADDING + (BAND_HEAD if stage else 0.0)
        bands.append(Band(stage, top, height))
        top += height + BAND_GAP
    return bands


def _stack(items: list[Item], cell: list[int]) -> float:
    return sum(items[number].height for number in cell) + GAP * max(len(cell) - 1, 0)


def _settle(items: list[Item], cells: _Cells, bands: list[Band], columns: int, *, forward: bool) -> None:
    """Moves every item as near to the mean of its neighbours as its cell allows."""
    for column in range(columns) if forward else range(columns - 1, -1, -1):
        for number, band in enumerate(bands):
            cell = cells[number, column]
            top = band.top + BAND_PADDING + (BAND_HEAD if band.stage else 0.0)
            bottom = band.top + band.height - BAND_PADDING
            wished = [_wish(items, items[member], forward=forward) for member in cell]
            _stack_up(items, cell, wished, top, bottom)


def _wish(items: list[Item], item: Item, *, forward: bool) -> float:
    """Boxes listen to the side just placed; a trunk prefers to run straight on."""
    joined = item.left if forward else item.right
    return _mean((items[other].y for other in joined), item.y)


def _stack_up(items: list[Item], cell: list[int], wished: list[float], top: float, bottom: float) -> None:
    edge = top
    for member, wish in zip(cell, wished, strict=True):
        item = items[member]
        item.y = max(wish, edge + item.height / 2)
        edge = item.y + item.height / 2 + GAP
    edge = bottom
    for member in reversed(cell):
        item = items[member]
        item.y = min(item.y, edge - item.height / 2)
        edge = item.y - item.height / 2 - GAP
