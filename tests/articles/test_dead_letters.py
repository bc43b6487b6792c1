"""Dead letters: kept once a thing, tried again by themselves a few times, and by people whenever they like."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from articles import dead_letters
from articles.dead_letters import Outcome
from articles.models import Article, DeadLetter
from articles.models.dead_letter import FIRST_PAUSE, MOST_RETRIES
from publishing.approval import approve
from publishing.models import Message, Publication
from tests.factories import ArticleFactory, PublicationFactory, SourceFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db

Kind = DeadLetter.EntityType
ADMIN = "/admin/articles/deadletter/"


def letter(kind: str = Kind.SUMMARY, ref: object = 1, **fields: Any) -> DeadLetter:
    DeadLetter.record(kind, str(ref), "http_500", "Сервер не отвечает.", 5)
    DeadLetter.objects.update(**fields) if fields else None
    return DeadLetter.objects.get(entity_type=kind, entity_ref=str(ref))


def failed_article(**fields: Any) -> Article:
    article: Article = ArticleFactory(status=Article.Status.FAILED, next_step_at=None, attempts=5, **fields)
    return article


def retry(one: DeadLetter) -> str:
    return next(iter(dead_letters.retry([one]).counts))


def test_a_thing_that_fails_again_has_one_letter_with_all_its_attempts() -> None:
    first = letter()
    DeadLetter.record(Kind.SUMMARY, "1", "http_404", "Нет такого.", 2)

    again = DeadLetter.objects.get()

    assert (again.attempts, again.error_code, again.first_seen_at) == (7, "http_404", first.first_seen_at)
    assert again.last_seen_at > first.last_seen_at


def test_pauses_grow_and_end() -> None:
    pauses = []
    for retries in range(MOST_RETRIES + 1):
        one = letter(retries=retries)
        DeadLetter.record(Kind.SUMMARY, "1", "http_500", "", 1)
        one.refresh_from_db()
        pauses.append(one.next_attempt_at and round((one.next_attempt_at - one.last_seen_at) / FIRST_PAUSE))

    assert pauses == [1, 4, 16, None]


@pytest.mark.parametrize(("kind", "hopeless"), [(Kind.POST, False), (Kind.SUMMARY, True)])
def test_what_is_hopeless_or_refused_by_a_channel_waits_for_a_person(kind: str, hopeless: bool) -> None:
    DeadLetter.record(kind, "1", "refused", "", 1, hopeless=hopeless)

    assert DeadLetter.objects.get().next_attempt_at is None


@pytest.mark.parametrize(("content", "status"), [("Текст.", "ready"), ("", "new")])
def test_a_retried_article_is_due_at_its_step_and_keeps_its_title_and_time(content: str, status: str) -> None:
    article = failed_article(content=content)
    one = letter(ref=article.pk)

    assert retry(one) == Outcome.DUE
    now = Article.objects.get(pk=article.pk)
    assert (now.status, now.attempts, now.title, now.published_at) == (status, 0, article.title, article.published_at)
    assert now.next_step_at is not None


def test_an_article_is_found_by_the_address_of_its_page() -> None:
    article = failed_article(content="", canonical_link="https://news.example/1")

    assert retry(letter(Kind.PAGE, "https://NEWS.example/1?utm_source=feed")) == Outcome.DUE
    assert Article.objects.get(pk=article.pk).status == Article.Status.NEW


def test_a_letter_that_speaks_of_nothing_stays() -> None:
    assert retry(letter(ref=12345)) == Outcome.LOST
    assert DeadLetter.objects.exists()


def test_a_letter_whose_thing_has_succeeded_is_closed() -> None:
    article = ArticleFactory(next_step_at=None)

    assert retry(letter(ref=article.pk)) == Outcome.FINE
    assert not DeadLetter.objects.exists()


def test_a_letter_is_tried_by_one_of_two() -> None:
    one = letter(ref=failed_article().pk)
    same = DeadLetter.objects.get()

    assert (retry(one), retry(same)) == (Outcome.DUE, Outcome.TAKEN)


def test_a_kill_while_retrying_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    article = failed_article()
    one = letter(ref=article.pk)

    def killed(ref: str) -> Outcome:
        Article.objects.update(status=Article.Status.READY)
        raise KeyboardInterrupt

    monkeypatch.setitem(dead_letters._handlers, Kind.SUMMARY, [killed])
    with pytest.raises(KeyboardInterrupt):
        retry(one)

    assert Article.objects.get().status == Article.Status.FAILED
    assert DeadLetter.objects.get().next_attempt_at == one.next_attempt_at


def test_the_sweep_tries_what_is_due_and_leaves_the_rest() -> None:
    due, later = failed_article(), failed_article()
    letter(ref=due.pk, next_attempt_at=timezone.now() - timedelta(seconds=1))
    letter(ref=later.pk)

    dead_letters.retry_due()

    assert list(Article.objects.order_by("pk").values_list("status", flat=True)) == ["ready", "failed"]
    assert DeadLetter.objects.get(entity_ref=str(due.pk)).retries == 1


def test_a_source_that_is_retried_is_fetched_at_once() -> None:
    source = SourceFactory(next_fetch_at=timezone.now() + timedelta(days=1))

    assert retry(letter(Kind.SOURCE, source.slug)) == Outcome.DUE
    source.refresh_from_db()
    assert source.next_fetch_at <= timezone.now()


def test_what_failed_again_meanwhile_is_not_discarded() -> None:
    one = letter()
    DeadLetter.record(Kind.SUMMARY, "1", "http_500", "", 1)

    assert dead_letters.discard([one]) == 0
    assert DeadLetter.objects.exists()


# --- posts ----------------------------------------------------------------------------------------------------------


def refused_post() -> Publication:
    publication: Publication = approve(PublicationFactory(state="pending").pk, by=None)
    Message.objects.update(state=Message.State.DEAD)
    Publication.objects.update(state=Publication.State.FAILED)
    return publication


def test_a_retried_post_is_due_as_it_was_approved() -> None:
    publication = refused_post()
    payload = Message.objects.get().payload

    assert retry(letter(Kind.POST, publication.pk)) == Outcome.DUE
    message = Message.objects.get()
    assert (message.state, message.payload) == (Message.State.READY, payload)
    assert Publication.objects.get().state == Publication.State.APPROVED


def test_parts_that_were_sent_are_not_sent_again() -> None:
    publication = refused_post()
    first = Message.objects.get()
    first.pk, first.ordinal, first.state, first.sent_at, first.message_id = None, 2, "sent", timezone.now(), 7
    first.save()

    retry(letter(Kind.POST, publication.pk))

    assert list(Message.objects.order_by("ordinal").values_list("state", flat=True)) == ["ready", "sent"]


@pytest.mark.parametrize("ref", ["12345", "слово"])
def test_a_post_that_is_not_there_is_lost(ref: str) -> None:
    assert retry(letter(Kind.POST, ref)) == Outcome.LOST


# --- the command ----------------------------------------------------------------------------------------------------


def command(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("dead_letters", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().splitlines()


def test_the_list_shows_the_newest_and_counts() -> None:
    letter(ref=1)
    letter(Kind.PAGE, "https://news.example/1")

    lines = command("list", "--kind", "page")

    assert "https://news.example/1" in lines[0]
    assert lines[-1] == "letters=1"


def test_letters_are_retried_by_their_kind() -> None:
    letter(ref=failed_article().pk)
    letter(Kind.POST, 12345)

    assert command("retry", "--kind", "summary") == ["retried=1 closed=0 lost=0 taken=0"]


def test_a_letter_that_is_lost_makes_the_command_fail() -> None:
    with pytest.raises(CommandError, match="discard"):
        command("retry", str(letter(ref=12345).pk))


def test_letters_are_discarded_by_their_numbers() -> None:
    one, other = letter(ref=1), letter(ref=2)

    assert command("discard", str(one.pk)) == ["discarded=1"]
    assert list(DeadLetter.objects.all()) == [other]


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_a_dry_run_lists_what_it_would_be_and_changes_nothing(action: str) -> None:
    kept = letter(ref=failed_article().pk)
    letter(Kind.POST, 12345)

    told = command(action, "--kind", "summary", "--dry-run")

    assert (str(kept.pk) in told[0], told[-1]) == (True, "letters=1")
    assert (DeadLetter.objects.count(), Article.objects.due().count()) == (2, 0)


@pytest.mark.parametrize("arguments", [["retry"], ["discard"], ["retry", "99999"], ["retry", "9" * 30]])
def test_nothing_is_done_that_was_not_asked_for(arguments: list[str]) -> None:
    letter()

    with pytest.raises(CommandError):
        command(*arguments)


# --- the admin ------------------------------------------------------------------------------------------------------


def test_an_operator_retries_and_discards_in_bulk() -> None:
    article = failed_article()
    one, lost = letter(ref=article.pk), letter(ref=12345)
    operator = signed_in("operator")

    chosen = {"action": "retry_selected", "index": 0, "_selected_action": [one.pk, lost.pk]}
    page = operator.post(ADMIN, chosen, follow=True).content.decode()

    assert Article.objects.get(pk=article.pk).status == Article.Status.READY
    assert "12345" in page


def test_an_editor_may_not_retry() -> None:
    one = letter(ref=failed_article().pk)

    answer = signed_in("editor").post(ADMIN, {"action": "retry_selected", "_selected_action": [one.pk]})

    assert answer.status_code == 403


def test_letters_are_filtered_by_kind_and_error_with_their_counts() -> None:
    letter(ref=12345)
    letter(Kind.PAGE, "https://news.example/1")

    page = signed_in("operator").get(ADMIN, {"entity_type": "page", "error_code": "http_500"}).content.decode()

    assert "http_500 (2)" in page
    assert "https://news.example/1" in page
    assert "12345" not in page


def test_the_list_costs_the_same_whatever_its_length(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    operator = signed_in("operator")
    letter(ref=1)
    with django_assert_max_num_queries(40) as few:
        operator.get(ADMIN)
    for number in range(2, 12):
        letter(ref=number)

    with django_assert_num_queries(len(few)):
        operator.get(ADMIN)
