"""What belongs into another region or account than the plan says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from provisioner.preflight.book import AWS, rule
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at

_ARN: Final = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:")
_REGION: Final = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx)-(?:gov-)?[a-z]+-\d\b")
_ZONE: Final = re.compile(r"^([a-z]{2}(?:-[a-z]+)+-\d)([a-z])$")
_ELSEWHERE: Final = ("source", "destination", "replica")
"""Fields that name something in another region on purpose begin so."""
_DOCUMENTS: Final = ("inline_policies", "policy", "tags", "description", "environment", "value", "widgets", "message")
"""Fields that the cloud does not read as names: what stands there may well be elsewhere."""
_EVERYWHERE: Final = ("aws.budget",)
"""Types whose objects are in no region."""
_SOURCE: Final = f"{AWS}/IAM/latest/UserGuide/reference-arns.html"

Path = tuple[str | int, ...]


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a value, with where it is."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*path, index))


def _arns(look: Look) -> Iterator[tuple[Any, Path, re.Match[str]]]:
    for item in look.outline:
        for path, text in texts(dict(item.values)):
            if not str(path[0]).startswith(_ELSEWHERE):
                yield from ((item, path, found) for found in _ARN.finditer(text))


@rule("region.arn", Level.ERROR, source=_SOURCE, hint="name the one in the plan's region, or move the plan")
def arn(look: Look) -> Iterator[Hit]:
    """An ARN names something in another region than the step's."""
    for item, path, found in _arns(look):
        region = found[2]
        if region and item.region and region != item.region:
            level = Level.WARNING if path[0] in _DOCUMENTS or item.type in _EVERYWHERE else None
            yield at(item, path, f"{found[0]}… is in {region}, and the step in {item.region}", level=level)


@rule(
    "region.zone",
    Level.ERROR,
    source=f"{AWS}/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
    hint="name a zone of the region, or give zone_index, which moves with the plan",
)
def zone(look: Look) -> Iterator[Hit]:
    """A zone is named that another region has."""
    for item in look.outline:
        for path, text in texts(dict(item.values)):
            found = _ZONE.match(text)
            if found and item.region and found[1] != item.region and not str(path[0]).startswith(_ELSEWHERE):
                level = Level.WARNING if path[0] in _DOCUMENTS else None
                yield at(item, path, f"{text} is a zone of {found[1]}, and the step is in {item.region}", level=level)


@rule("region.text", Level.WARNING, source=_SOURCE, hint="write ${deployment.region}, which is always right")
def text(look: Look) -> Iterator[Hit]:
    """An output, a setting or an endpoint names another region than the plan's."""
    plan = look.outline.plan
    regions = {plan.region} | {item.region for item in look.outline}
    regions |= {
        found
        for item in look.outline
        for path, value in texts(dict(item.values))
        if str(path[0]).startswith(_ELSEWHERE)
        for found in _REGION.findall(value)
    }
    for name, value in look.outline.outputs.items():
        for _, said in texts(value):
            for region in _REGION.findall(said):
                if region not in regions:
                    where = plan.source.at(("outputs", name)) if plan.source is not None else None
                    message = f"it says {region}, and the plan is in {plan.region}"
                    yield Hit(None, (), message, subject=f"outputs.{name}", where=where)


@rule(
    "region.account",
    Level.WARNING,
    source=_SOURCE,
    hint="one of them is mistyped, or the step reaches into another account on purpose: waive it then",
)
def account(look: Look) -> Iterator[Hit]:
    """ARNs of several accounts are written out in the plan."""
    seen: dict[str, str] = {}
    for item, path, found in _arns(look):
        if found[3]:
            first = next(iter(seen), found[3])
            seen.setdefault(found[3], item.step.name)
            if found[3] != first:
                yield at(item, path, f"{found[3]} is another account than {first}, which {seen[first]} names")
