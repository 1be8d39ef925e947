"""The one place where the drivers' SDK is set up and called: clients, credentials, endpoints, errors.

Whether it talks to AWS or to a sandbox is decided here alone (:mod:`provisioner.endpoints`), and drivers never know.

SDK retries are off: the engine retries, once, in one place.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from provisioner.drivers.aws import page
from provisioner.drivers.aws.errors import caught, masked, translate
from provisioner.drivers.aws.fence import guard
from provisioner.drivers.aws.models import ModelFiles
from provisioner.endpoints import Endpoint, endpoint_of
from provisioner.errors import LockLostError, MissingExtraError, SetupError
from provisioner.secret import Secret


class AwsSession:
    """Clients of one account, shared by all drivers and safe to use from several threads."""

    def __init__(self, region: str, endpoint: Endpoint | None = None, *, patience: float = 60.0) -> None:
        """``patience``: seconds without an answer after which a call counts as one whose outcome nobody knows."""
        self.region = region
        self.patience = patience
        self.endpoint = endpoint
        self.glancing = False
        """Whether reads may use lists that lag (:class:`provisioner.resource.CanGlance`)."""
        self.unmanaged: dict[str, frozenset[str]] = {}
        """Fields that need not be read, by owner (:class:`provisioner.resource.CanLeaveOut`)."""
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._boto: Any = None
        self._caller: dict[str, str] | None = None
        self._memory: dict[str, dict[str, Any]] = {}
        self._fence: Callable[[], None] | None = None

    def fence(self, check: Callable[[], None]) -> None:
        """From now on ``check`` is asked when a request is about to leave (:mod:`.fence`); what it raises comes out."""
        self._fence = check

    def client(self, service: str, region: str = "") -> Any:
        """The boto3 client of a service (``rds``) in a region; made once. MissingExtraError without boto3."""
        place = (service, region or self.region)
        found = self._clients.get(place)
        if found is None:
            with self._lock:  # boto3's sessions are not thread-safe, its clients are
                found = self._clients.get(place)
                if found is None:
                    found = self._clients[place] = self._make_client(*place)
        return found

    def call(
        self, service: str, operation: str, *, what: str = "", region: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """One API call: ``call("rds", "create_db_instance", what=name, DBInstanceIdentifier=name, …)``.

        A :class:`Secret` anywhere in the parameters is revealed for the call and masked in any error text.
        Parameters that are None are left out. Raises CloudError kinds and CredentialsError alone.
        """
        hidden: list[str] = []
        client = self.client(service, region)
        sent = {name: _reveal(value, hidden) for name, value in parameters.items() if value is not None}
        with _translated(client, operation, what, hidden):
            answer: dict[str, Any] = getattr(client, operation)(**sent)
        return answer

    def pages(
        self, service: str, operation: str, key: str, *, what: str = "", region: str = "", **parameters: Any
    ) -> Iterator[Any]:
        """The items under ``key`` of every page; errors as with :meth:`call`."""
        client = self.client(service, region)
        sent = {name: value for name, value in parameters.items() if value is not None}
        with _translated(client, operation, what, []):
            yield from page.items(client, operation, key, sent)

    def memory(self, name: str) -> dict[str, Any]:
        """What one driver may remember for the length of this session: facts that never change, by name."""
        return self._memory.setdefault(name, {})

    def manages(self, owner: str, field: str) -> bool:
        """Whether a read of the owner's object must tell the field."""
        return field not in self.unmanaged.get(owner, ())

    def caller(self) -> Mapping[str, str]:
        """``account``, ``arn`` and ``partition`` of the credentials; asked once."""
        if self._caller is None:
            answer = self.call("sts", "get_caller_identity")
            arn = str(answer["Arn"])
            self._caller = {"account": str(answer["Account"]), "arn": arn, "partition": arn.split(":")[1]}
        return self._caller

    def account(self) -> str:
        """The twelve digits of the account."""
        return self.caller()["account"]

    def identity(self) -> str:
        """``aws:123456789012``; CredentialsError where there are none."""
        return f"aws:{self.account()}"

    def survey(self, region: str = "") -> Any:
        """What checks ask of a region (:class:`provisioner.survey.Survey`)."""
        from provisioner.drivers.aws.survey import AwsSurvey

        return AwsSurvey(self, region)

    def ca(self) -> str | None:
        """Path of the authority that signs the databases' certificates, where the endpoint names one."""
        return (self.endpoint.ca if self.endpoint else "") or None

    def close(self) -> None:
        """Closes every connection; a later call opens new ones."""
        for client in self._clients.values():
            client.close()

    def _ask(self) -> None:
        if self._fence is not None:
            self._fence()

    def _make_client(self, service: str, region: str) -> Any:
        if self._boto is None:
            self._boto = _boto_session(self.endpoint)
        config: Any = importlib.import_module("botocore.config")
        options: dict[str, Any] = {
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "connect_timeout": 10,
            "read_timeout": self.patience,
            "max_pool_connections": 16,
            "tcp_keepalive": True,
            "parameter_validation": True,
            "user_agent_extra": "provisioner",
        }
        place: dict[str, Any] = {}
        if self.endpoint:
            place["endpoint_url"] = self.endpoint.url
            options |= {"s3": {"addressing_style": "path"}, "proxies": {}}
        try:
            made = self._boto.create_client(service, region, config=config.Config(**options), **place)
            guard(made, self._ask)
            return made
        except caught() as err:
            raise translate(err, service=service, operation="") from err


