"""Export, deletion and ledger, on a real PostgreSQL."""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import pytest

ASK = {"request_id": "r1", "actor": "privacy desk"}
People = psycopg.Connection[Any]


def rows(people: People, query: str) -> list[Any]:
    return people.execute(query.encode()).fetchall()


def everything(people: People) -> list[Any]:
    """All data, to see that nothing was touched."""
    tables = ("person", "message", "invoice")
    return [rows(people, f"SELECT to_jsonb(t) FROM app.{table} t ORDER BY t::text") for table in tables]


def ledger(people: People) -> list[Any]:
    made = rows(people, "SELECT to_regclass('gdpr_audit') IS NOT NULL")[0][0]
    return rows(people, "SELECT action, person, request, actor FROM gdpr_audit ORDER BY id") if made else []


def test_an_export_has_everything_of_one_person_and_nothing_of_others(people: People, module: Any) -> None:
    before = everything(people)
    document = module("data_export").handler({"person_id": "42", **ASK}, None)
    assert document["tables"] == {
        "app.message": [{"id": 1, "person_id": 42, "text": "hello"}, {"id": 2, "person_id": 42, "text": "it's me"}],
        "app.invoice": [{"id": 1, "person_id": 42, "name": "Ada", "address": "Elm 1", "euros": 9.5}],
        "app.person": [{"id": 42, "name": "Ada", "email": "ada@example.org"}],
    }
    assert document["rows"] == {"app.message": 2, "app.invoice": 1, "app.person": 1}
    assert json.loads(json.dumps(document)) == document
    assert everything(people) == before and ledger(people) == [("export", "42", "r1", "privacy desk")]


def test_the_same_export_again_is_one_entry_in_the_ledger(people: People, module: Any) -> None:
    export = module("data_export").handler
    assert export({"person_id": 42, **ASK}, None)["audit"] == export({"person_id": 42, **ASK}, None)["audit"]
    assert len(ledger(people)) == 1
    with pytest.raises(ValueError, match="something else"):
        export({"person_id": 43, **ASK}, None)


def test_an_export_reads_one_moment_and_cannot_write(people: People, module: Any) -> None:
    db, export, tables = module("db"), module("data_export"), module("people")
    wanted = tables.configuration()
    with db.connect() as connection:
        seen: list[Any] = []

        class Spy(tables.Table):  # type: ignore[misc, name-defined]
            def rows(self, connection: Any, person: str) -> list[Any]:
                people.execute("INSERT INTO app.message VALUES (9, 42, 'late')")  # another session, meanwhile
                seen.append(connection.execute("SHOW transaction_read_only").fetchone()[0])
                found: list[Any] = super().rows(connection, person)
                return found

        spied = tables.Configuration(wanted.person, tuple(Spy(*table) for table in wanted.tables))
        document = export.export(connection, spied, "42")
    assert document["rows"]["app.message"] == 2 and seen == ["on", "on"]


def test_a_deletion_takes_the_data_and_leaves_a_receipt_in_one_transaction(people: People, module: Any) -> None:
    receipt = module("data_deletion").handler({"person_id": "42", **ASK}, None)
    assert receipt["rows"] == {"app.message": 2, "app.invoice": 1, "app.person": 1}
    assert rows(people, "SELECT id, name, email FROM app.person ORDER BY id") == [
        (42, "deleted", None),
        (43, "Bob", None),
    ]
    assert rows(people, "SELECT person_id FROM app.message") == [(43,)]
    assert rows(people, "SELECT name, address FROM app.invoice WHERE person_id = 42") == [("deleted", None)]
    assert ledger(people) == [("deletion", "42", "r1", "privacy desk")]
    # The data went in the very transaction that wrote the entry.
    assert rows(people, "SELECT a.xmin = p.xmin FROM gdpr_audit a, app.person p WHERE p.id = 42") == [(True,)]


def test_a_second_deletion_answers_with_the_first_receipt_and_touches_nothing(people: People, module: Any) -> None:
    delete = module("data_deletion").handler
    first = delete({"person_id": "42", **ASK}, None)
    after = everything(people)
    again = delete({"person_id": "042", "request_id": "r2", "actor": "somebody else"}, None)
    assert again == first and everything(people) == after and len(ledger(people)) == 1


def test_what_came_after_a_deletion_is_deleted_by_the_next_request(people: People, module: Any) -> None:
    delete = module("data_deletion").handler
    first = delete({"person_id": "42", **ASK}, None)
    people.execute("INSERT INTO app.message VALUES (9, 42, 'late')")
    assert delete({"person_id": "42", **ASK}, None) == first  # the same request was answered, and is no new one
    again = delete({"person_id": "42", "request_id": "r2", "actor": "privacy desk"}, None)
    assert again["rows"]["app.message"] == 1 and again["audit"] != first["audit"]
    assert rows(people, "SELECT person_id FROM app.message") == [(43,)]
    assert [entry[2] for entry in ledger(people)] == ["r1", "r2"]
    assert delete({"person_id": "42", "request_id": "r3", "actor": "a"}, None) == again
    people.execute("UPDATE app.person SET name = 'Ada again' WHERE id = 42")
    assert delete({"person_id": "42", "request_id": "r4", "actor": "a"}, None)["request"] == "r4"
    assert rows(people, "SELECT name FROM app.person WHERE id = 42") == [("deleted",)]


