"""References: parsed once, resolved late, frozen for the state without their secrets."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.refs import Ref, Text, UnresolvedError, freeze, parse, parse_text, refs_in, resolve
from provisioner.secret import Secret

PORT, HOST, PASSWORD = Ref("db", "port"), Ref("db", "host"), Ref("pw", "value")
KNOWN: dict[Ref, Any] = {PORT: 5432, HOST: "h", PASSWORD: Secret("hunter2"), Ref("f", "on"): True}


def lookup(ref: Ref) -> Any:
    if ref not in KNOWN:
        raise UnresolvedError(ref)
    return KNOWN[ref]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$", "$"),
        ("${db.port}", PORT),
        ("${ db.port }", PORT),
        ("tcp:${db.port}", Text(("tcp:", PORT))),
        ("${db.host}:${db.port}", Text((HOST, ":", PORT))),
        ("${db.host}${db.port}", Text((HOST, PORT))),
        ("$${db.port}", "${db.port}"),
        ("$${a} ${db.port} $${b}", Text(("${a} ", PORT, " ${b}"))),
        ("${my-step.out_put}", Ref("my-step", "out_put")),
    ],
)
def test_text_is_parsed_into_references_and_what_is_between_them(text: str, parsed: object) -> None:
    assert parse_text(text) == parsed


@pytest.mark.parametrize(
    "text", ["${", "${}", "${db}", "${db.}", "${.port}", "${db.port", "${a.b.c}", "${a b.c}", "x ${1.a}", "${a${b.c}}"]
)
def test_what_looks_like_a_reference_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a reference"):
        parse_text(text)


@pytest.mark.parametrize("text", ["${" * 30_000, "$${" * 20_000, "${a.b" * 12_000, "${a.b}" * 10_000])
def test_text_full_of_openings_is_parsed_or_refused(text: str) -> None:
    with suppress(ValueError):
        parse_text(text)


@given(
    st.lists(
        st.one_of(st.text("ab${}.", max_size=6), st.builds(Ref, st.just("db"), st.sampled_from(["port", "host"]))),
        max_size=6,
    )
)
@settings(max_examples=200)
def test_a_parsed_text_written_out_again_parses_to_the_same(parts: list[str | Ref]) -> None:
    text = "".join(str(part) if isinstance(part, Ref) else part.replace("$", "").replace("{", "") for part in parts)
    parsed = parse_text(text)
    assert parse_text(str(parsed)) == parsed


def test_a_lone_reference_keeps_its_type_and_inside_text_it_is_formatted() -> None:
    tree = parse(
        {"port": "${db.port}", "url": "${db.host}:${db.port}", "on": "is ${f.on}", "list": ["${db.port}", 1, None]}
    )
    assert resolve(tree, lookup) == {"port": 5432, "url": "h:5432", "on": "is true", "list": [5432, 1, None]}
    assert list(refs_in(tree)) == [PORT, HOST, PORT, Ref("f", "on"), PORT]


def test_text_around_a_secret_is_secret() -> None:
    url = resolve(parse_text("pg://u:${pw.value}@${db.host}"), lookup)
    assert isinstance(url, Secret) and str(url) == "***" and url.reveal() == "pg://u:hunter2@h"


def test_resolving_names_the_reference_that_has_no_value() -> None:
    with pytest.raises(UnresolvedError) as caught:
        resolve(parse(["${db.port}", "${none.here}"]), lookup)
    assert caught.value.ref == Ref("none", "here")


def test_a_frozen_tree_has_values_but_keeps_secrets_and_unknown_references_as_text() -> None:
    tree = parse(
        {
            "port": "${db.port}",
            "url": "${pw.value}@${db.host}",
            "pw": "${pw.value}",
            "later": "x ${a.b}",
            "raw": "$${a.b}",
        }
    )
    frozen = freeze(tree, lookup)
    assert frozen == {"port": 5432, "url": "${pw.value}@h", "pw": "${pw.value}", "later": "x ${a.b}", "raw": "$${a.b}"}
    assert "hunter2" not in str(frozen)


def test_what_was_frozen_parses_and_resolves_to_the_same() -> None:
    tree = parse({"a": "${pw.value}@${db.host}", "b": "$${x.y}", "c": "$${x} ${db.port}"})
    again = resolve(parse(freeze(tree, lookup)), lookup)
    assert again == resolve(tree, lookup)
