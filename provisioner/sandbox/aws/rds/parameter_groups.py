"""DB parameter groups: make, change, reset, describe; and what they mean for the servers that use them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.rds import versions
from provisioner.sandbox.aws.rds.parameter_table import Parameter, default_of, parameters
from provisioner.sandbox.aws.rds.server_values import translated, values_for
from provisioner.sandbox.aws.rds.state import Instance, ParameterGroup, RdsRegion
from provisioner.sandbox.aws.strict import Params, Result, page

_NAME: Final = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
_MOST: Final = 20


def find(region: RdsRegion, name: str) -> ParameterGroup:
    """The group with this name; groups named ``default.FAMILY`` exist in every account."""
    key = name.lower()
    if key.startswith("default.") and key.removeprefix("default.") in versions.families():
        family = key.removeprefix("default.")
        return ParameterGroup(key, family, f"Default parameter group for {family}")
    if key not in region.parameter_groups:
        raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
    return region.parameter_groups[key]


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateDBParameterGroup."""
    name = p["DBParameterGroupName"].lower()
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise AwsError(
            "InvalidParameterValue",
            f"The parameter DBParameterGroupName is not a valid identifier: {name}. It has 1 to 255 letters, digits "
            "and hyphens, starts with a letter, and has no hyphen at its end nor two in a row.",
        )
    if p["DBParameterGroupFamily"] not in versions.families():
        raise AwsError(
            "InvalidParameterValue",
            f"ParameterGroupFamily {p['DBParameterGroupFamily']} is not a valid parameter group family",
        )
    if name in region.parameter_groups:
        raise AwsError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    if not p["Description"]:
        raise AwsError("InvalidParameterValue", "Description must not be empty")
    region.tag(region.arn("pg", name), p.get("Tags", []))
    group = region.parameter_groups[name] = ParameterGroup(name, p["DBParameterGroupFamily"], p["Description"])
    return {"DBParameterGroup": _view(region, group)}


def _view(region: RdsRegion, group: ParameterGroup) -> dict[str, Any]:
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": region.arn("pg", group.name),
    }


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBParameterGroups, the default ones included."""
    if p.get("DBParameterGroupName"):
        return {"DBParameterGroups": [_view(region, find(region, p["DBParameterGroupName"]))]}
    groups = [*region.parameter_groups.values(), *(find(region, f"default.{f}") for f in versions.families())]
    shown, marker = page(groups, p, lambda g: g.name)
    return {"DBParameterGroups": [_view(region, g) for g in shown], "Marker": marker}


def modify(region: RdsRegion, p: Params, call: Call) -> Result:
    """ModifyDBParameterGroup: at most 20 parameters, all or none."""
    group = _changeable(region, p["DBParameterGroupName"])
    changes = p["Parameters"]
    if not 1 <= len(changes) <= _MOST:
        raise AwsError("InvalidParameterValue", f"one call changes 1 to {_MOST} parameters, not {len(changes)}")
    for change in changes:
        parameter = _checked(group, change)
        if change.get("ParameterValue") is None:
            raise AwsError("InvalidParameterValue", f"The parameter {parameter.name} has no ParameterValue")
        parameter.check(change["ParameterValue"])
    for change in changes:
        group.values[change["ParameterName"]] = change["ParameterValue"]
        group.methods[change["ParameterName"]] = change.get("ApplyMethod") or "pending-reboot"
    _spread(region, group, [c["ParameterName"] for c in changes if c.get("ApplyMethod") == "immediate"])
    return {"DBParameterGroupName": group.name}


def _changeable(region: RdsRegion, name: str) -> ParameterGroup:
    group = find(region, name)
    if group.name not in region.parameter_groups:
        raise AwsError(
            "InvalidDBParameterGroupState", f"Default parameter group {group.name} cannot be modified or deleted"
        )
    return group


def _checked(group: ParameterGroup, change: dict[str, Any]) -> Parameter:
    name = change.get("ParameterName")
    if not name:
        raise AwsError("InvalidParameterValue", "a parameter has no ParameterName")
    parameter = parameters(group.family).get(name)
    if parameter is None:
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if not parameter.modifiable:
        raise AwsError("InvalidParameterValue", f"The parameter {name} cannot be modified.")
    if change.get("ApplyMethod") == "immediate" and not parameter.dynamic:
        raise AwsError(
            "InvalidParameterCombination",
            f"cannot use immediate apply method for static parameter {name}",
        )
    return parameter


def reset(region: RdsRegion, p: Params, call: Call) -> Result:
    """ResetDBParameterGroup: all parameters, or those that are named."""
    group = _changeable(region, p["DBParameterGroupName"])
    changes = p.get("Parameters", [])
    if p.get("ResetAllParameters", not changes):
        names = list(group.values)
        immediate = [name for name in names if parameters(group.family)[name].dynamic]
    else:
        if len(changes) > _MOST:
            raise AwsError("InvalidParameterValue", f"one call resets at most {_MOST} parameters")
        names = [_checked(group, change).name for change in changes]
        immediate = [c["ParameterName"] for c in changes if c.get("ApplyMethod") == "immediate"]
    for name in names:
        group.values.pop(name, None)
        group.methods.pop(name, None)
    _spread(region, group, immediate)
    return {"DBParameterGroupName": group.name}


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteDBParameterGroup: refused while an instance uses it."""
    group = _changeable(region, p["DBParameterGroupName"])
    users = [i.ident for i in region.using_parameter_group(group.name)]
    if users:
        raise AwsError(
            "InvalidDBParameterGroupState",
            f"One or more database instances are still members of this parameter group {group.name} ({users[0]}), "
            "so the group cannot be deleted",
        )
    del region.parameter_groups[group.name]
    region.tags.pop(region.arn("pg", group.name), None)
    return {}


