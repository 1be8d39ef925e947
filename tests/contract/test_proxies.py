"""An RDS proxy in front of a real PostgreSQL: what its gate says when it is of no use, and what clients get."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provisioner.drivers.aws.rds_proxy_health import RdsProxyHealth
from provisioner.drivers.check.session import open_session
from provisioner.errors import AccessDeniedError, BusyError, InUseError
from provisioner.model import Key, Phase
from provisioner.resource import Registry, Verdict
from provisioner.sandbox import supervisor
from tests.contract.cases.aws_rds_proxy import CASE, NEEDS, USER, access
from tests.contract.conftest import REGION
from tests.contract.world import World, differing, patiently, settle

PROXY = "aws.rds_proxy"
_PATIENCE = 30.0


@pytest.fixture(scope="module")
def world(registry: Registry) -> Iterator[World]:
    made = World(registry, REGION, {PROXY})
    try:
        for need in NEEDS:
            made.make(need.type, need.step, need.spec(made))
        made.make(PROXY, "proxy", CASE.spec(made))
        yield made
    finally:
        made.close()


@pytest.fixture
def policies(world: World) -> Iterator[Callable[..., None]]:
    """Sets the statements of the proxy's role; afterwards it may again what it must."""
    whole = access(world["login"]["arn"], world["cmk"]["arn"])
    iam, role = world.session().client("iam"), world["role"]["name"]

    def put(*numbers: int) -> None:
        document = {**whole, "Statement": [whole["Statement"][number] for number in numbers]}
        iam.put_role_policy(RoleName=role, PolicyName="login", PolicyDocument=json.dumps(document))

    yield put
    put(0, 1)
    assert _until(world, lambda verdict: verdict.passed).passed


def _look(world: World, proxy: str = "") -> Verdict:
    gate = RdsProxyHealth(world.session())
    return gate.check(RdsProxyHealth.Spec(proxy=proxy or world["proxy"]["name"]))


def _until(world: World, fits: Callable[[Verdict], bool]) -> Verdict:
    """Looks until a verdict fits: a proxy looks at its database anew every moment, not at once."""
    end = time.monotonic() + _PATIENCE
    while not fits(verdict := _look(world)):
        assert time.monotonic() < end, verdict
        time.sleep(0.1)
    return verdict


def _says(*words: str) -> Callable[[Verdict], bool]:
    return lambda verdict: not verdict.passed and all(word in verdict.detail for word in words)


def _connect(world: World, **more: Any) -> psycopg.Connection[Any]:
    (anchor,) = open_session().anchors
    proxy = world["proxy"]
    usual = {
        "host": proxy["endpoint"], "port": proxy["port"], "user": USER, "dbname": "postgres",
        "password": world["login"]["value"].reveal(), "sslmode": "verify-full", "sslrootcert": anchor,
    }  # fmt: skip
    return psycopg.connect(**(usual | more))


def _key(world: World, step: str) -> Key:
    return world._made[step][1]


def test_a_client_with_the_secrets_login_reaches_the_database_through_the_proxy(world: World) -> None:
    assert _look(world) == Verdict(True, f"proxy {world['proxy']['name']} reaches {world['db']['name']}")
    assert world["proxy"]["target_state"] == "AVAILABLE"
    with _connect(world) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (USER,)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sslmode": "disable"}, "requires TLS connections"),
        ({"user": "somebody"}, "no credentials for the role somebody"),
        ({"password": "not-the-password"}, "password authentication failed"),
    ],
)
def test_a_client_that_may_not_is_refused_in_postgresqls_words(world: World, more: dict[str, str], words: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=words):
        _connect(world, **more)


def test_without_kms_decrypt_the_gate_says_so_and_nobody_gets_through(
    world: World, policies: Callable[..., None]
) -> None:
    policies(0)
    verdict = _until(world, _says("UNAVAILABLE (AUTH_FAILURE)", "may not"))
    role, key = world["role"]["name"], world["cmk"]["arn"]
    assert f"role {role} may not kms:Decrypt on {key} (implicitDeny): allow it" in verdict.detail
    assert f"with the condition kms:ViaService secretsmanager.{REGION}.amazonaws.com" in verdict.detail
    assert "GetSecretValue" not in verdict.detail
    seen = world.driver(PROXY).read(_key(world, "proxy"))
    assert (seen.phase, seen.outputs["target_state"]) == (Phase.READY, "UNAVAILABLE")
    assert "AUTH_FAILURE" in seen.detail
    with pytest.raises(psycopg.OperationalError, match=f"no credentials for the role {USER}"):
        _connect(world)


