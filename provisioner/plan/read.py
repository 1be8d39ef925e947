"""Reading a plan's sections: filling in parameters, and taking one key at a time with its type checked.

:class:`Scope` turns a raw tree into a parsed one in which parameters and ``${deployment.*}`` are filled in.
:class:`Section` is one mapping of the file; what is wrong with a key is noted, never raised: reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from provisioner.model import parse_duration
from provisioner.plan.findings import Findings, describe
from provisioner.plan.yamlfile import Located, TreePath
from provisioner.refs import PARAM, Ref, Text, as_text, parse_text, refs_in
from provisioner.secret import Secret

DEPLOYMENT: Final = "deployment"
"""The scope of what is known of the deployment itself; like ``param``, no step may be called so."""

NOTHING: Final = Ref(PARAM, "")
"""Stands where a value could not be had."""

_WORD = re.compile(
    r"(?i)(?:change|replace|fill)[-_ ]?(?:me|in|this)|to-?do|fixme|tbd|x{4,}|\.\.\.|…"
    r"|your[-_ ].{1,40}[-_ ]here"
)
_INSIDE = re.compile(r"<[A-Za-z][A-Za-z0-9 _-]{0,60}>|\b(?:CHANGE|REPLACE)[-_]?ME\b")
_MAX_FILLED: Final = 1_000_000


def placeholder_in(text: str) -> str | None:
    """What in a text is still to be filled in by somebody.

    >>> placeholder_in("changeme"), placeholder_in("arn:aws:iam::<account>:root"), placeholder_in("db.t3.micro")
    ('changeme', '<account>', None)
    """
    if _WORD.fullmatch(text.strip()):
        return text.strip()
    inside = _INSIDE.search(text)
    return inside.group() if inside else None


class Scope:
    """What a reference to a parameter or to the deployment stands for.

    ``secrets`` stay references. So do ``unknown`` ones, which have no value for a reason that was noted
    already.
    Of ``facts`` about the deployment, None is unknown likewise. ``used`` gathers the parameters that are used.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        secrets: Mapping[str, Secret],
        unknown: Iterable[str],
        facts: Mapping[str, str | None],
    ) -> None:
        self.parameters = parameters
        self.secrets = dict(secrets)
        self.unknown = frozenset(unknown)
        self.facts = dict(facts)
        self.used: set[str] = set()
        self._room = _MAX_FILLED

    def fill(self, tree: Any, source: Located, path: TreePath, findings: Findings) -> Any:
        """The parsed tree. What is wrong with a string is noted, and NOTHING put in its place."""
        if isinstance(tree, str):
            return self._text(tree, source, path, findings)
        if isinstance(tree, list):
            return [self.fill(item, source, (*path, i), findings) for i, item in enumerate(tree)]
        if isinstance(tree, dict):
            return {key: self.fill(value, source, (*path, key), findings) for key, value in tree.items()}
        return tree

    def has_value(self, ref: Ref) -> bool:
        """False for a reference that could not be filled in: a finding says why, no second one is needed."""
        return ref.step != PARAM or ref.output in self.secrets

    def _text(self, text: str, source: Located, path: TreePath, findings: Findings) -> Any:
        try:
            parsed = parse_text(text)
            filled: Any = parsed
            if isinstance(parsed, Ref):
                filled = self._value(parsed, findings)
            elif isinstance(parsed, Text):
                filled = self._inside_text(parsed, findings)
        except _UnfilledError as err:
            findings.add(err.id, str(err), source, path, hint=err.hint)
            return NOTHING
        except ValueError as err:
            findings.add("plan.reference-syntax", str(err), source, path)
            return NOTHING
        unfilled = placeholder_in(filled) if isinstance(filled, str) else None
        if unfilled:
            message = f"{describe(unfilled)} is still to be filled in"
            findings.add("plan.placeholder", message, source, path)
        return list(filled) if isinstance(filled, list) else filled

    def _inside_text(self, text: Text, findings: Findings) -> str | Text:
        runs: list[list[str] | Ref] = []
        for part in text.parts:
            value = self._value(part, findings) if isinstance(part, Ref) else part
            if value is None or isinstance(value, list):
                what = "a list" if value is not None else "null"
                raise _UnfilledError("plan.wrong-type", f"{part} is {what}, which cannot stand inside text")
            if isinstance(value, Ref):
                runs.append(value)
            elif runs and isinstance(runs[-1], list):
                runs[-1].append(as_text(value))
            else:
                runs.append([as_text(value)])
        parts = tuple(run if isinstance(run, Ref) else "".join(run) for run in runs)
        return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else Text(parts)

    def _value(self, ref: Ref, findings: Findings) -> Any:
        if ref.step == DEPLOYMENT:
            return self._fact(ref, findings)
        if ref.step != PARAM:
            return ref
        self.used.add(ref.output)
        if ref.output in self.parameters:
            value = self.parameters[ref.output]
            # A few large values, used many times over, would fill the memory as aliases do.
            self._room -= len(value) if isinstance(value, str | list) else 0
            if self._room < 0:
                raise _UnfilledError("plan.too-large", "the parameters filled in make the plan too large")
            return value
        if ref.output in self.secrets or ref.output in self.unknown:
            return ref
        near = findings.near(ref.output, [*self.parameters, *self.secrets])
        raise _UnfilledError("plan.unknown-parameter", f"{ref}: there is no such parameter{near}")

    def _fact(self, ref: Ref, findings: Findings) -> str | Ref:
        if ref.output in self.facts:
            fact = self.facts[ref.output]
            return NOTHING if fact is None else fact
        message = f"{ref}: a deployment has no {ref.output!r}{findings.near(ref.output, self.facts)}"
        raise _UnfilledError("plan.unknown-reference", message, f"it has {', '.join(self.facts)}")


