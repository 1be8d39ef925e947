"""Azure Blob Storage: signatures, public access, batches, and what is refused rather than done otherwise.

Conditions, reads and listings are compared with Azurite in ``tests/remote``.
"""

from __future__ import annotations

import base64
from email.utils import formatdate

import pytest

from provisioner.sandbox.objects.azure import ACCOUNT, KEY, AzureServer
from provisioner.sandbox.objects.sharedkey import sign, string_to_sign
from tests.sandbox.objects.caller import NOW, Clock, ask, code, header, request, signed

_BLOCK = {"x-ms-blob-type": "BlockBlob"}
_BOX = f"/{ACCOUNT}/states"


@pytest.fixture
def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture
def azure(clock: Clock) -> AzureServer:
    """A server with one private container."""
    server = AzureServer(now=clock)
    server.create_container("states")
    return server


@pytest.mark.parametrize("length", [0, 1])
def test_the_signature_is_that_of_the_documentation(length: int) -> None:
    """The example of Microsoft's page on Shared Key, and what a body adds to it."""
    headers = {
        "x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT",
        "x-ms-version": "2015-02-21",
        "content-length": str(length),
    }
    asked = request("GET", "/mycontainer?restype=container&comp=metadata&timeout=20", headers)
    text = (
        f"GET\n\n\n{length or ''}\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
        "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
    )
    assert string_to_sign(asked, "myaccount") == text


@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("DELETE", f"{_BOX}/k", {}, b"x"),
        ("PUT", f"{_BOX}/other", {}, b"x"),
        ("PUT", f"{_BOX}/k?comp=metadata", {}, b"x"),
        ("PUT", f"{_BOX}/k", {"if-match": '"x"'}, b"x"),
        ("PUT", f"{_BOX}/k", {"x-ms-meta-owner": "me"}, b"x"),
        ("PUT", f"{_BOX}/k", {"content-type": "text/plain"}, b"x"),
        ("PUT", f"{_BOX}/k", {"x-ms-date": formatdate(NOW + 1, usegmt=True)}, b"x"),
        ("PUT", f"{_BOX}/k", {"content-length": "17"}, b"longer than it was"),
    ],
)
def test_whatever_is_changed_after_the_signature_is_noticed(
    azure: AzureServer, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    sent = {"x-ms-date": formatdate(NOW, usegmt=True), "x-ms-version": "2023-11-03", **_BLOCK}
    first = request("PUT", f"{_BOX}/k", sent, b"x")
    stolen = {**first.headers, "authorization": sign(first, ACCOUNT, KEY)}
    reply = ask(azure, method, target, {**stolen, **headers}, body)
    assert code(reply) == (403, "AuthenticationFailed")
    assert b"string to sign" in reply.body
    assert code(signed(azure, "GET", f"{_BOX}/k")) == (404, "BlobNotFound")


def test_a_signature_is_old_after_a_quarter_of_an_hour(azure: AzureServer, clock: Clock) -> None:
    clock.seconds += 14 * 60
    assert signed(azure, "PUT", f"{_BOX}/k", _BLOCK, b"x").status == 201
    clock.seconds += 2 * 60
    reply = signed(azure, "PUT", f"{_BOX}/k", _BLOCK, b"y")
    assert code(reply) == (403, "AuthenticationFailed")
    assert b"The Date header in the request is incorrect" in reply.body


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("SharedKey", (400, "InvalidAuthenticationInfo")),
        (f"SharedKey {ACCOUNT}", (400, "InvalidAuthenticationInfo")),
        ("Basic abc", (400, "InvalidAuthenticationInfo")),
        ("Bearer token", (501, "NotImplemented")),
        (f"SharedKey {ACCOUNT}:{base64.b64encode(b'x').decode()}", (403, "AuthenticationFailed")),
        ("SharedKey somebody:eA==", (404, "ResourceNotFound")),
    ],
)
def test_an_authorization_that_is_none_lets_nobody_in(
    azure: AzureServer, given: str, expected: tuple[int, str]
) -> None:
    headers = {"authorization": given, "x-ms-version": "2023-11-03", "x-ms-date": formatdate(NOW, usegmt=True)}
    assert code(ask(azure, "GET", f"{_BOX}?restype=container", headers)) == expected


@pytest.mark.parametrize(
    ("version", "expected"), [("", 400), ("yesterday", 400), ("2011-08-18", 501), ("2023-11-03", 200)]
)
def test_a_signed_request_names_a_version_of_today(azure: AzureServer, version: str, expected: int) -> None:
    assert signed(azure, "GET", f"{_BOX}?restype=container", {"x-ms-version": version}).status == expected


def test_the_anonymous_are_told_as_much_as_their_version_knows(azure: AzureServer) -> None:
    signed(azure, "PUT", f"{_BOX}/k", _BLOCK, b"secret")
    assert code(ask(azure, "GET", f"{_BOX}/k")) == (404, "ResourceNotFound")
    reply = ask(azure, "GET", f"{_BOX}/k", {"x-ms-version": "2023-11-03"})
    assert code(reply) == (401, "NoAuthenticationInformation")
    assert header(reply, "www-authenticate").startswith("Bearer authorization_uri=https://")
    assert code(ask(azure, "GET", f"/{ACCOUNT}/nobody/k")) == (404, "ResourceNotFound")


