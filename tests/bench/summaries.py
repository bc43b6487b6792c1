"""What the door to language models costs by itself, how many summaries it brings, and how exact its ledger is."""

from __future__ import annotations

import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from articles.factcheck.checking import check  # noqa: E402
from articles.models import Article  # noqa: E402
from articles.summarise import summarise_article  # noqa: E402
from tests.articles.factcheck_pairs import pairs, score  # noqa: E402
from tests.factories import ArticleFactory, SourceFactory  # noqa: E402
from tests.fakes.llm_server import LlmServer  # noqa: E402
from tests.servers import postgres  # noqa: E402
from tests.usage.news import NEWS  # noqa: E402
from tests.usage.storm import TOKENS, WEATHER, discrepancies, storm  # noqa: E402
from usage import environment, llm  # noqa: E402
from usage.extractive import summarise  # noqa: E402
from usage.models import ApiUsageDaily, Provider, Spending  # noqa: E402
from usage.prompts import Call, Reply  # noqa: E402

CALLS = 1_000
WRITERS = 8
STORM_WORKERS, STORM_CALLS = 20, 2_000
ARTICLES = 96


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


def fact_checks() -> None:
    """The labelled pairs, and what a check takes once the dictionary is loaded."""
    for name in ("dev", "final"):
        print(f"fact check, {name}: {score(name)}")
    listed = pairs("final")
    began = time.perf_counter()
    for pair in listed:
        check(pair.summary, title=pair.title, text=pair.text, published=pair.published)
    print(f"fact check, one core: {len(listed) / (time.perf_counter() - began):,.0f} summaries/s", flush=True)


def answer_at_once(_provider: Provider, _prompt: llm.Prompt, _call: Call) -> Reply:
    return Reply("Порт вырос.", tokens_in=100, tokens_out=50)


def call_many(times: int) -> list[float]:
    """How long each of so many calls took, in milliseconds."""
    prompt = llm.Prompt(instructions="", text="Порт вырос.", max_chars=900, version="bench")
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        llm.complete(prompt, purpose="bench", backends={Provider.Kind.OPENAI: answer_at_once})
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return taken


def door() -> None:
    """The door's own part of a call, by one writer and by eight: budgets, keys and the ledger, with no server."""
    with provider("http://127.0.0.1:1/v1"):
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


def slow_server() -> None:
    """Whole summaries, from the claim of an article to its version, by eight workers at a server that takes 1 s.

    One goes before the clock starts: it loads the client and the dictionary, which each process does once.
    """
    with LlmServer() as server, provider(server.url):
        server.wait(1.0)
        server.say("Порт увеличил перевалку угля на 12%.")
        source = SourceFactory()
        now = timezone.now()
        chosen = [
            ArticleFactory(source=source, status=Article.Status.READY, summary_text="", next_step_at=now).pk
            for _ in range(ARTICLES)
        ]
        _summarise(ArticleFactory(source=source, status=Article.Status.READY, summary_text="", next_step_at=now).pk)
        began = time.perf_counter()
        with ThreadPoolExecutor(WRITERS) as pool:
            done = sum(pool.map(_summarise, chosen))
        taken = time.perf_counter() - began
        print(
            f"summaries on {connection.vendor}, {WRITERS} workers, a server that takes 1 s:"
            f" {done} in {taken:.1f} s, {60 * done / taken:,.0f} a minute (at best {60 * WRITERS})",
            flush=True,
        )


def _summarise(article_id: int) -> bool:
    done = summarise_article(article_id)
    connection.close()
    return done


def in_a_storm() -> None:
    """Twenty workers, 2,000 calls, three in ten fail: does the ledger say what the server counted?"""
    for budget in (None, Decimal("1")):
        with LlmServer() as server, provider(server.url, daily_budget=budget):
            server.cycle(WEATHER)
            server.count(*TOKENS)
            began = time.perf_counter()
            storm(STORM_WORKERS, STORM_CALLS)
            wrong = list(discrepancies(server.book))
            spent = Spending.objects.get(provider="gemini", purpose="").spent_usd
            print(
                f"a storm on {connection.vendor}, budget {budget}: {server.book.requests:,} requests"
                f" ({sum(server.book.faults.values())} faults) in {time.perf_counter() - began:.0f} s, spent {spent};"
                f" {'; '.join(wrong) or 'the ledger is exact'}",
                flush=True,
            )


@contextmanager
def provider(url: str, **fields: object) -> Iterator[None]:
    """A database of our own with one provider that asks this address with two keys."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    settings.GEMINI_BASE_URL, settings.GOOGLE_API_KEYS = url, ["one-key", "another-key"]
    gemini = Provider.objects.create(
        name="gemini",
        kind=Provider.Kind.OPENAI,
        base_url=url,
        model="flash",
        priority=1,
        price_in=1,
        price_out=2,
        concurrency=64,
        **fields,
    )
    environment.sync_keys(gemini)
    yield
    settings.GOOGLE_API_KEYS = []  # the next database would begin with a provider made of them
    connection.creation.destroy_test_db(name, verbosity=0)


def main() -> None:
    summaries()
    fact_checks()
    command = [sys.executable, "-m", "tests.bench.summaries", "database"]
    subprocess.run(command, check=True)
    with postgres() as url:
        subprocess.run(command, env=os.environ | {"TEST_DATABASE_URL": url}, check=True)


def database() -> None:
    # Three in ten calls fail on purpose; nobody wants to read of each.
    logging.disable(logging.ERROR)
    door()
    slow_server()
    in_a_storm()


if __name__ == "__main__":
    database() if sys.argv[1:] == ["database"] else main()
