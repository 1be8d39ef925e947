"""Who may do what: policies, roles, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from provisioner.plan.outline import Item
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on
from provisioner.scan.book import AWS, CACHE_GUIDE, CONTROLS, RDS_GUIDE, rule
from provisioner.scan.encryption import CACHES

_LEAST: Final = f"{AWS}/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
_ADMIN: Final = re.compile(r":policy/(?:AdministratorAccess|PowerUserAccess|IAMFullAccess)$")
_FULL: Final = re.compile(r":policy/(?:[a-z-]+/)?Amazon[A-Za-z0-9]*FullAccess$|:policy/[A-Za-z0-9_-]*FullAccess$")
_ANYWHERE: Final = re.compile(
    r"^(?:logs:(?:CreateLogGroup|CreateLogStream|PutLogEvents)|cloudwatch:PutMetricData|xray:Put\w+|"
    r"ec2:(?:Create|Delete|Describe|Assign|Unassign)\w*(?:NetworkInterface|PrivateIpAddress|Describe)\w*|"
    r"\w+:(?:Describe|List)\w*|kms:GenerateRandom|secretsmanager:GetRandomPassword|sts:GetCallerIdentity)$"
)
"""Actions that AWS gives no resource to, or that do no harm anywhere."""

Statement = Mapping[str, Any]
Path = tuple[str | int, ...]


def statements(document: Any) -> Iterator[Statement]:
    """The statements of a policy document."""
    found = document.get("Statement", []) if isinstance(document, Mapping) else []
    for statement in [found] if isinstance(found, Mapping) else found if isinstance(found, list) else []:
        if isinstance(statement, Mapping):
            yield statement


def words(statement: Statement, key: str) -> list[str]:
    """``Action`` or ``Resource`` as a list."""
    value = statement.get(key, [])
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _allowed(look: Look) -> Iterator[tuple[Item, Path, Statement]]:
    """Every statement of the plan's roles that allows something."""
    for item in look.outline.of("aws.iam_role", "aws.iam_policy"):
        documents = item.values.get("inline_policies")
        named = documents.items() if isinstance(documents, Mapping) else ()
        for name, document in (*named, *((("policy", item.values["policy"]),) if "policy" in item.values else ())):
            path: Path = ("inline_policies", name) if name != "policy" else ("policy",)
            for statement in statements(document):
                if statement.get("Effect") == "Allow":
                    yield item, path, statement


@rule(
    "sec.iam-everything",
    Level.HIGH,
    family="access",
    source=f"{CONTROLS}/iam-controls.html#iam-1",
    hint="name the actions and ARNs",
)
def iam_everything(look: Look) -> Iterator[Hit]:
    """A role may do everything with everything."""
    for item, path, statement in _allowed(look):
        if "*" in words(statement, "Action") and "*" in words(statement, "Resource"):
            yield at(item, path, "Action * on Resource *")


@rule("sec.iam-admin", Level.HIGH, family="access", source=_LEAST, hint="a policy of its own with what it needs")
def iam_admin(look: Look) -> Iterator[Hit]:
    """A role has one of AWS's policies that allow nearly everything."""
    for item in look.outline.of("aws.iam_role"):
        for index, arn in enumerate(item.values.get("managed_policies") or ()):
            if isinstance(arn, str) and (_ADMIN.search(arn) or _FULL.search(arn)):
                level = None if _ADMIN.search(arn) else Level.MEDIUM
                yield at(item, ("managed_policies", index), arn.rpartition("/")[2], level=level)


@rule(
    "sec.iam-service",
    Level.MEDIUM,
    family="access",
    source=f"{CONTROLS}/iam-controls.html#iam-21",
    hint="name the actions",
)
def iam_service(look: Look) -> Iterator[Hit]:
    """A role may do everything that a service has."""
    for item, path, statement in _allowed(look):
        wide = [action for action in words(statement, "Action") if re.fullmatch(r"[\w-]+:\*", action)]
        if wide or ("*" in words(statement, "Action") and "*" not in words(statement, "Resource")):
            yield at(item, path, f"it may {', '.join(wide) or 'do everything'}")


@rule("sec.iam-anywhere", Level.MEDIUM, family="access", source=_LEAST, hint="name the ARNs")
def iam_anywhere(look: Look) -> Iterator[Hit]:
    """A role may do something to every object of the account."""
    for item, path, statement in _allowed(look):
        if "*" in words(statement, "Resource") and not statement.get("Condition"):
            free = [one for one in words(statement, "Action") if one != "*" and not _ANYWHERE.match(one)]
            if free:
                yield at(item, path, f"{', '.join(free[:3])}{' …' if len(free) > 3 else ''} on Resource *")


@rule("sec.iam-not", Level.MEDIUM, family="access", source=_LEAST, hint="name what is allowed instead")
def iam_not(look: Look) -> Iterator[Hit]:
    """A policy allows everything but what it names."""
    for item, path, statement in _allowed(look):
        for key in ("NotAction", "NotResource"):
            if key in statement:
                yield at(item, path, f"{key} with Allow: what AWS adds tomorrow is allowed too")


