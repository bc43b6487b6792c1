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
from dataclasses import dataclass
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
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from tests.bench._admin_pages import Page, lists, singles, stock
from tests.bench._newsroom import fill, is_filled
from tests.bench.search import ROWS, Language
from tests.servers import postgres
from warandpeace.serving import settle

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


@dataclass(frozen=True)
class Spent:
    """Milliseconds that one request took, and how many of them processors worked for it, ours and the database's."""

    wall: float
    worked: float


def ask(client: Client, address: str) -> Spent:
    """Wait for the whole page. Raises what the page raises."""
    began, worked = time.perf_counter(), processor()
    response = client.get(address)
    spent = Spent((time.perf_counter() - began) * 1000, (processor() - worked) * 1000)
    if response.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{address}: {response.status_code} {response.headers.get('Location', '')}")
    assert response.content
    return spent


def processor() -> float:
    """Seconds that a processor has worked for this process and, where Linux tells, for its PostgreSQL on this machine.

    On a machine that does other things, too, they tell more than the time that went by.
    """
    told = Path(f"/proc/{backend()}/schedstat")
    return time.process_time() + (int(told.read_text().split()[0]) / 1e9 if told.exists() else 0)


def backend() -> int:
    """The number of the process in PostgreSQL that serves our connection; 0 for none."""
    if connection.vendor != "postgresql":
        return 0
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def ours(client: Client, page: Page) -> tuple[list[Spent], int]:
    """What each request took, and the queries of the first, which warms up and is not counted."""
    with CaptureQueriesContext(connection) as captured:
        ask(client, page.address())
    queries = len(captured)
    return [ask(client, page.address()) for _ in range(TIMES)], queries


def theirs(client: Client, page: Page) -> list[Spent]:
    """The stock admin's; what took too long counts as the longest that was waited."""
    assert page.stock is not None
    spent, until = list[Spent](), time.monotonic() + STOCK_SECONDS
    while len(spent) < TIMES and (not spent or time.monotonic() < until):
        try:
            spent.append(ask(client, page.stock()))
        except OperationalError:
            spent.append(Spent(1000.0 * STOCK_SECONDS, 0))
    return spent


def percentile(values: list[float], percent: int) -> float:
    return quantiles([*values, values[0]], n=100, method="inclusive")[percent - 1]


def written(spent: list[Spent]) -> str:
    """p50 and p95 of the time that went by, and p95 of the processors' work."""
    if not spent:
        return " " * 24
    walls, worked = [one.wall for one in spent], [one.worked for one in spent]
    return f"{percentile(walls, 50):8,.0f}{percentile(walls, 95):8,.0f}{percentile(worked, 95):8,.0f}"


def compare(pages: list[Page]) -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(person(), backend="django.contrib.auth.backends.ModelBackend")
    print(f"{connection.vendor}, {ROWS:,} articles; milliseconds, {TIMES} times each; cpu: processors' work, p95")
    heads = f"{'p50':>8}{'p95':>8}{'cpu':>8}"
    print(f"{'':<56}{'queries':>8}{heads} |{heads} (stock)", flush=True)
    slow, broken = 0, list[str]()
    for page in pages:
        try:
            spent, queries = ours(client, page)
        except Exception as error:  # noqa: BLE001  the others are to be measured all the same
            broken.append(f"{page.name}: {error!r}")
            continue
        beside = list[Spent]()
        if page.stock is not None and STOCK_SECONDS:
            with override_settings(TEMPLATES=STOCK_TEMPLATES), hurried():
                beside = theirs(client, page)
        is_slow = percentile([one.wall for one in spent], 95) > GOAL
        slow += is_slow
        mark = "  over the goal" if is_slow else ""
        print(f"{page.name:<56}{queries:>8}{written(spent)} |{written(beside)}{mark}", flush=True)
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
    connection.settings_dict["CONN_MAX_AGE"] = None  # one process of the database's for all
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
        settle()
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