def describe_parameters(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBParameters: the user's values, the defaults, or both."""
    group = find(region, p["DBParameterGroupName"])
    source = p.get("Source")
    if source not in (None, "user", "system", "engine-default"):
        raise AwsError("InvalidParameterValue", f"Invalid source: {source}")
    rows = [_parameter_view(group, parameter) for parameter in parameters(group.family).values()]
    rows = [row for row in rows if source in (None, row["Source"])]
    shown, marker = page(rows, p, lambda row: str(row["ParameterName"]))
    return {"Parameters": shown, "Marker": marker}


def describe_engine_defaults(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeEngineDefaultParameters."""
    family = p["DBParameterGroupFamily"]
    if family not in versions.families():
        raise AwsError("InvalidParameterValue", f"ParameterGroupFamily {family} is not a valid parameter group family")
    group = ParameterGroup("", family, "")
    shown, marker = page(
        [_parameter_view(group, row) for row in parameters(family).values()], p, lambda r: str(r["ParameterName"])
    )
    return {"EngineDefaults": {"DBParameterGroupFamily": family, "Parameters": shown, "Marker": marker}}


def _parameter_view(group: ParameterGroup, parameter: Parameter) -> dict[str, Any]:
    mine = parameter.name in group.values
    default = default_of(parameter, group.family)
    return {
        "ParameterName": parameter.name,
        "ParameterValue": group.values[parameter.name] if mine else default or None,
        "Description": parameter.description,
        "Source": "user" if mine else "system" if default else "engine-default",
        "ApplyType": "dynamic" if parameter.dynamic else "static",
        "DataType": parameter.kind,
        "AllowedValues": parameter.allowed or None,
        "IsModifiable": parameter.modifiable,
        "ApplyMethod": group.methods.get(parameter.name, "pending-reboot"),
    }


def _spread(region: RdsRegion, group: ParameterGroup, immediate: Iterable[str]) -> None:
    """Let every server that uses the group have its dynamic changes now, and mark those that need a reboot."""
    now = set(immediate)
    for instance in region.using_parameter_group(group.name):
        wanted = values_for(group, instance.settings["DBInstanceClass"])
        if instance.parameter_status == "in-sync" and now:
            _apply(region, instance, wanted, now)
        if any(instance.in_force.get(name) != wanted.get(name) for name in {*wanted, *instance.in_force}):
            instance.parameter_status = "pending-reboot"


def _apply(region: RdsRegion, instance: Instance, wanted: dict[str, str], names: set[str]) -> None:
    """Reload a server with the named parameters as wanted; the others stay as they are."""
    values = {n: v for n, v in instance.in_force.items() if n not in names}
    values |= {n: v for n, v in wanted.items() if n in names}
    instance.in_force = values
    if instance.address:
        database, settings = instance.database, translated(values)
        region.world.jobs.do(
            database, lambda: region.world.databases.configure_postgres(database, settings, restart=False)
        )
