"""CloudWatch: what an alarm on metric maths must say."""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.maths import ExpressionError, names_in

_INVALID: Final = "ValidationError"
_MOST_METRICS: Final = 10


def check(wish: dict[str, Any]) -> None:
    """AwsError unless the lines of ``Metrics`` make an alarm: one returns data, and every name is a line's."""
    lines = wish["Metrics"]
    ids = [line["Id"] for line in lines]
    if len(set(ids)) < len(ids):
        raise AwsError(_INVALID, "The values for parameter id in MetricDataQuery are not unique")
    if sum(line.get("ReturnData") is not False for line in lines) != 1:
        raise AwsError(_INVALID, "Exactly one element of the metrics list should return data.")
    if sum(bool(line.get("MetricStat")) for line in lines) > _MOST_METRICS:
        raise AwsError(_INVALID, f"An alarm can be based on at most {_MOST_METRICS} metrics")
    for line in lines:
        _check_line(line, ids)
    if not any(line.get("MetricStat") or line.get("Period") for line in lines):
        raise AwsError(_INVALID, "Period must be specified for an expression without metrics")


def _check_line(line: dict[str, Any], ids: list[str]) -> None:
    if bool(line.get("MetricStat")) == bool(line.get("Expression")):
        raise AwsError(_INVALID, f"{line['Id']}: exactly one of MetricStat and Expression must be given")
    if line.get("MetricStat"):
        period = line["MetricStat"]["Period"]
        if period not in (10, 20, 30) and period % 60:
            raise AwsError(_INVALID, f"Period must be 10, 20, 30 or a multiple of 60, not {period}")
        return
    try:
        unknown = [name for name in names_in(line["Expression"]) if name not in ids]
    except ExpressionError as err:
        raise AwsError(_INVALID, f"Error in expression '{line['Id']}': {err}") from err
    if unknown:
        raise AwsError(_INVALID, f"Error in expression '{line['Id']}': Unknown identifier {unknown[0]}")
