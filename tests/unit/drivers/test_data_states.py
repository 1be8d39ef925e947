"""How descriptions of databases and caches read: phases above all, as the engine waits and stops by them."""

from typing import Any

import pytest

from provisioner.drivers.aws import cache_state, rds_state
from provisioner.model import Key, Phase

KEY = Key(deployment="app", step="db", name="db")


def _instance(status: str = "available", **more: Any) -> dict[str, Any]:
    return {"DBInstanceStatus": status, "DBInstanceIdentifier": "db", "PendingModifiedValues": {}, **more}


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("available", Phase.READY),
        ("storage-optimization", Phase.READY),
        ("creating", Phase.PENDING),
        ("backing-up", Phase.PENDING),
        ("modifying", Phase.PENDING),
        ("rebooting", Phase.PENDING),
        ("configuring-enhanced-monitoring", Phase.PENDING),
        ("something-that-aws-thinks-of-next-year", Phase.PENDING),
        ("failed", Phase.FAILED),
        ("stopped", Phase.FAILED),
        ("storage-full", Phase.FAILED),
        ("incompatible-parameters", Phase.FAILED),
        ("incompatible-network", Phase.FAILED),
        ("inaccessible-encryption-credentials", Phase.FAILED),
        ("deleting", Phase.DELETING),
    ],
)
def test_every_status_of_an_instance_has_a_phase(status: str, phase: Phase) -> None:
    assert rds_state.phase(_instance(status)) is phase


def test_an_available_instance_with_values_on_their_way_is_not_ready() -> None:
    seen = rds_state.observed(
        _instance(PendingModifiedValues={"DBInstanceClass": "db.t3.small", "MasterUserPassword": "****"}), KEY
    )
    assert seen.phase is Phase.PENDING
    assert seen.detail == "available (pending: DBInstanceClass, MasterUserPassword)"


def test_what_waits_for_the_maintenance_window_is_not_waited_for_until_a_change_of_ours_is_sent() -> None:
    instance = _instance(PendingModifiedValues={"EngineVersion": "15.14"})
    seen = rds_state.observed(instance, KEY, sent=False)
    assert (seen.phase, seen.detail) == (Phase.READY, "available (scheduled: EngineVersion)")
    assert rds_state.phase(instance, sent=True) is Phase.PENDING
    assert rds_state.phase(_instance("modifying"), sent=False) is Phase.PENDING


def test_a_pending_value_that_no_plan_can_name_is_not_waited_for() -> None:
    assert rds_state.phase(_instance(PendingModifiedValues={"DedicatedLogVolume": True})) is Phase.READY


def test_an_empty_list_of_pending_values_is_none() -> None:
    assert rds_state.phase(_instance(PendingModifiedValues={"ProcessorFeatures": []})) is Phase.READY


def test_a_parameter_that_waits_for_a_restart_is_reported_and_not_waited_for() -> None:
    group = {"DBParameterGroupName": "g", "ParameterApplyStatus": "pending-reboot"}
    seen = rds_state.observed(_instance(DBParameterGroups=[group]), KEY)
    assert seen.phase is Phase.READY and seen.spec["parameters_applied"] is False


def test_a_security_group_on_its_way_in_or_out_is_waited_for() -> None:
    assert (
        rds_state.phase(_instance(VpcSecurityGroups=[{"VpcSecurityGroupId": "sg-1", "Status": "adding"}]))
        is Phase.PENDING
    )


def test_a_state_that_no_waiting_mends_says_what_to_do() -> None:
    assert "allocated_storage" in rds_state.observed(_instance("storage-full"), KEY).detail


def test_only_broken_instances_go_without_a_final_snapshot() -> None:
    assert all(rds_state.unmendable(status) for status in ("failed", "incompatible-restore", "incompatible-network"))
    others = (
        "available", "storage-full", "stopped", "modifying", "restore-error", "incompatible-parameters",
        "incompatible-option-group", "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
    )  # fmt: skip
    assert not any(rds_state.unmendable(status) for status in others)


def test_deletion_protection_is_told_to_the_engine() -> None:
    assert rds_state.observed(_instance(DeletionProtection=True), KEY).protected


def _group(status: str = "available", **more: Any) -> dict[str, Any]:
    return {"ReplicationGroupId": "redis", "Status": status, "MemberClusters": ["redis-001"], **more}


def _node(**more: Any) -> dict[str, Any]:
    return {"CacheClusterId": "redis-001", "CacheClusterStatus": "available", **more}


@pytest.mark.parametrize(
    ("group", "node", "phase"),
    [
        (_group(), _node(), Phase.READY),
        (_group("creating"), _node(), Phase.PENDING),
        (_group("snapshotting"), _node(), Phase.PENDING),
        (_group("create-failed"), _node(), Phase.FAILED),
        (_group("deleting"), _node(), Phase.DELETING),
        (_group(AutomaticFailover="enabling"), _node(), Phase.PENDING),
        (_group(PendingModifiedValues={"AuthTokenStatus": "ROTATING"}), _node(), Phase.PENDING),
        (_group(), _node(CacheClusterStatus="modifying"), Phase.PENDING),
        (_group(), _node(PendingModifiedValues={"EngineVersion": "7.1.0"}), Phase.PENDING),
        (_group(), _node(CacheParameterGroup={"ParameterApplyStatus": "applying"}), Phase.PENDING),
    ],
)
def test_a_cache_is_ready_when_group_and_nodes_are(group: dict[str, Any], node: dict[str, Any], phase: Phase) -> None:
    assert cache_state.phase(group, [node]) is phase


def test_the_reader_of_a_single_node_is_the_primary() -> None:
    shard = {"PrimaryEndpoint": {"Address": "p", "Port": 6379}}
    outputs = cache_state.observed(_group(NodeGroups=[shard]), [_node()], {}, KEY).outputs
    assert (outputs["reader_endpoint"], outputs["port"]) == ("p", 6379)


def test_a_description_keeps_text_and_owner_apart() -> None:
    wire = cache_state.described("a [b] c", "app-production/redis")
    assert cache_state.description({"Description": wire}) == ("a [b] c", "app-production/redis")
    assert cache_state.description({"Description": "made [by hand]"}) == ("made [by hand]", "")
