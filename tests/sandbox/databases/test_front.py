"""TLS on loopback, as a client sees it that is careful, careless or hostile."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from provisioner.errors import SandboxError
from provisioner.sandbox.databases import addresses
from provisioner.sandbox.databases.addresses import Endpoint
from provisioner.sandbox.databases.authority import Authority
from provisioner.sandbox.databases.host import DatabaseHost
from provisioner.sandbox.databases.tlsfront import FrontLoop, Speech
from tests.sandbox.databases.helpers import DATABASE, PASSWORD, USER, connect, value

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSSENC_REQUEST = struct.pack("!II", 8, 80877104)


@pytest.fixture
def raw(main: Endpoint) -> Iterator[socket.socket]:
    with socket.create_connection(main, timeout=5) as connection:
        yield connection


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
def test_every_mode_with_tls_connects(host: DatabaseHost, main: Endpoint, mode: str) -> None:
    with connect(host, main, sslmode=mode) as connection:
        assert connection.pgconn.ssl_in_use
        assert value(connection, "SELECT 1") == 1


def test_without_tls_a_client_is_refused_as_the_service_refuses_it(host: DatabaseHost, main: Endpoint) -> None:
    with pytest.raises(psycopg.OperationalError, match=r'no pg_hba.conf entry .* user "credlink".* no encryption'):
        connect(host, main, sslmode="disable", sslrootcert=None)


def test_tls_can_be_left_to_the_client_and_forced_later(host: DatabaseHost, spare: Endpoint) -> None:
    host.configure_postgres("spare", {"rds.force_ssl": "0"}, restart=False)
    connect(host, spare, sslmode="disable", sslrootcert=None).close()
    connect(host, spare).close()
    host.configure_postgres("spare", {"rds.force_ssl": "1"}, restart=False)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        connect(host, spare, sslmode="disable", sslrootcert=None)
    # Without the parameter the argument decides.
    host.stop_postgres("spare")
    host.start_postgres("spare", user=USER, password=PASSWORD, database=DATABASE, force_tls=False)
    connect(host, spare, sslmode="disable", sslrootcert=None).close()


def test_a_certificate_of_another_authority_is_not_trusted(host: DatabaseHost, main: Endpoint, tmp_path: Path) -> None:
    other = Authority(tmp_path / "ca")
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(host, main, sslrootcert=str(other.ca_path))


def test_the_front_declines_gss_and_goes_on(raw: socket.socket) -> None:
    raw.sendall(GSSENC_REQUEST)
    assert raw.recv(10) == b"N"
    raw.sendall(SSL_REQUEST)
    assert raw.recv(10) == b"S"


def test_bytes_pushed_in_before_the_handshake_end_the_connection(raw: socket.socket) -> None:
    raw.sendall(SSL_REQUEST + b"smuggled")
    with pytest.raises(ConnectionResetError):
        assert raw.recv(10) == b""
        raise ConnectionResetError


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 8])
def test_noise_ends_the_connection(raw: socket.socket, noise: bytes) -> None:
    raw.sendall(noise)
    assert raw.recv(10) == b""


def test_a_failed_handshake_harms_nobody_else(host: DatabaseHost, main: Endpoint, raw: socket.socket) -> None:
    raw.sendall(SSL_REQUEST)
    raw.recv(1)
    raw.sendall(b"this is no handshake, nor will it ever be one")
    connect(host, main).close()


def test_while_the_server_is_down_the_front_says_so(tmp_path: Path) -> None:
    fronts = FrontLoop()
    try:
        front = fronts.open(addresses.listen(5432), Speech.POSTGRES, [addresses.backend()])
        with pytest.raises(psycopg.OperationalError, match="the database system is starting up"):
            psycopg.connect(host=front.endpoint.host, user="x", sslmode="disable", gssencmode="disable")
        fronts.close_front(front)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(front.endpoint, timeout=5)
    finally:
        fronts.close()


def test_a_port_taken_on_every_address_gives_way_to_a_free_one() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with addresses.listen(port) as sock:
            endpoint = addresses.endpoint_of(sock)
            assert endpoint.host == "127.0.0.1"
            assert endpoint.port != port
            with pytest.raises(SandboxError, match="taken by another program"):
                addresses.listen_again(endpoint)


def test_two_fronts_of_one_port_have_addresses_of_their_own() -> None:
    with addresses.listen(5432) as one, addresses.listen(5432) as other:
        assert addresses.endpoint_of(one) != addresses.endpoint_of(other)
        for sock in (one, other):
            second = int(addresses.endpoint_of(sock).host.split(".")[1])
            assert 64 <= second <= 250


def test_the_authority_stays_the_same_over_restarts_and_is_renewed_when_damaged(tmp_path: Path) -> None:
    first = Authority(tmp_path).ca_path.read_bytes()
    assert Authority(tmp_path).ca_path.read_bytes() == first
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0
    (tmp_path / "ca.key").write_text("not a key")
    assert Authority(tmp_path).ca_path.read_bytes() != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.key", "ca.pem"]


def test_the_authority_cannot_vouch_for_another_host(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    client = ssl.create_default_context(cafile=str(authority.ca_path))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        _handshake(authority.server_context("203.0.113.7"), client, "203.0.113.7")
    _handshake(authority.server_context("127.77.1.2"), client, "127.77.1.2")
    _handshake(authority.server_context("127.77.1.2"), client, "localhost")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """A TLS handshake in memory."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in tuple(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
