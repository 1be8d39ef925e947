"""A SQLAlchemy engine that survives a rotation: each new connection asks for the credentials that are current.

pip install 'sqlalchemy>=2' 'psycopg[binary]' 'provisioner[aws]'
"""

from __future__ import annotations

import os

import psycopg
from sqlalchemy import Engine, create_engine, text

from provisioner.connect import Credentials


def engine(credentials: Credentials | None = None) -> Engine:
    """A pool of 5, and 10 more when it is busy: 15 connections a process, to be counted against max_connections."""
    secret = credentials or Credentials()
    mode = os.environ.get("DB_SSLMODE", "require")
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: secret.connect(psycopg.connect, sslmode=mode),
        pool_size=5,
        max_overflow=10,
        pool_timeout=30,
        pool_recycle=1800,
        pool_pre_ping=True,
    )


if __name__ == "__main__":
    with engine().connect() as connection:
        print(connection.execute(text("SELECT version()")).scalar_one())
