"""Patterns of parameters mean what Python's regular expressions mean, and never take longer than the text is long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.plan.patterns import MAX_STATES, MAX_TEXT, compiled

PATTERNS = [
    "", "a", "abc", "a|b", "a|", "(a|b)*c", "a+", "a*?b", "a{2}", "a{2,}b", "a{0,2}", "(ab){1,3}", "(?:ab)+c?", "[a-c]+",
    "[^a-c]", "[^a]", ".", ".*", "^a$", "a$", "^$", r"\Aa\Z", r"\d+", r"\D", r"\s", r"\w+-\w+", r"\W", r"\ba\b", r"\Ba",
    r"a\B", "[a-z][a-z0-9]*(?:-[a-z0-9]+)*", r"[a-z]{2,}(-[a-z]+)+-\d+", "(?P<name>a)b", "((a)(b|))*", "(a*)*", "(a|a)*b",
    "(a?){3}", "[]a]", r"[\d-]", r"[^\w]", "é", "x*(?:y|)z{0}", "()", "(|a)+", "a{0}", r"\.", r"[\]\\]", "a\n", "(?:)",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(text=st.text(alphabet="abcxyz01-_ .\n]\\é²", max_size=8))
def test_it_fits_whatever_python_says_that_it_fits(pattern: str, text: str) -> None:
    assert compiled(pattern).matches(text) == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*,(.*)*b", "a*a*a*a*a*a*a*a*b", "(a?){40}a{40}b"]
)
def test_a_pattern_with_more_ways_than_time_is_matched_all_the_same(pattern: str) -> None:
    assert not compiled(pattern).matches("a" * 1000)


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", "(?=a)", "(?!a)b", "(?<=a)b", "(?i)a", "(?i:a)", "(?>a)b", "a++", "(a)(?(1)b)"]
)
def test_what_cannot_be_matched_so_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(ValueError, match="not supported"):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern", ["[", "(", "*", "a{2,1}", "(" * 5000, "(" * 5000 + ")" * 5000, "a{99999999999999999999}"]
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern", ["a{1000}", "(a{1,100}){1,100}", "((((a{20}){20}){20}){20}){20}", "(?:){4000000000}"]
)
def test_a_pattern_too_large_is_refused_before_it_is_built(pattern: str) -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_STATES} states"):
        compiled(pattern)


def test_a_text_too_long_is_refused() -> None:
    assert compiled("a*").matches("a" * MAX_TEXT)
    with pytest.raises(ValueError, match="too long"):
        compiled("a*").matches("a" * (MAX_TEXT + 1))
