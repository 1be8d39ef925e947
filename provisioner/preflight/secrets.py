"""Credentials: what is in the document, how strong they are, and whether they survive a URL."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from provisioner.model import Position
from provisioner.plan.outline import Item
from provisioner.preflight.book import AWS, rule
from provisioner.preflight.passwords import FAIR, WEAK, bits_of_random, score
from provisioner.refs import PARAM, Ref, Text
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on

_ROTATION: Final = f"{AWS}/secretsmanager/latest/userguide/reference_secret_json_structure.html"
_GENERATED: Final = 63
"""Characters that a generated secret is made of: letters, digits and the hyphen."""
ROTATION: Final = "aws.secret_rotation"
_MANAGER: Final = "secretsmanager.amazonaws.com"
_BITS: Final = 96.0
_PASSWORDS: Final = ("password", "auth_token")
_PASSWORD: Final = re.compile(r"(?i)pass(?:word|wd|phrase)?$|pwd$|token$|secret$|(?:^|_)pw$")
"""What in a document is a password: who logs in, and where, may be kept secret too, and need not be hard to guess."""


def _documents(look: Look) -> Iterator[tuple[Item, tuple[str, ...], Mapping[str, Any]]]:
    """Every JSON document of a secret that the plan writes, the last one alone where there are several."""
    written = set()
    for version in look.outline.of("aws.secret_version"):
        value = version.values.get("value")
        written |= {link.step.name for link in look.outline.links(version, "secret")}
        if isinstance(value, Mapping):
            yield version, ("value",), value
    for secret in look.outline.of("aws.secret"):
        generate = secret.values.get("generate")
        if not isinstance(generate, Mapping) or secret.step.name in written:
            continue
        template = generate.get("template")
        if isinstance(template, Mapping):
            yield secret, ("generate", "template"), {**template, str(generate.get("key", "password")): ""}


@rule("secret.no-engine", Level.WARNING, source=_ROTATION, hint="engine: postgres")
def no_engine(look: Look) -> Iterator[Hit]:
    """A document with a database's credentials does not say which engine, which AWS's rotation needs to know."""
    for item, path, document in _documents(look):
        if {"username", "password"} <= document.keys() and "engine" not in document:
            level = Level.ERROR if _rotated(look, item) else None
            yield at(item, path, "there is no engine in it: AWS's rotation does not know how to log in", level=level)


@rule("secret.no-host", Level.WARNING, source=_ROTATION, hint="host: ${db.endpoint}, in an aws.secret_version below it")
def no_host(look: Look) -> Iterator[Hit]:
    """A document with a database's credentials does not say where the database is."""
    for item, path, document in _documents(look):
        if {"username", "password", "engine"} <= document.keys() and "host" not in document:
            level = Level.ERROR if _rotated(look, item) else None
            message = "there is no host in it: neither applications nor rotation find the database"
            yield at(item, path, message, level=level)


def _rotated(look: Look, item: Item) -> bool:
    """Whether the secret that a document is in is one that is rotated."""
    secrets = [item] if item.type == "aws.secret" else look.outline.links(item, "secret")
    rotated = [link for rotation in look.outline.of(ROTATION) for link in look.outline.links(rotation, "secret")]
    return any(secret in rotated for secret in secrets)


@rule(
    "secret.rotation-shut-out",
    Level.ERROR,
    source=f"{AWS}/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html",
    hint="an aws.lambda_permission for secretsmanager.amazonaws.com, above the rotation",
)
def rotation_shut_out(look: Look) -> Iterator[Hit]:
    """Secrets Manager may not call the function that is to rotate a secret."""
    outline = look.outline
    for rotation in outline.of(ROTATION):
        function = outline.link(rotation, "function_arn", "aws.lambda_function")
        if function is None:
            continue
        permissions = [p for p in outline.users(function, "aws.lambda_permission") if p.get("service") == _MANAGER]
        if not permissions:
            yield on(rotation, "function_arn", f"nothing lets {_MANAGER} call {function.step.name}")
        elif not any(permission.step.name in rotation.step.needs for permission in permissions):
            hint = f"after: [{permissions[0].step.name}]"
            yield on(rotation, "", f"it does not wait for {permissions[0].step.name}", hint=hint, level=Level.WARNING)


@rule(
    "secret.weak",
    Level.ERROR,
    source="https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver",
    hint="let it be made: aws.secret with generate",
)
def weak(look: Look) -> Iterator[Hit]:
    """A password that was given scores below 40 of 100, or is one that everybody tries."""
    yield from _scored(look, 0, WEAK)


