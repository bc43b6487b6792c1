"""manage.py ingest: what a person types, and what a script may rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from articles.ingest import MANY_SOURCES
from articles.models import Article, Source
from tests.factories import SourceFactory
from tests.fakes.feed_server import FeedServer
from tests.fakes.feeds import Item, atom, items, rdf, rss
from tests.processes import descendants, is_alive

pytestmark = pytest.mark.django_db

SourceOf = Callable[..., Source]
Manage = Callable[..., subprocess.Popen[str]]


def summary_line(output: str) -> str:
    return output.splitlines()[-1]


def test_all_watched_feeds_are_fetched_whether_they_are_due_or_not(
    source_of: SourceOf, capsys: pytest.CaptureFixture[str]
) -> None:
    source_of(rss(items(2, site="https://a.example"), encoding="windows-1251"))
    source_of(atom(items(2, site="https://b.example")))
    source_of(rdf(items(2, site="https://c.example")))
    source_of(rss(items(2, site="https://d.example")), source={"is_active": False})

    call_command("ingest")
    call_command("ingest")

    assert capsys.readouterr().out.splitlines() == [
        "sources=3 new=6 updated=0 unchanged=0 failed=0",
        "sources=3 new=0 updated=0 unchanged=6 failed=0",
    ]


def test_named_sources_are_fetched_even_if_they_are_switched_off(
    source_of: SourceOf, capsys: pytest.CaptureFixture[str]
) -> None:
    source_of(rss(items(2)), source={"slug": "port", "is_active": False})
    source_of(rss(items(3, site="https://b.example")))

    call_command("ingest", "--source", "port")

    assert summary_line(capsys.readouterr().out) == "sources=1 new=2 updated=0 unchanged=0 failed=0"


def test_a_failed_source_is_one_line_with_its_reason_and_an_exit_status(
    source_of: SourceOf, capsys: pytest.CaptureFixture[str]
) -> None:
    source_of(rss(items(2)))
    bad = source_of(b"", status=404, source={"slug": "bad"})

    with pytest.raises(SystemExit) as raised:
        call_command("ingest")

    printed = capsys.readouterr()
    assert raised.value.code == 1
    assert printed.err == f"bad: {Source.objects.get(pk=bad.pk).last_error}\n"
    assert summary_line(printed.out) == "sources=2 new=2 updated=0 unchanged=0 failed=1"


def test_a_dry_run_stores_nothing(source_of: SourceOf, capsys: pytest.CaptureFixture[str]) -> None:
    source_of(rss(items(2)))

    call_command("ingest", "--dry-run")

    assert summary_line(capsys.readouterr().out) == "sources=1 new=2 updated=0 unchanged=0 failed=0"
    assert not Article.objects.exists()


def test_a_file_is_stored_as_its_sources_feed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SourceFactory(slug="port", url="https://news.example/rss/")
    file = tmp_path / "feed.xml"
    file.write_bytes(rss([Item(link="/news/1"), Item(link="/news/2")], encoding="windows-1251", declared=""))

    for options in (["--dry-run"], [], []):
        call_command("ingest", "--file", str(file), "--source", "port", *options)

    assert capsys.readouterr().out.splitlines() == [
        "sources=1 new=2 updated=0 unchanged=0 failed=0",
        "sources=1 new=2 updated=0 unchanged=0 failed=0",
        "sources=1 new=0 updated=0 unchanged=2 failed=0",
    ]
    assert Article.objects.filter(url="https://news.example/news/1").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "prot"], "There is no source prot. Did you mean port?"),
        (["--source", "zzz"], "There is no source zzz. The admin lists them under Sources."),
        (["--file", "missing.xml", "--source", "port"], "missing.xml cannot be read: No such file or directory."),
        (["--file", "feed.xml"], "--file needs exactly one --source"),
        (["--file", "page.html", "--source", "port"], "page.html is no feed, or it is too damaged to be read."),
        (["--file", "empty.xml", "--source", "port"], "empty.xml is a feed without entries."),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text("<html><body>404</body></html>")
    (tmp_path / "empty.xml").write_bytes(rss([]))
    for slug in ("port", "city"):
        SourceFactory(slug=slug)

    with pytest.raises(CommandError) as raised:
        call_command("ingest", *arguments)

    assert str(raised.value).startswith(sentence)


def test_help_tells_a_newcomer_what_happens(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("ingest", "--help")

    printed = capsys.readouterr().out
    assert "every watched source is fetched now" in printed
    assert "manage.py ingest --file feed.xml --source port" in printed


# --- in a process of its own ------------------------------------------------------------------------------------------


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "It never happened."
        time.sleep(0.02)


def slow_sources(source_of: SourceOf, count: int) -> None:
    for number in range(count):
        source_of(rss(items(5, site=f"https://s{number}.example")), delay=0.05 * (number % 10), etag=f'"{number}"')


@pytest.mark.django_db(transaction=True)
def test_after_kill_9_a_second_run_leaves_every_entry_exactly_once(
    source_of: SourceOf, server: FeedServer, manage: Manage
) -> None:
    slow_sources(source_of, 30)
    server.hold_after(25)
    first = manage("ingest")
    wait_for(lambda: Article.objects.count() > 20)

    first.kill()
    first.communicate()
    server.release()
    output, errors = manage("ingest").communicate()

    assert errors == ""
    assert summary_line(output).startswith("sources=30 ")
    assert summary_line(output).endswith(" failed=0")
    assert Article.objects.count() == 150


@pytest.mark.django_db(transaction=True)
def test_kill_9_leaves_no_process_behind(source_of: SourceOf, server: FeedServer, manage: Manage) -> None:
    slow_sources(source_of, 30)
    server.hold_after(10)
    command = manage("ingest")
    wait_for(Article.objects.exists)
    processes = list(descendants(command.pid))

    command.kill()
    command.communicate()

    assert len(processes) > 1
    wait_for(lambda: not any(map(is_alive, processes)))


@pytest.mark.django_db(transaction=True)
def test_sigterm_finishes_what_has_begun_and_gives_the_rest_back(
    source_of: SourceOf, server: FeedServer, manage: Manage
) -> None:
    slow_sources(source_of, 60)
    server.hold_after(10)
    command = manage("ingest")
    wait_for(lambda: len(server.requests) > 10)

    os.kill(command.pid, signal.SIGTERM)
    server.release()
    output, _errors = command.communicate()

    fetched = int(summary_line(output).split()[0].removeprefix("sources="))
    assert command.returncode == 128 + signal.SIGTERM
    assert MANY_SOURCES < fetched < 60
    assert Source.objects.due().count() == 60 - fetched


@pytest.mark.django_db(transaction=True)
def test_two_commands_at_once_share_the_work(source_of: SourceOf, manage: Manage) -> None:
    slow_sources(source_of, 30)

    commands = [manage("ingest") for _command in range(2)]
    outputs = [command.communicate() for command in commands]

    assert [command.returncode for command in commands] == [0, 0], outputs
    assert Article.objects.count() == 150
    assert not Source.objects.exclude(consecutive_failures=0).exists()
