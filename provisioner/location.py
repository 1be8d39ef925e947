"""Where a record is kept when it is not on this machine: the URL of a bucket and a prefix in it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

SCHEMES: Final = {"s3": "Amazon S3", "gs": "Cloud Storage", "az": "Azure Blob Storage"}
FORMS: Final = "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"

PATTERN: Final = re.compile(r"(s3|gs|az)://([A-Za-z0-9][A-Za-z0-9._-]{1,221})((?:/[A-Za-z0-9._=+@-]+)*)/?")


class Address(NamedTuple):
    """A parsed URL. ``prefix`` is empty or ends in ``/``."""

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}"

    @classmethod
    def parse(cls, url: str) -> Address:
        """ValueError where it is none.

        >>> Address.parse("s3://acme-state/teams/data").prefix
        'teams/data/'
        """
        found = PATTERN.fullmatch(url)
        if found is None or set(found[3].split("/")) & {".", ".."}:
            raise ValueError(f"{url!r} is no place for a record")
        prefix = found[3].strip("/")
        return cls(found[1], found[2], f"{prefix}/" if prefix else "")
