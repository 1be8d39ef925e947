"""sql.extension."""

from typing import Any

from provisioner.secret import Secret
from tests.contract.case import Case, Need
from tests.contract.world import World

PASSWORD = "a-password-of-the-contract"
OTHERS = {"twice": "hstore", "gone": "citext"}
DATABASE = Need(
    "db",
    "aws.rds_instance",
    lambda w: {
        "engine_version": "15", "instance_class": "db.t3.micro", "multi_az": False, "db_name": "app",
        "username": "boss", "password": Secret(PASSWORD), "deletion_protection": False, "backup_retention_days": 0,
    },
)  # fmt: skip


def login(world: World) -> dict[str, Any]:
    """How to get into the database of the case."""
    return {
        "host": world["db"]["endpoint"], "port": world["db"]["port"], "database": "app", "username": "boss",
        "password": Secret(PASSWORD), "tls": "verify", "ca_file": world.session().ca(),
    }  # fmt: skip


def connect(world: World) -> Any:
    """A connection past the driver, as the master user."""
    import psycopg

    where = login(world)
    return psycopg.connect(
        host=where["host"], port=where["port"], dbname="app", user="boss", password=PASSWORD, sslmode="verify-full",
        sslrootcert=where["ca_file"], autocommit=True,
    )  # fmt: skip


def _older(world: World) -> dict[str, Any]:
    """The example, as it was before its extension's last version."""
    with connect(world) as connection:
        connection.execute("DROP EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION pg_trgm SCHEMA public VERSION '1.5'")
        connection.execute(f"COMMENT ON EXTENSION pg_trgm IS 'provisioner:owner={world.deployment}/example'")
    return {"version": "1.6"}


CASE = Case(
    needs=(DATABASE,),
    spec=lambda world: {**login(world), "name": "pg_trgm", "schema": "public"},
    changed=_older,
    replaced=lambda world: {"schema": "other"},
    unseen=frozenset({"password", "tls", "ca_file"}),
    beside=lambda world, step: {"name": OTHERS[step]},
    invalid=({"name": "1; DROP TABLE x"}, {"schema": "Upper"}, {"host": ""}, {"port": 0}),
)
