"""What DB and cache parameter groups share: a family's defaults with some values of our own.

A group is made by several calls: create, then at most 20 parameters a call. So ``create`` may be called again
after a crash, and ``read`` reports the parameters that are there, so that ``update`` completes what is
missing. Names and values are checked against the family's own list before the first of them is sent: AWS's
complaint does not always name the offender.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from provisioner.drivers.aws import arn_tags, tagged, tags
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.named_group import NamedGroup
from provisioner.drivers.aws.page import chunks
from provisioner.errors import AlreadyExistsError, BusyError, InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

AT_ONCE: Final = 20
"""The most parameters that AWS changes in one call."""


class ParameterGroup(NamedGroup):
    """A named set of parameters. Subclasses give the service's words, the Spec and the shape of a change."""

    kind = "Parameter"
    changes_field: ClassVar[str]
    """The request's name for the list of parameters."""

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str, "family": str}
    immutable = frozenset({"name", "family", "description"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {"tags": tags.same}

    @abstractmethod
    def change(self, parameter: Mapping[str, Any], value: str | None) -> dict[str, str]:
        """One entry of the request that sets ``parameter`` (as described) to ``value``, or resets it for
        None."""

    def create(self, key: Key, spec: Any) -> None:
        """Makes the group with its tags, then sets the parameters; goes on with a group of ours that is half
        made."""
        family = {f"{self.word}ParameterGroupFamily": spec.family, "Description": spec.description}
        marks = tags.wanted(key, spec.tags)
        try:
            with outright():
                made = self._call("create_{}_parameter_group", key, **family, Tags=tags.to_list(marks))
            tagged.born(self.session, made[f"{self.word}ParameterGroup"][self.arn_field], marks)
        except AlreadyExistsError:
            seen = self.read(key)
            if seen is None or seen.owner != key.owner:
                raise
        try:
            self._set(key, spec)
        except NotFoundError as err:  # the group that was made a moment ago is not known everywhere yet
            raise BusyError(err.message, where=err.where, cloud_code=err.cloud_code) from err

    def update(self, key: Key, spec: Any, changed: Collection[str] = ()) -> None:
        """Sets what differs, resets what the plan no longer names, then the tags."""
        if asked(changed, "parameters"):
            self._set(key, spec)
        if spec.tags is not None and asked(changed, "tags"):
            group = self._call("describe_{}_parameter_groups", key)[f"{self.word}ParameterGroups"][0]
            arn_tags.write(self.session, self.service, group[self.arn_field], key, spec.tags)

    def delete(self, key: Key) -> None:
        """Deletes the group; InUseError while something runs with it."""
        with suppress(NotFoundError):
            self._call("delete_{}_parameter_group", key)

    def _set(self, key: Key, spec: Any) -> None:
        known = {entry["ParameterName"]: entry for entry in self._parameters(key)}
        for name, value in spec.parameters.items():
            self._check(key, spec.family, known, name, value)
        current = _own(known.values())
        put = [name for name, value in spec.parameters.items() if current.get(name) != value]
        drop = [name for name in current if name not in spec.parameters]
        for names in chunks(put, AT_ONCE):
            changes = [self.change(known[name], spec.parameters[name]) for name in names]
            self._call("modify_{}_parameter_group", key, **{self.changes_field: changes})
        for names in chunks(drop, AT_ONCE):
            resets = [self.change(known[name], None) for name in names]
            self._call("reset_{}_parameter_group", key, **{self.changes_field: resets}, ResetAllParameters=False)

    def _check(self, key: Key, family: str, known: Mapping[str, Mapping[str, Any]], name: str, value: str) -> None:
        where = f"{self.service} {key.name}"
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise InvalidRequestError(
                f"family {family} has no parameter {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
                where=where,
            )
        problem = complaint(known[name], value)
        if problem:
            raise InvalidRequestError(f"parameter {name} {problem}", where=where)

    def _parameters(self, key: Key, source: str | None = None) -> Iterable[Mapping[str, Any]]:
        listed: Iterable[Mapping[str, Any]] = self.session.pages(
            self.service,
            self._operation("describe_{}_parameters"),
            "Parameters",
            what=key.name,
            region=key.region,
            Source=source,
            **{f"{self.word}ParameterGroupName": key.name},
        )
        return listed

    def _seen(self, key: Key, group: Mapping[str, Any]) -> Observed:
        arn, family = group[self.arn_field], group[f"{self.word}ParameterGroupFamily"]
        seen = arn_tags.known(self.session, self.service, arn, key)
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec={
                "family": family,
                "description": group["Description"],
                "parameters": _own(self._parameters(key, "user")),
                "tags": tags.visible(key, seen),
            },
            outputs={"name": group[f"{self.word}ParameterGroupName"], "arn": arn, "family": family},
        )


def _own(parameters: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The values that are ours, not the family's."""
    found = {
        entry["ParameterName"]: str(entry["ParameterValue"])
        for entry in parameters
        if entry.get("Source") == "user" and "ParameterValue" in entry
    }
    return dict(sorted(found.items()))


_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})-({_NUMBER})?")
_WORD: Final = re.compile(r"[\w.-]+")


def complaint(parameter: Mapping[str, Any], value: str) -> str | None:
    """What AWS's own description of a parameter has against a value; None where it says nothing.

    Formulas (``{DBInstanceClassMemory/9531392}``, ``LEAST(…)``) are left to AWS.

    >>> complaint({"IsModifiable": True, "DataType": "integer", "AllowedValues": "6-8388607"}, "5")
    "is '5', but must be 6-8388607"
    """
    if not parameter.get("IsModifiable", True):
        return "cannot be changed"
    allowed = str(parameter.get("AllowedValues") or "")
    choices = [choice.strip() for choice in allowed.split(",")]
    if (
        not all(_RANGE.fullmatch(choice) or _WORD.fullmatch(choice) for choice in choices)
        or "(" in value
        or "{" in value
    ):
        return None
    given = value.split(",") if parameter.get("DataType") == "list" else [value]
    fits = all(any(_fits(item.strip(), choice) for choice in choices) for item in given)
    return None if fits else f"is {value!r}, but must be {allowed}"


def _fits(value: str, choice: str) -> bool:
    """``choice`` is a word or a range; a range may have no end (``20-``)."""
    bounds = _RANGE.fullmatch(choice)
    if bounds is None:
        return value.lower() == choice.lower()
    if re.fullmatch(_NUMBER, value) is None:
        return False
    return float(bounds[1]) <= float(value) and (bounds[2] is None or float(value) <= float(bounds[2]))