@rule(
    "sec.key-for-all",
    Level.HIGH,
    family="access",
    source=f"{AWS}/kms/latest/developerguide/key-policy-overview.html",
    hint="name the accounts and roles, or a Condition such as kms:CallerAccount",
)
def key_for_all(look: Look) -> Iterator[Hit]:
    """A key's policy lets everybody use it."""
    for item in look.outline.of("aws.kms_key"):
        for statement in statements(item.values.get("policy")):
            principal = statement.get("Principal")
            values = principal.get("AWS") if isinstance(principal, Mapping) else principal
            everybody = values == "*" or (isinstance(values, list) and "*" in values)
            if statement.get("Effect") == "Allow" and everybody and not statement.get("Condition"):
                yield on(item, "policy", "Principal * without a condition")


@rule(
    "sec.cache-open",
    Level.HIGH,
    family="access",
    source=f"{CACHE_GUIDE}/auth.html",
    hint="auth_token from an aws.secret with generate",
)
def cache_open(look: Look) -> Iterator[Hit]:
    """A cache answers whoever reaches it: no token."""
    for item in look.outline.of(*CACHES):
        if not item.sets("auth_token"):
            yield on(item, "", "it asks nobody for a password")


@rule(
    "sec.cache-two-tokens",
    Level.MEDIUM,
    family="access",
    source=f"{CACHE_GUIDE}/auth.html",
    hint="token_exchanged: true",
)
def cache_two_tokens(look: Look) -> Iterator[Hit]:
    """After a change of its token a cache goes on taking the old one."""
    for item in look.outline.of(*CACHES):
        if item.get("token_exchanged") is False:
            yield on(item, "token_exchanged", "the old token stays valid")


@rule(
    "sec.rds-iam-login",
    Level.LOW,
    family="access",
    source=f"{CONTROLS}/rds-controls.html#rds-10",
    hint="iam_authentication: true, and roles that log in with a token of 15 minutes",
)
def rds_iam_login(look: Look) -> Iterator[Hit]:
    """A database knows passwords alone, no short-lived tokens."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("iam_authentication") is False:
            yield on(item, "iam_authentication", "every login is by a lasting password")


@rule(
    "sec.rds-old-authority",
    Level.MEDIUM,
    family="access",
    source=f"{RDS_GUIDE}/UsingWithRDS.SSL.html",
    hint="rds-ca-rsa2048-g1",
)
def rds_old_authority(look: Look) -> Iterator[Hit]:
    """A database's certificate is of an authority that has ended."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("ca_certificate") in ("rds-ca-2015", "rds-ca-2019"):
            yield on(item, "ca_certificate", f"{item.get('ca_certificate')} has ended")


@rule(
    "sec.secret-rotation",
    Level.MEDIUM,
    family="access",
    source=f"{CONTROLS}/secretsmanager-controls.html#secretsmanager-1",
    hint="an aws.secret_rotation for it",
)
def secret_rotation(look: Look) -> Iterator[Hit]:
    """The credentials of a database or cache are never changed."""
    outline = look.outline
    rotated = {link.step.name for item in outline.of("aws.secret_rotation") for link in outline.links(item, "secret")}
    for item in outline.of("aws.rds_instance", *CACHES):
        for field in ("password", "auth_token"):
            for link in outline.links(item, field) if field in item.step.tree else ():
                if link.type == "aws.secret" and link.step.name not in rotated:
                    yield on(link, "", f"nothing changes the {field.replace('_', ' ')} of {item.step.name}")


@rule(
    "sec.lambda-shared-role",
    Level.MEDIUM,
    family="access",
    source=_LEAST,
    hint="a role for each, with what it needs",
)
def lambda_shared_role(look: Look) -> Iterator[Hit]:
    """Functions share a role, so that each may do what any of them may."""
    outline = look.outline
    first: dict[str, str] = {}
    for function in outline.of("aws.lambda_function"):
        role = outline.link(function, "role_arn", "aws.iam_role")
        if role is not None:
            other = first.setdefault(role.step.name, function.step.name)
            if other != function.step.name:
                yield on(function, "role_arn", f"{other} has {role.step.name}, too")


@rule(
    "sec.lambda-any-caller",
    Level.MEDIUM,
    family="access",
    source=f"{CONTROLS}/lambda-controls.html#lambda-1",
    hint="source_arn, or source_account: else anybody's secret or bucket may call it through the service",
)
def lambda_any_caller(look: Look) -> Iterator[Hit]:
    """A service may call a function on behalf of any account."""
    for item in look.outline.of("aws.lambda_permission"):
        if not item.sets("source_arn") and not item.sets("source_account"):
            yield on(item, "service", f"{item.get('service')} may call it on anybody's behalf")
