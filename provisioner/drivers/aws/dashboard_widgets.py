"""What a dashboard shows: widgets in a plan's words, and the body in JSON that CloudWatch takes, there and back.

Positions are laid out here: from left to right, a new row where 24 columns are full. What a body has that this file
cannot say, because somebody made it by hand, is told as a ``raw`` widget, so that no difference is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws.alarm_maths import STATISTIC, Dimensions
from provisioner.spec import plain

COLUMNS: Final = 24
_SIZES: Final = {"metric": (12, 6), "text": (24, 2), "alarm": (24, 3), "log": (24, 6), "raw": (12, 6)}
"""Width in columns and height in rows where a plan does not say."""
Widgets = Sequence[Mapping[str, Any]]


class Line(resource.Spec, frozen=True, kw_only=True):
    """One line of a graph: a metric, or an expression over the ids of other lines."""

    namespace: Annotated[str | None, Meta(description="Namespace of the metric.", examples=["AWS/RDS"])] = None
    metric: Annotated[str | None, Meta(description="Name of the metric.")] = None
    dimensions: Dimensions | None = None
    statistic: Annotated[
        Annotated[str, Meta(pattern=STATISTIC)] | None, Meta(description="Left out: Average.", examples=["p99"])
    ] = None
    expression: Annotated[str | None, Meta(description="Metric maths instead of a metric.")] = None
    id: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z][a-zA-Z0-9_]{0,254}$")] | None,
        Meta(description="How expressions call it."),
    ] = None
    label: Annotated[str | None, Meta(description="What the legend says.")] = None
    period: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="Seconds of one point.")] = None
    visible: Annotated[bool, Meta(description="Whether it is drawn, or only used in expressions.")] = True
    right_axis: Annotated[bool, Meta(description="Drawn against the scale on the right.")] = False


class Mark(resource.Spec, frozen=True, kw_only=True):
    """A horizontal line across a graph: a threshold."""

    value: Annotated[float, Meta(description="Where, in the metric's unit.")]
    label: Annotated[str | None, Meta(description="What it says.")] = None


class Widget(resource.Spec, frozen=True, kw_only=True):
    """One rectangle of a dashboard."""

    type: Annotated[
        Literal["metric", "text", "alarm", "log", "raw"], Meta(description="What it shows; raw: CloudWatch's own JSON.")
    ]
    title: Annotated[str | None, Meta(description="What stands above it.")] = None
    width: Annotated[Annotated[int, Meta(ge=1, le=24)] | None, Meta(description="Columns, of 24.")] = None
    height: Annotated[Annotated[int, Meta(ge=1, le=1000)] | None, Meta(description="Rows.")] = None
    metrics: Annotated[
        Annotated[list[Line], Meta(min_length=1, max_length=500)] | None, Meta(description="Of metric: its lines.")
    ] = None
    view: Annotated[
        Literal["timeSeries", "singleValue", "gauge", "bar", "pie", "table"] | None,
        Meta(description="Of metric, log: how. Left out: timeSeries; of log: table."),
    ] = None
    stacked: Annotated[bool, Meta(description="Of metric: lines on top of each other.")] = False
    statistic: Annotated[
        Annotated[str, Meta(pattern=STATISTIC)] | None, Meta(description="Of metric: of lines without one.")
    ] = None
    period: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="Of metric: of lines without one.")] = None
    lowest: Annotated[float | None, Meta(description="Of metric: where the left scale begins.")] = None
    highest: Annotated[float | None, Meta(description="Of metric: where the left scale ends; a gauge needs both.")] = (
        None
    )
    marks: Annotated[list[Mark] | None, Meta(description="Of metric: thresholds drawn across.")] = None
    markdown: Annotated[str | None, Meta(description="Of text: what it says.")] = None
    alarms: Annotated[
        Annotated[list[Annotated[str, Meta(pattern=r"^arn:")]], Meta(min_length=1, max_length=100)] | None,
        Meta(description="Of alarm: ARNs of the alarms.", examples=["${db-alarms.arns}"]),
    ] = None
    query: Annotated[str | None, Meta(description="Of log: a query of Logs Insights, without SOURCE.")] = None
    log_groups: Annotated[
        Annotated[list[str], Meta(min_length=1, max_length=50)] | None, Meta(description="Of log: names of its groups.")
    ] = None
    region: Annotated[str | None, Meta(description="Region of its metrics or logs; left out: the step's.")] = None
    body: Annotated[dict[str, Any] | None, Meta(description="Of raw: the widget as CloudWatch writes it.")] = None


_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "metric": (
        "metrics", "view", "stacked", "statistic", "period", "lowest", "highest", "marks", "region", "title",
    ),
    "text": ("markdown",),
    "alarm": ("alarms", "title"),
    "log": ("query", "log_groups", "view", "region", "title"),
    "raw": ("body",),
}  # fmt: skip
_NEEDED: Final = {"metric": "metrics", "text": "markdown", "alarm": "alarms", "log": "query", "raw": "body"}


def complaint(widgets: Widgets) -> str | None:
    """What a widget lacks, or has that is another type's.

    >>> complaint([{"type": "text", "title": "Database"}])
    'widgets[0]: text needs markdown'
    """
    for number, widget in enumerate(widgets):
        kind = widget["type"]
        if widget.get(_NEEDED[kind]) is None or (kind == "log" and not widget.get("log_groups")):
            return f"widgets[{number}]: {kind} needs {_NEEDED[kind]}{' and log_groups' if kind == 'log' else ''}"
        known = ("type", "width", "height", *_OF[kind])
        if extra := [name for name, value in widget.items() if name not in known and value not in (None, False)]:
            return f"widgets[{number}]: {extra[0]} is none of a widget of type {kind}"
        if told := next(filter(None, map(_line_complaint, widget.get("metrics") or ())), None):
            return f"widgets[{number}].metrics: {told}"
        if widget.get("view") == "gauge" and None in (widget.get("lowest"), widget.get("highest")):
            return f"widgets[{number}]: a gauge needs lowest and highest"
    return None


def _line_complaint(line: Mapping[str, Any]) -> str | None:
    if line.get("expression"):
        return "an expression has no metric" if line.get("metric") or line.get("namespace") else None
    return None if line.get("metric") and line.get("namespace") else "give namespace and metric, or an expression"


def same(wanted: Widgets, seen: Widgets) -> bool:
    """Whether two lists of widgets make one dashboard."""
    return to_body(_decoded(wanted), "") == to_body(_decoded(seen), "")


def _decoded(widgets: Widgets) -> list[Widget]:
    return msgspec.convert([plain(dict(widget)) for widget in widgets], list[Widget])


def to_body(widgets: Sequence[Widget], region: str) -> list[dict[str, Any]]:
    """The widgets as CloudWatch writes them; ``region`` is that of widgets without one."""
    return [{**place, **_written(widget, region)} for widget, place in zip(widgets, _places(widgets), strict=True)]


def _places(widgets: Sequence[Widget]) -> Iterator[dict[str, int]]:
    x = y = tallest = 0
    for widget in widgets:
        default = _SIZES[widget.type]
        body = widget.body or {}
        width = int(widget.width or body.get("width") or default[0])
        height = int(widget.height or body.get("height") or default[1])
        if x + width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        yield {"x": x, "y": y, "width": width, "height": height}
        x, tallest = x + width, max(tallest, height)


def _written(widget: Widget, region: str) -> dict[str, Any]:
    if widget.type == "raw":
        return dict(widget.body or {})
    properties = {
        "metric": _metric, "text": lambda w, r: {"markdown": w.markdown}, "alarm": _alarm, "log": _log,
    }[widget.type](widget, widget.region or region)  # fmt: skip
    title = {"title": widget.title} if widget.title is not None else {}
    return {"type": widget.type, "properties": {**properties, **title}}


def _alarm(widget: Widget, region: str) -> dict[str, Any]:
    return {"alarms": list(widget.alarms or ())}


def _log(widget: Widget, region: str) -> dict[str, Any]:
    sources = " | ".join(f"SOURCE '{group}'" for group in widget.log_groups or ())
    return {"query": f"{sources} | {widget.query}", "region": region, "view": widget.view or "table"}


def _metric(widget: Widget, region: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "metrics": [_drawn(line) for line in widget.metrics or ()],
        "view": widget.view or "timeSeries",
        "stacked": widget.stacked,
        "region": region,
    }
    told |= {"stat": widget.statistic} if widget.statistic else {}
    told |= {"period": widget.period} if widget.period else {}
    ends = {"min": widget.lowest, "max": widget.highest}
    if left := {name: value for name, value in ends.items() if value is not None}:
        told["yAxis"] = {"left": left}
    if widget.marks:
        told["annotations"] = {"horizontal": [plain(mark) for mark in widget.marks]}
    return told


_LINE: Final = {"statistic": "stat", "id": "id", "label": "label", "period": "period", "expression": "expression"}


def _drawn(line: Line) -> list[Any]:
    how = {name: getattr(line, field) for field, name in _LINE.items() if getattr(line, field) is not None}
    how |= {} if line.visible else {"visible": False}
    how |= {"yAxis": "right"} if line.right_axis else {}
    if line.expression is not None:
        return [how]
    pairs = [part for pair in sorted((line.dimensions or {}).items()) for part in pair]
    return [line.namespace, line.metric, *pairs, *([how] if how else [])]


def from_body(body: Sequence[Mapping[str, Any]], region: str) -> list[dict[str, Any]]:
    """The widgets of a body in a plan's words; ``region``: the one that need not be said."""
    read = [_read(widget, region) for widget in body]
    again = to_body(_decoded(read), region)
    return [
        told if made == dict(there) else {"type": "raw", "body": dict(there)}
        for told, made, there in zip(read, again, body, strict=True)
    ]


