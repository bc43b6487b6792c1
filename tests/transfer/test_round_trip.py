"""Our own database from engine to engine and back: every row of every table, equal."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connections, models
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from articles.models import Article, BackfillRun, Source, Summary
from publishing.holding import HELD_BY_TRANSFER, PAUSED_BY_TRANSFER
from publishing.models import Channel, Message, Publication
from tests.legacy_files import build
from tests.transfer.conftest import Database
from usage.models import ApiUsageEvent, ProcessSession, Provider
from warandpeace.transfer.own import own_tables

WHEN = datetime(2025, 3, 30, 1, 2, 3, 456789, tzinfo=UTC)
AWKWARD_JSON = {"bb": [1, 2.50, None, True, -0.0, 1e-7, 10**30], "a": 'кавычка " и \\ и \u2028 и \x01', "": {}}


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables that are carried; rows that Django numbers itself by their names."""
    mapped = {ContentType: _content_types(database), Permission: _permissions(database)}
    content = {}
    for table in own_tables():
        rows = database.values(table.model)
        for place, parent in table.parents:
            column = table.columns[place]
            for row in rows:
                if parent in mapped and row[column] is not None:
                    row[column] = mapped[parent][row[column]]
        content[table.name] = rows
    return content


def _content_types(database: Database) -> dict[Any, Any]:
    return {pk: names for pk, *names in database.rows(ContentType).values_list("pk", "app_label", "model")}


def _permissions(database: Database) -> dict[Any, Any]:
    return {pk: names for pk, *names in database.rows(Permission).values_list("pk", "codename", "content_type__model")}


def add(database: Database, row: models.Model) -> Any:
    database.rows(type(row)).bulk_create([row])
    return row


@pytest.fixture
def lived_in(target: Database) -> Database:
    """A database in use, with something awkward in each kind of column."""
    user = add(target, get_user_model()(username="редактор", password="x", email="a@example.org"))
    source = add(target, Source(slug="s", name="Источник 🚢", url="https://news.example/", selectors=AWKWARD_JSON))
    values = {"quiet_from": time(23, 0, 0, 5), "quiet_until": time(7), "is_paused": True, "pause_reason": "Ремонт"}
    channel = add(target, Channel(slug="c", name="Канал", **values))
    event = add(target, ApiUsageEvent(provider="p", cost_usd=Decimal("0.000010"), extra=AWKWARD_JSON, started_at=WHEN))
    common = {"source": source, "title": "Порт", "published_at": WHEN, "url": "u"}
    first = add(target, Article(canonical_link="https://news.example/1", content="Текст\n\tи 'кавычки'\\", **common))
    add(target, Article(pk=90_000, canonical_link="https://news.example/2", duplicate_of=first, **common))
    add(target, Summary(article=first, version=1, text="Итог", usage_event=event, author=user, findings=[]))
    add(target, Publication(channel=channel, article=first, title="Порт", state="published", published_at=WHEN))
    add(target, Provider(name="mistral", kind="openai", price_in=Decimal("0.1500"), daily_budget=None))
    add(target, ProcessSession(session_id=UUID(int=2**127 + 5), started_at=WHEN))
    add(target, BackfillRun(source=source, date_from=WHEN.date(), date_to=WHEN.date(), checkpoint={"page": 3}))
    crontab = add(target, CrontabSchedule(minute="5", timezone="Europe/Moscow"))
    add(target, PeriodicTask(name="ночью", task="t", crontab=crontab))
    kind = target.rows(ContentType).get(app_label="articles", model="article")
    add(target, LogEntry(user=user, content_type=kind, object_id="1", object_repr="x", action_flag=2, action_time=WHEN))
    user.user_permissions.through._base_manager.using(user._state.db).create(
        user_id=user.pk, permission_id=target.rows(Permission).get(codename="approve_publication").pk
    )
    return target


def test_there_and_back_every_row_of_every_table_is_equal(
    lived_in: Database, file_target: Database, another: Database
) -> None:
    there = file_target.take(lived_in)
    back = another.take(file_target)

    assert "Proved" in there
    assert "Proved" in back
    assert everything(another) == everything(lived_in)


def test_out_of_a_file_and_back_into_one(
    file_target: Database, target: Database, another: Database, tmp_path: Path
) -> None:
    file_target.take(build(tmp_path / "legacy.db", 60))

    target.take(file_target)
    another.take(target)

    assert everything(another) == everything(target) == everything(file_target)


def test_permissions_and_content_types_are_found_by_name(lived_in: Database, file_target: Database) -> None:
    renumber(file_target)

    file_target.take(lived_in)

    names = everything(lived_in)["auth_user_user_permissions"]
    assert everything(file_target)["auth_user_user_permissions"] == names
    assert everything(file_target)["django_admin_log"] == everything(lived_in)["django_admin_log"]


def renumber(database: Database) -> None:
    """Content types and permissions under other numbers, as a database has that grew in another order."""
    groups = Group.permissions.through
    database.rows(groups).delete()
    permissions = list(database.rows(Permission))
    database.rows(Permission).delete()
    for permission in reversed(permissions):
        permission.pk += 5000
    database.rows(Permission).bulk_create(permissions)


def test_people_sign_in_again(lived_in: Database, file_target: Database) -> None:
    add(lived_in, Session(session_key="k", session_data="d", expire_date=WHEN))

    said = file_target.take(lived_in)

    assert "django_session: 1 left out: people sign in again" in said
    assert not file_target.rows(Session).exists()


def test_numbers_go_on_behind_the_greatest(lived_in: Database, target: Database, file_target: Database) -> None:
    file_target.take(lived_in)

    source = file_target.rows(Source).get()
    fresh = Article(source=source, url="u", canonical_link="https://news.example/3", title="t", published_at=WHEN)
    add(file_target, fresh)

    assert fresh.pk == 90_001


def test_what_was_approved_arrives_held_and_no_channel_is_open(target: Database, file_target: Database) -> None:
    source = add(target, Source(slug="s", name="S", url="https://news.example/"))
    channel = add(target, Channel(slug="c", name="Канал"))
    article = add(
        target, Article(source=source, url="u", canonical_link="https://a.example/", title="t", published_at=WHEN)
    )
    publication = add(target, Publication(channel=channel, article=article, title="t", state="approved"))
    add(target, Message(publication=publication, channel=channel, ordinal=1, payload={"text": "t"}, payload_hash="h"))

    file_target.take(target)

    assert file_target.rows(Publication).values_list("state", "reason").get() == ("held", HELD_BY_TRANSFER)
    assert file_target.rows(Channel).values_list("is_paused", "pause_reason").get() == (True, PAUSED_BY_TRANSFER)
    assert file_target.rows(Message).get().payload == {"text": "t"}


def test_a_row_that_points_nowhere_goes_to_quarantine(file_target: Database, another: Database) -> None:
    channel = add(file_target, Channel(slug="c", name="Канал"))
    row = Publication(channel=channel, article_id=77, title="t", state="rejected")
    orphan(file_target, row)

    said = another.take(file_target)

    assert "article_id points to a row that is not there: 77" in said
    assert not another.rows(Publication).exists()


def orphan(database: Database, row: models.Model) -> None:
    """Add a row against its foreign keys, as a file from elsewhere may have one."""
    rows = database.rows(type(row))
    connection = connections[rows.db]
    connection.disable_constraint_checking()
    rows.bulk_create([row])
    connection.enable_constraint_checking()
