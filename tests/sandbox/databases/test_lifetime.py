"""No database outlives its sandbox, whoever runs it and however it ends, and no secret lies about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.binaries import find_postgres
from provisioner.sandbox.databases.host import DatabaseHost
from provisioner.sandbox.databases.rootless import Identity, find_identity
from tests.sandbox.databases.helpers import (
    DATABASE,
    PASSWORD,
    USER,
    cache,
    connect,
    eventually,
    servers_below,
    value,
)

REPOSITORY = Path(__file__).parents[3]
NOBODY = 65534
TOKEN = "canary-token-77aa"
PROGRAM = """
import sys
from pathlib import Path
from provisioner.sandbox.databases.host import DatabaseHost
host = DatabaseHost(Path(sys.argv[1]))
host.start_postgres("db", user="u", password="p-1", database="app")
host.start_valkey("cache", auth_token=None, tls=False, replicas=1)
print("ready", flush=True)
sys.stdin.read()
if sys.argv[2:] == ["close"]:
    host.close()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for hosts of other processes; its template serves them all."""
    return tmp_path_factory.mktemp("elsewhere")


def _program(command: list[str]) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    return program


def test_servers_die_with_a_sandbox_that_is_killed_and_the_next_one_sweeps_up(elsewhere: Path) -> None:
    with _program([sys.executable, "-c", PROGRAM, str(elsewhere)]) as program:
        assert len(servers_below(elsewhere)) >= 3
        program.kill()
    assert eventually(lambda: servers_below(elsewhere) == [])
    assert (elsewhere / "postgres" / "db").exists()
    with DatabaseHost(elsewhere):
        assert not (elsewhere / "postgres" / "db").exists()
        assert servers_below(elsewhere) == []


def test_a_server_that_outlived_its_sandbox_is_ended_by_the_next_one(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "db" / "data"
    data.mkdir(parents=True)
    with (
        subprocess.Popen(["sleep", "60"], cwd=data) as leftover,
        subprocess.Popen(["sleep", "60"]) as stranger,
    ):
        (data / "postmaster.pid").write_text(f"{leftover.pid}\n")
        other = tmp_path / "postgres" / "other" / "data"
        other.mkdir(parents=True)
        (other / "postmaster.pid").write_text(f"{stranger.pid}\n")
        DatabaseHost(tmp_path).close()
        assert leftover.wait(5) in (-signal.SIGQUIT, -signal.SIGKILL)
        assert stranger.poll() is None
        stranger.kill()


def test_two_hosts_do_not_share_a_directory(host: DatabaseHost, root: Path) -> None:
    with pytest.raises(SandboxError, match="another sandbox is at work"):
        DatabaseHost(root)


def test_a_closed_host_says_that_it_is_closed(tmp_path: Path) -> None:
    host = DatabaseHost(tmp_path)
    host.close()
    host.close()
    with pytest.raises(SandboxError, match="closed"):
        host.remove("db")


@as_root
def test_an_ordinary_user_runs_the_same(elsewhere: Path) -> None:
    ordinary = find_identity()
    if ordinary.mode != "userns":
        pytest.skip("user namespaces are forbidden here")
    command = ordinary.command([sys.executable, "-c", PROGRAM, str(elsewhere), "close"])
    with _program(command) as program:
        program.communicate(timeout=30)
    assert program.returncode == 0
    assert servers_below(elsewhere) == []


@as_root
def test_without_user_namespaces_root_runs_servers_as_nobody(tmp_path: Path) -> None:
    with DatabaseHost(tmp_path / "closed", identity=Identity("setuid", NOBODY, NOBODY)) as host:
        endpoint = host.start_postgres("db", user=USER, password=PASSWORD, database=DATABASE)
        home = Path((tmp_path / "closed" / "home").read_text())
        assert home != tmp_path / "closed"
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in servers_below(home)} == {NOBODY}
        host.configure_postgres("db", {"max_connections": "30"}, restart=True)
        host.snapshot_postgres("db", "kept")
        host.restore_postgres("kept", "copy")
        with connect(host, endpoint) as connection:
            assert value(connection, "SHOW max_connections") == "30"
    assert servers_below(home) == []
    assert not home.exists()


def test_no_secret_is_in_a_log_a_file_or_a_command_line(host: DatabaseHost, root: Path) -> None:
    talkative = {
        "log_statement": "all",
        "log_min_duration_statement": "0",
        "log_connections": "on",
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.track_utility": "on",
    }
    secrets = [f"canary-password-{number}" for number in range(3)]
    endpoint = host.start_postgres("quiet", user=USER, password=secrets[0], database=DATABASE, parameters=talkative)
    host.set_postgres_password("quiet", secrets[1])
    host.snapshot_postgres("quiet", "quiet")
    host.restore_postgres("quiet", "quiet-copy", password=secrets[2], parameters=talkative)
    caching = host.start_valkey("quiet-cache", auth_token=TOKEN, tls=True, replicas=1)
    host.set_valkey_auth("quiet-cache", [TOKEN, f"{TOKEN}-next"])
    with cache(host, caching.primary, TOKEN) as client:
        client.ping()
    with connect(host, endpoint, password=secrets[1]) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        remembered = connection.execute("SELECT query FROM pg_stat_statements WHERE query ~* 'scram|canary'")
        assert remembered.fetchall() == []
    internal = (root / "template" / "password").read_text().strip()
    for path in (path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for secret in (*secrets, TOKEN):
            assert secret.encode() not in content, path
        if path.name == "server.log":
            assert b"SCRAM-SHA-256$" not in content, path
            assert internal.encode() not in content, path
    for pid in servers_below(root):
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not any(secret.encode() in line for secret in (*secrets, TOKEN, internal))
    for ident in ("quiet", "quiet-copy", "quiet-cache"):
        host.remove(ident)
    host.delete_snapshot("quiet")


def test_servers_know_nothing_of_our_environment(host: DatabaseHost, main: object, root: Path) -> None:
    known: set[str] = set()
    for pid in servers_below(root):
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        known |= {word.partition(b"=")[0].decode() for word in words if word}
    # PostgreSQL adds its own.
    assert {name for name in known if not name.startswith("PG")} <= {
        "PATH",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "LD_LIBRARY_PATH",
    }


def test_a_postgresql_that_is_not_whole_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_PG_BINDIR", str(tmp_path))
    with pytest.raises(SandboxError, match="has no initdb, postgres, pg_basebackup"):
        find_postgres()


@pytest.mark.parametrize("which", ["find_postgres", "find_valkey"])
def test_a_missing_wheel_is_an_error_that_names_the_extra(which: str) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from provisioner.errors import MissingExtraError\n"
        "from provisioner.sandbox.databases import binaries\n"
        f"try: binaries.{which}()\n"
        "except MissingExtraError as err: print(err, err.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True, env={}
    )
    assert "is not installed" in done.stdout
    assert "provisioner[sandbox]" in done.stdout
