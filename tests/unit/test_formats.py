"""Values for other programs: what was put in comes out at the other end, character by character."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli.text import formats
from provisioner.errors import RefusedError, UsageError
from provisioner.operations.privatefile import MARK, write_private
from provisioner.secret import MASK as MASKED

NASTY = {
    "plain": "db.example:5432",
    "spaces": "  a  b ",
    "single": "it's",
    "double": 'say "hi"',
    "both": 'it\'s "both"',
    "dollar": "$HOME and $(id) and `id`",
    "hash": "a#b # c",
    "backslash": "a\\b\\n",
    "backslashes": "a\\\\b",
    "escaped": "a\\'b",
    "lines": "one\ntwo\n\nthree",
    "equals": "a=b=c",
    "empty": "",
    "umlaut": "Grüße ✓",
    "bang": "!history",
    "tab": "a\tb",
    "url": "postgresql://u:p%40ss@h:5432/db?sslmode=require&x=1",
}
HARD = {"braces": "${HOME}", "end": "ends in \\", "return": "a\r\nb"}


def test_a_shell_reads_back_what_was_written() -> None:
    values = NASTY | HARD
    script = formats.as_shell(values) + "\n" + "".join(f"printf '%s\\0' \"${name.upper()}\"\n" for name in values)
    made = subprocess.run(["/bin/sh", "-euc", script], capture_output=True, check=True, env={})
    assert made.stdout.decode().split("\0")[:-1] == list(values.values())


def _dotenv(text: str) -> dict[str, str]:
    """python-dotenv's reader: quoted values with their escapes, then ``${…}``."""
    found: dict[str, str] = {}
    rest = text
    while rest:
        name, _, rest = rest.partition("=")
        for quote in "'\"":
            match = re.match(rf"{quote}((?:\\{quote}|[^{quote}])*){quote}", rest)
            if match:
                escapes = r"\\[\\']" if quote == "'" else r"\\[\\'\"abfnrtv]"
                value = re.sub(escapes, lambda m: m.group().encode().decode("unicode-escape"), match.group(1))
                rest = rest[match.end() :]
                break
        else:
            line = rest.partition("\n")[0]
            value = re.sub(r"\s+#.*", "", line).rstrip()
            rest = rest[len(line) :]
        found[name.strip()] = re.sub(r"\$\{[^}]*\}", "", value)
        rest = rest.removeprefix("\n")
    return found


def test_a_dotenv_file_is_read_back_as_it_was_written() -> None:
    read = _dotenv(formats.as_dotenv(NASTY | {"windows": "C:\\dir\\"}))
    assert read == {name.upper(): value for name, value in NASTY.items()} | {"WINDOWS": "C:\\dir\\"}


@pytest.mark.parametrize("name", HARD)
def test_what_a_dotenv_file_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match=name.upper()):
        formats.as_dotenv({name: HARD[name]})


def test_an_environment_list_has_no_quotes_and_no_line_ends() -> None:
    one_line = {name: value for name, value in NASTY.items() if "\n" not in value}
    lines = formats.as_env(one_line).split("\n")
    assert dict(line.split("=", 1) for line in lines) == {name.upper(): value for name, value in one_line.items()}
    with pytest.raises(RefusedError, match="several lines"):
        formats.as_env({"lines": "a\nb"})


def test_terraform_variables_keep_their_types_and_interpolate_nothing() -> None:
    values = {
        "host": 'a "quoted" \\ ${path} %{if} \n\t\x01',
        "port": 5432,
        "on": True,
        "none": None,
        "zones": ["a", "b"],
        "tags": {"a-b": 1, "plain": "x"},
        "with-dash": 1.5,
        "9lives": 9,
    }
    assert formats.as_tfvars(values).splitlines() == [
        r'host = "a \"quoted\" \\ $${path} %%{if} \n\t\u0001"',
        "port = 5432",
        "on = true",
        "none = null",
        'zones = ["a", "b"]',
        "tags = {",
        '  "a-b" = 1',
        '  plain = "x"',
        "}",
        "with-dash = 1.5",
        "_9lives = 9",
    ]


def test_a_mapping_that_could_be_variables_becomes_them_and_all_else_is_json() -> None:
    values = {"app_env": {"NODE_ENV": "production", "PORT": 3001, "TLS": True}, "list": [1, 2], "odd": {"a b": 1}}
    assert formats.variables(values) == {
        "NODE_ENV": "production",
        "PORT": "3001",
        "TLS": "true",
        "LIST": "[1, 2]",
        "ODD": '{"a b": 1}',
    }


def test_two_values_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="DB_HOST"):
        formats.variables({"db_host": 1, "app": {"DB_HOST": 2}})


def test_one_value_that_is_told_twice_is_one_variable() -> None:
    assert formats.variables({"db_secret_arn": "arn:1", "app": {"DB_SECRET_ARN": "arn:1"}}) == {
        "DB_SECRET_ARN": "arn:1"
    }


def test_what_is_secret_is_left_out_and_named() -> None:
    values: dict[str, Any] = {"url": MASKED, "env": {"KEY": MASKED, "PORT": 1}, "all": {"x": MASKED}, "host": "h"}
    assert formats.without_secrets(values) == ({"env": {"PORT": 1}, "host": "h"}, ["url", "env.KEY", "all.x"])


def test_json_is_json() -> None:
    assert json.loads(formats.as_json(NASTY | HARD)) == NASTY | HARD


def test_a_private_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    old = os.umask(0)
    try:
        write_private(path, f"{MARK}\nA=1\n")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_private(path, f"{MARK}\nA=2\n")
    assert path.read_text() == f"{MARK}\nA=2\n"
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_a_file_of_somebody_else_is_not_replaced_unless_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("MINE=1\n")
    path.chmod(0o644)
    with pytest.raises(RefusedError, match="not written by provisioner"):
        write_private(path, "A=1\n")
    assert path.read_text() == "MINE=1\n"
    write_private(path, "A=1\n", force=True)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("A=1\n", 0o600)
    write_private(path, "A=1\n")  # what is there already may be written again


def test_a_link_is_never_followed_not_even_by_force(tmp_path: Path) -> None:
    target = tmp_path / "passwd"
    target.write_text("root\n")
    link = tmp_path / ".env"
    link.symlink_to(target)
    for force in (False, True):
        with pytest.raises(RefusedError, match="symbolic link"):
            write_private(link, "A=1\n", force=force)
    assert target.read_text() == "root\n"
    with pytest.raises(RefusedError, match="no plain file"):
        write_private(tmp_path, "A=1\n")


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        write_private(tmp_path / "none" / ".env", "A=1\n")