@rule(
    "secret.fair",
    Level.WARNING,
    source="https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver",
    hint="let it be made: aws.secret with generate",
)
def fair(look: Look) -> Iterator[Hit]:
    """A password that was given scores below 70 of 100."""
    yield from _scored(look, WEAK, FAIR)


def _scored(look: Look, least: int, below: int) -> Iterator[Hit]:
    for item, path, ref in _given(look):
        secret = look.outline.plan.secrets.get(ref.output)
        found = score(secret.reveal()) if secret is not None else None
        if found is not None and least <= found.points < below:
            why = f": {', '.join(found.why)}" if found.why else ""
            yield at(item, path, f"the parameter {ref.output} scores {found.points} of 100{why}")


def _given(look: Look) -> Iterator[tuple[Item, tuple[str | int, ...], Ref]]:
    """Where a secret parameter is used as a password."""
    for item in look.outline:
        for field in _PASSWORDS:
            ref = item.step.tree.get(field)
            if isinstance(ref, Ref) and ref.step == PARAM:
                yield item, (field,), ref
        value = item.step.tree.get("value")
        for key, ref in value.items() if isinstance(value, dict) else ():
            if isinstance(ref, Ref) and ref.step == PARAM and _PASSWORD.search(str(key)):
                yield item, ("value", key), ref


@rule(
    "secret.short",
    Level.WARNING,
    source="https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver",
    hint="length: 32 is the default; exclude as little as possible",
)
def short(look: Look) -> Iterator[Hit]:
    """A secret that is made has less than 96 bits."""
    for item in look.outline.of("aws.secret"):
        generate = item.values.get("generate")
        if not isinstance(generate, Mapping):
            continue
        length = generate.get("length", 32)
        if isinstance(length, int):
            left = _GENERATED - len(set(str(generate.get("exclude", ""))))
            bits = bits_of_random(length, left)
            if bits < _BITS:
                yield on(item, "generate", f"{length} of {left} characters are {math.floor(bits)} bits")


@rule(
    "secret.shared",
    Level.WARNING,
    source=f"{AWS}/secretsmanager/latest/userguide/best-practices.html",
    hint="a secret for each: what leaks of one does not open the other",
)
def shared(look: Look) -> Iterator[Hit]:
    """Two databases or caches have the same password."""
    first: dict[str, Item] = {}
    for item in look.outline.of("aws.rds_instance", "aws.cache_replication_group"):
        for field in _PASSWORDS:
            ref = item.step.tree.get(field)
            if isinstance(ref, Ref):
                other = first.setdefault(str(ref), item)
                if other is not item:
                    yield on(item, field, f"{other.step.name} has the same")


@rule(
    "secret.url",
    Level.ERROR,
    source="https://www.rfc-editor.org/rfc/rfc3986#section-2.1",
    hint="generate it with aws.secret, whose characters need no encoding, or hand on its parts instead of a URL",
)
def url(look: Look) -> Iterator[Hit]:
    """A connection string holds a password that would have to be URL-encoded, and is not."""
    plan = look.outline.plan
    for name, output in plan.outputs.items():
        where = plan.source.at(("outputs", name)) if plan.source is not None else None
        for ref in _in_urls(output.tree):
            yield from _judged(look, ref, None, (), f"outputs.{name}", where)
    for item in look.outline:
        for field, tree in item.step.tree.items():
            for ref in _in_urls(tree):
                yield from _judged(look, ref, item, (field,), "", None)


def _judged(
    look: Look, ref: Ref, item: Item | None, path: tuple[str, ...], subject: str, where: Position | None
) -> Iterator[Hit]:
    secret = look.outline.plan.secrets.get(ref.output) if ref.step == PARAM else None
    if secret is None or quote(secret.reveal(), safe="") == secret.reveal():
        return  # what aws.secret makes is letters, digits and hyphens: the same in a URL
    message = f"{ref} has characters that mean something else in a URL"
    yield Hit(item, path, message, subject=subject, where=where)


def _in_urls(tree: Any) -> Iterator[Ref]:
    """References that stand for the password of a URL: after ``://user:`` and before ``@``."""
    if isinstance(tree, Text):
        for before, ref, after in zip(tree.parts, tree.parts[1:], tree.parts[2:], strict=False):
            if isinstance(ref, Ref) and isinstance(before, str) and isinstance(after, str):
                start = before.rpartition("://")[2] if "://" in before else ""
                if (":" in start and after.startswith("@")) or (before.endswith("://:") and after.startswith("@")):
                    yield ref
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _in_urls(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _in_urls(value)
