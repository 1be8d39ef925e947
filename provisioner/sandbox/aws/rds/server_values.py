"""From a parameter group to the settings of the server behind: formulas worked out, AWS's own words translated."""

from __future__ import annotations

from typing import Final

from provisioner.sandbox.aws.rds import versions
from provisioner.sandbox.aws.rds.parameter_table import default_of, evaluate, parameters
from provisioner.sandbox.aws.rds.state import ParameterGroup

_AWS_ALONE: Final = frozenset({"log_filename", "log_destination", "log_line_prefix"})
"""Where the log goes is decided by whoever keeps it: AWS there, the sandbox here."""
_LIBRARIES: Final = frozenset({"pg_stat_statements", "auto_explain", "pg_prewarm"})
"""Libraries that every PostgreSQL build has; one that is missing would keep the server from starting."""


def values_for(group: ParameterGroup, instance_class: str) -> dict[str, str]:
    """What a group makes a server of this class run with, before translation.

    That is the user's values, the connections that the class's memory allows, and whether TLS is forced. Other
    defaults are left to the server: the memory formulas of AWS would not fit a laptop.
    """
    memory = versions.CLASSES[instance_class]
    rows = parameters(group.family)
    defaults = {name: default_of(rows[name], group.family) for name in ("max_connections", "rds.force_ssl")}
    defaults["shared_preload_libraries"] = "pg_stat_statements"
    return {name: evaluate(value, memory) for name, value in (defaults | group.values).items()}


def translated(values: dict[str, str]) -> dict[str, str]:
    """The values in PostgreSQL's own words."""
    result = {name: value for name, value in values.items() if name not in _AWS_ALONE and value != ""}
    libraries = [name.strip() for name in values.get("shared_preload_libraries", "").split(",")]
    result["shared_preload_libraries"] = ",".join(name for name in libraries if name in _LIBRARIES)
    if values.get("rds.logical_replication") == "1":
        result["wal_level"] = "logical"
    return result
