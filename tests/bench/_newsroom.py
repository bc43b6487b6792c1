"""A newsroom after twenty years: a million articles and all that hangs on them, written by SQL in a few minutes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models import F
from django.utils import timezone

from articles.models import (
    ArchiveDay,
    Article,
    ArticleTag,
    DeadLetter,
    ForecastNote,
    Picture,
    Story,
    Summary,
    Tag,
)
from articles.search.documents import Document
from publishing.models import Channel, Delivery, Mailing, Message, Publication, Subscriber
from tests.bench.search import FILLED_AT_ONCE, ROWS, SPAN, Language, article, write
from tests.factories import ChannelFactory, SourceFactory
from usage.models import ApiUsageDaily, ApiUsageEvent, ProcessSession

SOURCES, CHANNELS, TAGS, SUBSCRIBERS = 40, 5, 60, 10_000
PROVIDERS = ("gemini", "mistral", "openai", "extractive")
ARTICLES = "articles_article"
PUBLICATIONS = "publishing_publication"
STATUSES = (Article.Status.SUMMARISED,) * 7 + (Article.Status.STORED,) * 2 + (Article.Status.FAILED,)

# A publication's state by its article's number: nearly all are out, and a long morning's work waits.
STATE = """CASE WHEN id % 1000 < 10 THEN 'pending' WHEN id % 1000 = 15 THEN 'approved' WHEN id % 1000 = 20 THEN 'held'
WHEN id % 100000 = 25 THEN 'sending' WHEN id % 1000 < 100 THEN 'rejected' WHEN id % 10000 = 105 THEN 'failed'
ELSE 'published' END"""


def is_filled() -> bool:
    return Article.objects.exists()


def fill(language: Language) -> None:
    """Write everything. Its size follows from the number of articles, `ROWS`: a million unless the environment says."""
    now = timezone.now().replace(microsecond=0)
    sources = [SourceFactory.create(is_active=number < SOURCES // 2).pk for number in range(SOURCES)]
    channels = [ChannelFactory.create().pk for _ in range(CHANNELS)]
    write(language, sources, now, _of)
    _beside_articles()
    _posts(channels[0])
    _subscribers(now)
    _ledger(now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _of(document: Document) -> Article:
    made = article(document)
    made.status, made.language = STATUSES[document.article_id % len(STATUSES)], "ru"
    made.summary_text = made.content[:400] if made.status == Article.Status.SUMMARISED else ""
    return made


def insert(model: type[models.Model], rows: str, /, **columns: str) -> None:
    """A row of the model for each of a table's: `columns` is SQL by field, what isn't named has its default."""
    values, parameters = dict[str, str](), list[Any]()
    for field in model._meta.concrete_fields:
        if field.name in columns:
            values[str(field.column)] = columns[field.name]
        elif not field.primary_key:
            values[str(field.column)] = "%s"
            parameters.append(field.get_db_prep_save(field.pre_save(model(), True), connection))
    sql = f"INSERT INTO {model._meta.db_table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {rows}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql.replace(" % ", " %% "), parameters)


def _beside_articles() -> None:
    """Summaries, tags, notes, stories, pictures, dead letters, and what the archives list."""
    at = {"created_at": "published_at"}
    insert(Summary, f"{ARTICLES} WHERE id % 2 = 0", article="id", version="1", text="title", provider="'mistral'", **at)
    Tag.objects.bulk_create([Tag(pk=pk, name=f"Тема {pk}", slug=f"topic-{pk}") for pk in range(1, TAGS + 1)])
    insert(ArticleTag, f"{ARTICLES} WHERE id % 2 = 0", article="id", tag=f"1 + id % {TAGS}", **at)
    insert(ForecastNote, f"{ARTICLES} WHERE id % 20 = 0", article="id", version="1", status="'skipped'", **at)
    insert(Picture, f"{ARTICLES} WHERE id % 20 = 0", article="id", url="url", status="'none'", **at)
    letters = {"entity_type": "'article'", "entity_ref": "CAST(id AS text)", "error_code": "'http_500'"}
    insert(DeadLetter, f"{ARTICLES} WHERE id % 50 = 0", **letters, last_seen_at="published_at")
    insert(Story, f"{ARTICLES} WHERE id <= {ROWS // 50}", id="id", **at)
    members = Article.objects.filter(pk__lte=ROWS // 25)
    members.annotate(place=F("pk") % 2).filter(place=0).update(duplicate_of_id=F("pk") - 1)
    members.update(story_id=(F("pk") + 1) / 2)
    days = f"(SELECT source_id, date(published_at) AS day FROM {ARTICLES} GROUP BY 1, 2) AS days"  # noqa: S608
    insert(ArchiveDay, days, source="source_id", day="day", listed="12")


def _posts(first_channel: int) -> None:
    """A publication for each fifth article, with its message and its history."""
    insert(
        Publication,
        f"{ARTICLES} WHERE id % 5 = 0",
        channel=f"{first_channel} + id / 5 % {CHANNELS}",
        article="id",
        title="title",
        text="SUBSTR(content, 1, 400)",
        state=STATE,
        approved_at="published_at",
        published_at=f"CASE WHEN {STATE} = 'published' THEN published_at END",
        created_at="published_at",
        updated_at="published_at",
    )
    insert(
        Message,
        f"{PUBLICATIONS} WHERE state IN ('approved', 'sending', 'published')",
        publication="id",
        channel="channel_id",
        ordinal="1",
        payload="""'{"text": "x", "entities": [], "link_preview_options": {}}'""",
        state="CASE state WHEN 'published' THEN 'sent' WHEN 'sending' THEN 'unknown' ELSE 'ready' END",
        message_id="CASE state WHEN 'published' THEN id END",
        sent_at="published_at",
        created_at="created_at",
    )
    columns = {field.name: str(field.column) for field in Publication._meta.concrete_fields}
    insert(Publication.history.model, PUBLICATIONS, **columns, history_date="created_at", history_type="'+'")
    person, kind = User.objects.order_by("pk")[0].pk, ContentType.objects.get_for_model(Publication).pk
    insert(
        LogEntry,
        PUBLICATIONS,
        action_time="created_at",
        user=str(person),
        content_type=str(kind),
        object_id="CAST(id AS text)",
        object_repr="SUBSTR(title, 1, 200)",
        action_flag="2",
    )


def _subscribers(now: Any) -> None:
    """People who read by the bot, and what the newest mailings brought each of them."""
    count = min(SUBSCRIBERS, ROWS // 10)
    Subscriber.objects.bulk_create([Subscriber(telegram_user_id=number) for number in range(1, count + 1)])
    for day in range(20):
        mailing = Mailing.objects.create(
            kind=Mailing.Kind.DAILY,
            channel=Channel.objects.order_by("pk")[0],
            state=Mailing.State.MADE,
            epoch=1,
            out_at=now - timedelta(days=day),
            expires_at=now,
        )
        insert(
            Delivery,
            "publishing_subscriber",
            mailing=str(mailing.pk),
            subscriber="id",
            state="CASE WHEN id % 2000 = 0 THEN 'dead' ELSE 'sent' END",
            message_id="id",
            sent_at="created_at",
        )


def _ledger(now: Any) -> None:
    """Two calls an article, their totals by day, and the lives of processes."""
    providers = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(PROVIDERS))
    for purpose in ("summary", "forecast"):
        insert(
            ApiUsageEvent,
            ARTICLES,
            started_at="published_at",
            provider=f"CASE id % {len(PROVIDERS)} {providers} END",
            model="'small'",
            purpose=f"'{purpose}'",
            subject="'article:' || CAST(id AS text)",
            state="CASE WHEN id % 40 = 0 THEN 'failed' ELSE 'succeeded' END",
            tokens_in="400 + id % 900",
            tokens_out="80",
            cost_usd="0.0004",
        )
    days = range(SPAN.days)
    ApiUsageDaily.objects.bulk_create(
        [
            ApiUsageDaily(day=now.date() - timedelta(days=day), provider=name, model="small", requests=70, cost_usd=1)
            for day in days
            for name in PROVIDERS
        ],
        batch_size=FILLED_AT_ONCE,
    )
    ProcessSession.objects.bulk_create(
        [ProcessSession(session_id=uuid.uuid4(), role="web", started_at=now - timedelta(hours=n)) for n in range(9_000)]
    )