class _UnfilledError(Exception):
    """A reference cannot be filled in."""

    def __init__(self, id_: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.id = id_
        self.hint = hint


class Section:
    """One mapping of the file, at ``path``. Anything else there is noted and read as an empty mapping."""

    def __init__(
        self, source: Located, path: TreePath, value: Any, findings: Findings, scope: Scope | None = None
    ) -> None:
        self.source = source
        self.path = path
        self.findings = findings
        self.scope = scope
        self.value: dict[str, Any] = {}
        if isinstance(value, dict):
            self.value = value
        elif value is not None:
            self.wrong((), "a mapping (key: value)", value)

    def error(self, id_: str, message: str, inner: TreePath = (), *, hint: str = "", key: bool = False) -> None:
        self.findings.add(id_, message, self.source, (*self.path, *inner), hint=hint, key=key)

    def wrong(self, inner: TreePath, wanted: str, value: Any, hint: str = "") -> None:
        last = (*self.path, *inner)[-1] if self.path or inner else "the plan"
        name = f"item {last + 1}" if isinstance(last, int) else last
        self.error("plan.wrong-type", f"{name}: expected {wanted}, got {describe(value)}", inner, hint=hint)

    def allow(self, known: Iterable[str], what: str) -> None:
        """Notes every key that is not ``known``."""
        names = list(known)
        for key in self.value:
            if key not in names:
                near = self.findings.near(key, names)
                self.error(
                    "plan.unknown-key",
                    f"unknown key {describe(key)} {what}{near}",
                    (key,),
                    hint=_known(names),
                    key=True,
                )

    def raw(self, key: str) -> Any:
        return self.value.get(key)

    def filled(self, key: str) -> Any:
        """The value with parameters filled in; None where it is missing or could not be had."""
        value = self.value.get(key)
        if self.scope is None or value is None:
            return value
        filled = self.scope.fill(value, self.source, (*self.path, key), self.findings)
        for ref in refs_in(filled):
            if self.scope.has_value(ref):
                why = "a secret has no place here" if ref.step == PARAM else "only parameters may be used here"
                self.error("plan.reference-not-here", f"{key}: {ref}: {why}", (key,))
            return None
        return filled

    def missing(self, key: str, hint: str) -> None:
        self.error("plan.missing-key", f"{key} is missing", hint=hint)

    def text(self, key: str, *, fill: bool = True) -> str:
        """Text, or nothing."""
        value = self.filled(key) if fill else self.raw(key)
        if value is None or isinstance(value, str):
            return value or ""
        hint = "write it in quotes" if isinstance(value, int | float) else ""
        self.wrong((key,), "text", value, hint)
        return ""

    def flag(self, key: str) -> bool:
        value = self.filled(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong((key,), "true or false", value)
        return False

    def duration(self, key: str) -> float | None:
        """Seconds, None where the key is missing."""
        value = self.filled(key)
        if value is None:
            return None
        wanted = "a duration such as 90s, 30m or 1h30m"
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            self.wrong((key,), wanted, value)
            return None
        try:
            seconds = parse_duration(value)
        except ValueError:
            self.wrong((key,), wanted, value)
            return None
        if seconds == 0:
            self.wrong((key,), "a duration above zero", value)
        return seconds

    def section(self, key: str) -> Section:
        """The mapping below a key; an empty one where there is none."""
        return Section(self.source, (*self.path, key), self.raw(key), self.findings, self.scope)

    def items(self, key: str) -> Iterator[tuple[int, Any]]:
        """The items of a list with their index."""
        value = self.raw(key)
        if isinstance(value, list):
            yield from enumerate(value)
        elif value is not None:
            self.wrong((key,), "a list (- item)", value)


def located_refs(tree: Any, path: TreePath) -> Iterator[tuple[TreePath, Ref]]:
    """Every reference of a parsed tree with its path."""
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from located_refs(item, (*path, index))
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from located_refs(value, (*path, key))
    else:
        yield from ((path, ref) for ref in refs_in(tree))


def _known(names: list[str]) -> str:
    return f"known here: {', '.join(names[:40])}" if names else "no keys are known here"