def test_two_deletions_at_once_give_one_receipt(people: People, module: Any) -> None:
    delete, receipts = module("data_deletion").handler, []

    def ask(number: int) -> None:
        receipts.append(delete({"person_id": "42", "request_id": f"r{number}", "actor": "a"}, None))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 4 and receipts.count(receipts[0]) == 4 and len(ledger(people)) == 1


def test_a_deletion_that_fails_on_the_way_did_nothing(
    people: People, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {
        "person": {"table": "app.person", "column": "id"},  # invoices still refer to it
        "tables": [{"table": "app.message", "column": "person_id"}],
    }
    monkeypatch.setenv("PERSONAL_DATA", json.dumps(wrong))
    before = everything(people)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        module("data_deletion").handler({"person_id": "42", **ASK}, None)
    assert everything(people) == before and ledger(people) == []


@pytest.mark.parametrize("person", ["44", "no number", "42; DROP TABLE app.person", "4\x002"])
@pytest.mark.parametrize("name", ["data_export", "data_deletion"])
def test_an_unknown_person_is_refused_and_leaves_no_trace(people: People, module: Any, name: str, person: str) -> None:
    before = everything(people)
    with pytest.raises(module("people").UnknownPersonError):
        module(name).handler({"person_id": person, **ASK}, None)
    assert everything(people) == before and ledger(people) == []


@pytest.mark.parametrize("event", [{}, {"person_id": "42"}, {"person_id": "", **ASK}, {"person_id": True, **ASK}])
def test_a_request_that_does_not_say_who_asks_about_whom_is_refused(people: People, module: Any, event: Any) -> None:
    for name in ("data_export", "data_deletion"):
        with pytest.raises(ValueError, match="is missing"):
            module(name).handler(event, None)
    assert ledger(people) == []


@pytest.mark.parametrize(
    "document",
    [
        {"tables": []},
        {"person": {"table": "app.person; --", "column": "id"}},
        {"person": {"table": "a.b.c", "column": "id"}},
        {"person": {"table": "app.person", "column": 'id" OR 1=1'}},
        {"person": {"table": "app.person", "column": "id", "action": "forget"}},
        {"person": {"table": "app.person", "column": "id", "action": "anonymise"}},
        {"person": {"table": "app.person", "column": "id", "set": {"name": ""}}},
        {"person": {"table": "app.person", "column": "id"}, "tables": [{"table": "app.person", "column": "id"}]},
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(
    module: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONAL_DATA", json.dumps(document))
    with pytest.raises(module("people").ConfigurationError):
        module("people").configuration()


def test_the_ledger_only_grows(people: People, module: Any) -> None:
    module("data_export").handler({"person_id": "42", **ASK}, None)
    for statement in ("UPDATE gdpr_audit SET actor = 'x'", "DELETE FROM gdpr_audit", "TRUNCATE gdpr_audit"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
            people.execute(statement.encode())
    assert len(ledger(people)) == 1


def test_an_entry_of_others_is_added_once_a_request(people: People, module: Any) -> None:
    log = module("audit_logging").handler
    event = {"action": "consent withdrawn", "person_id": "42", "details": {"n": 1e5, "s": "ü"}, **ASK}
    first = log(event, None)
    assert log(event, None) == first and len(ledger(people)) == 1
    assert (first["id"], first["previous"], first["details"]) == (1, "0" * 64, {"n": 1e5, "s": "ü"})
    for action in ("export", "deletion"):
        with pytest.raises(ValueError, match="only the function"):
            log({**event, "action": action, "request_id": action}, None)
    assert log({"verify": True}, None) == {"rows": 1, "broken_at": None, "digest": first["digest"]}


@pytest.mark.parametrize(
    "meddling",
    [
        "UPDATE gdpr_audit SET actor = 'nobody' WHERE id = 2",
        "UPDATE gdpr_audit SET details = '{}' WHERE id = 2",
        "DELETE FROM gdpr_audit WHERE id = 2; UPDATE gdpr_audit SET id = 2 WHERE id = 3",
    ],
)
def test_an_owner_who_goes_round_the_triggers_leaves_a_trace(people: People, module: Any, meddling: str) -> None:
    log = module("audit_logging").handler
    for number in (1, 2, 3):
        log({"action": "seen", "person_id": "42", "request_id": str(number), "actor": "a", "details": {"n": 1}}, None)
    people.execute("ALTER TABLE gdpr_audit DISABLE TRIGGER USER")
    people.execute(meddling.encode())
    people.execute("ALTER TABLE gdpr_audit ENABLE TRIGGER USER")
    assert log({"verify": True}, None)["broken_at"] == 2
