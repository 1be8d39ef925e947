"""Values for other programs: JSON, dotenv files, environment lists, Terraform variables, shell.

::

    json     {"rds_endpoint": "…"}         any value
    dotenv   RDS_ENDPOINT='…'              python-dotenv, Node's dotenv, docker compose
    env      RDS_ENDPOINT=…                docker --env-file, systemd: no quotes exist there, so no line ends
    tfvars   rds_endpoint = "…"            HCL
    shell    export RDS_ENDPOINT='…'       to be sourced by any POSIX shell

Where names are variables they are written in capitals, a mapping whose keys could be variables becomes one variable a
key, and what else is no text becomes JSON.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from provisioner.cli.text.values import has_secret
from provisioner.errors import RefusedError, UsageError

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE_ENDS: Final = re.compile("[\n\r\0]")
_ESCAPE: Final = re.compile(r"\\['\\]")
"""Where a backslash is not one in single quotes."""
_BARE: Final = re.compile(r"[^\s#'\"`]+")
"""What needs no quotes in a dotenv file."""
_HCL: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def without_secrets(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values that hold nothing secret, and the names of the others; members of a mapping are judged one by one."""
    kept: dict[str, Any] = {}
    left: list[str] = []
    for name, value in values.items():
        if isinstance(value, Mapping) and has_secret(value):
            inner, gone = without_secrets(value)
            left += [f"{name}.{key}" for key in gone]
            if inner:
                kept[name] = inner
        elif has_secret(value):
            left.append(name)
        else:
            kept[name] = value
    return kept, left


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as environment variables. UsageError where two that differ have the same name."""
    found: dict[str, str] = {}
    for name, value in _members(values):
        variable = re.sub(r"\W", "_", name, flags=re.ASCII).upper()
        if found.setdefault(variable, text := _text(value)) != text:
            raise UsageError(f"two values would both be {variable}", hint="give one of them another name in outputs")
    return found


def _members(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value and all(_VARIABLE.fullmatch(str(key)) for key in value):
            yield from ((str(key), inner) for key, inner in value.items())
        else:
            yield name, value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False)


def as_shell(values: Mapping[str, Any]) -> str:
    """Quoted so that a shell takes every character as it is."""
    return "\n".join(f"export {name}={shlex.quote(text)}" for name, text in variables(values).items())


def as_env(values: Mapping[str, Any]) -> str:
    """One line a variable, nothing quoted. RefusedError for what a line cannot hold."""
    made = variables(values)
    for name, text in made.items():
        if _LINE_ENDS.search(text):
            raise RefusedError(
                f"{name} has several lines, which this format cannot hold", hint="--format dotenv or shell can"
            )
    return "\n".join(f"{name}={text}" for name, text in made.items())


def as_dotenv(values: Mapping[str, Any]) -> str:
    """Quoted by the rules of python-dotenv. RefusedError for what these cannot hold."""
    return "\n".join(f"{name}={_dotenv(name, text)}" for name, text in variables(values).items())


def _dotenv(name: str, text: str) -> str:
    """In single quotes where it can be, for there readers agree most; with the line ends that it has."""
    problem = next((each for each in ("${", "\0", "\r") if each in text), None)
    if problem or (text.endswith("\\") and not _BARE.fullmatch(text)):
        what = {"${": "${, which readers replace", "\0": "a NUL", "\r": "a carriage return"}
        said = f"has {what[problem]}" if problem else "ends in a backslash, which would hide the quote"
        raise RefusedError(f"{name} {said}: a dotenv file cannot hold it", hint="--format json or shell can")
    if text.endswith("\\"):
        return text
    if "'" not in text and not _ESCAPE.search(text):
        return f"'{text}'"
    if not re.search(r'["\\]', text):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def as_tfvars(values: Mapping[str, Any]) -> str:
    """HCL assignments; nested values keep their shape."""
    return "\n".join(f"{_hcl_name(name)} = {hcl(value)}" for name, value in values.items())


def _hcl_name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else re.sub(r"[^A-Za-z0-9_-]", "_", f"_{name}")


def hcl(value: Any, indent: str = "") -> str:
    """An HCL expression: ``${`` and ``%{`` mean nothing in it.

    >>> hcl({"a": [1, True, None], "b c": 'say "${x}"'})
    '{\\n  a = [1, true, null]\\n  "b c" = "say \\\\"$${x}\\\\""\\n}'
    """
    if isinstance(value, Mapping):
        inner = indent + "  "
        lines = [f"{inner}{_hcl_key(str(key))} = {hcl(item, inner)}" for key, item in value.items()]
        return "{\n" + "\n".join(lines) + f"\n{indent}}}" if lines else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(hcl(item, indent) for item in value)}]"
    if isinstance(value, str):
        return _hcl_text(value)
    return json.dumps(value)


def _hcl_key(key: str) -> str:
    return key if _VARIABLE.fullmatch(key) else _hcl_text(key)


def _hcl_text(text: str) -> str:
    escaped = "".join(_HCL.get(each, each if each >= " " else f"\\u{ord(each):04x}") for each in text)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


FORMATS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "json": as_json,
    "env": as_env,
    "dotenv": as_dotenv,
    "tfvars": as_tfvars,
    "shell": as_shell,
}
COMMENTED: Final = frozenset({"dotenv", "tfvars", "shell", "env", "hcl"})
"""Formats in which a line that begins with # says something to people alone."""
