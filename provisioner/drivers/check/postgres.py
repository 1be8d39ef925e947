"""check.postgres: a PostgreSQL answers a query, over TLS, with this user and this password.

The password goes to libpq and nowhere else; libpq's messages do not quote it, and it is masked in them all
the same.
"""

from __future__ import annotations

import re
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.check import pgstats
from provisioner.drivers.check.stages import PATIENCE, failed, library, reach
from provisioner.drivers.check.tls import CaFile, Mode, anchors
from provisioner.errors import GateError
from provisioner.resource import Verdict
from provisioner.secret import Secret

_T = TypeVar("_T")
_SWITCH: Final[Mapping[str, str]] = {
    "1": "on",
    "true": "on",
    "yes": "on",
    "0": "off",
    "false": "off",
    "no": "off",
}
_STAGES: Final = (
    ("tls", ("certificate", "SSL", "ssl", "TLS", "no encryption")),
    ("password", ("authentication failed", "password", "no pg_hba.conf entry", "role ")),
    ("connection", ("timeout expired", "refused", "timed out", "closed the connection")),
)
"""Words of libpq's messages, and the stage that they speak of."""


@resource.resource("check.postgres")
class Postgres(resource.Gate):
    """Passes when ``SELECT version()`` is answered, and each parameter and extension asked for is there."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which database to ask, as whom, and what it must say."""

        host: Annotated[str, Meta(min_length=1, description="Name or address.")]
        port: Annotated[int, Meta(ge=1, le=65535, description="TCP port.")] = 5432
        database: Annotated[str, Meta(min_length=1, description="Database.")] = "postgres"
        username: Annotated[str, Meta(min_length=1, description="User.")]
        password: Annotated[Secret, Meta(description="The user's password.")]
        tls: Mode = "require"
        ca_file: CaFile = None
        parameters: Annotated[
            dict[str, str],
            Meta(
                description="Settings that must be in force, in their own unit, as SHOW or pg_settings has them.",
                examples=[{"max_connections": "100"}],
            ),
        ] = {}
        extensions: Annotated[
            list[str],
            Meta(
                description="Extensions that CREATE EXTENSION must be able to make.",
                examples=[["pg_stat_statements"]],
            ),
        ] = []

    timeout = 300.0

    def check(self, spec: Spec) -> Verdict:
        """One look, in stages."""
        unreached = reach(spec.host, spec.port)
        if unreached is not None:
            return unreached
        psycopg = library("psycopg")
        started = time.monotonic()
        try:
            with self._connected(spec) as (connection, mode):
                return _answers(connection, spec, mode, started)
        except OSError as err:
            return failed("tls", f"the CA file cannot be used: {err}")
        except psycopg.Error as err:
            return failed(_stage(str(err)), _line(str(err)), [spec.password.reveal()])

    def slowest(self, spec: Spec, limit: int) -> Sequence[Mapping[str, Any]]:
        """As :func:`.pgstats.slowest`. GateError where the database does not answer."""
        return self._told(spec, lambda connection: pgstats.slowest(connection, limit))

    def sample(self, spec: Spec) -> Mapping[str, float]:
        """As :func:`.pgstats.sample`. GateError where the database does not answer."""
        return self._told(spec, pgstats.sample)

    def baseline(self, samples: Sequence[Mapping[str, float]]) -> Mapping[str, Any]:
        """As :func:`.pgstats.baseline`."""
        return pgstats.baseline(samples)

    def _told(self, spec: Spec, ask: Callable[[Any], _T]) -> _T:
        psycopg = library("psycopg")
        try:
            with self._connected(spec) as (connection, _):
                return ask(connection)
        except (OSError, psycopg.Error) as err:
            verdict = failed(_stage(str(err)), _line(str(err)), [spec.password.reveal()])
            raise GateError(verdict.detail, where=f"{spec.host}:{spec.port}/{spec.database}") from None

    @contextmanager
    def _connected(self, spec: Spec) -> Iterator[tuple[Any, str]]:
        """A connection, and libpq's word for how it is secured. OSError, psycopg.Error."""
        with (
            trusting(anchors(self.session, spec.ca_file), spec.tls) as (mode, root),
            library("psycopg").connect(
                host=spec.host,
                port=spec.port,
                dbname=spec.database,
                user=spec.username,
                password=spec.password.reveal(),
                sslmode=mode,
                sslrootcert=root,
                connect_timeout=int(PATIENCE),
                application_name="provisioner",
                autocommit=True,
            ) as connection,
        ):
            yield connection, mode


@contextmanager
def trusting(trusted: list[str], mode: str) -> Iterator[tuple[str, str | None]]:
    """(sslmode, sslrootcert) for libpq, which takes one file: several are joined for as long as it reads
    them."""
    if mode == "off":
        yield "disable", None
    elif not trusted:
        system = ssl.get_default_verify_paths().cafile or "system"
        yield ("verify-full", system) if mode == "verify" else ("require", None)
    elif len(trusted) == 1:
        Path(trusted[0]).stat()  # libpq's own complaint about a missing file is a riddle
        yield "verify-full", trusted[0]
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as joined:
            joined.write("\n".join(Path(anchor).read_text(encoding="ascii") for anchor in trusted))
            joined.flush()
            yield "verify-full", joined.name


def _answers(connection: Any, spec: Postgres.Spec, mode: str, started: float) -> Verdict:
    version = str(connection.execute("SELECT version()").fetchone()[0]).split(" on ")[0]
    wrong = [
        *_wrong_parameters(connection, spec.parameters),
        *_missing_extensions(connection, spec.extensions),
    ]
    if wrong:
        return failed("answer", "; ".join(wrong))
    secure = {"disable": "unencrypted", "require": "TLS", "verify-full": "TLS, certificate verified"}[mode]
    return Verdict(True, f"{version} answers ({secure}, {(time.monotonic() - started) * 1000:.0f} ms)")


def _wrong_parameters(connection: Any, wanted: Mapping[str, str]) -> Iterator[str]:
    query = "SELECT name, setting, current_setting(name) FROM pg_settings WHERE name = ANY(%s)"
    rows = connection.execute(query, [list(wanted)]).fetchall()
    found = {name: (setting, shown) for name, setting, shown in rows}
    for name, value in wanted.items():
        if name not in found:
            yield f"it has no parameter {name}"
        elif not any(_same(value, text) for text in found[name]):
            yield f"{name} is {found[name][1]}, not {value}"


def _same(wanted: str, seen: str) -> bool:
    """RDS writes switches as 1 and 0, PostgreSQL as on and off."""
    plain, found = wanted.strip().lower(), seen.strip().lower()
    return plain == found or _SWITCH.get(plain, plain) == _SWITCH.get(found, found)


def _missing_extensions(connection: Any, wanted: list[str]) -> Iterator[str]:
    query = "SELECT name FROM pg_available_extensions WHERE name = ANY(%s)"
    found = {row[0] for row in connection.execute(query, [wanted]).fetchall()}
    yield from (f"extension {name} is not available" for name in wanted if name not in found)


def _stage(message: str) -> str:
    for stage, words in _STAGES:
        if any(word in message for word in words):
            return stage
    return "answer"


def _line(message: str) -> str:
    """libpq tells one story a line and an attempt; the last says how it ended. Where it was, the plan knows."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return re.sub(r"^.*port \d+ failed: ", "", lines[-1]) if lines else "no reason given"
