"""Cache parameter groups: make, change, reset, describe; changes reach the servers that use them."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.elasticache.catalogue import FAMILIES
from provisioner.sandbox.aws.elasticache.parameter_table import CacheParameter, parameters
from provisioner.sandbox.aws.elasticache.state import CacheParameterGroup, CacheRegion
from provisioner.sandbox.aws.strict import Params, Result, page

_NAME: Final = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
_MOST: Final = 20


def find(region: CacheRegion, name: str) -> CacheParameterGroup:
    """The group with this name; groups named ``default.FAMILY`` exist in every account."""
    key = name.lower()
    if key.startswith("default.") and key.removeprefix("default.") in FAMILIES:
        family = key.removeprefix("default.")
        return CacheParameterGroup(key, family, f"Default parameter group for {family}")
    if key not in region.parameter_groups:
        raise AwsError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
    return region.parameter_groups[key]


def create(region: CacheRegion, p: Params, call: Call) -> Result:
    """CreateCacheParameterGroup."""
    name = p["CacheParameterGroupName"].lower()
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise AwsError(
            "InvalidParameterValue", f"The parameter CacheParameterGroupName is not a valid identifier: {name}"
        )
    if p["CacheParameterGroupFamily"] not in FAMILIES:
        raise AwsError(
            "InvalidParameterValue",
            f"CacheParameterGroupFamily {p['CacheParameterGroupFamily']} is not a valid parameter group family",
        )
    if name in region.parameter_groups:
        raise AwsError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists.")
    region.tag(region.arn("parametergroup", name), p.get("Tags", []))
    group = CacheParameterGroup(name, p["CacheParameterGroupFamily"], p["Description"])
    region.parameter_groups[name] = group
    return {"CacheParameterGroup": _view(region, group)}


def _view(region: CacheRegion, group: CacheParameterGroup) -> dict[str, Any]:
    return {
        "CacheParameterGroupName": group.name,
        "CacheParameterGroupFamily": group.family,
        "Description": group.description,
        "IsGlobal": False,
        "ARN": region.arn("parametergroup", group.name),
    }


def describe(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeCacheParameterGroups, the default ones included."""
    if p.get("CacheParameterGroupName"):
        return {"CacheParameterGroups": [_view(region, find(region, p["CacheParameterGroupName"]))]}
    groups = [*region.parameter_groups.values(), *(find(region, f"default.{family}") for family in FAMILIES)]
    shown, marker = page(groups, p, lambda g: g.name)
    return {"CacheParameterGroups": [_view(region, g) for g in shown], "Marker": marker}


def _changeable(region: CacheRegion, name: str) -> CacheParameterGroup:
    group = find(region, name)
    if group.name not in region.parameter_groups:
        raise AwsError(
            "InvalidCacheParameterGroupState", f"Default parameter group {group.name} cannot be modified or deleted."
        )
    return group


def _checked(group: CacheParameterGroup, name: str | None) -> CacheParameter:
    parameter = parameters(group.family).get(name or "")
    if parameter is None:
        raise AwsError("InvalidParameterValue", f"The parameter {name} does not exist in {group.family}.")
    if parameter.change == "fixed":
        raise AwsError("InvalidParameterValue", f"The parameter {name} cannot be modified.")
    return parameter


def modify(region: CacheRegion, p: Params, call: Call) -> Result:
    """ModifyCacheParameterGroup: at most 20 parameters, all or none."""
    group = _changeable(region, p["CacheParameterGroupName"])
    changes = p["ParameterNameValues"]
    if not 1 <= len(changes) <= _MOST:
        raise AwsError("InvalidParameterValue", f"one call changes 1 to {_MOST} parameters, not {len(changes)}")
    for change in changes:
        _checked(group, change.get("ParameterName")).check(change.get("ParameterValue", ""))
    for change in changes:
        group.values[change["ParameterName"]] = change.get("ParameterValue", "")
    _spread(region, group, [change["ParameterName"] for change in changes])
    return {"CacheParameterGroupName": group.name}


