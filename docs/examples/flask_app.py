"""A Flask application whose database password may be rotated while it runs.

    pip install flask 'psycopg[binary]' 'provisioner[aws]'
    DB_SECRET_ARN=$(provisioner outputs plans/aws-credlink.yaml -e production --raw credentials_secret_arn) \
        flask --app docs/examples/flask_app.py run
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from flask import Flask, Response, g, jsonify

from provisioner.connect import Credentials


def create_app(credentials: Credentials | None = None) -> Flask:
    """``credentials``: by default those of the secret that DB_SECRET_ARN names."""
    app = Flask(__name__)
    secret = credentials or Credentials()
    # RDS wants a file of Amazon's CAs for verify-full; require encrypts without asking who is there.
    tls = {"sslmode": os.environ.get("DB_SSLMODE", "require")}
    if "DB_SSLROOTCERT" in os.environ:
        tls["sslrootcert"] = os.environ["DB_SSLROOTCERT"]

    def database() -> psycopg.Connection[Any]:
        """One connection a request; the secret is read again where the database refuses what is known."""
        if "database" not in g:
            g.database = secret.connect(psycopg.connect, **tls)
        return g.database  # type: ignore[no-any-return]

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        if "database" in g:
            g.pop("database").close()

    @app.get("/health")
    def health() -> Response:
        row = database().execute("SELECT current_user, current_setting('server_version')").fetchone()
        assert row is not None
        return jsonify(user=row[0], version=row[1])

    return app
