"""What a PostgreSQL of the sandbox is configured with: ours, then the caller's, within a laptop's means.

Capped: ``shared_buffers`` (32 MB), ``min_wal_size`` (32 MB), ``max_wal_size`` (256 MB), ``huge_pages`` (off).
Refused: what the sandbox decides itself (addresses, files, TLS, shell commands). Ignored: ``rds.*`` and
``ssl=on``, which is the front's work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.addresses import Endpoint

FORCE_SSL: Final = "rds.force_ssl"
_TRUE: Final = ("1", "on", "true", "yes")

_BASE: Final = {
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "100",
    # Sandbox data is throwaway: it survives a killed server, not a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "replica",
    "min_wal_size": "8MB",
    "max_wal_size": "128MB",
    # So that a standby that restarts finds what it missed.
    "wal_keep_size": "64MB",
    # In the data directory, so that a killed server leaves nothing in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, mdy",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# The asynchronous reads of PostgreSQL 18 cost three processes a cluster.
_NEWER: Final = {18: {"io_method": "sync"}}
_CAPS: Final = {"shared_buffers": 32 << 20, "min_wal_size": 32 << 20, "max_wal_size": 256 << 20}
_UNITS: Final = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_BARE: Final = {"shared_buffers": 8 << 10, "min_wal_size": 1 << 20, "max_wal_size": 1 << 20}
"""What a number without a unit counts, in bytes."""
_OURS: Final = frozenset(
    {
        "archive_cleanup_command",
        "archive_command",
        "archive_library",
        "config_file",
        "data_directory",
        "event_source",
        "extension_control_path",
        "external_pid_file",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "log_directory",
        "log_filename",
        "port",
        "primary_conninfo",
        "primary_slot_name",
        "recovery_end_command",
        "restore_command",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_crl_dir",
        "ssl_crl_file",
        "ssl_key_file",
        "ssl_passphrase_command",
        "unix_socket_directories",
        "dynamic_library_path",
    }
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*")
_HBA: Final = """\
# Behind the TLS front every client comes from loopback.
host all         all      127.0.0.0/8 scram-sha-256
host replication rdsadmin 127.0.0.0/8 scram-sha-256
"""


def forces_tls(parameters: Mapping[str, str], default: bool) -> bool:
    """What ``rds.force_ssl`` says, or ``default`` where it is not among the parameters."""
    value = parameters.get(FORCE_SSL)
    return default if value is None else value.strip().lower() in _TRUE


def checked(parameters: Mapping[str, str], where: str) -> dict[str, str]:
    """The caller's parameters as PostgreSQL gets them; SandboxError for a name that is ours or is none."""
    result: dict[str, str] = {}
    for name, value in parameters.items():
        lower = name.lower()
        if lower.startswith("rds.") or (lower == "ssl" and value.strip().lower() in _TRUE):
            continue
        if not _NAME.fullmatch(name) or any(ord(char) < ord(" ") for char in value):
            raise SandboxError(f"{name!r} is not a parameter, or its value has a line break", where=where)
        if lower in _OURS or lower == "ssl":
            raise SandboxError(f"{name} is decided by the sandbox and cannot be set", where=where, hint="leave it out")
        result[lower] = "off" if lower == "huge_pages" else _capped(lower, value)
    return result


def write_base(data: Path, endpoint: Endpoint, extensions: Path | None, major: int) -> None:
    """Write postgresql.conf and pg_hba.conf of a cluster of version ``major`` listening on ``endpoint``."""
    newer = {name: value for since, some in _NEWER.items() if major >= since for name, value in some.items()}
    settings = {**_BASE, **newer, "listen_addresses": endpoint.host, "port": str(endpoint.port)}
    if extensions is not None:
        settings["extension_control_path"] = f"{extensions}:$system"
    lines = _lines(settings)
    (data / "postgresql.conf").write_text(f"{lines}include 'parameters.conf'\n", encoding="utf-8")
    (data / "pg_hba.conf").write_text(_HBA, encoding="utf-8")
    (data / "postgresql.auto.conf").write_text("", encoding="utf-8")


def write_parameters(data: Path, parameters: Mapping[str, str]) -> None:
    """Write the caller's parameters (already :func:`checked`)."""
    (data / "parameters.conf").write_text(_lines(parameters), encoding="utf-8")


def _lines(settings: Mapping[str, str]) -> str:
    quoted = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


def _capped(name: str, value: str) -> str:
    cap = _CAPS.get(name)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value)
    if cap is None or match is None:
        return value
    size = float(match[1]) * (_UNITS.get(match[2].upper(), 0) if match[2] else _BARE[name])
    return f"{cap >> 20}MB" if size > cap else value
