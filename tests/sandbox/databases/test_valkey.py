"""A Valkey of the sandbox is what the managed service's would be to the one who uses it."""

from __future__ import annotations

import socket

import pytest
import redis
from redis.exceptions import NoPermissionError

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.host import DatabaseHost
from tests.sandbox.databases.helpers import ONCE, cache, eventually, plain_cache

TOKEN = "first-token-of-16+"
NEXT_TOKEN = "second-token-of-16+"


def test_tls_and_the_token_let_a_client_in_and_nothing_else_does(host: DatabaseHost) -> None:
    endpoint = host.start_valkey("guarded", auth_token=TOKEN, tls=True).primary
    assert endpoint.port == 6379
    with cache(host, endpoint, TOKEN) as client:
        client.set("greeting", "hello")
        assert client.get("greeting") == "hello"
    with cache(host, endpoint, "wrong-token-of-16+") as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    with plain_cache(endpoint) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    url = f"rediss://{endpoint.host}:{endpoint.port}/0"
    without_token = redis.Redis.from_url(url, ssl_ca_certs=str(host.ca_path), retry=ONCE)
    with without_token as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    with redis.Redis.from_url(url, retry=ONCE) as client, pytest.raises(redis.ConnectionError, match="verify"):
        client.ping()
    host.remove("guarded")


def test_tokens_rotate_without_ending_sessions(host: DatabaseHost) -> None:
    endpoint = host.start_valkey("rotating", auth_token=TOKEN, tls=True).primary
    with cache(host, endpoint, TOKEN) as session:
        session.ping()
        host.set_valkey_auth("rotating", [TOKEN, NEXT_TOKEN])
        for token in (TOKEN, NEXT_TOKEN):
            with cache(host, endpoint, token) as client:
                assert client.ping()
        host.set_valkey_auth("rotating", [NEXT_TOKEN])
        with cache(host, endpoint, TOKEN) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        assert session.ping()
    host.set_valkey_auth("rotating", [])
    with redis.Redis(host=endpoint.host, ssl=True, ssl_ca_certs=str(host.ca_path), retry=ONCE) as client:
        assert client.ping()
    host.remove("rotating")


def test_replicas_stream_from_the_primary_and_take_no_writes(host: DatabaseHost) -> None:
    endpoints = host.start_valkey("pair", auth_token=TOKEN, tls=True, replicas=2)
    assert len(endpoints.nodes) == 3
    assert len({endpoints.primary, endpoints.reader, *endpoints.nodes}) == 5
    with cache(host, endpoints.primary, TOKEN) as primary:
        assert primary.info("replication")["connected_slaves"] == 2
        primary.set("greeting", "hello")
    for endpoint in (endpoints.reader, *endpoints.nodes[1:]):
        with cache(host, endpoint, TOKEN) as replica:
            assert eventually(lambda replica=replica: replica.get("greeting") == "hello")  # type: ignore[misc]
            with pytest.raises(redis.ReadOnlyError):
                replica.set("greeting", "bye")
    host.set_valkey_auth("pair", [NEXT_TOKEN])
    host.restart_valkey("pair")
    with cache(host, endpoints.reader, NEXT_TOKEN) as replica:
        assert replica.get("greeting") is None
        assert replica.info("replication")["master_link_status"] == "up"
    host.remove("pair")


def test_parameters_reach_every_node_and_static_ones_wait_for_a_restart(host: DatabaseHost) -> None:
    parameters = {"maxmemory-policy": "allkeys-lru", "databases": "4", "reserved-memory-percent": "25"}
    endpoints = host.start_valkey("tuned-cache", auth_token=None, tls=False, parameters=parameters, replicas=1)

    def told(name: str) -> set[str]:
        values = set()
        for endpoint in endpoints.nodes:
            with plain_cache(endpoint) as client:
                values.add(client.config_get(name)[name])
        return values

    assert told("maxmemory-policy") == {"allkeys-lru"}
    assert told("databases") == {"4"}
    host.configure_valkey("tuned-cache", {"maxmemory": "64mb", "databases": "8"})
    assert told("maxmemory") == {str(64 << 20)}
    assert told("maxmemory-policy") == {"noeviction"}
    assert told("databases") == {"4"}
    host.restart_valkey("tuned-cache")
    assert told("databases") == {"8"}
    assert told("maxmemory") == {str(64 << 20)}
    host.remove("tuned-cache")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"no-such-parameter": "1"}, "no parameter no-such-parameter"),
        ({"maxmemory": "64mb", "maxmemory-policy": "sometimes"}, "maxmemory-policy"),
        ({"max*": "1"}, "no parameter"),
        ({"requirepass": "secret"}, "decided by the sandbox"),
        ({"databases": "4\nrequirepass x"}, "not printable"),
    ],
)
def test_a_parameter_that_valkey_does_not_take_is_named_and_changes_nothing(
    host: DatabaseHost, parameters: dict[str, str], told: str
) -> None:
    with pytest.raises(SandboxError, match=told):
        host.start_valkey("bad-cache", auth_token=None, tls=False, parameters=parameters)
    endpoint = host.start_valkey("bad-cache", auth_token=None, tls=False, parameters={"maxmemory": "32mb"}).primary
    with pytest.raises(SandboxError, match=told):
        host.configure_valkey("bad-cache", parameters)
    with plain_cache(endpoint) as client:
        assert client.config_get("maxmemory")["maxmemory"] == str(32 << 20)
    host.remove("bad-cache")


def test_a_plain_cache_is_served_plain_and_guards_its_administration(host: DatabaseHost) -> None:
    endpoint = host.start_valkey("plain", auth_token=None, tls=False).primary
    with plain_cache(endpoint) as client:
        client.set("a", "b")
        for command in ("CONFIG SET maxmemory 1", "REPLICAOF 127.0.0.1 1", "SHUTDOWN", "ACL SETUSER x on"):
            with pytest.raises(NoPermissionError):
                client.execute_command(*command.split())
    with socket.create_connection(endpoint, timeout=5) as connection:
        # A client that ends its half still gets its answers.
        connection.sendall(b"GET a\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").read() == b"$1\r\nb\r\n"
    with pytest.raises(SandboxError, match="no Valkey main"):
        host.set_valkey_auth("main", [])
    host.remove("plain")
