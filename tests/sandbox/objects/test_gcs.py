"""Cloud Storage's two APIs: conditions, who may read, and what is refused rather than done otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from provisioner.sandbox.objects.access import ROLES
from provisioner.sandbox.objects.gcs import BEARER, GcsServer
from provisioner.sandbox.objects.wire import Reply
from tests.sandbox.objects.caller import Clock, ask, code, header

_OWNER = {"authorization": f"Bearer {BEARER}"}
_NEW = {"x-goog-if-generation-match": "0"}


@pytest.fixture
def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture
def gcs(clock: Clock) -> GcsServer:
    """A server with one private bucket, whose callers have each another role in the project."""
    tokens = {BEARER: "roles/storage.admin", **{role.rpartition(".")[2]: role for role in ROLES}}
    server = GcsServer(tokens, now=clock)
    server.create_bucket("states")
    return server


def _ask(
    gcs: GcsServer, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Reply:
    return ask(gcs, method, target, {**_OWNER, **(headers or {})}, body)


def _json(gcs: GcsServer, method: str, target: str, body: object = None, token: str = BEARER) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    reply = ask(gcs, method, f"/storage/v1/b{target}", headers, b"" if body is None else json.dumps(body).encode())
    return reply.status, json.loads(reply.body or b"null")


def _policy(gcs: GcsServer, role: str, member: str = "allUsers") -> tuple[int, Any]:
    return _json(gcs, "PUT", "/states/iam", {"bindings": [{"role": role, "members": [member]}]})


def test_each_write_has_a_higher_generation_though_the_clock_stands_still(gcs: GcsServer) -> None:
    replies = [_ask(gcs, "PUT", "/states/k", body=b"same") for _ in range(3)]
    generations = [int(header(reply, "x-goog-generation")) for reply in replies]
    assert generations == sorted(set(generations))
    assert len({header(reply, "etag") for reply in replies}) == 1


@pytest.mark.parametrize("wanted", ["-1", "1", "x", "0x0"])
def test_a_write_that_asks_for_another_generation_changes_nothing(gcs: GcsServer, wanted: str) -> None:
    _ask(gcs, "PUT", "/states/k", _NEW, b"one")
    reply = _ask(gcs, "PUT", "/states/k", {"x-goog-if-generation-match": wanted}, b"two")
    assert code(reply) in ((412, "PreconditionFailed"), (400, "InvalidArgument"))
    assert _ask(gcs, "GET", "/states/k").body == b"one"


def test_a_delete_may_ask_for_a_generation_too(gcs: GcsServer) -> None:
    old = header(_ask(gcs, "PUT", "/states/k", body=b"one"), "x-goog-generation")
    new = header(_ask(gcs, "PUT", "/states/k", body=b"two"), "x-goog-generation")
    assert code(_ask(gcs, "DELETE", "/states/k", {"x-goog-if-generation-match": old}))[0] == 412
    assert code(_ask(gcs, "DELETE", f"/states/k?generation={old}")) == (404, "NoSuchKey")
    assert _ask(gcs, "DELETE", "/states/k", {"x-goog-if-generation-match": new}).status == 204
    assert code(_ask(gcs, "DELETE", "/states/k")) == (404, "NoSuchKey")


def test_a_read_may_ask_for_a_tag_a_time_or_a_generation(gcs: GcsServer, clock: Clock) -> None:
    put = _ask(gcs, "PUT", "/states/k", body=b"one")
    tag, date, generation = (header(put, n) for n in ("etag", "last-modified", "x-goog-generation"))
    assert date == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert _ask(gcs, "GET", "/states/k", {"if-none-match": tag}).status == 304
    assert _ask(gcs, "GET", "/states/k", {"if-modified-since": date}).status == 304
    assert _ask(gcs, "GET", "/states/k", {"if-match": '"other", ' + tag}).body == b"one"
    assert _ask(gcs, "GET", f"/states/k?generation={generation}").body == b"one"
    clock.seconds += 1
    _ask(gcs, "PUT", "/states/k", body=b"two")
    assert _ask(gcs, "GET", "/states/k", {"if-none-match": tag, "if-modified-since": date}).body == b"two"
    assert code(_ask(gcs, "GET", "/states/k", {"if-match": tag}))[0] == 412
    assert code(_ask(gcs, "GET", "/states/k", {"if-unmodified-since": date}))[0] == 412
    assert code(_ask(gcs, "GET", "/states/k", {"x-goog-if-generation-match": generation}))[0] == 412
    assert code(_ask(gcs, "GET", f"/states/k?generation={generation}")) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("wanted", "status", "got", "where"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=4-2", 200, b"0123456789", ""),
        ("lines=1-2", 200, b"0123456789", ""),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=0-1,4-5", 501, None, ""),
    ],
)
def test_a_read_may_ask_for_a_part(gcs: GcsServer, wanted: str, status: int, got: bytes | None, where: str) -> None:
    _ask(gcs, "PUT", "/states/k", body=b"0123456789")
    reply = _ask(gcs, "GET", "/states/k", {"range": wanted})
    assert (reply.status, header(reply, "content-range")) == (status, where)
    assert got is None or reply.body == got


def _listed(gcs: GcsServer, query: str) -> tuple[list[str], str]:
    root = ElementTree.fromstring(_ask(gcs, "GET", f"/states?list-type=2{query}").body)
    space = root.tag.partition("}")[0] + "}"
    names = [n.text or "" for n in root.iter() if n.tag in (f"{space}Key", f"{space}Prefix")][1:]
    assert root.findtext(f"{space}KeyCount") == str(len(names))
    return names, root.findtext(f"{space}NextContinuationToken") or ""


def test_a_listing_goes_on_where_the_last_page_ended(gcs: GcsServer) -> None:
    for key in ("a", "b/1", "b/2", "b/3", "c&d", "ü"):
        _ask(gcs, "PUT", f"/states/{key}", body=b"x")
    for delimiter, expected in (("", ["a", "b/1", "b/2", "b/3", "c&d", "ü"]), ("/", ["a", "b/", "c&d", "ü"])):
        found, token = [], ""
        for _ in expected:
            names, token = _listed(gcs, f"&delimiter={delimiter}&max-keys=1&continuation-token={token}")
            found += names
        assert (found, token) == (expected, "")
    assert _listed(gcs, "&start-after=b/1&delimiter=/")[0] == ["b/", "c&d", "ü"]
    assert _listed(gcs, "&start-after=b/3&prefix=b/")[0] == []
    assert _listed(gcs, "&prefix=b/&delimiter=/")[0] == ["b/1", "b/2", "b/3"]
    assert code(_ask(gcs, "GET", "/states?list-type=2&continuation-token=~"))[0] == 400


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("PUT", "/states/k", {"if-match": '"x"'}),
        ("PUT", "/states/k", {"if-none-match": "*"}),
        ("PUT", "/states/k?partNumber=1&uploadId=u", {}),
        ("PUT", "/states/k", {"x-goog-copy-source": "states/other"}),
        ("PUT", "/states/k", {"x-goog-acl": "public-read"}),
        ("PUT", "/states/k", {"x-goog-encryption-key": "key"}),
        ("DELETE", "/states/k", {"if-match": '"x"'}),
        ("POST", "/states/k?uploads", {}),
        ("GET", "/states", {}),
        ("GET", "/states?list-type=2&versions=true", {}),
        ("GET", "/", {}),
        ("GET", "/storage/v1/b/states/o", {}),
        ("POST", "/upload/storage/v1/b/states/o", {}),
    ],
)
def test_what_is_not_offered_is_refused_with_the_reason(
    gcs: GcsServer, method: str, target: str, headers: dict[str, str]
) -> None:
    reply = _ask(gcs, method, target, headers, b"x")
    assert reply.status == 501
    assert b"does not offer" in reply.body
    assert code(_ask(gcs, "GET", "/states/k")) == (404, "NoSuchKey")


def test_a_body_that_was_damaged_on_its_way_is_not_stored(gcs: GcsServer) -> None:
    reply = _ask(gcs, "PUT", "/states/k", {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, b"not empty")
    assert code(reply) == (400, "BadDigest")
    assert code(_ask(gcs, "GET", "/states/k"))[0] == 404


def test_one_object_takes_a_change_a_second_where_the_rate_is_counted(clock: Clock) -> None:
    gcs = GcsServer(object_rate=1, now=clock)
    gcs.create_bucket("states")
    assert _ask(gcs, "PUT", "/states/k", _NEW, b"1").status == 200
    assert code(_ask(gcs, "PUT", "/states/k", body=b"2")) == (429, "SlowDown")
    assert code(_ask(gcs, "PUT", "/states/k", _NEW, b"2"))[0] == 412, "a condition is looked at first"
    assert _ask(gcs, "PUT", "/states/other", body=b"1").status == 200
    clock.seconds += 1
    assert _ask(gcs, "PUT", "/states/k", body=b"2").status == 200


def test_a_token_of_nobody_is_not_taken_for_none(gcs: GcsServer) -> None:
    _policy(gcs, "roles/storage.objectViewer")
    for given in ("Bearer wrong", "Basic abc", "Bearer "):
        assert code(ask(gcs, "GET", "/states/k", {"authorization": given})) == (401, "AuthenticationRequired")
    status, document = _json(gcs, "GET", "/states", token="wrong")
    assert (status, document["error"]["errors"][0]["reason"]) == (401, "authError")


def test_the_anonymous_are_told_nothing_of_a_private_bucket(gcs: GcsServer) -> None:
    _ask(gcs, "PUT", "/states/k", body=b"one")
    for method, target in (
        ("GET", "/states/k"),
        ("GET", "/states/nothing"),
        ("PUT", "/states/k"),
        ("DELETE", "/states/k"),
        ("GET", "/states?list-type=2"),
    ):
        assert code(ask(gcs, method, target)) == (403, "AccessDenied")
    for target in ("/states", "/states/iam"):
        status, document = _json(gcs, "GET", target, token="")
        assert (status, document["error"]["errors"][0]["reason"]) == (401, "required")
    assert code(ask(gcs, "GET", "/nobody/k")) == (404, "NoSuchBucket")


def test_a_bucket_is_as_public_as_its_policy_says(gcs: GcsServer) -> None:
    _ask(gcs, "PUT", "/states/k", body=b"one")
    expected = {
        "roles/storage.objectViewer": (200, 404, 200),
        "roles/storage.legacyObjectReader": (200, 403, 403),
        "roles/storage.legacyBucketReader": (403, 403, 200),
    }
    for role, statuses in expected.items():
        assert _policy(gcs, role)[0] == 200
        targets = ("/states/k", "/states/nothing", "/states?list-type=2")
        assert tuple(ask(gcs, "GET", target).status for target in targets) == statuses, role
        assert ask(gcs, "PUT", "/states/k", {}, b"x").status == 403


def test_public_access_prevention_outweighs_a_policy_and_forbids_a_new_one(gcs: GcsServer) -> None:
    _ask(gcs, "PUT", "/states/k", body=b"one")
    _policy(gcs, "roles/storage.objectViewer")
    enforced = {"iamConfiguration": {"publicAccessPrevention": "enforced"}}
    status, bucket = _json(gcs, "PATCH", "/states", enforced)
    assert (status, bucket["iamConfiguration"]["publicAccessPrevention"]) == (200, "enforced")
    assert ask(gcs, "GET", "/states/k").status == 403
    assert _policy(gcs, "roles/storage.objectViewer", "allAuthenticatedUsers")[0] == 412
    assert _policy(gcs, "roles/storage.objectViewer", "user:a@example.com")[0] == 200


def test_a_new_bucket_is_described_as_the_real_one_describes_it(gcs: GcsServer) -> None:
    status, bucket = _json(gcs, "GET", "/states")
    assert status == 200
    assert bucket["kind"] == "storage#bucket"
    assert bucket["iamConfiguration"]["publicAccessPrevention"] == "inherited"
    assert bucket["iamConfiguration"]["uniformBucketLevelAccess"] == {"enabled": True}
    assert "encryption" not in bucket, "Google's own keys encrypt it, which is not said"
    assert _json(gcs, "GET", "/states/iam")[1]["bindings"] == []
    key = "projects/p/locations/us/keyRings/r/cryptoKeys/k"
    assert _json(gcs, "PATCH", "/states", {"encryption": {"defaultKmsKeyName": key}})[0] == 200
    assert _json(gcs, "GET", "/states")[1]["encryption"] == {"defaultKmsKeyName": key}
    _json(gcs, "PATCH", "/states", {"encryption": None})
    assert "encryption" not in _json(gcs, "GET", "/states")[1]


def test_who_may_write_objects_may_not_for_that_ask_who_may_read_the_bucket(gcs: GcsServer) -> None:
    """A deployer with objectAdmin alone cannot look at the bucket: a check must get along with that."""
    assert ask(gcs, "PUT", "/states/k", {"authorization": "Bearer objectAdmin"}, b"x").status == 200
    for target in ("/states", "/states/iam"):
        status, document = _json(gcs, "GET", target, token="objectAdmin")
        assert (status, document["error"]["errors"][0]["reason"]) == (403, "forbidden")
        assert "does not have storage.buckets.get" in document["error"]["message"]
    creator = {"authorization": "Bearer objectCreator"}
    assert ask(gcs, "PUT", "/states/new", creator, b"x").status == 200
    assert ask(gcs, "PUT", "/states/new", creator, b"y").status == 403, "an overwrite deletes"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "states"}, 409),
        ({"name": "Upper"}, 400),
        ({"name": "google-states"}, 400),
        ({"name": "ab"}, 400),
        ({"name": "other", "iamConfiguration": {"publicAccessPrevention": "maybe"}}, 400),
        ({"name": "other", "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}, 501),
        ({"name": "other", "versioning": {"enabled": True}}, 501),
        ([], 400),
    ],
)
def test_a_bucket_that_cannot_be_is_not_made(gcs: GcsServer, body: object, status: int) -> None:
    assert _json(gcs, "POST", "?project=p", body)[0] == status
    assert _json(gcs, "GET", "/other")[0] == 404


def test_a_policy_is_checked_as_a_whole(gcs: GcsServer) -> None:
    assert _policy(gcs, "roles/owner")[0] == 400
    assert _policy(gcs, "roles/storage.objectViewer", "everybody")[0] == 400
    stale = {"etag": "CAx=", "bindings": []}
    assert _json(gcs, "PUT", "/states/iam", stale)[0] == 412
    assert _json(gcs, "GET", "/states/iam")[1]["bindings"] == []


def test_a_bucket_with_objects_is_not_deleted(gcs: GcsServer) -> None:
    _ask(gcs, "PUT", "/states/k", body=b"x")
    assert _json(gcs, "DELETE", "/states")[0] == 409
    _ask(gcs, "DELETE", "/states/k")
    assert _json(gcs, "DELETE", "/states")[0] == 204
    assert code(_ask(gcs, "GET", "/states/k")) == (404, "NoSuchBucket")


def test_a_machine_gets_a_token_as_from_its_metadata_server(gcs: GcsServer) -> None:
    path = "/computeMetadata/v1/instance/service-accounts/default/token"
    assert ask(gcs, "GET", path).status == 403
    given = json.loads(ask(gcs, "GET", path, {"metadata-flavor": "Google"}).body)
    assert given["access_token"] == BEARER
