"""Who asks, and may they: the cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.errors import CredentialsError
from provisioner.preflight.book import AWS, rule
from provisioner.resource import Resource
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level

CREDENTIALS: Final = "identity.credentials"


@rule(
    CREDENTIALS,
    Level.ERROR,
    online=True,
    hint="aws sts get-caller-identity shows whose they are; without an account: --sandbox",
    source=f"{AWS}/STS/latest/APIReference/API_GetCallerIdentity.html",
)
def credentials(look: Look) -> Iterator[Hit]:
    """There are no credentials that the cloud accepts, or they are of another account, or the account's root user's."""
    unknown = look.fresh.unknown if look.fresh is not None else None
    if isinstance(unknown, CredentialsError):
        yield Hit(None, (), unknown.message, unknown.hint, subject="credentials")
    elif look.survey.caller().endswith(":root"):
        message = f"these are the credentials of {look.survey.caller()}"
        yield Hit(None, (), message, "make a user or a role for this", Level.WARNING, subject="credentials")


@rule(
    "identity.permissions",
    Level.ERROR,
    online=True,
    hint="attach a policy that allows them; preflight asks iam:SimulatePrincipalPolicy",
    source=f"{AWS}/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html",
)
def permissions(look: Look) -> Iterator[Hit]:
    """The caller may not do what a step needs."""
    needed: dict[str, list[str]] = {}
    for item in look.outline:
        if issubclass(item.cls, Resource) and look.made(item.step.name) and not item.step.adopt:
            for action in look.survey.actions(item.type):
                needed.setdefault(action, []).append(item.step.name)
    denied = look.survey.denied(list(needed)) if needed else {}
    for action, in_words in sorted(denied.items()):
        item = look.outline.items[needed[action][0]]
        if in_words:
            yield Hit(item, (), f"{look.survey.caller()} may not {action}")
        else:
            # It was asked of no object in particular: who may do it to some alone, or where a tag says so, is refused.
            message = f"{look.survey.caller()} may not {action}, or not with just any object"
            yield Hit(item, (), message, level=Level.WARNING)
