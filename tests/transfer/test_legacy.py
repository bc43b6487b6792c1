"""Facts of the old file become today's rows, and what is wrong with them is put right or said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django_otp_webauthn.models import WebAuthnCredential

from articles.models import Article, BackfillRun, DeadLetter, Source, Summary
from publishing.models import Channel, Digest, Publication
from tests.legacy_files import build, change
from tests.transfer.conftest import Database
from usage.models import ApiUsageDaily, ApiUsageEvent, ProcessSession, SessionStatsDaily
from warandpeace.transfer.models import QuarantinedRow


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of the second generation without a row, for those of one test."""
    path = build(tmp_path / "empty.db", 1)
    tables = "articles digests pending_publications dlq api_usage_events api_usage_daily sessions session_stats_daily"
    others = "session_stats_state webauthn_credential backfill_progress"
    return change(path, *(f"DELETE FROM {table}" for table in (tables + " " + others).split()))


def article(number: int, url: str = "", **values: str | None) -> str:
    """A statement that puts an article in; a value is SQL."""
    row: dict[str, str | None] = {
        "id": str(number),
        "url": f"'{url or f'https://news.example/{number}/'}'",
        "title": "'Порт расширил склад'",
        "published_at": "'2025-09-01T10:00:00+00:00'",
        "created_at": "'2025-09-01 10:05:00'",
        **values,
    }
    return f"INSERT INTO articles ({', '.join(row)}) VALUES ({', '.join(str(value) for value in row.values())})"


def test_a_naive_date_is_moscow_time_and_other_times_are_utc(old: Path, target: Database) -> None:
    change(old, article(1, published_at="'2025-08-12T12:32:00'", created_at="'2025-08-12 09:32:45'"))

    target.take(old)

    row = target.rows(Article).get()
    assert row.published_at == datetime(2025, 8, 12, 9, 32, tzinfo=UTC)
    assert row.created_at == datetime(2025, 8, 12, 9, 32, 45, tzinfo=UTC)


def test_the_zone_of_naive_dates_can_be_named(old: Path, target: Database) -> None:
    change(old, article(1, published_at="'2025-08-12 12:32:00'"))

    target.take(old, "--naive-timezone", "Asia/Vladivostok")

    assert target.rows(Article).get().published_at == datetime(2025, 8, 12, 2, 32, tzinfo=UTC)


def test_a_date_with_an_offset_keeps_its_moment(old: Path, target: Database) -> None:
    change(old, article(1, published_at="'2025-09-12 12:32:00+03:00'"))

    target.take(old)

    assert target.rows(Article).get().published_at == datetime(2025, 9, 12, 9, 32, tzinfo=UTC)


def test_a_date_without_a_time_is_known_to_the_day(old: Path, target: Database) -> None:
    change(old, article(1, published_at="'2025-09-12'"))

    target.take(old)

    assert target.rows(Article).get().published_precision == Article.Precision.DAY


def test_two_spellings_of_an_address_become_one_article(old: Path, target: Database) -> None:
    url = "https://news.example/ru/news/view/17"
    change(
        old,
        article(3, url + "/", published_at="'2025-09-01T10:00:00+00:00'", content="'Коротко'"),
        article(8, url, published_at="'2025-09-01T09:00:00+00:00'", content="'Текст подлиннее'", summary_text="'Итог'"),
    )

    said = target.take(old)

    row = target.rows(Article).get()
    assert (row.pk, row.content, row.summary_text) == (3, "Текст подлиннее", "Итог")
    assert row.published_at == datetime(2025, 9, 1, 9, tzinfo=UTC)
    assert "Proved" in said


def test_an_uncanonical_canonical_link_is_made_canonical(old: Path, target: Database) -> None:
    url = "'https://news.example/ru/news/view/17/?utm_source=rss'"
    change(old, article(1, url.strip("'"), canonical_link=url))

    target.take(old)

    assert target.rows(Article).get().canonical_link == "https://news.example/ru/news/view/17"


def test_an_error_string_is_no_summary(old: Path, target: Database) -> None:
    change(old, article(1, summary_text="'Ошибка при получении резюме от Mistral: 429'", content="'Текст'"))

    target.take(old)

    row = target.rows(Article).get()
    assert (row.summary_text, row.status) == ("", Article.Status.STORED)
    assert not target.rows(Summary).exists()


def test_a_summary_is_its_articles_first_version(old: Path, target: Database) -> None:
    change(old, article(1, summary_text="'Итог'", content="'Текст'"))

    target.take(old)

    summary = target.rows(Summary).get()
    assert (summary.article_id, summary.version, summary.text, summary.provider) == (1, 1, "Итог", "legacy")


