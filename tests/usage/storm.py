"""Many workers at the door at once, with faults: what the ledger says afterwards against what the server says.

Also run as a program, so that a test can kill it: `python -m tests.usage.storm WORKERS CALLS`, on the database of the
environment, prints a line when the first call is answered.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.db import connection
from django.db.models import Count, Sum

from tests.fakes.llm_server import Book, Fault
from usage import llm
from usage.models import ApiUsageDaily, ApiUsageEvent, Provider, SessionStatsDaily, Spending
from usage.pricing import SMALLEST
from usage.prompts import Prompt

# Three in ten fail, each in its own way; none of them switches the key off.
WEATHER = (
    None, Fault.OVERLOADED, None, None, Fault.NULL_CONTENT, None, None, Fault.HTML, None, None,
    None, Fault.TRUNCATED, None, None, Fault.NO_CHOICES, None, None, Fault.CLOSED, None, None,
)  # fmt: skip
State = ApiUsageEvent.State
# What the server counts for each answer: no more than the door expects at most.
TOKENS = (400, 500)


def call(number: int) -> bool:
    """One call; whether the server has answered it."""
    prompt = Prompt(instructions="", text=f"Порт вырос на {number}%.", max_chars=900, version="storm")
    try:
        llm.complete(prompt, purpose="summary", subject=f"article:{number}", provider="gemini")
    except llm.ProviderFailed:
        return False
    finally:
        # What the storm is about is the ledger: nobody shall rest.
        Provider.objects.filter(name="gemini").update(consecutive_failures=0, skipped_until=None)
        connection.close()
    return True


def storm(workers: int, calls: int) -> int:
    """So many calls by so many workers; how many were answered."""
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(call, range(calls)))


def discrepancies(book: Book) -> Iterator[str]:
    """Where the ledger and the server's own count disagree, once all calls are over or killed."""
    events = ApiUsageEvent.objects.filter(provider="gemini")
    unfinished = {f"warandpeace-{pk}" for pk in events.filter(state=State.STARTED).values_list("pk", flat=True)}
    completed = events.exclude(state=State.STARTED).aggregate(
        requests=Count("pk"), tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"), cost=Sum("cost_usd")
    )
    completed["cost"] = exact(completed["cost"])
    known = {f"warandpeace-{pk}" for pk in events.values_list("pk", flat=True)}
    lost = book.told & unfinished
    if not book.told <= known:
        yield f"{len(book.told - known)} paid answers without a row"
    if not completed["requests"] <= book.requests <= completed["requests"] + len(unfinished):
        yield f"{completed['requests']} ended and {len(unfinished)} open calls, {book.requests} requests"
    if completed["tokens_in"] != book.tokens_in - len(lost) * TOKENS[0]:
        yield f"tokens: {completed['tokens_in']}, the server counts {book.tokens_in} and {len(lost)} answers were lost"
    daily = ApiUsageDaily.objects.filter(provider="gemini").aggregate(
        requests=Sum("requests"), tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"), cost=Sum("cost_usd")
    )
    daily["cost"] = exact(daily["cost"])
    if daily != completed:
        yield f"the days' totals {daily} are not the sum of the calls {completed}"
    session = SessionStatsDaily.objects.aggregate(tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"))
    if session != {name: completed[name] for name in session}:
        yield f"the daily statistics {session} are not the sum of the calls {completed}"
    yield from _budget(completed["cost"])


def exact(amount: Decimal) -> Decimal:
    """To the millionth: SQLite adds up decimals as floating point numbers."""
    return amount.quantize(SMALLEST)


def _budget(cost: Decimal) -> Iterator[str]:
    row = Spending.objects.get(provider="gemini", purpose="")
    budget = Provider.objects.get(name="gemini").daily_budget
    reserved = ApiUsageEvent.objects.filter(state=State.STARTED).aggregate(sum=Sum("reserved_usd"))["sum"] or Decimal(0)
    if (row.spent_usd, row.reserved_usd) != (cost, exact(reserved)):
        yield f"booked {row.spent_usd} and reserved {row.reserved_usd}, not {cost} and {reserved}"
    if budget is not None and row.spent_usd + row.reserved_usd > budget:
        yield f"{row.spent_usd} and {row.reserved_usd} are more than {budget}"


if __name__ == "__main__":
    call(0)
    print("begun", flush=True)
    storm(int(sys.argv[1]), int(sys.argv[2]))
