"""What only S3 has: credentials of boto3, the bucket's region, and what the bucket says about itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from provisioner.endpoints import Endpoint
from provisioner.errors import CredentialsError, MissingExtraError, RefusedError, StateError

_HINT: Final = "make the bucket first, or mend its name in `state:` or --state"


class S3Bucket:
    """One bucket, and one client to ask about it."""

    def __init__(self, name: str, endpoint: Endpoint | None) -> None:
        self.name = name
        self._endpoint = endpoint
        self._session = _session(endpoint)
        self._client = _client(self._session, endpoint)

    def settings(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments of an S3Store with credentials, and of one without. StateError, CredentialsError."""
        address = self._client.meta.endpoint_url
        where: dict[str, Any] = {"region": _region(self._client, self.name)}
        if self._endpoint is not None or not address.endswith(".amazonaws.com"):
            where |= {"endpoint": address, "virtual_hosted_style_request": False}
        anonymous = {**where, "skip_signature": True}
        if self._endpoint is not None:
            # By a provider, for it is asked instead of the environment, which may hold real keys.
            return {**where, "credential_provider": _fixed(self._endpoint)}, anonymous
        provider: Any = importlib.import_module("obstore.auth.boto3").Boto3CredentialProvider(self._session)
        return {**where, "credential_provider": provider}, anonymous

    def refuse(self) -> None:
        """RefusedError where the bucket's own settings speak against it.

        What these credentials may not ask is not held against it: the anonymous try remains.
        """
        client, name = self._client, self.name
        if not _ask(client.get_bucket_encryption, name, "ServerSideEncryptionConfiguration"):
            raise _refusal(name, "it has no default encryption", "aws s3api put-bucket-encryption")
        status = _ask(client.get_bucket_policy_status, name, "PolicyStatus", {"IsPublic": False})
        grants = _ask(client.get_bucket_acl, name, "Grants", [])
        if status.get("IsPublic") or any("/global/" in str(grant["Grantee"].get("URI", "")) for grant in grants):
            block = _ask(client.get_public_access_block, name, "PublicAccessBlockConfiguration", {})
            if not (block.get("RestrictPublicBuckets") and block.get("IgnorePublicAcls")):
                why = "its policy or its access list opens it to the public"
                raise _refusal(name, why, "aws s3api put-public-access-block")


def _fixed(endpoint: Endpoint) -> Callable[[], dict[str, Any]]:
    keys = {"access_key_id": endpoint.access_key_id, "secret_access_key": endpoint.secret_access_key}
    return lambda: {**keys, "token": None, "expires_at": None}


def _refusal(bucket: str, why: str, mend: str) -> RefusedError:
    return RefusedError(
        f"the bucket must not hold a record: {why}",
        where=f"s3://{bucket}",
        hint=f"mend that first ({mend}), or use another bucket",
    )


def _ask(question: Any, bucket: str, key: str, otherwise: Any = None) -> Any:
    """A setting; ``otherwise`` where it is not set; a value that cannot be objected to where we may not ask."""
    exceptions: Any = importlib.import_module("botocore.exceptions")
    try:
        return question(Bucket=bucket)[key]
    except exceptions.ClientError as err:
        code = err.response["Error"]["Code"]
        if code in ("AccessDenied", "MethodNotAllowed", "NotImplemented"):
            return otherwise if otherwise is not None else "unknown"
        if code.startswith("NoSuch") or code.endswith("NotFoundError"):
            return otherwise
        raise StateError(f"cannot ask the bucket about itself: {err}", where=f"s3://{bucket}") from err
    except exceptions.BotoCoreError as err:
        raise StateError(f"cannot ask the bucket about itself: {err}", where=f"s3://{bucket}") from err


def _region(client: Any, bucket: str) -> str:
    exceptions: Any = importlib.import_module("botocore.exceptions")
    try:
        answer = client.head_bucket(Bucket=bucket)
    except exceptions.NoCredentialsError as err:
        raise CredentialsError("there are no AWS credentials", hint="aws configure, or set AWS_PROFILE") from err
    except exceptions.ClientError as err:
        answer = err.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            raise StateError("there is no such bucket", where=f"s3://{bucket}", hint=_HINT) from err
        if status != 301:
            hint = "these credentials may not use the bucket: they need to list, read, write and delete there"
            raise StateError(f"cannot use the bucket: {err}", where=f"s3://{bucket}", hint=hint) from err
    except exceptions.BotoCoreError as err:
        raise StateError(f"cannot reach the bucket: {err}", where=f"s3://{bucket}", hint="check the network") from err
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return str(headers.get("x-amz-bucket-region") or client.meta.region_name)


def _client(session: Any, endpoint: Endpoint | None) -> Any:
    config: Any = importlib.import_module("botocore.config")
    options: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 3}}
    place: dict[str, Any] = {}
    if endpoint is not None:
        place["endpoint_url"] = endpoint.url
        options |= {"s3": {"addressing_style": "path"}, "proxies": {}}
    region = session.region_name or (endpoint.region if endpoint else "") or "us-east-1"
    return session.client("s3", region_name=region, config=config.Config(**options), **place)


def _session(endpoint: Endpoint | None) -> Any:
    try:
        boto3: Any = importlib.import_module("boto3")
    except ImportError as err:
        raise MissingExtraError("boto3 is not installed", hint="pip install 'provisioner[aws]'") from err
    if endpoint is None:
        return boto3.session.Session()
    return boto3.session.Session(
        endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region or None
    )
