"""Names: that are taken, still held, or that bring trouble. Some of these ask the cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from provisioner.plan.outline import Item, unknown
from provisioner.preflight.book import AWS, rule
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

FOREIGN: Final = "name.foreign"
_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")
_ACCOUNT: Final = re.compile(r"\$\{([a-z][a-z0-9-]*)\.id\}")


@rule(
    "name.secret-suffix",
    Level.WARNING,
    source=f"{AWS}/secretsmanager/latest/userguide/getting-started.html",
    hint="AWS's own ARNs end like this: a search by part of the ARN may find another secret",
)
def secret_suffix(look: Look) -> Iterator[Hit]:
    """A secret's name ends with a hyphen and six characters."""
    for item in look.outline.of("aws.secret"):
        if not unknown(item.name) and _SUFFIX.search(item.name):
            yield on(item, "name" if item.sets("name") else "", f"{item.name} ends like the ARNs that AWS makes")


@rule(
    FOREIGN,
    Level.ERROR,
    online=True,
    source=f"{AWS}/general/latest/gr/aws_tagging.html",
    hint="take another name, or adopt: existing on the step",
)
def foreign(look: Look) -> Iterator[Hit]:
    """An object of that name is there already and belongs to somebody else, or what is to be adopted is not there."""
    if look.fresh is not None and look.fresh.unknown is not None:
        raise look.fresh.unknown
    for step, problem in look.fresh.problems.items() if look.fresh is not None else ():
        if step in look.outline.items:
            yield on(look.outline.items[step], "", problem)


def bucket_name(look: Look, item: Item) -> str | None:
    """The bucket's name with the account's id filled in, None where it has something else that is not known."""
    outline = look.outline

    def account(found: re.Match[str]) -> str:
        step = outline.items.get(found[1])
        return look.survey.account() if step is not None and step.type == "aws.account" else found[0]

    name = _ACCOUNT.sub(account, item.name)
    return None if unknown(name) else name


@rule(
    "name.bucket-taken",
    Level.ERROR,
    online=True,
    source=f"{AWS}/AmazonS3/latest/API/API_HeadBucket.html",
    hint="names are shared by all of AWS: add something of your own, the account's id for example",
)
def bucket_taken(look: Look) -> Iterator[Hit]:
    """Somebody else has a bucket of that name."""
    for item in look.outline.of("aws.s3_bucket"):
        name = bucket_name(look, item) if look.made(item.step.name) else None
        if name is not None and look.survey.bucket(name) == "taken":
            yield on(item, "name" if item.sets("name") else "", f"{name} belongs to another account")


@rule(
    "name.secret-held",
    Level.ERROR,
    online=True,
    source=f"{AWS}/secretsmanager/latest/APIReference/API_RestoreSecret.html",
    hint="restore it, delete it at once with --force-delete-without-recovery, or take another name",
)
def secret_held(look: Look) -> Iterator[Hit]:
    """A secret of that name is waiting to be deleted, and is not this deployment's to take back."""
    wanted = {
        item.name: item
        for item in look.outline.of("aws.secret")
        if not unknown(item.name) and look.made(item.step.name)
    }
    held = look.survey.deleted_secrets(list(wanted)) if wanted else {}
    for name, deleted in held.items():
        item = wanted[name]
        if deleted.owner != f"{look.outline.plan.deployment}/{item.step.name}":
            whose = f"belongs to {deleted.owner}" if deleted.owner else "carries no owner's tag"
            message = f"{name} is held by a secret that was deleted on {deleted.since}, which {whose}"
            yield on(item, "name" if item.sets("name") else "", message)
