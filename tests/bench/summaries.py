"""What the door to language models costs by itself, and how many summaries a second the offline summariser makes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.db import connection  # noqa: E402

from tests.servers import postgres  # noqa: E402
from tests.usage.news import NEWS  # noqa: E402
from usage import llm  # noqa: E402
from usage.extractive import summarise  # noqa: E402
from usage.models import ApiUsageDaily, Provider  # noqa: E402
from usage.prompts import Call, Reply  # noqa: E402

CALLS = 1_000
WRITERS = 8


def summaries() -> None:
    """Articles of about 850 characters on one core, and the longest text that is read."""
    articles = [(news.title, news.text) for news in NEWS] * 100
    began = time.perf_counter()
    for title, text in articles:
        summarise(text, title=title)
    rate = len(articles) / (time.perf_counter() - began)
    began = time.perf_counter()
    summarise("Порт увеличил перевалку угля на 12% за десять месяцев. " * 400_000)
    print(f"extractive summaries, one core: {rate:,.0f}/s; a text of 22 MB: {time.perf_counter() - began:.3f} s")


def answer_at_once(_provider: Provider, _prompt: llm.Prompt, _call: Call) -> Reply:
    return Reply("Порт вырос.", tokens_in=100, tokens_out=50)


def call_many(times: int) -> list[float]:
    """How long each of so many calls took, in milliseconds."""
    prompt = llm.Prompt(instructions="", text="Порт вырос.", max_chars=900, version="bench")
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        llm.complete(prompt, purpose="bench", backends={Provider.Kind.EXTRACTIVE: answer_at_once})
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return taken


def door() -> None:
    """Calls by one writer and by eight, on the database of the environment."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    for writers in (1, WRITERS):
        began = time.perf_counter()
        with ThreadPoolExecutor(writers) as pool:
            taken = sorted(chain.from_iterable(pool.map(call_many, [CALLS // writers] * writers)))
        rate = len(taken) / (time.perf_counter() - began)
        print(
            f"the door on {connection.vendor}, {writers} at once: p50 {statistics.median(taken):.2f} ms,"
            f" p95 {taken[int(len(taken) * 0.95)]:.2f} ms, {rate:,.0f} calls/s",
            flush=True,
        )
    counted = sum(ApiUsageDaily.objects.values_list("requests", flat=True))
    print(f"the ledger on {connection.vendor}: {counted} of {2 * CALLS} calls", flush=True)
    connection.creation.destroy_test_db(name, verbosity=0)


def main() -> None:
    summaries()
    command = [sys.executable, "-m", "tests.bench.summaries", "door"]
    subprocess.run(command, check=True)
    with postgres() as url:
        subprocess.run(command, env=os.environ | {"TEST_DATABASE_URL": url}, check=True)


if __name__ == "__main__":
    door() if sys.argv[1:] == ["door"] else main()
