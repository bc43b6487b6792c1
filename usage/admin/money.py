"""Money as people read it."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format


def dollars(amount: Decimal | None) -> str:
    """An amount of USD for people: two digits, more where it is under a cent."""
    if amount is None:
        return "—"
    places = 4 if 0 < amount < Decimal("0.01") else 2
    return f"${number_format(amount, places)}"
