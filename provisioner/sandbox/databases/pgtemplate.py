"""The pristine cluster that every new PostgreSQL is copied from: ``initdb`` once for a sandbox directory.

In it the superuser is ``rdsadmin``, and ``rds_superuser`` has the predefined roles a managed service grants.
Beside it lie copies of extensions that the service lets its users create though stock PostgreSQL reserves
them to superusers: the copies say ``trusted``, and ``extension_control_path`` (PostgreSQL 18 and newer) finds
them first. With an older PostgreSQL these extensions need the superuser.

Left out: the service's own database ``rdsadmin``. Three hundred files more would make every copy slower by a third.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioner.sandbox.databases.binaries import PostgresBinaries
from provisioner.sandbox.databases.processes import run
from provisioner.sandbox.databases.rootless import Identity

SUPERUSER: Final = "rdsadmin"
MASTER_ROLE: Final = "rds_superuser"
_CHUNK: Final = 1 << 20
_LAYOUT: Final = "1"
_BUILTIN_LOCALE: Final = 17
_CONTROL_PATH: Final = 18
_TRUSTED: Final = (
    "amcheck",
    "bloom",
    "dblink",
    "earthdistance",
    "intagg",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_visibility",
    "pg_walinspect",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "sslinfo",
    "vector",
    "xml2",
)
_GRANTED: Final = (
    "pg_checkpoint",
    "pg_create_subscription",
    "pg_maintain",
    "pg_monitor",
    "pg_read_all_data",
    "pg_signal_backend",
    "pg_use_reserved_connections",
    "pg_write_all_data",
    "rds_password",
    "rds_replication",
)
_GRANT_FUNCTIONS: Final = f"""
DO $grant$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT objid FROM pg_depend
    WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
      AND refobjid = (SELECT oid FROM pg_extension WHERE extname = '%s')
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %%s TO {MASTER_ROLE}', f);
  END LOOP;
END $grant$;
"""
_GRANTS: Final = {
    "amcheck": _GRANT_FUNCTIONS % "amcheck",
    "pg_stat_statements": _GRANT_FUNCTIONS % "pg_stat_statements",
    "dblink": f"\nGRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {MASTER_ROLE};\n",
    "postgres_fdw": f"\nGRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {MASTER_ROLE};\n",
}
"""What the service's users may do with an extension though its script keeps it from them."""
_GRANT_ALL: Final = f"""
do $$ declare r name; begin
for r in select rolname from pg_roles where rolname = any('{{{",".join(_GRANTED)}}}') loop
execute format('grant %I to {MASTER_ROLE} with admin option', r);
end loop; end $$
"""
_ROLES: Final = (
    f"create role {MASTER_ROLE} nologin",
    "create role rds_password nologin",
    "create role rds_replication nologin",
    "create role rds_iam nologin",
    " ".join(_GRANT_ALL.split()),
)
"""One statement a line: that is how the single-user server reads."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that is ready: its data directory, the extensions beside it, and ``rdsadmin``'s password."""

    data: Path
    extensions: Path | None
    password: str


def ensure_template(home: Path, identity: Identity, binaries: PostgresBinaries) -> Template:
    """The template of ``home``, made now (about 0.6 s) unless one of the same PostgreSQL is there."""
    target = home / "template"
    stamp = f"{_LAYOUT} {binaries.version} {binaries.bindir}"
    stamped = target / "made-by"
    if not stamped.is_file() or stamped.read_text(encoding="utf-8") != stamp:
        partial = home / "template.partial"
        for old in (partial, target):
            shutil.rmtree(old, ignore_errors=True)
        _make(partial, identity, binaries)
        (partial / "made-by").write_text(stamp, encoding="utf-8")
        partial.rename(target)
    extensions = target / "extensions"
    return Template(
        target / "data",
        extensions if extensions.is_dir() else None,
        (target / "password").read_text(encoding="utf-8").strip(),
    )


def _make(directory: Path, identity: Identity, binaries: PostgresBinaries) -> None:
    directory.mkdir(mode=0o700)
    password = directory / "password"
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secrets.token_urlsafe(32)}\n")
    if binaries.major >= _CONTROL_PATH:
        _copy_extensions(binaries, directory / "extensions" / "extension")
    identity.take(directory)
    data = directory / "data"
    locale = ["--locale=C"]
    if binaries.major >= _BUILTIN_LOCALE:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    argv = [
        binaries.program("initdb"),
        "-D",
        str(data),
        "-U",
        SUPERUSER,
        "-A",
        "scram-sha-256",
        f"--pwfile={password}",
    ]
    argv += ["--no-sync", "--no-instructions", "--data-checksums", "--wal-segsize=1", "-E", "UTF8", *locale]
    run(identity, argv, cwd=directory)
    single = [binaries.program("postgres"), "--single", "-D", str(data), "-c", "fsync=off", "postgres"]
    run(identity, single, cwd=directory, text="\n".join(_ROLES) + "\n")


def _copy_extensions(binaries: PostgresBinaries, target: Path) -> None:
    """Copy control and script files of the extensions that get ``trusted``; libraries stay where they are."""
    target.mkdir(parents=True)
    # Below the installation, or where Debian keeps it.
    places = [
        *binaries.bindir.parent.glob("share/**/extension"),
        Path(f"/usr/share/postgresql/{binaries.major}/extension"),
    ]
    for source in places:
        for control in (source / f"{name}.control" for name in _TRUSTED):
            if control.is_file():
                _copy_extension(control, target)


def _copy_extension(control: Path, target: Path) -> None:
    text = control.read_text(encoding="utf-8")
    others = re.sub(r"(?m)^\s*(trusted|superuser)\s*=.*\n?", "", text).rstrip()
    (target / control.name).write_text(f"{others}\ntrusted = true\n", encoding="utf-8")
    for script in control.parent.glob(f"{control.stem}--*.sql"):
        shutil.copy(script, target / script.name)
    version = re.search(r"(?m)^\s*default_version\s*=\s*'([^']+)'", text)
    if version is None or control.stem not in _GRANTS:
        return
    # Rights given by the script itself count as the extension's own: a dump leaves them out.
    for script in target.glob(f"{control.stem}--*{version[1]}.sql"):
        with script.open("a", encoding="utf-8") as file:
            file.write(_GRANTS[control.stem])


def copy_cluster(source: Path, target: Path) -> None:
    """Copy the data directory of a stopped server, but for the files that speak of its process.

    By plain reads and writes: for some twelve hundred small files this takes half the time of ``shutil``'s ways.
    """
    shutil.copytree(
        source,
        target,
        symlinks=True,
        ignore=shutil.ignore_patterns("postmaster.pid", "postmaster.opts"),
        copy_function=_copy_file,
    )
    target.chmod(0o700)


def _copy_file(source: str, target: str) -> None:
    with open(source, "rb", 0) as reader, open(target, "wb", 0) as writer:  # noqa: PTH123 - 1,200 times
        shutil.copyfileobj(reader, writer, _CHUNK)
