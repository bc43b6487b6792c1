"""A database of the first release, full of rows, comes to today's schema and goes back without losing any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from articles.models import Article
from publishing.models import Message, Publication
from usage.models import Alert
from warandpeace.backups.engines import configured
from warandpeace.backups.standing_in import standing_in

APPS = ("usage", "articles", "publishing", "warandpeace")
FIRST = [
    ("usage", "0004_servers_keys_budgets"),
    ("articles", "0004_prompts_and_trials"),
    ("publishing", "0006_installation"),
    ("warandpeace", "0003_transfer"),
]
Rows = dict[str, list[dict[str, Any]]]

# Django makes all models anew at each step back, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(900)

# Alerts of posting are rows of usage.Alert since; they stay there on the way back.
MOVED = "publishing.Alert"
# What the first release kept but never used, and no longer exists.
GIVEN_UP = {"topic_rules", "topics", "words", "wants_daily", "wants_weekly", "send_at"}
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture(scope="module")
def empty_database(django_db_blocker: Any) -> Iterator[None]:
    """A database of its own on the suite's engine, without a single table, in the place of the suite's."""
    with django_db_blocker.unblock():
        mine = configured().beside("upgrade")
        mine.create()
        try:
            with standing_in(mine.settings):
                yield
        finally:
            mine.drop()


def first_release() -> Apps:
    """Bring the database to the first release's schema; gives its models."""
    executor = MigrationExecutor(connection)
    apps: Apps = executor.migrate([*FIRST, *others(executor)]).apps
    return apps


def others(executor: MigrationExecutor) -> list[tuple[str, str]]:
    """The tables of packages, which don't go back."""
    return [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] not in APPS]


def fill(apps: Apps) -> None:
    """A row of everything that matters, with a value wherever one may stand."""

    def make(label: str, **values: Any) -> Any:
        return apps.get_model(label)._base_manager.create(**values)

    source = make("articles.Source", slug="s", name="Новости", url="https://e.org", etag="abc", topic_rules=["a"])
    article = make(
        "articles.Article",
        source=source,
        url="https://e.org/1",
        canonical_link="https://e.org/1",
        title="Заголовок",
        content="Текст\nвторой",
        summary_text="Коротко",
        published_at=NOW,
        status="summarised",
    )
    event = make("usage.ApiUsageEvent", provider="p", started_at=NOW, cost_usd="0.25", tokens_in=7)
    make("articles.Summary", article=article, version=1, text="Коротко", usage_event=event, findings=[{"a": 1}])
    make("articles.DeadLetter", entity_type="page", entity_ref="https://e.org/2", error_code="410", attempts=3)
    make("articles.BackfillRun", source=source, date_from=NOW.date(), date_to=NOW.date(), checkpoint={"page": 4})
    provider = make("usage.Provider", name="p", kind="openai", base_url="https://m.org", daily_budget="2.5")
    make("usage.ApiKey", provider=provider, key_hash="0" * 64, request_count=9)
    make("usage.Alert", code="budget_spent", subject="p", text="spent", count=2)
    make("publishing.Alert", key="message-1", text="Nobody knows", times=3)
    make("publishing.Subscriber", telegram_user_id=42, language="ru", wants_daily=True)
    channel = make("publishing.Channel", slug="c", name="Канал", kind="telegram", chat_id="-100", last_message_id=5)
    post = make("publishing.Publication", channel=channel, article=article, title="Пост", text="x", state="sending")
    message = make(
        "publishing.Message",
        publication=post,
        channel=channel,
        ordinal=1,
        payload={"text": "x"},
        payload_hash="h",
        state="unknown",
        fence=2,
    )
    make(
        "publishing.Attempt",
        message=message,
        fence=2,
        payload_hash="h",
        deadline=NOW,
        findings=[{"number": 6, "text": "y"}],
    )
    make("publishing.Bot", token_env="TELEGRAM_BOT_TOKEN", username="b")
    make("warandpeace.Heartbeat", name="sweeper", beat_at=NOW - timedelta(hours=1))


def rows(apps: Apps) -> Rows:
    """All rows of our apps, without what the program writes by itself."""
    own: list[type[models.Model]] = [
        model for app in APPS for model in apps.get_app_config(app).get_models() if model._meta.model_name != "prompt"
    ]
    return {model._meta.label: [used(row) for row in model._base_manager.order_by("pk").values()] for model in own}


def used(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in GIVEN_UP}


@dataclass(frozen=True)
class Journey:
    """What a database of the first release held, what today's program found in it, and what it held back home."""

    before: Rows
    today: dict[str, Any]
    after: Rows


@pytest.fixture(scope="module")
def journey(empty_database: None) -> Journey:
    """There and back, one app at a time, as an operator would; every receiver of `post_migrate` runs each time."""
    apps = first_release()
    fill(apps)
    before = rows(apps)
    for app in APPS:
        call_command("migrate", app, verbosity=0, interactive=False)
    today = read_today()
    for app, name in reversed(FIRST):
        call_command("migrate", app, name, verbosity=0, interactive=False)
    return Journey(before, today, rows(apps))


def read_today() -> dict[str, Any]:
    article = Article.objects.get(title="Заголовок")
    return {
        "texts": (article.content, article.summary_text),
        "post": Publication.objects.get().article_id == article.pk,
        "fence": Message.objects.unresolved().get().fence,
        "alerts": set(Alert.objects.values_list("count", flat=True)),
    }


def test_todays_program_reads_what_the_first_release_wrote(journey: Journey) -> None:
    found = journey.today

    assert found == {"texts": ("Текст\nвторой", "Коротко"), "post": True, "fence": 2, "alerts": {2, 3}}


def test_the_way_back_loses_nothing(journey: Journey) -> None:
    lost = {label: [row for row in held if row not in journey.after[label]] for label, held in journey.before.items()}

    assert sum(map(len, journey.before.values())) > 15
    assert {label for label, found in lost.items() if found} <= {MOVED}
