"""How fast the admin answers in a newsroom after twenty years, page by page, beside what Django's own admin would do.

A million articles, 200,000 publications and 2,000,000 calls of the ledger on PostgreSQL, a fifth of that on SQLite.
Every list, each of its filters, orders and searches, pages deep in it, and the pages people live in are asked for
through the whole request path, as a person who may see everything. Beside ours stands the stock admin: a plain
ModelAdmin of the same model with `date_hierarchy` and `search_fields`, and the same request.

    ROWS=20000 python -m tests.bench.admin              a quick look
    BENCH_DATABASE_URL=… python -m tests.bench.admin    in a database that is filled once and kept
    python -m tests.bench.admin articles.article        pages of that name only
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles
from typing import Any

import django

if __name__ == "__main__":
    scratch = Path(os.environ.get("BENCH_DIR") or tempfile.mkdtemp(prefix="warandpeace-bench-"))
    os.environ |= {"DJANGO_SETTINGS_MODULE": "warandpeace.settings", "VAR_DIR": str(scratch), "ENV_FILE": os.devnull}
    os.environ |= {"BENCH_DIR": str(scratch), "SECRET_KEY": "only-for-the-bench" * 4}
    django.setup()
    logging.disable(logging.ERROR)

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.template.response import TemplateResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from tests.bench._admin_pages import Page, lists, singles, stock
from tests.bench._newsroom import fill, is_filled
from tests.bench.search import ROWS, Language
from tests.servers import postgres

TIMES = int(os.environ.get("BENCH_TIMES", "20"))  # each page
GOAL = 200  # ms
# A page of the stock admin's gets no longer, and all of a kind not much longer; 0 leaves it out.
STOCK_SECONDS = int(os.environ.get("BENCH_STOCK_SECONDS", "10"))
ADDRESSES = (path("", include("warandpeace.urls")), path("stock/", stock.urls))
# Django's own templates, not the theme's.
STOCK_TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(admin.__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def person() -> User:
    """Somebody of every role, so that nothing is left out."""
    user, is_new = User.objects.get_or_create(username="bench", is_staff=True)
    if is_new:
        user.groups.set(Group.objects.all())
    return user


# --- how fast they are ----------------------------------------------------------------------------------------------


def ask(client: Client, address: str) -> float:
    """Milliseconds until the whole page is there. Raises what the page raises."""
    began = time.perf_counter()
    response = client.get(address)
    spent = (time.perf_counter() - began) * 1000
    if response.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{address}: {response.status_code} {response.headers.get('Location', '')}")
    assert isinstance(response, TemplateResponse) or response.content
    return spent


def ours(client: Client, page: Page) -> tuple[list[float], int]:
    """Milliseconds of each request, and the most queries of one. The first, which warms up, is not counted."""
    with CaptureQueriesContext(connection) as captured:
        ask(client, page.address())
    queries = len(captured)
    return [ask(client, page.address()) for _ in range(TIMES)], queries


def theirs(client: Client, page: Page) -> list[float]:
    """The stock admin's milliseconds; what took too long counts as the longest that was waited."""
    assert page.stock is not None
    spent, until = list[float](), time.monotonic() + STOCK_SECONDS
    while len(spent) < TIMES and (not spent or time.monotonic() < until):
        try:
            spent.append(ask(client, page.stock()))
        except OperationalError:
            spent.append(1000.0 * STOCK_SECONDS)
    return spent


def written(spent: list[float]) -> str:
    if not spent:
        return f"{'':>19}"
    cuts = quantiles([*spent, spent[0]], n=100, method="inclusive")
    return f"{cuts[49]:9,.0f} {cuts[94]:9,.0f}"


def compare(pages: list[Page]) -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(person(), backend="django.contrib.auth.backends.ModelBackend")
    print(f"{connection.vendor}, {ROWS:,} articles; milliseconds, {TIMES} times each")
    print(f"{'':<58}{'queries':>8}{'p50':>10}{'p95':>10}   stock:{'p50':>4}{'p95':>10}", flush=True)
    slow, broken = 0, list[str]()
    for page in pages:
        try:
            spent, queries = ours(client, page)
        except Exception as error:  # noqa: BLE001  the others are to be measured all the same
            broken.append(f"{page.name}: {error!r}")
            continue
        beside = list[float]()
        if page.stock is not None and STOCK_SECONDS:
            with override_settings(TEMPLATES=STOCK_TEMPLATES), hurried():
                beside = theirs(client, page)
        p95 = quantiles(spent, n=100, method="inclusive")[94]
        slow += p95 > GOAL
        mark = "  over the goal" if p95 > GOAL else ""
        print(f"{page.name:<58}{queries:>8} {written(spent)} {written(beside)}{mark}", flush=True)
    print(f"{len(pages)} kinds of pages, {slow} of them with a p95 over {GOAL} ms")
    if broken:
        sys.exit("\n".join(broken))


@contextmanager
def hurried() -> Iterator[None]:
    """Statements inside take `STOCK_SECONDS` at most, where the database can be told so."""
    limit_statements(STOCK_SECONDS)
    try:
        yield
    finally:
        limit_statements(0)


def limit_statements(seconds: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {1000 * seconds}")


def measure(wanted: str) -> None:
    """On the database of the settings, which is filled unless it is already."""
    call_command("migrate", verbosity=0)
    language = Language()
    if not is_filled():
        began = time.perf_counter()
        person()
        fill(language)
        print(f"{connection.vendor}: {ROWS:,} articles and what belongs to them in {time.perf_counter() - began:.0f} s")
    with override_settings(ROOT_URLCONF=ADDRESSES, STORAGES=plain_storages()):
        client = Client(headers={"host": "localhost"})
        client.force_login(person(), backend="django.contrib.auth.backends.ModelBackend")
        compare([page for page in (*singles(client), *lists(client, language)) if wanted in page.name])


def plain_storages() -> dict[str, Any]:
    """Static files under their own names: nothing is collected here."""
    return settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def main() -> None:
    """Measure on either database, each in a process of its own; or on the one that is named."""
    wanted = sys.argv[1:]
    again = [sys.executable, "-m", "tests.bench.admin", *wanted]
    if "BENCH_DATABASE" in os.environ:
        measure(" ".join(wanted))
        return
    environment = os.environ | {"BENCH_DATABASE": "1", "DATABASE_URL": ""}
    if url := os.environ.get("BENCH_DATABASE_URL"):
        subprocess.run(again, env=environment | {"DATABASE_URL": url}, check=True)
        return
    with postgres(shared_buffers="512MB", maintenance_work_mem="256MB", synchronous_commit="off") as url:
        subprocess.run(again, env=environment | {"DATABASE_URL": url}, check=True)
    with tempfile.TemporaryDirectory(prefix="warandpeace-bench-") as folder:
        small = environment | {"BENCH_DIR": folder, "ROWS": str(ROWS // 5)}
        subprocess.run(again, env=small, check=True)


if __name__ == "__main__":
    main()
