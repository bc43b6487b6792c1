"""--dry-run, --limit, --since, --tables, --report, --release."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from articles.models import Article, DeadLetter
from publishing.holding import HELD_BY_TRANSFER, PAUSED_BY_TRANSFER
from publishing.models import Channel, Digest, Message, Publication
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory
from tests.legacy_files import build, change
from tests.transfer.conftest import Database
from usage.models import ApiUsageEvent
from warandpeace.legacy.articles import Articles
from warandpeace.transfer.blocks import Block
from warandpeace.transfer.models import Transfer


def test_a_rehearsal_writes_nothing_and_finds_the_problems(legacy: Path, target: Database) -> None:
    change(legacy, "UPDATE articles SET published_at = 'вчера' WHERE id = 3")

    said = target.take(legacy, "--dry-run")

    assert "quarantine: articles 3: published_at is no date: 'вчера'" in said
    assert "Nothing was written" in said
    assert not target.rows(Transfer).exists()
    assert not target.rows(Article).exists()


def test_a_rehearsal_knows_the_accounts_that_are_there(legacy: Path, target: Database) -> None:
    target.rows(get_user_model()).bulk_create([get_user_model()(username="admin")])

    said = target.take(legacy, "--dry-run", "--tables", "webauthn_credential")

    assert "nobody here has the user name 'admin'" not in said
    assert "its tables are empty" in said


def test_a_rehearsal_finds_that_the_target_is_in_use(legacy: Path, target: Database) -> None:
    target.rows(DeadLetter).bulk_create([DeadLetter(entity_type="page", entity_ref="x")])

    with pytest.raises(CommandError, match="already holds other data"):
        target.take(legacy, "--dry-run")


@pytest.mark.either_database
def test_a_rehearsal_makes_no_file(legacy: Path, tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'new.sqlite3'}").take(legacy, "--dry-run")

    assert list(tmp_path.iterdir()) == [legacy]


def test_a_limit_counts_what_it_leaves(legacy: Path, target: Database) -> None:
    said = target.take(legacy, "--limit", "7")

    assert target.rows(Article).count() >= 7
    assert target.rows(ApiUsageEvent).count() == 7
    assert "articles: 93 beyond --limit" in said
    assert "Proved" in said


def test_a_whole_run_after_a_limited_one_brings_the_rest(legacy: Path, target: Database, another: Database) -> None:
    target.take(legacy, "--limit", "7")

    target.take(legacy)
    another.take(legacy)

    assert target.values(Article) == another.values(Article)
    assert target.values(Publication) == another.values(Publication)


def test_since_leaves_older_rows_out(legacy: Path, target: Database) -> None:
    said = target.take(legacy, "--since", "2025-10-06")

    assert 0 < target.rows(Article).count() < 100
    assert target.rows(Article).filter(published_at__lt="2025-10-05T21:00Z").count() == 0
    assert "before --since" in said
    assert "Proved" in said


def test_only_some_tables(legacy: Path, target: Database) -> None:
    target.take(legacy, "--tables", "digests,api_usage_events")

    assert target.rows(Digest).exists()
    assert target.rows(ApiUsageEvent).exists()
    assert not target.rows(Article).exists()


def test_children_without_their_parents_are_skipped_and_said(target: Database, file_target: Database) -> None:
    channel = Channel(slug="c", name="Канал")
    target.rows(Channel).bulk_create([channel])
    values = {"period": "daily", "period_start": "2025-01-01", "period_end": "2025-01-01"}
    target.rows(Digest).bulk_create([Digest(channel=channel, **values)])

    said = file_target.take(target, "--tables", "publishing_digest")

    assert "publishing_digest: 1 belongs to a row that was not asked for" in said
    assert "Proved" in said


def test_the_report_names_every_merge_and_every_problem(legacy: Path, target: Database, tmp_path: Path) -> None:
    change(
        legacy,
        "UPDATE articles SET published_at = 'вчера' WHERE id = 3",
        "INSERT INTO articles (id, url, title, published_at) VALUES "
        "(500, (SELECT rtrim(url, '/') || '//' FROM articles WHERE id = 10), 'Ещё раз', '2025-10-01T10:00:00+00:00')",
    )

    target.take(legacy, "--report", str(tmp_path / "report.json"))

    report = json.loads((tmp_path / "report.json").read_text())
    assert report["holds"]
    assert ["500", "10"] in report["merges"]["articles"]
    assert {"table": "articles", "key": "3", "reason": "published_at is no date: 'вчера'"} in report["quarantine"]
    assert len(report["tables"]["articles"]["checksum"]) == 32


def test_the_same_rows_have_the_same_checksum_on_both_engines(
    legacy: Path, target: Database, file_target: Database, tmp_path: Path
) -> None:
    target.take(legacy, "--report", str(tmp_path / "a.json"))
    file_target.take(legacy, "--report", str(tmp_path / "b.json"))

    one, other = (json.loads((tmp_path / name).read_text())["tables"] for name in ("a.json", "b.json"))
    assert {name: table["checksum"] for name, table in one.items()} == {
        name: table["checksum"] for name, table in other.items()
    }


def test_a_source_is_not_written_to(legacy: Path, target: Database) -> None:
    before = legacy.read_bytes()

    target.take(legacy)

    assert legacy.read_bytes() == before
    with closing(sqlite3.connect(legacy)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.django_db
def test_release_puts_everything_back_as_it_stood() -> None:
    channel = ChannelFactory.create(is_paused=True, pause_reason=PAUSED_BY_TRANSFER)
    held = {"channel": channel, "state": Publication.State.HELD, "reason": HELD_BY_TRANSFER}
    approved, old = (PublicationFactory.create(article=ArticleFactory.create(), **held) for _ in range(2))
    values = {"ordinal": 1, "payload": {"text": "t"}, "payload_hash": "h"}
    Message.objects.create(publication=approved, channel=channel, **values)
    said = StringIO()

    call_command("transfer", "--release", stdout=said)

    states = Publication.objects.in_bulk([approved.pk, old.pk])
    assert states[approved.pk].state == Publication.State.APPROVED
    assert states[old.pk].state == Publication.State.PENDING
    assert not Channel.objects.get(pk=channel.pk).is_paused
    assert "Released: 1 channels, 1 approved publications, 1 that await an approval." in said.getvalue()


@pytest.mark.django_db
def test_release_leaves_alone_what_people_have_held() -> None:
    channel = ChannelFactory.create(is_paused=True, pause_reason="Ремонт")
    held = PublicationFactory.create(channel=channel, state=Publication.State.HELD, reason="Ждём пресс-службу")

    call_command("transfer", "--release", stdout=StringIO())

    assert Publication.objects.get(pk=held.pk).state == Publication.State.HELD
    assert Channel.objects.get(pk=channel.pk).is_paused


def test_since_reads_only_the_cells_it_must(tmp_path: Path, target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read, fill = build(tmp_path / "nine-days.db", 600), list[int](), Articles.fill

    def noted(self: Articles, block: Block, low: int, high: int) -> None:
        read.append(low)
        fill(self, block, low, high)

    monkeypatch.setattr(Articles, "fill", noted)

    said = target.take(path, "--since", "2025-10-06", "--batch-size", "10")

    assert not target.rows(Article).filter(published_at__lt="2025-10-05T21:00Z").exists()
    assert 400 < min(read) < 500
    assert "before --since" in said
    assert "Proved" in said


def test_since_passes_over_the_later_twin_of_an_early_article(tmp_path: Path, target: Database) -> None:
    legacy = build(tmp_path / "nine-days.db", 600)
    with closing(sqlite3.connect(legacy)) as file:
        (url,) = file.execute("SELECT url FROM articles WHERE id = 1").fetchone()
    row = f"(900, '{url}?', 'Копия', '2025-10-06T08:00:00+00:00', '2025-10-06 08:00:00', '{url}')"
    change(legacy, f"INSERT INTO articles (id, url, title, published_at, created_at, canonical_link) VALUES {row}")

    said = target.take(legacy, "--since", "2025-10-06", "--batch-size", "10")

    assert not target.rows(Article).filter(pk__in=[1, 900]).exists()
    assert "Proved" in said


def test_since_reads_our_own_tables_by_their_day(legacy: Path, file_target: Database, target: Database) -> None:
    file_target.take(legacy)

    said = target.take(file_target, "--since", "2025-10-06")

    later = file_target.rows(Article).filter(published_at__gte="2025-10-05T21:00Z")
    assert set(target.rows(Article).values_list("pk")) == set(later.values_list("pk"))
    assert "Proved" in said


@pytest.mark.either_database
@pytest.mark.parametrize(
    ("option", "words"),
    [("--since=yesterday", "write YYYY-MM-DD"), ("--limit=0", "from 1 on"), ("--naive-timezone=Mars", "Europe/Moscow")],
)
def test_a_wrong_argument_is_told_how_it_is_written(legacy: Path, option: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("transfer", "--from", str(legacy), option)
