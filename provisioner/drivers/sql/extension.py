"""sql.extension: an extension in a PostgreSQL database, pgvector for one.

Who made it stands in its comment, written in the transaction that creates it. Deleting drops it unless something uses
it: tables with columns of its types hold data, and a final snapshot of the database is to hold them too. Then it is let
go: it stays in the database, marked as released, and a later deploy takes it up again.

A schema is chosen when the extension is made: moving it is for the superuser alone, whom a managed service keeps.

Weakness: the comment that came with the extension is replaced by ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.check.stages import library
from provisioner.drivers.check.tls import CaFile, Mode
from provisioner.drivers.sql.server import connected
from provisioner.drivers.sql.session import SqlSession
from provisioner.errors import NotFoundError, NotOfferedError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright
from provisioner.secret import Secret

_OWNER: Final = "provisioner:owner="
_RELEASED: Final = "provisioner:released="
_FIND: Final = """
SELECT e.extversion, n.nspname, COALESCE(obj_description(e.oid, 'pg_extension'), '')
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = %s
"""
_OFFERED: Final = "SELECT version FROM pg_available_extension_versions WHERE name = %s ORDER BY version"


@resource.resource("sql.extension")
class Extension(resource.Resource):
    """An extension of one PostgreSQL database."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which extension, in which database, and how to log in there."""

        name: Annotated[
            str,
            Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$", description="The extension.", examples=["vector"]),
        ]
        version: Annotated[
            Annotated[str, Meta(min_length=1, max_length=32)] | None,
            Meta(description="Left out: the server's default, and not managed.", examples=["0.8.0"]),
        ] = None
        schema: Annotated[
            Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] | None,
            Meta(description="Schema, which must exist, for its objects. Left out: the extension's own choice."),
        ] = None
        database: Annotated[str, Meta(min_length=1, max_length=63, description="The database to make it in.")]
        host: Annotated[str, Meta(min_length=1, description="Name or address of the server.")]
        port: Annotated[int, Meta(ge=1, le=65535, description="TCP port.")] = 5432
        username: Annotated[str, Meta(min_length=1, description="A user who may create extensions there.")]
        password: Annotated[Secret, Meta(description="The user's password.")]
        tls: Mode = "require"
        ca_file: CaFile = None

    session: SqlSession
    outputs: ClassVar[Mapping[str, type]] = {"name": str, "version": str, "schema": str, "database": str}
    charges = staticmethod(charge.nothing)
    service = "sql"
    timeout = 300.0
    identity = ("database",)
    immutable = frozenset({"name", "database", "schema"})
    one_way = frozenset({"version"})
    borrows = ("host", "port", "database", "username", "password", "tls", "ca_file")
    inside = "host"
    name_pattern = r"[A-Za-z_][A-Za-z0-9_-]{0,62}"
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {}

    def __init__(self, session: SqlSession) -> None:
        super().__init__(session)
        self._lent: dict[str, Mapping[str, Any]] = {}

    def lend(self, key: Key, values: Mapping[str, Any]) -> None:
        """How to log in for the key's object."""
        self._lent[key.owner] = values

    def read(self, key: Key) -> Observed | None:
        """The extension of the key's name; one that was released is as good as none."""
        values = self._values(key)
        with connected(self.session, f"extension {key.name}", values) as connection:
            row = connection.execute(_FIND, [key.name]).fetchone()
        if row is None or row[2].startswith(_RELEASED):
            return None
        version, schema, comment = row
        told = {name: values[name] for name in ("host", "port", "database", "username") if values.get(name)}
        return Observed(
            phase=Phase.READY,
            owner=comment.removeprefix(_OWNER) if comment.startswith(_OWNER) else None,
            spec={"name": key.name, "version": version, "schema": schema, **told},
            outputs={"name": key.name, "version": version, "schema": schema, "database": values["database"]},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the extension and marks it, in one transaction; NotOfferedError where the server has none such."""
        self.lend(key, {name: getattr(spec, name) for name in self.borrows})
        sql = library("psycopg.sql")
        with outright(), self._open(key) as connection:
            row = connection.execute(_FIND, [key.name]).fetchone()
            if row is None:
                _offered(connection, key.name, spec.version)
                connection.execute(_creation(sql, key.name, spec))
            elif not row[2].startswith(_RELEASED):
                return  # somebody's: a read tells whose
            connection.execute(_comment(sql, key.name, f"{_OWNER}{key.owner}"))

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings the version; how to log in is of no concern to the object."""
        self.lend(key, {name: getattr(spec, name) for name in self.borrows})
        sql = library("psycopg.sql")
        with outright(), self._open(key) as connection:
            row = connection.execute(_FIND, [key.name]).fetchone()
            if row is None:
                raise NotFoundError("it is gone", where=f"extension {key.name}")
            if spec.version is not None and spec.version != row[0]:
                _offered(connection, key.name, spec.version)
                words = sql.SQL("ALTER EXTENSION {} UPDATE TO {}")
                connection.execute(words.format(sql.Identifier(key.name), sql.Literal(spec.version)))

    def delete(self, key: Key) -> None:
        """Drops what carries the key's mark; what something uses is released instead."""
        psycopg, sql = library("psycopg"), library("psycopg.sql")
        with self._open(key) as connection:
            row = connection.execute(_FIND, [key.name]).fetchone()
            if row is None or row[2] != f"{_OWNER}{key.owner}":
                return
            try:
                with connection.transaction():
                    connection.execute(sql.SQL("DROP EXTENSION {} RESTRICT").format(sql.Identifier(key.name)))
            except psycopg.errors.DependentObjectsStillExist:
                connection.execute(_comment(sql, key.name, f"{_RELEASED}{key.owner}"))

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the mark back."""
        sql = library("psycopg.sql")
        with self._open(key) as connection:
            connection.execute(_comment(sql, key.name, f"{_OWNER}{key.owner}"))

    def lingers(self, key: Key) -> str | None:
        """What was released is still there."""
        with self._open(key) as connection:
            row = connection.execute(_FIND, [key.name]).fetchone()
        if row is None or row[2] != f"{_RELEASED}{key.owner}":
            return None
        return f"extension {key.name} stays in database {self._values(key)['database']}, where something uses it"

    def _open(self, key: Key) -> Any:
        return connected(self.session, f"extension {key.name}", self._values(key))

    def _values(self, key: Key) -> Mapping[str, Any]:
        return {**self._lent.get(key.owner, {}), "database": key.at["database"]}


def _creation(sql: Any, name: str, spec: Extension.Spec) -> Any:
    words = [sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name))]
    if spec.schema is not None:
        words.append(sql.SQL("SCHEMA {}").format(sql.Identifier(spec.schema)))
    if spec.version is not None:
        words.append(sql.SQL("VERSION {}").format(sql.Literal(spec.version)))
    return sql.SQL(" ").join(words)


def _comment(sql: Any, name: str, text: str) -> Any:
    return sql.SQL("COMMENT ON EXTENSION {} IS {}").format(sql.Identifier(name), sql.Literal(text))


def _offered(connection: Any, name: str, version: str | None) -> None:
    """NotOfferedError where the server cannot make it, with what it has instead."""
    versions: Sequence[str] = [row[0] for row in connection.execute(_OFFERED, [name]).fetchall()]
    server = f"PostgreSQL {str(connection.execute('SHOW server_version').fetchone()[0]).split()[0]}"
    if not versions:
        raise NotOfferedError(
            f"extension {name} is not available on this server ({server})",
            where=f"extension {name}",
            hint="use a server that has it, or leave the step out there with `when`; "
            "SELECT name FROM pg_available_extensions lists what it has",
        )
    if version is not None and version not in versions:
        raise NotOfferedError(
            f"extension {name} is not available in version {version} on this server ({server})",
            where=f"extension {name}",
            hint=f"write one of {', '.join(versions)}, or leave version out",
        )