def reset(region: CacheRegion, p: Params, call: Call) -> Result:
    """ResetCacheParameterGroup: all parameters, or those that are named."""
    group = _changeable(region, p["CacheParameterGroupName"])
    changes = p.get("ParameterNameValues", [])
    if not p.get("ResetAllParameters") and not changes:
        raise AwsError("InvalidParameterCombination", "Either ResetAllParameters or ParameterNameValues must be given.")
    names = (
        list(group.values)
        if p.get("ResetAllParameters")
        else [_checked(group, c.get("ParameterName")).name for c in changes]
    )
    for name in names:
        group.values.pop(name, None)
    _spread(region, group, names)
    return {"CacheParameterGroupName": group.name}


def delete(region: CacheRegion, p: Params, call: Call) -> Result:
    """DeleteCacheParameterGroup: refused while a replication group uses it."""
    group = _changeable(region, p["CacheParameterGroupName"])
    users = [g.ident for g in region.using_parameter_group(group.name)]
    if users:
        raise AwsError(
            "InvalidCacheParameterGroupState",
            f"One or more cache clusters are still members of this parameter group {group.name} ({users[0]}), "
            "so the group cannot be deleted.",
        )
    del region.parameter_groups[group.name]
    region.tags.pop(region.arn("parametergroup", group.name), None)
    return {}


def describe_parameters(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeCacheParameters: the user's values, the defaults, or both."""
    group = find(region, p["CacheParameterGroupName"])
    source = p.get("Source")
    if source not in (None, "user", "system", "engine-default"):
        raise AwsError("InvalidParameterValue", f"Invalid source: {source}")
    rows = [_parameter_view(group, parameter) for parameter in parameters(group.family).values()]
    rows = [row for row in rows if source in (None, row["Source"])]
    shown, marker = page(rows, p, lambda row: str(row["ParameterName"]))
    return {"Parameters": shown, "CacheNodeTypeSpecificParameters": [], "Marker": marker}


def describe_engine_defaults(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeEngineDefaultParameters."""
    family = p["CacheParameterGroupFamily"]
    if family not in FAMILIES:
        raise AwsError(
            "InvalidParameterValue", f"CacheParameterGroupFamily {family} is not a valid parameter group family"
        )
    group = CacheParameterGroup("", family, "")
    rows = [_parameter_view(group, parameter) for parameter in parameters(family).values()]
    shown, marker = page(rows, p, lambda row: str(row["ParameterName"]))
    return {"EngineDefaults": {"CacheParameterGroupFamily": family, "Parameters": shown, "Marker": marker}}


def _parameter_view(group: CacheParameterGroup, parameter: CacheParameter) -> dict[str, Any]:
    mine = parameter.name in group.values
    return {
        "ParameterName": parameter.name,
        "ParameterValue": group.values[parameter.name] if mine else parameter.default,
        "Description": parameter.description,
        "Source": "user" if mine else "system",
        "DataType": parameter.kind,
        "AllowedValues": parameter.allowed or None,
        "IsModifiable": parameter.change != "fixed",
        "ChangeType": "immediate" if parameter.change == "fixed" else parameter.change,
    }


def server_values(group: CacheParameterGroup) -> dict[str, str]:
    """What a group makes the Valkey behind run with: AWS's defaults and the user's values, where Valkey has them."""
    rows = parameters(group.family)
    values = {name: row.default for name, row in rows.items()} | group.values
    return {name: value for name, value in values.items() if rows[name].known_to_server}


def _spread(region: CacheRegion, group: CacheParameterGroup, names: list[str]) -> None:
    """Let every server that uses the group have its changes."""
    values = server_values(group)
    rows = parameters(group.family)
    for user in region.using_parameter_group(group.name):
        if any(rows[name].change == "requires-reboot" for name in names):
            user.parameter_status = "pending-reboot"
        if user.addresses is not None and user.status != "deleting":
            configure = partial(region.world.databases.configure_valkey, user.database, values)
            region.world.jobs.do(user.database, configure)