def test_versions_of_summaries_keep_their_numbers_and_their_makers(old: Path, target: Database) -> None:
    values = "(7, 1, 'Первый', 'flash', 'gemini', 0.1, 5, 'ok', 1, 'v2', '2025-09-01 10:00:00')"
    change(old, article(1, summary_text="'Второй'", content="'Текст'"), f"INSERT INTO summaries VALUES {values}")

    target.take(old)

    versions = target.rows(Summary).order_by("version").values_list("pk", "version", "text", "provider")
    assert list(versions) == [(7, 1, "Первый", "gemini"), (1_000_001, 2, "Второй", "legacy")]


def test_what_the_old_bot_had_posted_is_known_as_posted(old: Path, target: Database) -> None:
    change(old, article(1, summary_text="'Итог'"), article(2, summary_text="'Итог'", content="'Текст'"))

    target.take(old)

    posted = target.rows(Publication).get()
    assert (posted.article_id, posted.state) == (1, Publication.State.PUBLISHED)


def test_nothing_that_came_over_is_due_or_offered(legacy: Path, target: Database) -> None:
    target.take(legacy)

    articles = target.rows(Article)
    assert not articles.exclude(next_step_at=None, offered_at=None).exists()
    assert set(target.rows(Publication).values_list("state", flat=True)) == {"published", "held"}
    assert not target.rows(Source).get().is_active
    assert target.rows(Channel).get().is_paused


def test_the_old_queue_is_held_with_an_article_of_its_own(old: Path, target: Database) -> None:
    url, stamp = "'https://news.example/5/'", "'2025-09-01 10:00:00'"
    row = f"(4, {url}, 'Заголовок', '2025-09-01T10:00:00', 'Итог', 2, 'Timed out', {stamp}, {stamp})"
    change(old, f"INSERT INTO pending_publications VALUES {row}")

    target.take(old)

    held = target.rows(Publication).get()
    assert (held.pk, held.state, held.text) == (4, Publication.State.HELD, "Итог")
    assert held.last_error == "Timed out (attempts: 2)"
    assert target.rows(Article).get(pk=held.article_id).canonical_link == "https://news.example/5"


def test_what_waited_although_it_was_posted_is_merged_with_that(old: Path, target: Database) -> None:
    row = "(4, 'https://news.example/1', 'З', '2025-09-01T10:00:00', 'Итог', 2, NULL, NULL, NULL)"
    change(old, article(1, summary_text="'Итог'"), f"INSERT INTO pending_publications VALUES {row}")

    target.take(old)

    assert target.rows(Publication).get().state == Publication.State.PUBLISHED


def test_all_versions_of_a_digest_stay_and_the_newest_is_current(old: Path, target: Database) -> None:
    rows = {1: "2025-08-07 08:00:00", 2: "2025-08-07 12:00:00", 3: "2025-08-07 11:00:00"}
    change(
        old,
        *(f"INSERT INTO digests VALUES ({pk}, 'daily_2025-08-06', 'Д', '{at}')" for pk, at in rows.items()),
    )

    target.take(old)

    digests = target.rows(Digest).order_by("version").values_list("pk", "version", "is_current", "period_start")
    day = date(2025, 8, 6)
    assert list(digests) == [(1, 1, False, day), (3, 2, False, day), (2, 3, True, day)]


@pytest.mark.parametrize(
    ("period", "written", "expected"),
    [
        ("сутки", "2025-08-06 22:30:00", ("daily", date(2025, 8, 7), date(2025, 8, 7))),
        ("weekly_2025-08-04", "2025-08-12 09:00:00", ("weekly", date(2025, 8, 4), date(2025, 8, 10))),
        ("weekly_2025-08-10", "2025-08-10 21:00:00", ("weekly", date(2025, 8, 4), date(2025, 8, 10))),
        ("monthly_2024-02", "2024-03-01 09:00:00", ("monthly", date(2024, 2, 1), date(2024, 2, 29))),
        ("annual_2024", "2025-01-01 09:00:00", ("annual", date(2024, 1, 1), date(2024, 12, 31))),
    ],
)
def test_old_names_of_periods(
    old: Path, target: Database, period: str, written: str, expected: tuple[str, date, date]
) -> None:
    change(old, f"INSERT INTO digests (period, content, created_at) VALUES ('{period}', 'Д', '{written}')")

    target.take(old)

    assert target.rows(Digest).values_list("period", "period_start", "period_end").get() == expected


def test_repeated_days_of_usage_are_summed_once(old: Path, target: Database) -> None:
    row = "('2025-09-01', 'gemini', NULL, NULL, 1, 1, 700, 80, 0.001, 3100)"
    change(old, *[f"INSERT INTO api_usage_daily VALUES {row}"] * 3)

    target.take(old)
    target.take(old)

    day = target.rows(ApiUsageDaily).get()
    assert (day.model, day.api_key_hash, day.requests, day.cost_usd) == ("", "", 3, Decimal("0.003"))


