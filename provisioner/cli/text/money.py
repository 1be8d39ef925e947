"""Sums of money and how much of something they are, for every text about costs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from provisioner.cli.style import bad, good, warn

_CENT: Final = Decimal("0.01")
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def usd(amount: Decimal) -> str:
    """To the cent.

    >>> usd(Decimal("1234.5")), usd(Decimal("0.004")), usd(Decimal("-3.2"))
    ('1,234.50', '0.00', '-3.20')
    """
    text = f"{amount.quantize(_CENT, ROUND_HALF_UP):,}"
    return "0.00" if text == "-0.00" else text


def signed(amount: Decimal) -> str:
    """A change.

    >>> signed(Decimal("3")), signed(Decimal("-3")), signed(Decimal("0"))
    ('+3.00', '-3.00', '=')
    """
    text = usd(amount)
    return "=" if text == "0.00" else text if text.startswith("-") else f"+{text}"


def number(value: Decimal) -> str:
    """A quantity without zeros at its end.

    >>> number(Decimal("730.000")), number(Decimal("0.27")), number(Decimal("100000"))
    ('730', '0.27', '100,000')
    """
    text = f"{value:,.4f}"
    return text.rstrip("0").rstrip(".")


def rounded(amount: Decimal | None) -> float | None:
    """For JSON: to the hundredth of a cent."""
    return None if amount is None else float(round(amount, 4))


def bar(share: Decimal, columns: int) -> str:
    """So much of a line, in eighths of a character; anything at all is at least one of them.

    >>> bar(Decimal("0.5"), 4), bar(Decimal("0.01"), 4), bar(Decimal("0"), 4), bar(Decimal("2"), 4)
    ('██', '▏', '', '████')
    """
    if share <= 0:
        return ""
    eighths = max(round(min(share, Decimal(1)) * columns * 8), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def gauge(share: Decimal, columns: int, level: str) -> str:
    """A bar in its frame, in the colour of its level."""
    paint = {"over": bad, "critical": bad, "warning": warn, "alert": warn}.get(level, good)
    filled = bar(share, columns)
    return "▕" + paint(filled) + " " * (columns - len(filled)) + "▏"
