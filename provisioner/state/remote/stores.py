"""From ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix`` to a backend.

Credentials are the machine's own: for S3 boto3's (profiles, single sign-on, roles), for Cloud Storage the application
default credentials, for Azure ``AZURE_STORAGE_ACCOUNT_NAME`` with a key, a service principal, a workload identity or
the CLI's login. Against a sandbox they are the sandbox's.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provisioner.endpoints import Endpoint, endpoint_of
from provisioner.errors import MissingExtraError, ProvisionerError, StateError, UsageError
from provisioner.location import FORMS, SCHEMES, Address
from provisioner.state.remote.lease import LEASE

if TYPE_CHECKING:
    from provisioner.state.remote.backend import RemoteBackend
    from provisioner.state.remote.bucket import Objects

_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT")
_TIMEOUT: Final = timedelta(seconds=10)
_RETRIES: Final = {"max_retries": 10, "retry_timeout": timedelta(seconds=20)}
"""For well over a second: Cloud Storage takes one change a second of an object, and a claim is filled at once."""


def open_backend(url: str, deployment: str, *, sandbox: bool = False, lease: float = LEASE) -> RemoteBackend:
    """The record of a deployment under a URL; a rehearsal's lies beside the real ones, never among them.

    UsageError, MissingExtraError; SandboxError where the endpoints that are set have no such store; StateError where
    the bucket is not there or not ours to see.
    """
    from provisioner.state.remote.backend import RemoteBackend
    from provisioner.state.remote.bucket import Bucket
    from provisioner.state.remote.safety import check

    try:
        address = Address.parse(url)
    except ValueError as err:
        raise UsageError(str(err), hint=f"{FORMS}; leave it out to keep the record here") from err
    folder = f"{address.prefix}{'sandbox-deployments' if sandbox else 'deployments'}/{deployment}/"
    place = f"{address.scheme}://{address.bucket}/{folder}"
    try:
        found = _open(address)
    except ProvisionerError:
        raise
    except importlib.import_module("obstore.exceptions").BaseError as err:
        raise StateError(
            f"cannot use the bucket: {err}", where=str(address), hint="mend the URL or the settings"
        ) from err
    anybody = Bucket(found.stranger, place, folder)
    return RemoteBackend(Bucket(found.objects, place, folder), lambda: check(address, anybody, found.refuse), lease)


class _Opened(NamedTuple):
    """The store with our credentials, the same without any, and what asks the bucket about itself."""

    objects: Objects
    stranger: Objects
    refuse: Callable[[], None]


def _open(address: Address) -> _Opened:
    try:
        store: Any = importlib.import_module("obstore.store")
    except ImportError as err:
        raise MissingExtraError("obstore is not installed", hint="pip install 'provisioner[remote]'") from err
    options: dict[str, Any] = {"timeout": _TIMEOUT, "connect_timeout": _TIMEOUT / 2}
    if any(os.environ.get(name, "").startswith("http://") for name in _ENDPOINTS):
        options["allow_http"] = True
    common: dict[str, Any] = {"client_options": options, "retry_config": _RETRIES}
    if address.scheme == "s3":
        from provisioner.state.remote.s3 import S3Bucket

        bucket = S3Bucket(address.bucket, endpoint_of("aws"))
        own, anonymous = bucket.settings()
        options["allow_http"] = str(own.get("endpoint", "")).startswith("http://")
        kind: Any = store.S3Store
        return _Opened(
            kind(address.bucket, **own, **common), kind(address.bucket, **anonymous, **common), bucket.refuse
        )
    _no_sandbox(address)
    kind = store.GCSStore if address.scheme == "gs" else store.AzureStore
    stranger = kind(address.bucket, skip_signature=True, **common)
    return _Opened(kind(address.bucket, **common), stranger, lambda: None)


def _no_sandbox(address: Address) -> None:
    endpoint: Endpoint | None = endpoint_of({"gs": "gcp", "az": "azure"}[address.scheme])
    if endpoint is not None:
        raise UsageError(
            f"a sandbox keeps no record in {SCHEMES[address.scheme]}",
            hint="leave it out to keep the record here, or use s3://",
        )