def test_without_the_secret_the_gate_says_so(world: World, policies: Callable[..., None]) -> None:
    policies(1)
    verdict = _until(world, _says("AUTH_FAILURE", "may not secretsmanager:GetSecretValue", world["login"]["arn"]))
    assert "kms:Decrypt" not in verdict.detail


def test_who_may_not_ask_iam_is_told_what_to_look_at(world: World, policies: Callable[..., None]) -> None:
    policies(0)
    _until(world, _says("AUTH_FAILURE"))
    directory = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    for service, operation, words in (
        ("iam", "SimulatePrincipalPolicy", "are the username and password in it the database's?"),
        ("rds", "DescribeDBProxies", "use its key (kms:Decrypt)?"),
    ):
        fault = {"service": service, "operation": operation, "error": "AccessDenied", "times": 9}
        supervisor.admin(directory, "POST", "/_sandbox/faults", fault)
        try:
            assert words in _look(world).detail
        finally:
            supervisor.admin(directory, "DELETE", "/_sandbox/faults")


def test_a_role_for_another_service_is_named(world: World, policies: Callable[..., None]) -> None:
    iam, role = world.session().client("iam"), world["role"]["name"]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    other = json.dumps(trust).replace("rds.amazonaws.com", "lambda.amazonaws.com")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=other)
    try:
        _until(world, _says("AUTH_FAILURE", f"rds.amazonaws.com may not assume role {role}"))
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


def test_a_security_group_in_the_way_is_unreachable_and_the_port_is_named(
    world: World, policies: Callable[..., None]
) -> None:
    ec2, wall = world.session().client("ec2"), world["database"]["group_id"]
    rules = ec2.describe_security_groups(GroupIds=[wall])["SecurityGroups"][0]["IpPermissions"]
    ec2.revoke_security_group_ingress(GroupId=wall, IpPermissions=rules)
    try:
        port = world["db"]["port"]
        _until(world, _says("UNAVAILABLE (UNREACHABLE)", "security group in at the database's", f"TCP port {port}"))
        with pytest.raises(psycopg.OperationalError, match="Timed-out waiting to acquire database connection"):
            _connect(world)
    finally:
        ec2.authorize_security_group_ingress(GroupId=wall, IpPermissions=rules)


def test_the_gate_waits_through_throttling_and_ends_where_it_may_not_ask(world: World) -> None:
    directory = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    fault = {"service": "rds", "operation": "DescribeDBProxyTargets", "times": 1}
    try:
        supervisor.admin(directory, "POST", "/_sandbox/faults", {**fault, "error": "ThrottlingException"})
        assert "rds DescribeDBProxyTargets" in _look(world).detail
        supervisor.admin(directory, "POST", "/_sandbox/faults", {**fault, "error": "AccessDenied"})
        with pytest.raises(AccessDeniedError):
            _look(world)
    finally:
        supervisor.admin(directory, "DELETE", "/_sandbox/faults")
    assert _look(world, "nobodys-proxy") == Verdict(False, "there is no proxy nobodys-proxy")


def test_a_proxy_holds_its_groups_and_subnets_in_its_owners_name(world: World) -> None:
    for name, step in (("aws.security_group", "wall"), ("aws.subnet", "c")):
        driver, key = world.driver(name), _key(world, step)
        with pytest.raises(InUseError):
            driver.delete(key)
        owners = {holder.what: holder.owner for holder in driver.holders(key)}
        assert owners[f"DB proxy {world['proxy']['name']}"] == _key(world, "proxy").owner


def test_what_a_create_cannot_say_yet_is_a_difference_and_an_update_completes_it(world: World) -> None:
    tree = {**CASE.spec(world), "name": f"{world.deployment}-half"}
    driver, key, spec = world.driver(PROXY), world.key(PROXY, "half", tree), world.spec(PROXY, tree)
    world.watch(driver, key)
    driver.create(key, spec)
    with pytest.raises(BusyError, match="it is creating"):
        driver.update(key, spec)
    seen = settle(driver, key)
    pool = {"max_connections_percent", "max_idle_connections_percent", "connection_borrow_timeout", "init_query"}
    assert differing(driver, spec, seen) == {"db_instance", *pool}
    assert _look(world, key.name).detail == f"proxy {key.name} has no database registered"
    patiently(lambda: driver.update(key, spec, {"db_instance"}))
    assert differing(driver, spec, settle(driver, key)) == pool
    patiently(lambda: driver.update(key, spec, {"max_connections_percent"}))
    half = {"max_idle_connections_percent", "connection_borrow_timeout", "init_query"}
    assert differing(driver, spec, settle(driver, key)) == half
    patiently(lambda: driver.delete(key))
    patiently(lambda: driver.delete(key))
