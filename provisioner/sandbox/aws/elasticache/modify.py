"""ModifyReplicationGroup, and the three ways to change who may log in."""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.elasticache import checks, parameter_groups
from provisioner.sandbox.aws.elasticache.catalogue import resolve
from provisioner.sandbox.aws.elasticache.checks import combination
from provisioner.sandbox.aws.elasticache.groups import refuse_not_offered
from provisioner.sandbox.aws.elasticache.state import CacheRegion, ReplicationGroup
from provisioner.sandbox.aws.elasticache.views import group_view
from provisioner.sandbox.aws.lifecycle import Stage
from provisioner.sandbox.aws.strict import Params, Result

Settings = dict[str, Any]

_NAMES: Final = {
    "ReplicationGroupDescription": "Description",
    "AutomaticFailoverEnabled": "AutomaticFailover",
    "MultiAZEnabled": "MultiAZ",
}
_INSTANT: Final = frozenset({
    "Description", "PreferredMaintenanceWindow", "SnapshotWindow", "SnapshotRetentionLimit", "AutoMinorVersionUpgrade",
    "SecurityGroupIds", "NotificationTopicArn",
})  # fmt: skip
_DEFERRED: Final = frozenset({
    "CacheNodeType", "EngineVersion", "AutomaticFailover", "MultiAZ", "CacheParameterGroupName", "Engine",
})  # fmt: skip
_OTHERWISE: Final = frozenset({
    "ReplicationGroupId", "ApplyImmediately", "AuthToken", "AuthTokenUpdateStrategy",
    "NotificationTopicStatus", "EngineVersion",
    "TransitEncryptionEnabled", "TransitEncryptionMode", "SnapshottingClusterId",
})  # fmt: skip


def modify(region: CacheRegion, p: Params, call: Call) -> Result:
    """ModifyReplicationGroup."""
    group = region.group(p["ReplicationGroupId"])
    refuse_not_offered(p)
    if group.lifecycle.busy or group.status != "available":
        raise AwsError(
            "InvalidReplicationGroupState", f"Replication group {group.ident} is {group.status}; it must be available."
        )
    now = p.get("ApplyImmediately", False)
    changes = _changes(group, p)
    tokens = _tokens(group, p, now=now)
    target = group.settings | group.pending | changes
    checks.check_settings(region, target)
    group.settings = group.settings | {n: v for n, v in changes.items() if n in _INSTANT}
    group.pending |= {n: v for n, v in changes.items() if n in _DEFERRED and v != group.settings[n]}
    taking = dict(group.pending) if now else {}
    if taking or tokens is not None:
        _go(region, group, taking, tokens, call)
    return {"ReplicationGroup": group_view(region, group)}


def _changes(group: ReplicationGroup, p: Params) -> Settings:
    if (
        p.get("TransitEncryptionEnabled", group.settings["TransitEncryptionEnabled"])
        != group.settings["TransitEncryptionEnabled"]
    ):
        raise AwsError("NotImplemented", "the sandbox does not offer to switch encryption in transit on or off", 501)
    changes: Settings = {}
    for name, wish in p.items():
        setting = _NAMES.get(name, name)
        if name in _OTHERWISE:
            continue
        if setting not in _INSTANT | _DEFERRED:
            raise AwsError("NotImplemented", f"the sandbox does not offer ModifyReplicationGroup with {name}", 501)
        changes[setting] = (
            wish.lower() if setting in ("CacheParameterGroupName", "PreferredMaintenanceWindow") else wish
        )
    engine = changes.get("Engine", group.settings["Engine"])
    if engine != group.settings["Engine"] and engine != "valkey":
        raise combination("A Valkey replication group cannot be changed to Redis.")
    if p.get("EngineVersion"):
        version, family = resolve(engine, p["EngineVersion"])
        if engine == group.settings["Engine"] and version < group.settings["EngineVersion"]:
            raise combination(f"Cannot downgrade from {group.settings['EngineVersion']} to {version}")
        changes["EngineVersion"] = version
        if "CacheParameterGroupName" not in changes and group.settings["CacheParameterGroupName"].startswith(
            "default."
        ):
            changes["CacheParameterGroupName"] = f"default.{family}"
    if p.get("NotificationTopicStatus") == "inactive":
        changes["NotificationTopicArn"] = None
    return changes


def _tokens(group: ReplicationGroup, p: Params, *, now: bool) -> list[str] | None:
    """The tokens that are valid after the call; None where it does not touch them.

    ROTATE adds a token beside the one before, and beside *no* token where there was none: passwordless clients go on,
    as they do in AWS, until SET. SET makes one token the only one. DELETE lets everybody in.
    """
    token, strategy = p.get("AuthToken"), p.get("AuthTokenUpdateStrategy")
    if token is None and strategy is None:
        return None
    strategy = strategy or "ROTATE"
    if not now:
        raise combination("AuthToken can be modified only with ApplyImmediately.")
    if not group.settings["TransitEncryptionEnabled"]:
        raise combination("AuthToken can be modified only when encryption in transit is enabled.")
    if strategy == "DELETE":
        if token is not None:
            raise combination("AuthToken must not be given with the strategy DELETE.")
        return []
    if token is None:
        raise combination(f"The strategy {strategy} needs an AuthToken.")
    checks.check_token(token)
    if strategy == "SET":
        if group.tokens and token not in group.tokens:
            raise combination("SET is allowed only for a token that was added with ROTATE before.")
        return [token]
    return [*group.tokens[-1:], token] if group.tokens else ["", token]


def _go(region: CacheRegion, group: ReplicationGroup, taking: Settings, tokens: list[str] | None, call: Call) -> None:
    """Take changes through their stage."""
    after = group.settings | taking
    values = parameter_groups.server_values(parameter_groups.find(region, after["CacheParameterGroupName"]))
    reconfigured = "CacheParameterGroupName" in taking
    databases = region.world.databases

    def work() -> None:
        if tokens is not None:
            # A Valkey without a password takes any: that is what "beside no token" means.
            databases.set_valkey_auth(group.database, [] if "" in tokens else tokens)
        if reconfigured:
            databases.configure_valkey(group.database, values)

    def done() -> None:
        group.settings = group.settings | taking
        for name in taking:
            group.pending.pop(name, None)
        if tokens is not None:
            group.tokens = [t for t in tokens if t]
            group.settings["AuthTokenLastModifiedDate"] = region.world.wall()

    seconds = region.world.options.seconds("elasticache:modify")
    stages = [Stage("modifying", seconds, region.world.jobs.do(group.database, work), done, call.held)]
    if call.outcome == "ready-then-failed":
        stages.append(Stage("available", call.outcome_delay))
    failed = call.outcome in ("failed", "ready-then-failed")
    group.lifecycle.follow(stages, rest="create-failed" if failed else "available")