@contextmanager
def _translated(client: Any, operation: str, what: str, hidden: list[str]) -> Iterator[None]:
    try:
        yield
    except caught() as err:
        refused = getattr(err, "kwargs", {}).get("error")
        if isinstance(refused, LockLostError):
            raise refused from err  # botocore wraps whatever a connection raises
        meta = client.meta
        api = meta.method_to_api_mapping.get(operation, operation)
        error = translate(err, service=meta.service_model.service_name, operation=api, what=what, hide=hidden)
        if masked(str(err), hidden) != str(err):
            raise error from None  # a traceback prints the cause, and this one quotes a secret
        raise error from err


def open_session(region: str = "") -> AwsSession:
    """A session for a region (``us-east-1``); empty: the endpoint's, else the one in AWS's own settings."""
    endpoint = endpoint_of("aws")
    region = region or (endpoint.region if endpoint else "") or _configured_region(endpoint)
    if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", region):
        raise SetupError(
            f"{region!r} is no AWS region" if region else "no AWS region is set",
            hint="set `region:` in the plan, for example us-east-1, or AWS_REGION",
        )
    return AwsSession(region, endpoint)


def _configured_region(endpoint: Endpoint | None) -> str:
    return "us-east-1" if endpoint else str(_boto_session(None).get_config_variable("region") or "")


def _boto_session(endpoint: Endpoint | None) -> Any:
    """A session of botocore, boto3's own core: what boto3 adds is of no use here, and takes its time to load."""
    try:
        core: Any = importlib.import_module("botocore.session")
        loaders: Any = importlib.import_module("botocore.loaders")
    except ImportError as err:
        raise MissingExtraError("boto3 is not installed", hint="pip install 'provisioner[aws]'") from err
    made = core.get_session()
    try:
        made.get_scoped_config()
    except caught() as err:  # AWS_PROFILE names a profile that does not exist
        raise translate(err, service="aws", operation="credentials") from err
    loader = loaders.create_loader(made.get_config_variable("data_path"))
    loader.file_loader = ModelFiles()
    made.register_component("data_loader", loader)
    if endpoint:
        made.set_credentials(endpoint.access_key_id, endpoint.secret_access_key)
    return made


def _reveal(value: Any, hidden: list[str]) -> Any:
    if isinstance(value, Secret):
        hidden.append(value.reveal())
        return hidden[-1]
    if isinstance(value, Mapping):
        return {name: _reveal(item, hidden) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_reveal(item, hidden) for item in value]
    return value