def _read(there: Mapping[str, Any], region: str) -> dict[str, Any]:
    """As well as it can be said: whether that is all of it, :func:`from_body` finds out."""
    raw = {"type": "raw", "body": dict(there)}
    kind, properties = there.get("type"), there.get("properties")
    if kind not in _OF or kind == "raw" or not isinstance(properties, dict):
        return raw
    kind = str(kind)
    told: dict[str, Any] = {"type": kind}
    sizes = dict(zip(("width", "height"), _SIZES[kind], strict=True))
    told |= {name: there[name] for name, usual in sizes.items() if there.get(name, usual) != usual}
    told |= {name: properties[name] for name in ("title", "markdown", "alarms", "period") if name in properties}
    if properties.get("region", region) != region:
        told["region"] = properties["region"]
    try:
        told |= _read_metric(properties) if kind == "metric" else _read_log(properties) if kind == "log" else {}
        msgspec.convert(told, Widget)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError):
        return raw  # somebody else's handwriting
    return told


def _read_log(properties: Mapping[str, Any]) -> dict[str, Any]:
    parts = str(properties["query"]).split(" | ")
    groups = [part[8:-1] for part in parts if part.startswith("SOURCE '")]
    view = {} if properties.get("view") == "table" else {"view": properties["view"]}
    return {"log_groups": groups, "query": " | ".join(parts[len(groups) :]), **view}


def _read_metric(properties: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"metrics": [_read_line(line) for line in properties["metrics"]]}
    told |= {} if properties["view"] == "timeSeries" else {"view": properties["view"]}
    told |= {"stacked": True} if properties["stacked"] else {}
    told |= {"statistic": properties["stat"]} if "stat" in properties else {}
    left = properties.get("yAxis", {}).get("left", {})
    told |= {name: left[end] for name, end in (("lowest", "min"), ("highest", "max")) if end in left}
    marks = properties.get("annotations", {}).get("horizontal")
    return told | ({"marks": marks} if marks else {})


def _read_line(line: list[Any]) -> dict[str, Any]:
    how: dict[str, Any] = line[-1] if isinstance(line[-1], dict) else {}
    told = {field: how[name] for field, name in _LINE.items() if name in how}
    told |= {"visible": False} if how.get("visible") is False else {}
    told |= {"right_axis": True} if how.get("yAxis") == "right" else {}
    names = [part for part in line if not isinstance(part, dict)]
    if not names:
        return told
    dimensions = dict(zip(names[2::2], names[3::2], strict=True))
    return {"namespace": names[0], "metric": names[1], **({"dimensions": dimensions} if dimensions else {}), **told}
