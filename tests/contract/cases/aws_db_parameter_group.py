"""aws.db_parameter_group."""

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("rds").modify_db_parameter_group(
        DBParameterGroupName=key.name,
        Parameters=[
            {"ParameterName": "work_mem", "ParameterValue": "9999", "ApplyMethod": "immediate"},
        ],
    )
    return {"parameters"}


CASE = Case(
    spec=lambda world: {
        "name": f"{world.deployment}-parameters",
        "family": "postgres15",
        "parameters": {
            "max_connections": "100",
            "log_min_duration_statement": "1000",
            "log_statement": "ddl",
            "rds.force_ssl": "1",
            "shared_preload_libraries": "pg_stat_statements",
        },
        "description": "the application's",
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "parameters": {"max_connections": "200", "log_statement": "none", "work_mem": "8192"},
        "tags": {},
    },
    replaced=lambda world: {"family": "postgres16"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=({"family": "mysql8.0"}, {"parameters": {"max_connections": 100}}, {"description": ""}),
)
