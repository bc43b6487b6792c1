"""What tokens cost."""

from __future__ import annotations

from decimal import Decimal

MILLION = Decimal(1_000_000)
# The ledger keeps millionths of a dollar.
SMALLEST = Decimal("0.000001")


def cost(tokens_in: int, tokens_out: int, *, price_in: Decimal, price_out: Decimal) -> Decimal:
    """The cost in US dollars; prices are in US dollars for a million tokens."""
    return ((tokens_in * price_in + tokens_out * price_out) / MILLION).quantize(SMALLEST)
