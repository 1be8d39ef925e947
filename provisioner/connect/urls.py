"""A database's URL from the members of its secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from provisioner.errors import SetupError


def database_url(credentials: Mapping[str, Any], *, scheme: str = "postgresql", **options: str) -> str:
    """``scheme://username:password@host:port/dbname?options``, for psycopg, SQLAlchemy, Node's pg and most others.

    ``options``: parameters of the connection; sslmode is ``require`` unless they say otherwise. SetupError where a
    member is missing; its message has no values.

    >>> database_url({"username": "app", "password": "p@ss:w/rd?#%", "host": "db.example", "port": 5432, "dbname": "x"})
    'postgresql://app:p%40ss%3Aw%2Frd%3F%23%25@db.example:5432/x?sslmode=require'
    """
    missing = [name for name in ("username", "password", "host", "dbname") if not credentials.get(name)]
    if missing:
        raise SetupError(
            f"the secret has no {', '.join(missing)}",
            where="database url",
            hint="it needs username, password, host, port and dbname: provisioner makes it so by aws.secret_version",
        )
    user, password = (quote(str(credentials[name]), safe="") for name in ("username", "password"))
    host, port = str(credentials["host"]), credentials.get("port") or 5432
    place = f"[{host}]" if ":" in host else quote(host, safe="")
    name = quote(str(credentials["dbname"]), safe="")
    query = urlencode({"sslmode": "require", **options}, quote_via=quote)
    return f"{scheme}://{user}:{password}@{place}:{port}/{name}?{query}"