def test_an_event_of_usage_keeps_its_facts(old: Path, target: Database) -> None:
    row = "(5, '2025-09-01T10:00:00+00:00', 'gemini', NULL, NULL, 'g', 1, 0, 429, 31, 7, 0, 0.5, 'rate', 'no JSON')"
    change(old, f"INSERT INTO api_usage_events VALUES {row}")

    target.take(old)

    event = target.rows(ApiUsageEvent).get()
    assert (event.pk, event.state, event.http_status, event.cost_usd) == (5, "failed", 429, Decimal("0.5"))
    assert event.extra == {"text": "no JSON"}


def test_dead_letters_of_one_thing_become_one(old: Path, target: Database) -> None:
    rows = (
        "('article', '1', 'old', '', 2, '2025-09-01', '2025-09-02')",
        "('article', '1', 'new', '', 1, '2025-09-02', '2025-09-03')",
    )
    columns = "(entity_type, entity_ref, error_code, error_payload, attempts, first_seen_at, last_seen_at)"
    change(old, *(f"INSERT INTO dlq {columns} VALUES {row}" for row in rows))

    target.take(old)

    letter = target.rows(DeadLetter).get()
    assert (letter.error_code, letter.attempts) == ("new", 3)
    assert (letter.first_seen_at.day, letter.last_seen_at.day) == (1, 3)


def test_a_dead_letter_follows_its_article_where_that_was_merged(old: Path, target: Database) -> None:
    letter = "INSERT INTO dlq (entity_type, entity_ref) VALUES ('summary', '8')"
    change(old, article(3, "https://news.example/17/"), article(8, "https://news.example/17"), letter)

    target.take(old)

    assert target.rows(DeadLetter).get().entity_ref == "3"


def test_sessions_statistics_and_the_archives_progress_come_over(legacy: Path, target: Database) -> None:
    target.take(legacy)

    assert target.rows(ProcessSession).count() == 12
    assert target.rows(SessionStatsDaily).count() == 30
    walk = target.rows(BackfillRun).get()
    assert (walk.state, walk.date_from, walk.checkpoint["legacy"]["sum_model"]) == (
        BackfillRun.State.PAUSED,
        date(2012, 1, 1),
        "gemini-flash",
    )


def test_a_passkey_goes_to_the_account_of_its_name_and_waits_for_one_that_is_missing(
    legacy: Path, target: Database
) -> None:
    user_model = get_user_model()
    target.rows(user_model).bulk_create([user_model(username="admin")])

    target.take(legacy)

    passkey = target.rows(WebAuthnCredential).get()
    assert passkey.user_id == target.rows(user_model).get().pk
    assert passkey.credential_id_sha256 == WebAuthnCredential.get_credential_id_sha256(bytes(passkey.credential_id))
    assert "nobody here has the user name 'nobody'" in target.rows(QuarantinedRow).get().reason


def test_a_quarantined_row_comes_over_when_what_it_lacked_is_there(legacy: Path, target: Database) -> None:
    target.take(legacy)
    user_model = get_user_model()
    target.rows(user_model).bulk_create([user_model(username="admin"), user_model(username="nobody")])

    target.take(legacy)

    assert target.rows(WebAuthnCredential).count() == 2
    assert not target.rows(QuarantinedRow).exists()


@pytest.mark.parametrize(
    "without",
    [
        ("articles.content", "articles.content_hash", "articles.updated_at", "articles.canonical_link"),
        ("pending_publications", "dlq", "api_usage_events", "api_usage_daily", "sessions", "session_stats_daily"),
        ("session_stats_state", "webauthn_credential", "backfill_progress", "summaries", "articles.updated_at"),
    ],
)
def test_files_that_were_upgraded_half_way(tmp_path: Path, target: Database, without: tuple[str, ...]) -> None:
    said = target.take(build(tmp_path / "mixed.db", 40, without=without))

    assert "Proved" in said


def test_a_file_of_the_first_generation(tmp_path: Path, target: Database) -> None:
    said = target.take(build(tmp_path / "first.db", 40, generation=1))

    assert "Proved" in said
    posted = target.rows(Article).exclude(summary_text="").count()
    assert target.rows(Publication).filter(state="published").count() == posted > 0


def test_new_rows_get_numbers_behind_those_that_came(legacy: Path, target: Database) -> None:
    target.take(legacy)
    source = target.rows(Source).get()
    greatest = target.rows(Article).latest("pk").pk

    fresh = Article(
        source=source, url="u", canonical_link="u", title="t", published_at=datetime(2025, 1, 1, tzinfo=UTC)
    )
    target.rows(Article).bulk_create([fresh])

    assert target.rows(Article).latest("pk").pk > greatest
