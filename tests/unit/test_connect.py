"""What an application imports: URLs that hold any password, credentials that follow a rotation."""

from __future__ import annotations

import json
import string
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from provisioner.connect import Credentials, create_database_url, database_url
from provisioner.connect.credentials import refused
from provisioner.errors import SetupError

DB = {"username": "app", "password": "p", "host": "db.example", "port": 5432, "dbname": "shop"}
CANARY = "canary-p@ss:w/rd"


class Vault:
    """A secret that may be rotated, and a database that takes its newest password alone."""

    def __init__(self) -> None:
        self.password = "one"
        self.reads = 0
        self.text: str | None = None

    def fetch(self, arn: str) -> str:
        self.reads += 1
        return self.text or json.dumps({**DB, "password": self.password})

    def connect(self, url: str) -> str:
        if unquote(urlsplit(url).password or "") != self.password:
            raise ConnectionError('password authentication failed for user "app"')
        return url


@pytest.mark.parametrize(
    "text",
    [string.printable, "p@ss:w/rd?#[]%40&=+ ;,!$'()*", "Grüße 💾", "%", "..", " ", "a" * 128, "\\"],
    ids=lambda text: repr(text[:12]),
)
def test_any_user_password_and_name_come_out_of_the_url_as_they_went_in(text: str) -> None:
    parts = urlsplit(database_url({**DB, "username": text, "password": text, "dbname": text}))
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (text, text)
    assert (parts.hostname, parts.port, unquote(parts.path[1:])) == ("db.example", 5432, text)


def test_options_join_the_url_and_encryption_is_asked_for_unless_they_say_otherwise() -> None:
    url = database_url(DB, scheme="postgresql+psycopg", sslmode="verify-full", sslrootcert="/a b/c.pem")
    assert url.startswith("postgresql+psycopg://app:p@db.example:5432/shop?")
    assert parse_qs(urlsplit(url).query) == {"sslmode": ["verify-full"], "sslrootcert": ["/a b/c.pem"]}
    assert parse_qs(urlsplit(database_url(DB)).query) == {"sslmode": ["require"]}
    assert database_url({**DB, "host": "::1"}).startswith("postgresql://app:p@[::1]:5432/")


def test_a_secret_that_lacks_something_is_named_and_never_shown() -> None:
    with pytest.raises(SetupError, match="no host, dbname") as caught:
        database_url({"username": "app", "password": CANARY})
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_secret_is_read_once_and_again_when_its_time_is_over() -> None:
    vault, now = Vault(), [0.0]
    credentials = Credentials("arn", fetch=vault.fetch, lifetime=60, clock=lambda: now[0])
    assert [credentials.current()["password"] for _ in range(3)] == ["one"] * 3
    assert vault.reads == 1
    now[0] = 61
    vault.password = "two"
    assert credentials.current()["password"] == "two"


def test_a_rotated_password_is_read_again_when_the_database_refuses_the_old_one() -> None:
    vault = Vault()
    credentials = Credentials("arn", fetch=vault.fetch)
    credentials.connect(vault.connect)
    vault.password = "two"
    assert ":two@" in credentials.connect(vault.connect)
    assert vault.reads == 2


def test_a_password_that_is_wrong_for_good_is_tried_once_and_told() -> None:
    vault = Vault()
    vault.text = json.dumps(DB)
    credentials = Credentials("arn", fetch=vault.fetch)
    with pytest.raises(ConnectionError, match="password authentication failed"):
        credentials.connect(vault.connect)
    assert vault.reads == 2


def test_other_failures_are_not_taken_for_a_rotation() -> None:
    vault = Vault()

    def down(url: str) -> None:
        raise ConnectionError("connection refused")

    with pytest.raises(ConnectionError, match="connection refused"):
        Credentials("arn", fetch=vault.fetch).connect(down)
    assert vault.reads == 1


def test_many_threads_that_are_refused_at_once_read_the_secret_once() -> None:
    vault = Vault()
    credentials = Credentials("arn", fetch=vault.fetch)
    stale = credentials.current()
    vault.password = "two"
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(credentials.refresh(stale))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 8
    assert vault.reads == 2


@pytest.mark.parametrize("text", ["not json " + CANARY, '["' + CANARY + '"]', '"' + CANARY + '"'])
def test_a_secret_that_is_no_document_is_said_without_showing_it(text: str) -> None:
    vault = Vault()
    vault.text = text
    credentials = Credentials("arn:of:it", fetch=vault.fetch)
    with pytest.raises(SetupError, match="not a JSON object") as caught:
        credentials.current()
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.__cause__} {credentials!r}"


def test_the_variable_names_the_secret_and_its_absence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_SECRET_ARN", raising=False)
    with pytest.raises(SetupError, match="DB_SECRET_ARN is not set"):
        create_database_url()
    monkeypatch.setenv("DB_SECRET_ARN", "arn:of:it")
    assert Credentials(fetch=Vault().fetch).arn == "arn:of:it"


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        ({"sqlstate": "28P01"}, True),
        ({"pgcode": "28000"}, True),
        ({"sqlstate": "53300"}, False),
        ({"sqlstate": None}, False),
    ],
    ids=str,
)
def test_a_refusal_is_known_by_its_code(error: Mapping[str, Any], answer: bool) -> None:
    raised = RuntimeError("no")
    for name, value in error.items():
        setattr(raised, name, value)
    assert refused(raised) is answer
