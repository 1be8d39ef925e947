"""check.redis: a Redis or Valkey answers, over TLS, with this token and to nobody without it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.check.stages import PATIENCE, failed, library, reach
from provisioner.drivers.check.tls import CaFile, Mode, anchors
from provisioner.resource import Verdict
from provisioner.secret import Secret


@resource.resource("check.redis")
class Redis(resource.Gate):
    """Passes when PING is answered; with a token, only if a PING without it is refused."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which cache to ask, and what it must say."""

        host: Annotated[str, Meta(min_length=1, description="Name or address.")]
        port: Annotated[int, Meta(ge=1, le=65535, description="TCP port.")] = 6379
        auth_token: Annotated[Secret | None, Meta(description="Token (password) of the default user.")] = None
        tls: Mode = "require"
        ca_file: CaFile = None
        maxmemory_policy: Annotated[
            str | None, Meta(description="What a full cache must evict.", examples=["allkeys-lru"])
        ] = None

    timeout = 300.0

    def check(self, spec: Spec) -> Verdict:
        """One look, in stages."""
        unreached = reach(spec.host, spec.port)
        if unreached is not None:
            return unreached
        redis = library("redis")
        token = spec.auth_token.reveal() if spec.auth_token else None
        started = time.monotonic()
        try:
            options = {**_options(spec, anchors(self.session, spec.ca_file)), "retry": _once()}
            if token is not None and not _refuses_strangers(redis, options):
                return failed("password", "it answers without a token: anyone who reaches it may read it")
            return _answers(redis, options, token, spec, started)
        except redis.exceptions.RedisError as err:
            return failed(_stage(redis, err), str(err), [token or ""])
        except OSError as err:
            return failed("tls", f"the CA file cannot be used: {err}")


def _answers(redis: Any, options: dict[str, Any], token: str | None, spec: Redis.Spec, started: float) -> Verdict:
    with redis.Redis(**options, password=token) as client:
        if not client.ping():
            return failed("answer", "PING was not answered with PONG")
        server, memory = client.info("server"), client.info("memory")
    policy = memory.get("maxmemory_policy")
    if spec.maxmemory_policy not in (None, policy):
        return failed("answer", f"maxmemory-policy is {policy}, not {spec.maxmemory_policy}")
    name = f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {server['redis_version']}"
    how = [_security(options)] + (["token required"] if token is not None else [])
    return Verdict(True, f"{name} answers ({', '.join(how)}, {(time.monotonic() - started) * 1000:.0f} ms)")


def _once() -> Any:
    """redis-py tries three times with pauses in between; here one look is one try, and the engine repeats looks."""
    return library("redis.retry").Retry(library("redis.backoff").NoBackoff(), 0)


def _refuses_strangers(redis: Any, options: dict[str, Any]) -> bool:
    try:
        with redis.Redis(**options) as client:
            client.ping()
    except (redis.exceptions.AuthenticationError, redis.exceptions.ResponseError):
        return True
    return False


def _options(spec: Redis.Spec, trusted: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "host": spec.host,
        "port": spec.port,
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": PATIENCE,
    }
    if spec.tls == "off":
        return options
    options["ssl"] = True
    if trusted:
        pem = "\n".join(Path(anchor).read_text(encoding="ascii") for anchor in trusted)
        return {**options, "ssl_cert_reqs": "required", "ssl_ca_data": pem, "ssl_check_hostname": True}
    verified = spec.tls == "verify"
    return {**options, "ssl_cert_reqs": "required" if verified else "none", "ssl_check_hostname": verified}


def _security(options: dict[str, Any]) -> str:
    if not options.get("ssl"):
        return "unencrypted"
    return "TLS, certificate verified" if options["ssl_cert_reqs"] == "required" else "TLS"


def _stage(redis: Any, err: Exception) -> str:
    if isinstance(err, redis.exceptions.AuthenticationError) or "WRONGPASS" in str(err):
        return "password"
    text = str(err).lower()
    if "ssl" in text or "certificate" in text:
        return "tls"
    return (
        "connection" if isinstance(err, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError) else "answer"
    )
