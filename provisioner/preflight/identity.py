"""Who asks, and may they: the cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.preflight.book import AWS, rule
from provisioner.resource import Resource
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level


@rule(
    "identity.credentials",
    Level.ERROR,
    online=True,
    hint="aws sts get-caller-identity; or --sandbox",
    source=f"{AWS}/STS/latest/APIReference/API_GetCallerIdentity.html",
)
def credentials(look: Look) -> Iterator[Hit]:
    """The credentials are the account's root user, or belong to nobody."""
    caller = look.survey.caller()
    if caller.endswith(":root"):
        hint = "make a user or a role for this"
        yield Hit(None, (), f"these are the credentials of {caller}", hint, Level.WARNING, subject="credentials")


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
        if issubclass(item.cls, Resource) and look.new(item.step.name) and not item.step.adopt:
            for action in look.survey.actions(item.type):
                needed.setdefault(action, []).append(item.step.name)
    denied = set(look.survey.denied(list(needed))) if needed else set()
    for action in sorted(denied):
        item = look.outline.items[needed[action][0]]
        yield Hit(item, (), f"{look.survey.caller()} may not {action}")
