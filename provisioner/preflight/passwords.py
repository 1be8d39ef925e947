"""How well a password withstands guessing, as a number; what is guessed is never shown."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

from provisioner.rules.facts import table

WEAK: Final = 40
"""Below it a password is refused."""
FAIR: Final = 70
"""From it on nobody need be told."""
_FULL: Final = 128.0
_LEET: Final = str.maketrans("013457$@!", "oieastsai")
_RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "0123456789",
    "9876543210",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
)
_CLASSES: Final = ((r"[a-z]", 26), (r"[A-Z]", 26), (r"[0-9]", 10), (r"[^A-Za-z0-9]", 33))


class Score(NamedTuple):
    """``points`` from 0 to 100. ``why``: what it loses points for, in words that give nothing away."""

    points: int
    why: tuple[str, ...] = ()


def score(password: str) -> Score:
    """Points for what a guesser has to try: 100 stands for 128 bits, a word from the lists for nothing.

    >>> score("SecureWave2026!").points, score("Tr0ub4dor&3").points, score("x9$kQ2vLp0Zr7TmWc4Yd").points
    (0, 56, 100)
    """
    why = []
    if _is_word(password):
        return Score(0, ("it is a common word with digits or signs added",))
    bits = _bits(password)
    kinds = sum(1 for pattern, _ in _CLASSES if re.search(pattern, password))
    if kinds < 3:
        why.append(f"it is made of {kinds} kind{'s' if kinds > 1 else ''} of characters")
    if len(password) < 16:
        why.append(f"it has {len(password)} characters")
    if _repeats(password):
        why.append("it repeats itself, or runs along the alphabet or the keyboard")
    return Score(min(100, round(bits / _FULL * 100)), tuple(why))


def bits_of_random(length: int, alphabet: int) -> float:
    """Bits in so many characters drawn at random."""
    return length * math.log2(alphabet) if alphabet > 1 else 0.0


def _is_word(password: str) -> bool:
    words = set(table("weak_passwords")["words"])
    bare = re.sub(r"[^a-z]+$", "", password.lower())
    spelt = re.sub(r"[^a-z]+$", "", password.lower().rstrip("0123456789!?.,#$%&*_-").translate(_LEET))
    if bare in words or spelt in words or re.sub(r"[^a-z]", "", spelt) in words:
        return True
    return len(set(password)) <= 2


def _bits(password: str) -> float:
    alphabet = sum(size for pattern, size in _CLASSES if re.search(pattern, password))
    # Characters that the one before gives away are worth a bit each, not a whole character.
    told = _repeats(password)
    fresh = len(password) - told
    words = sum(len(word) for word in table("weak_passwords")["words"] if len(word) > 4 and word in password.lower())
    return max(0.0, bits_of_random(max(fresh - words, 0), alphabet) + told)


def _repeats(password: str) -> int:
    text = password.lower()
    pairs = [text[i : i + 2] for i in range(len(text) - 1)]
    return sum(1 for pair in pairs if pair[0] == pair[1] or any(pair in run for run in _RUNS))
