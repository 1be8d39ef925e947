"""Which tables hold a person's data: configuration, in PERSONAL_DATA or in personal_data.json beside this file.

::

    {"person": {"table": "app.person", "column": "id", "action": "delete"},
     "tables": [{"table": "app.message", "column": "person_id", "action": "delete"},
                {"table": "app.invoice", "column": "person_id", "action": "anonymise",
                 "set": {"name": "deleted", "address": null}}]}

``tables`` are treated in their order, the person's own last, so what refers to something comes before it. Names are
plain PostgreSQL identifiers, and are quoted all the same.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

_FILE = Path(__file__).with_name("personal_data.json")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_ACTIONS = ("delete", "anonymise")


class UnknownPersonError(Exception):
    """There is nobody of that id. Nothing was done."""


class ConfigurationError(Exception):
    """PERSONAL_DATA cannot be what was meant. Nothing was done."""


class Table(NamedTuple):
    """Rows of ``table`` whose ``column`` is the person's id; ``put`` is what an anonymised row has instead."""

    name: str
    column: str
    action: str
    put: Mapping[str, Any]

    @property
    def place(self) -> sql.Identifier:
        """The quoted name."""
        return sql.Identifier(*self.name.split("."))

    def rows(self, connection: psycopg.Connection[Any], person: str) -> list[Any]:
        """Every row of the person, as JSON has it, in an order that is always the same."""
        query = sql.SQL("SELECT to_jsonb(t) FROM {} AS t WHERE t.{} = %s ORDER BY t::text")
        found = connection.execute(query.format(self.place, sql.Identifier(self.column)), [person])
        return [row[0] for row in found]

    def left(self, connection: psycopg.Connection[Any], person: str) -> bool:
        """Whether there is a row that :meth:`erase` would change."""
        where = sql.SQL("{} = %s").format(sql.Identifier(self.column))
        if self.put:
            differs = (sql.SQL("{} IS DISTINCT FROM %s").format(sql.Identifier(name)) for name in self.put)
            where = sql.SQL("{} AND ({})").format(where, sql.SQL(" OR ").join(differs))
        query = sql.SQL("SELECT 1 FROM {} WHERE {} LIMIT 1").format(self.place, where)
        return connection.execute(query, [person, *self.put.values()]).fetchone() is not None

    def erase(self, connection: psycopg.Connection[Any], person: str) -> int:
        """Deletes the person's rows or makes them nobody's; how many they were."""
        where = sql.SQL("WHERE {} = %s").format(sql.Identifier(self.column))
        if self.action == "delete":
            return connection.execute(sql.SQL("DELETE FROM {} {}").format(self.place, where), [person]).rowcount
        changes = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in self.put)
        query = sql.SQL("UPDATE {} SET {} {}").format(self.place, changes, where)
        return connection.execute(query, [*self.put.values(), person]).rowcount


class Configuration(NamedTuple):
    """``person``: the table with one row a person. ``tables``: the others, in the order in which they are treated."""

    person: Table
    tables: tuple[Table, ...]

    @property
    def every(self) -> tuple[Table, ...]:
        """All, the person's own last."""
        return (*self.tables, self.person)

    def left(self, connection: psycopg.Connection[Any], person: str) -> bool:
        """Whether anything of the person is not as a deletion leaves it."""
        return any(table.left(connection, person) for table in self.every)


def configuration() -> Configuration:
    """What is configured; ConfigurationError says what is wrong with it."""
    text = os.environ.get("PERSONAL_DATA") or (_FILE.read_text("utf-8") if _FILE.exists() else "")
    if not text:
        raise ConfigurationError("neither PERSONAL_DATA nor personal_data.json says where personal data is")
    try:
        document = json.loads(text)
        person, tables = document["person"], document.get("tables", [])
        found = Configuration(_table(person), tuple(_table(one) for one in tables))
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise ConfigurationError(f"PERSONAL_DATA: {err!r}") from err
    names = [(one.name, one.column) for one in found.every]
    if len(set(names)) < len(names):
        raise ConfigurationError("PERSONAL_DATA: a table stands there twice with the same column")
    return found


def _table(one: Mapping[str, Any]) -> Table:
    action, put = one.get("action", "delete"), one.get("set", {})
    parts = one["table"].split(".")
    for name in (*parts, one["column"], *put):
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"PERSONAL_DATA: {name!r} is no name of a table or column")
    if len(parts) > 2:
        raise ConfigurationError(f"PERSONAL_DATA: {one['table']!r} is not schema.table")
    if action not in _ACTIONS:
        raise ConfigurationError(f"PERSONAL_DATA: {one['table']}: the action is {' or '.join(_ACTIONS)}")
    if bool(put) != (action == "anonymise"):
        raise ConfigurationError(f"PERSONAL_DATA: {one['table']}: set says what an anonymised row has instead")
    if any(isinstance(value, dict | list) for value in put.values()):
        raise ConfigurationError(f"PERSONAL_DATA: {one['table']}: set takes plain values only")
    return Table(one["table"], one["column"], action, put)


def person_of(event: Mapping[str, Any]) -> str:
    """The id that a request is about; ValueError where it names none."""
    value = event.get("person_id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError("person_id is missing: the id of one person, as text or a number")
    if "\x00" in str(value):  # which PostgreSQL has in no text
        raise UnknownPersonError("there is nobody of that id")
    return str(value)


def text_of(event: Mapping[str, Any], name: str, most: int = 200) -> str:
    """A text that a request must have."""
    value = event.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise ValueError(f"{name} is missing: text of at most {most} characters")
    return value


def must_exist(connection: psycopg.Connection[Any], table: Table, person: str, *, lock: bool = False) -> str:
    """The id as the database writes it; UnknownPersonError where there is nobody of that id.

    ``lock`` keeps the row from changing meanwhile.
    """
    column = sql.Identifier(table.column)
    query = sql.SQL("SELECT {}::text FROM {} WHERE {} = %s {}").format(
        column, table.place, column, sql.SQL("FOR UPDATE" if lock else "")
    )
    try:
        found = connection.execute(query, [person]).fetchone()
    except psycopg.DataError as err:  # not even an id
        raise UnknownPersonError("there is nobody of that id") from err
    if found is None:
        raise UnknownPersonError("there is nobody of that id")
    return str(found[0])
