"""CloudWatch: dashboards, which belong to the account and not to a region, with what AWS says of a body."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules.alarmstore import SERVICE, answer_tags, set_tags
from provisioner.sandbox.aws.strict import checked_tags
from provisioner.sandbox.aws.wire import answer, parameters
from provisioner.sandbox.settings import ACCOUNT, REGION

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_INVALID: Final = "InvalidParameterInput"
_MISSING: Final = "ResourceNotFound"
_TYPES: Final = ("metric", "text", "alarm", "log", "explorer", "custom", "chart", "trace")
_MOST_WIDGETS, _PAGE, _AT_ONCE = 500, 1000, 100


def _backend(services: Services) -> Any:
    services.world.moto.touch(SERVICE)
    return services.world.moto.backend(SERVICE, REGION)


def put(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A body that shows something; what is odd about it is said, and it is saved all the same. Tags: at the start."""
    wish = parameters(call, "InvalidParameterValue")
    name = wish["DashboardName"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
        raise AwsError("InvalidParameterValue", f"The dashboard name {name} is not valid")
    faults, warnings = _judged(wish["DashboardBody"])
    if faults:
        raise AwsError(
            _INVALID,
            f"The dashboard body is invalid, there are {len(faults)} validation errors: {json.dumps(faults, indent=2)}",
        )
    marks = checked_tags(wish.get("Tags") or [])
    with services.world.moto.lock(SERVICE):
        backend = _backend(services)
        before = backend.dashboards.get(name)
        made = backend.put_dashboard(name, wish["DashboardBody"])
        if before is None and marks:
            set_tags(backend, made.arn, marks)
    told = [{"DataPath": one["dataPath"], "Message": one["message"]} for one in warnings]
    return answer(call, {"DashboardValidationMessages": told})


def _judged(text: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(errors, warnings) of a body."""
    try:
        body = json.loads(text)
        widgets = body["widgets"]
        assert isinstance(widgets, list)
    except (ValueError, KeyError, TypeError, AssertionError):
        return [_said("", 'The field "widgets" must be present and an array')], []
    if len(widgets) > _MOST_WIDGETS:
        return [_said("/widgets", f"Should NOT have more than {_MOST_WIDGETS} items")], []
    faults = [fault for number, widget in enumerate(widgets) for fault in _faults(f"/widgets/{number}", widget)]
    known = ("widgets", "start", "end", "periodOverride", "variables")
    return faults, [_said(f"/{name}", "Should NOT have additional properties") for name in body if name not in known]


def _said(path: str, message: str) -> dict[str, str]:
    return {"dataPath": path, "message": message}


def _faults(path: str, widget: Any) -> Iterator[dict[str, str]]:
    if not isinstance(widget, Mapping) or widget.get("type") not in _TYPES:
        yield _said(f"{path}/type", f"Should be equal to one of the allowed values: {', '.join(_TYPES)}")
        return
    for name, least, most in (("x", 0, 23), ("y", 0, None), ("width", 1, 24), ("height", 1, 1000)):
        value = widget.get(name, least)
        if not isinstance(value, int) or value < least or (most is not None and value > most):
            yield _said(f"{path}/{name}", f"Should be an integer from {least}{f' to {most}' if most else ''}")
    properties = widget.get("properties")
    if not isinstance(properties, Mapping):
        yield _said(path, "Should have required property 'properties'")
        return
    place = f"{path}/properties"
    match widget["type"]:
        case "metric":
            yield from _of_metric(place, properties)
        case "text" if not isinstance(properties.get("markdown"), str):
            yield _said(place, "Should have required property 'markdown'")
        case "alarm" if not properties.get("alarms"):
            yield _said(f"{place}/alarms", "Should NOT have less than 1 items")
        case "log":
            for name in ("query", "region"):
                if not properties.get(name):
                    yield _said(place, f"Should have required property '{name}'")


def _of_metric(place: str, properties: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    marked = (properties.get("annotations") or {}).get("alarms")
    if not properties.get("region") or not (properties.get("metrics") or marked):
        yield _said(place, "The metric widget should have specified a region and a data source or an alarm annotation")
        return
    for number, line in enumerate(properties.get("metrics") or []):
        names = [part for part in line if not isinstance(part, Mapping)] if isinstance(line, list) else None
        expression = isinstance(line, list) and line and isinstance(line[-1], Mapping) and "expression" in line[-1]
        if names is None or any(not isinstance(part, str) for part in names):
            yield _said(f"{place}/metrics/{number}", "Should be array")
        elif not expression and (len(names) < 2 or len(names) % 2):
            yield _said(f"{place}/metrics/{number}", "Should have a namespace, a metric and pairs of dimensions")


def get(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """The body, as it was put."""
    name = parameters(call, "InvalidParameterValue")["DashboardName"]
    with services.world.moto.lock(SERVICE):
        found = _backend(services).dashboards.get(name)
        if found is None:
            raise AwsError(_MISSING, f"Dashboard {name} does not exist", 404)
        return answer(call, {"DashboardArn": found.arn, "DashboardBody": found.body, "DashboardName": name})


def listed(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """All of the account, in the order of their names."""
    wish = parameters(call, "InvalidParameterValue")
    prefix, after = wish.get("DashboardNamePrefix") or "", wish.get("NextToken") or ""
    with services.world.moto.lock(SERVICE):
        kept = _backend(services).dashboards
        names = sorted(name for name in kept if name.startswith(prefix) and name > after)
        entries = [
            {
                "DashboardName": name,
                "DashboardArn": kept[name].arn,
                "LastModified": kept[name].last_modified.astimezone(UTC),
                "Size": len(kept[name].body),
            }
            for name in names[:_PAGE]
        ]
    token = names[_PAGE - 1] if len(names) > _PAGE else None
    return answer(call, {"DashboardEntries": entries, "NextToken": token})


def delete(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Those that there are go; a name that is none is told."""
    names = list(dict.fromkeys(parameters(call, "InvalidParameterValue")["DashboardNames"]))
    if len(names) > _AT_ONCE:
        raise AwsError("InvalidParameterValue", f"at most {_AT_ONCE} dashboards at once")
    with services.world.moto.lock(SERVICE):
        backend = _backend(services)
        missing = [name for name in names if name not in backend.dashboards]
        for name in names:
            if (gone := backend.dashboards.pop(name, None)) is not None:
                backend.tagger.delete_all_tags_for_resource(gone.arn)
    if missing:
        raise AwsError(_MISSING, f"Dashboard {', '.join(missing)} does not exist", 404)
    return answer(call, {})


def tags(call: Call, services: Services, wish: dict[str, Any]) -> Reply:
    """Tags of a dashboard, whichever region is asked."""
    arn = wish["ResourceARN"]
    with services.world.moto.lock(SERVICE):
        backend = _backend(services)
        if arn not in {f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}" for name in backend.dashboards}:
            raise AwsError("ResourceNotFoundException", f"{arn} does not exist")
        return answer_tags(call, backend, wish)