def test_a_container_is_public_as_long_as_its_level_says_so(azure: AzureServer) -> None:
    signed(azure, "PUT", f"{_BOX}/k", _BLOCK, b"for all")
    listing = f"{_BOX}?restype=container&comp=list"
    for level, read, listed in (("blob", 200, 404), ("container", 200, 200), ("", 404, 404)):
        headers = {"x-ms-blob-public-access": level} if level else {}
        assert signed(azure, "PUT", f"{_BOX}?restype=container&comp=acl", headers).status == 200
        assert [ask(azure, "GET", f"{_BOX}/k").status, ask(azure, "GET", listing).status] == [read, listed]
        assert ask(azure, "PUT", f"{_BOX}/k", _BLOCK, b"mine").status == 404
        for query in ("restype=container", "restype=container&comp=acl"):
            assert header(signed(azure, "GET", f"{_BOX}?{query}"), "x-ms-blob-public-access") == level


def test_an_account_may_let_nothing_be_public(clock: Clock) -> None:
    azure = AzureServer(public_access=False, now=clock)
    azure.create_container("states")
    level = {"x-ms-blob-public-access": "blob"}
    for target in (f"{_BOX}?restype=container&comp=acl", f"/{ACCOUNT}/other?restype=container"):
        assert code(signed(azure, "PUT", target, level)) == (409, "PublicAccessNotPermitted")
    assert code(ask(azure, "GET", f"{_BOX}/k")) == (409, "PublicAccessNotPermitted")


def _batch(azure: AzureServer, parts: list[str]) -> tuple[int, str]:
    body = "".join(
        f"--mark\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n{part}\r\n\r\n"
        for number, part in enumerate(parts)
    )
    headers = {"content-type": "multipart/mixed; boundary=mark"}
    reply = signed(azure, "POST", f"{_BOX}?restype=container&comp=batch", headers, f"{body}--mark--".encode())
    return reply.status, reply.body.decode()


def _delete(key: str, secret: str = KEY) -> str:
    headers = {"x-ms-date": formatdate(NOW, usegmt=True), "content-length": "0", "x-ms-version": "2023-11-03"}
    mark = sign(request("DELETE", f"{_BOX}/{key}", headers), ACCOUNT, secret)
    lines = "\r\n".join(f"{name}: {value}" for name, value in {**headers, "Authorization": mark}.items())
    return f"DELETE {_BOX}/{key} HTTP/1.1\r\n{lines}"


def test_each_part_of_a_batch_is_let_in_and_answered_by_itself(azure: AzureServer) -> None:
    for key in ("a", "b"):
        signed(azure, "PUT", f"{_BOX}/{key}", _BLOCK, b"x")
    status, text = _batch(azure, [_delete("a"), _delete("b", "d3Jvbmc="), _delete("nothing")])
    assert status == 202
    lines = [line for line in text.split("\r\n") if line.startswith(("HTTP/1.1", "Content-ID"))]
    assert lines == [
        "Content-ID: 0", "HTTP/1.1 202 Accepted",
        "Content-ID: 1", "HTTP/1.1 403 Forbidden",
        "Content-ID: 2", "HTTP/1.1 404 Not Found",
    ]  # fmt: skip
    assert [signed(azure, "GET", f"{_BOX}/{key}").status for key in ("a", "b")] == [404, 200]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], 400),
        (["DELETE /other/states/a HTTP/1.1"], 400),
        (["nothing"], 400),
        ([f"PUT {_BOX}/a HTTP/1.1"], 501),
        ([f"DELETE {_BOX}/a HTTP/1.1"] * 257, 400),
    ],
)
def test_a_batch_of_anything_else_is_refused_as_a_whole(azure: AzureServer, parts: list[str], expected: int) -> None:
    signed(azure, "PUT", f"{_BOX}/a", _BLOCK, b"x")
    assert _batch(azure, parts)[0] == expected
    assert signed(azure, "GET", f"{_BOX}/a").status == 200


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("PUT", f"{_BOX}/k", {"x-ms-blob-type": "PageBlob"}),
        ("PUT", f"{_BOX}/k?comp=block&blockid=YQ==", _BLOCK),
        ("PUT", f"{_BOX}/k?comp=lease", {"x-ms-lease-action": "acquire"}),
        ("PUT", f"{_BOX}/k", {**_BLOCK, "x-ms-lease-id": "a"}),
        ("PUT", f"{_BOX}/k", {**_BLOCK, "x-ms-encryption-key": "a"}),
        ("PUT", f"{_BOX}/k", {"x-ms-copy-source": "http://x"}),
        ("GET", f"{_BOX}/k?snapshot=now", {}),
        ("GET", f"{_BOX}?restype=container&comp=list&include=versions", {}),
        ("DELETE", f"{_BOX}?restype=container", {}),
        ("GET", f"/{ACCOUNT}?comp=list", {}),
    ],
)
def test_what_is_not_offered_is_refused_with_the_reason(
    azure: AzureServer, method: str, target: str, headers: dict[str, str]
) -> None:
    reply = signed(azure, method, target, headers, b"x" if method == "PUT" else b"")
    assert reply.status == 501
    assert b"does not offer" in reply.body
    assert signed(azure, "GET", f"{_BOX}/k").status == 404


@pytest.mark.parametrize("name", ["ab", "Upper", "two--dashes", "-first", "under_score", "a" * 64])
def test_a_container_has_a_good_name(azure: AzureServer, name: str) -> None:
    assert code(signed(azure, "PUT", f"/{ACCOUNT}/{name}?restype=container")) == (400, "InvalidResourceName")


def test_an_etag_never_comes_back_though_the_clock_stands_still(azure: AzureServer) -> None:
    tags = [header(signed(azure, "PUT", f"{_BOX}/k", _BLOCK, b"same"), "etag") for _ in range(3)]
    assert len(set(tags)) == 3
