"""aws.rds_proxy: a pool of connections in front of one RDS for PostgreSQL instance.

To AWS it is three things: the proxy, its default target group (how the pool behaves) and the database registered there.
The second comes with the first, the third belongs to nobody else, and none is of any use alone: so one step is all of
them. AWS takes what concerns the group only from a proxy that is available. Until then a read shows it as a difference,
and an update completes it: what a crash left half made, the next run finishes.

Whether the proxy gets through to its database is asked by the gate ``aws.rds_proxy_health``, not here: a proxy whose
database restarts is none that must be made anew.

Filters against session pinning are missing: AWS has them for MySQL alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import arn_tags, bill_rds, failed, rds_proxy_state, same, tagged, tags
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.rds_proxy_state import ProxyAuth
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import BusyError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

GROUP: Final = "default"
"""The one target group that a proxy has."""


@resource.resource("aws.rds_proxy")
class RdsProxy(resource.Resource):
    """A pool of connections in front of one RDS for PostgreSQL instance."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A proxy with its pool and its database. Its role must be let to read (and decrypt) the secrets."""

        name: Annotated[
            Annotated[str, Meta(max_length=63)] | None,
            Meta(description="Identifier. Left out: deployment-step. Fixed."),
        ] = None
        engine_family: Annotated[Literal["POSTGRESQL"], Meta(description="Kind of database; fixed.")] = "POSTGRESQL"
        db_instance: Annotated[
            str, Meta(min_length=1, max_length=63, description="Name of the DB instance.", examples=["${db.name}"])
        ]
        auth: Annotated[
            list[ProxyAuth],
            Meta(min_length=1, max_length=200, description="Who may log in: a secret for each database user."),
        ]
        role_arn: Annotated[
            str,
            Meta(
                pattern=r"^arn:[a-z-]+:iam::\d{12}:role/",
                description="ARN of the role, assumed by rds.amazonaws.com, that may secretsmanager:GetSecretValue the "
                "secrets, and kms:Decrypt with the key of those that have one of their own.",
            ),
        ]
        subnets: Annotated[
            list[str],
            Meta(min_length=2, max_length=20, description="Ids of subnets of one VPC, in two or more zones; fixed."),
        ]
        security_groups: Annotated[
            list[str] | None,
            Meta(description="Ids of security groups, which the database's must let in; left out: the VPC's default."),
        ] = None
        require_tls: Annotated[bool, Meta(description="Refuse clients that do not encrypt.")] = True
        idle_client_timeout: Annotated[
            int, Meta(ge=1, le=28_800, description="Seconds after which a client that is silent is cut off.")
        ] = 1800
        debug_logging: Annotated[
            bool,
            Meta(
                description="Log connections and queries to /aws/rds/proxy/<name>: for looking into trouble only. AWS "
                "makes that log group and never deletes it; as a step before the proxy it is the plan's."
            ),
        ] = False
        max_connections_percent: Annotated[
            int, Meta(ge=1, le=100, description="Most connections to the database, in percent of its max_connections.")
        ] = 100
        max_idle_connections_percent: Annotated[
            Annotated[int, Meta(ge=0, le=100)] | None,
            Meta(description="Of these, how many may stay open unused. Left out of a new one: half."),
        ] = None
        connection_borrow_timeout: Annotated[
            int, Meta(ge=0, le=300, description="Seconds that a client waits for a connection when all are in use.")
        ] = 120
        init_query: Annotated[
            str | None,
            Meta(description="SQL run on each new connection; anybody who may describe the proxy can read it.",
                 examples=["SET statement_timeout = '30s'"]),
        ] = None  # fmt: skip
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {
        "name": str, "arn": str, "endpoint": str, "port": int, "vpc_id": str, "target_state": str,
    }  # fmt: skip
    charges = staticmethod(bill_rds.proxy)
    rules = (
        resource.Rule(("auth",), rds_proxy_state.one_each),
        rule(rds_proxy_state.tokens_need_tls, "auth", "require_tls"),
        rule(rds_proxy_state.idle_within, "max_idle_connections_percent", "max_connections_percent"),
    )
    service = "rds"
    timeout = 1800.0
    identifier = "arn"
    name_pattern = r"(?=.{1,63}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    immutable = frozenset({"name", "engine_family", "subnets"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "auth": rds_proxy_state.same_auth,
        "db_instance": same.name,
        "subnets": same.as_set,
        "security_groups": same.as_set,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The proxy of the key's name with its tags; once it is up, its group and its database: four calls."""
        proxy = self._describe(key)
        if proxy is None:
            return None
        try:
            return self._seen(key, proxy)
        except NotFoundError:  # deleted meanwhile
            return None

    def create(self, key: Key, spec: Spec) -> None:
        """Starts the creation, with tags. Pool and database come with an update, once the proxy is available."""
        marks = tags.wanted(key, spec.tags)
        with outright():
            made = self._call(
                "create_db_proxy",
                key,
                EngineFamily=spec.engine_family,
                VpcSubnetIds=sorted(set(spec.subnets)),
                VpcSecurityGroupIds=sorted(set(spec.security_groups)) if spec.security_groups else None,
                Tags=tags.to_list(marks),
                **_settings(spec, (*_OWN, "auth")),
            )
        tagged.born(self.session, made["DBProxy"]["DBProxyArn"], marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sends what differs: pool, database, the proxy's own settings, tags. What finds it busy comes again."""
        proxy = self._describe(key)
        if proxy is None:
            raise NotFoundError("it is gone", where=f"rds {key.name}")
        status = str(proxy["Status"])
        if rds_proxy_state.phase(proxy) is Phase.FAILED:
            failed.refuse(f"rds {key.name}", status)
        if status != "available":
            raise BusyError(f"it is {status}", where=f"rds {key.name}")
        seen = self._seen(key, proxy).spec
        with ExitStack() as first:
            first.enter_context(outright())
            for operation, parameters in self._changes(spec, seen, changed):
                self._call(operation, key, **parameters)
                first.pop_all()  # from here on something was done
        arn_tags.write(self.session, "rds", proxy["DBProxyArn"], key, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Starts the deletion; group and registration go with it, the network interfaces a while after."""
        proxy = self._describe(key)
        if proxy is None or rds_proxy_state.phase(proxy) is Phase.DELETING:
            return
        tagged.forget(self.session, proxy["DBProxyArn"])
        with suppress(NotFoundError):
            self._call("delete_db_proxy", key)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, and the tags of each."""
        for proxy in self.session.pages("rds", "describe_db_proxies", "DBProxies", region=region):
            name = str(proxy["DBProxyName"])
            with suppress(NotFoundError):  # deleted since it was listed
                marks = arn_tags.of(self.session, "rds", proxy["DBProxyArn"], name, region)
                if key := tags.found(marks, deployment, region, name):
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        proxy = self._describe(key)
        if proxy is not None:
            arn_tags.claim(self.session, "rds", proxy["DBProxyArn"], key)

    def _changes(
        self, spec: Spec, seen: Mapping[str, Any], changed: Collection[str]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Calls with their parameters. The proxy itself comes last: it is ``modifying`` for a while then."""
        differing = {name for name in _UPDATED if asked(changed, name) and self._differs(spec, seen, name)}
        if differing & _POOL.keys():
            yield (
                "modify_db_proxy_target_group",
                {
                    "TargetGroupName": GROUP,
                    "ConnectionPoolConfig": _pool(spec, seen, changed),
                },
            )
        if "db_instance" in differing:
            if seen["db_instance"]:  # a group has one database
                yield "deregister_db_proxy_targets", _target(seen["db_instance"])
            yield "register_db_proxy_targets", _target(spec.db_instance)
        own = _settings(spec, differing)
        if "security_groups" in differing:
            own["SecurityGroups"] = sorted(set(spec.security_groups or ()))
        if own:
            yield "modify_db_proxy", own

    def _differs(self, spec: Spec, seen: Mapping[str, Any], name: str) -> bool:
        wanted, found = getattr(spec, name), seen.get(name)
        if wanted is None:
            return False
        equal = self.matches.get(name)
        return not (equal(wanted, found) if equal and found is not None else wanted == found)

    def _seen(self, key: Key, proxy: Mapping[str, Any]) -> Observed:
        arn, status = str(proxy["DBProxyArn"]), str(proxy["Status"])
        marks = arn_tags.known(self.session, "rds", arn, key, ready=status != "creating")
        group, target = None, None
        if status not in ("creating", "deleting"):
            group = next(iter(self._listed("describe_db_proxy_target_groups", "TargetGroups", key)), {})
            target = next(iter(self._listed("describe_db_proxy_targets", "Targets", key)), {})
        return Observed(
            phase=rds_proxy_state.phase(proxy, group, target),
            owner=tags.owner(marks),
            spec={**rds_proxy_state.settings(proxy, group, target), "tags": tags.visible(key, marks)},
            outputs=rds_proxy_state.outputs(proxy, target),
            detail=rds_proxy_state.detail(proxy, target),
        )

    def _describe(self, key: Key) -> Mapping[str, Any] | None:
        try:
            found: list[Mapping[str, Any]] = self._call("describe_db_proxies", key)["DBProxies"]
        except NotFoundError:
            return None
        return found[0] if found else None

    def _listed(self, operation: str, field: str, key: Key) -> Iterator[Mapping[str, Any]]:
        place = {"what": key.name, "region": key.region}
        found: Iterator[Mapping[str, Any]] = self.session.pages("rds", operation, field, DBProxyName=key.name, **place)
        return found

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("rds", operation, what=key.name, region=key.region, DBProxyName=key.name, **parameters)


_OWN: Final = {
    "role_arn": "RoleArn",
    "require_tls": "RequireTLS",
    "idle_client_timeout": "IdleClientTimeout",
    "debug_logging": "DebugLogging",
}
"""Spec field → request field, of those that create and modify spell alike; beside them ``auth``."""
_POOL: Final = {
    "max_connections_percent": "MaxConnectionsPercent",
    "max_idle_connections_percent": "MaxIdleConnectionsPercent",
    "connection_borrow_timeout": "ConnectionBorrowTimeout",
    "init_query": "InitQuery",
}
_UPDATED: Final = (*_OWN, *_POOL, "auth", "security_groups", "db_instance")


def _settings(spec: RdsProxy.Spec, names: Collection[str]) -> dict[str, Any]:
    """Request fields of the proxy's own settings."""
    values: dict[str, Any] = {field: getattr(spec, name) for name, field in _OWN.items() if name in names}
    if "auth" in names:
        values["Auth"] = rds_proxy_state.to_cloud(spec.auth)
    return values


def _pool(spec: RdsProxy.Spec, seen: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """The pool as it is to be, whole: AWS judges its numbers as one. What the plan may not touch stays as it is."""
    wish = {
        name: getattr(spec, name) if asked(changed, name) and getattr(spec, name) is not None else seen.get(name)
        for name in _POOL
    }
    most, idle = wish["max_connections_percent"], wish["max_idle_connections_percent"]
    if spec.max_idle_connections_percent is None and idle is not None:
        wish["max_idle_connections_percent"] = min(idle, most)  # no plan's wish, and it must not be more than the most
    if not (wish["init_query"] or seen.get("init_query")):
        wish["init_query"] = None  # there is none and there is to be none
    return {field: wish[name] for name, field in _POOL.items() if wish[name] is not None}


def _target(instance: str) -> dict[str, Any]:
    return {"TargetGroupName": GROUP, "DBInstanceIdentifiers": [instance.lower()]}
