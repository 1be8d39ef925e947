"""The part of a Django project's settings that opens the database; the rest of the file is yours.

Django reads its settings once, so a rotated password is taken up when the process starts again, or a worker is
recycled (gunicorn --max-requests).
"""

from __future__ import annotations

import os
from typing import Any

from provisioner.connect import get_db_credentials


def database() -> dict[str, Any]:
    """What Django wants to know, from the secret that DB_SECRET_ARN names."""
    secret = get_db_credentials()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": secret["dbname"],
        "USER": secret["username"],
        "PASSWORD": secret["password"],
        "HOST": secret["host"],
        "PORT": secret["port"],
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"sslmode": os.environ.get("DB_SSLMODE", "require")},
    }


DATABASES = {"default": database()}
