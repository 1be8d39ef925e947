"""The tags of KMS keys, which say whose the key is, and whose the aliases of it are."""

from __future__ import annotations

from provisioner.drivers.aws import tags
from provisioner.drivers.aws.session import AwsSession


def tag_list(session: AwsSession, number: str, region: str, what: str = "") -> dict[str, str]:
    """All tags of a key of the region, by its id; NotFoundError, AccessDeniedError."""
    items = session.pages("kms", "list_resource_tags", "Tags", what=what, region=region, KeyId=number)
    return tags.from_list(items, "TagKey", "TagValue")
