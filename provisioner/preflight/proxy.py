"""Proxies: will one reach its database, and may it read the secrets that it logs in with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from provisioner.plan.outline import Item, Outline, unknown
from provisioner.preflight.book import RDS_GUIDE, rule
from provisioner.preflight.network import inside, network_of, opens
from provisioner.preflight.policies import may, trusts
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

_SETUP: Final = f"{RDS_GUIDE}/rds-proxy-iam-setup.html"
_NETWORK: Final = f"{RDS_GUIDE}/rds-proxy-network-prereqs.html"


def _proxies(look: Look) -> Iterator[tuple[Item, Item]]:
    """Each proxy with its role, where that is a step."""
    for proxy in look.outline.of("aws.rds_proxy"):
        role = look.outline.link(proxy, "role_arn", "aws.iam_role")
        if role is not None:
            yield proxy, role


@rule(
    "proxy.trust",
    Level.ERROR,
    source=_SETUP,
    hint="services: [rds.amazonaws.com]; else its target stays unavailable (AUTH_FAILURE)",
)
def trust(look: Look) -> Iterator[Hit]:
    """The role of a proxy is one that RDS may not assume."""
    for proxy, role in _proxies(look):
        if not trusts(role, "rds.amazonaws.com"):
            yield on(proxy, "role_arn", f"{role.step.name} does not let rds.amazonaws.com assume it")


@rule(
    "proxy.read-secret",
    Level.ERROR,
    source=_SETUP,
    hint="Allow secretsmanager:GetSecretValue on the secret's ARN in its inline_policies",
)
def read_secret(look: Look) -> Iterator[Hit]:
    """The role of a proxy may not read the secrets that the proxy logs in with."""
    for proxy, role in _proxies(look):
        if may(role, "secretsmanager:GetSecretValue") is False:
            yield on(proxy, "role_arn", f"{role.step.name} may not secretsmanager:GetSecretValue")


@rule(
    "proxy.decrypt",
    Level.ERROR,
    source=_SETUP,
    hint="Allow kms:Decrypt on the key's ARN; else its target stays unavailable, and nothing says why",
)
def decrypt(look: Look) -> Iterator[Hit]:
    """A secret of a proxy is encrypted with a key of your own, which the proxy's role may not use."""
    outline = look.outline
    for proxy, role in _proxies(look):
        keyed = [link for link in outline.links(proxy, "auth") if link.type == "aws.secret" and link.sets("kms_key_id")]
        if keyed and may(role, "kms:Decrypt") is False:
            names = ", ".join(secret.step.name for secret in keyed)
            yield on(proxy, "role_arn", f"{role.step.name} may not kms:Decrypt, and {names} is encrypted with a key")


@rule(
    "proxy.shut-out",
    Level.ERROR,
    source=_NETWORK,
    hint="let the proxy's security group in on the database's port",
)
def shut_out(look: Look) -> Iterator[Hit]:
    """The database's security groups do not let its proxy in."""
    outline = look.outline
    for proxy in outline.of("aws.rds_proxy"):
        database = outline.link(proxy, "db_instance", "aws.rds_instance")
        walls = list(outline.links(database, "security_groups")) if database is not None else []
        if database is None or not walls or any(wall.values.get("ingress") is None for wall in walls):
            continue
        if len(walls) != len(database.values.get("security_groups") or ()):
            continue  # one that is no step may let it in
        port = int(database.get("port", 5432))
        if not any(_lets_in(outline, wall, proxy, port) for wall in walls):
            names = ", ".join(wall.step.name for wall in walls)
            yield on(proxy, "db_instance", f"{names} of {database.step.name} lets nobody of the proxy's in on {port}")


def _lets_in(outline: Outline, wall: Item, proxy: Item, port: int) -> bool:
    worn = {group.step.name for group in outline.links(proxy, "security_groups")}
    homes = [network_of(subnet.get("cidr")) for subnet in outline.links(proxy, "subnets")]
    ids = {text for text in proxy.values.get("security_groups") or () if not unknown(text)}
    entries: list[Any] = wall.values.get("ingress") or []
    for index, entry in enumerate(entries):
        if not opens(entry, port) or not isinstance(entry, dict):
            continue
        raw = wall.step.tree.get("ingress")
        tree = raw[index] if isinstance(raw, list) and index < len(raw) else {}
        group = getattr(tree.get("security_group") if isinstance(tree, dict) else None, "step", None)
        if (
            group in worn
            or entry.get("security_group") in ids
            or (entry.get("security_group") == "self" and wall.step.name in worn)
        ):
            return True
        network = network_of(entry.get("cidr"))
        if entry.get("prefix_list") or (entry.get("cidr") and network is None) or None in homes:
            return True  # nobody knows
        if network is not None and all(home is not None and inside(home, network) for home in homes):
            return True
    return False


@rule(
    "proxy.document",
    Level.ERROR,
    source=f"{RDS_GUIDE}/rds-proxy-secrets-arns.html",
    hint="an aws.secret with a template that has username, or an aws.secret_version above the proxy",
)
def document(look: Look) -> Iterator[Hit]:
    """The secret of a proxy has no username and password in it, so that the proxy cannot log in."""
    outline = look.outline
    for proxy in outline.of("aws.rds_proxy"):
        for secret in outline.links(proxy, "auth"):
            if secret.type != "aws.secret" or secret.step.adopt:
                continue
            versions = [v for v in outline.users(secret, "aws.secret_version") if secret in outline.links(v, "secret")]
            generate = secret.values.get("generate")
            template = generate.get("template") if isinstance(generate, dict) else None
            if not versions and "username" not in (template or {}):
                yield on(proxy, "auth", f"{secret.step.name} holds a password alone")
