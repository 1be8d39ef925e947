"""What an application imports to reach a database whose credentials are in a secret.

::

    from provisioner.connect import Credentials

    credentials = Credentials()                      # the secret that DB_SECRET_ARN names
    connection = credentials.connect(psycopg.connect)

1. ``urls``         a secret's members → a URL, every character of them quoted for its place.
2. ``credentials``  start here: the secret, read once and kept for a while; read again when the database refuses it,
                    because somebody rotated the password meanwhile.

It depends on nothing else of provisioner's but the errors. ``boto3`` (extra ``aws``) is imported when a secret is read;
any other way to read one may be handed in.

Weakness: a process that keeps its connections open notices a rotation only when it opens the next one; pools should
recycle theirs.
"""

from provisioner.connect.credentials import Credentials, create_database_url, get_db_credentials
from provisioner.connect.urls import database_url

__all__ = ["Credentials", "create_database_url", "database_url", "get_db_credentials"]
