"""From a request to a post in the queue, step by step, with failures at each of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from articles.models import Story
from publishing import approval, digests
from publishing.digests import building, choosing, editing, finishing
from publishing.models import Digest, PostReactions, Publication
from tests.factories import PublicationFactory
from tests.publishing.newsroom import NEWS, finished, news, newsroom, written, yesterday
from usage import llm
from usage.models import Alert, ApiUsageEvent

pytestmark = pytest.mark.django_db


def test_a_digest_has_a_section_for_each_story_and_a_post_in_the_queue() -> None:
    channel = newsroom()
    news(channel)

    digest = written(channel)

    assert (digest.state, digest.is_current, digest.version) == (Digest.State.READY, True, 1)
    assert {section.heading for section in digest.sections.all()} == {title for title, _summary in NEWS}
    publication = Publication.objects.get(digest=digest)
    assert (publication.kind, publication.state) == (Publication.Kind.DIGEST, Publication.State.PENDING)
    assert publication.text == digest.text
    assert all(title in digest.text for title, _summary in NEWS)


def test_each_section_is_one_call_that_the_ledger_knows() -> None:
    channel = newsroom()
    news(channel)

    digest = written(channel)

    calls = ApiUsageEvent.objects.filter(purpose="digest", subject=f"digest:{digest.pk}")
    assert calls.count() == len(NEWS)
    assert set(digest.sections.values_list("usage_event", flat=True)) == set(calls.values_list("pk", flat=True))
    assert digest.sections.exclude(prompt_version__startswith="daily-").count() == 0


def test_copies_of_a_story_share_a_section() -> None:
    channel = newsroom()
    one, other, _third = news(channel)
    story = Story.objects.create()
    one.story, other.story, other.duplicate_of = story, story, one
    one.save()
    other.save()

    digest = written(channel)

    section = digest.sections.order_by("position").first()
    assert section is not None
    assert [item.article for item in section.items.order_by("position")] == [one, other]


def test_what_was_posted_comes_first_and_what_was_rejected_stays_out() -> None:
    channel = newsroom()
    first, second, third = news(channel)
    PublicationFactory.create(channel=channel, article=first, state=Publication.State.PUBLISHED)
    PublicationFactory.create(channel=channel, article=second, state=Publication.State.REJECTED)

    digest = written(channel)

    assert list(digest.sections.order_by("position").values_list("heading", flat=True)) == [first.title, third.title]


def test_readers_reactions_rank_what_was_posted() -> None:
    channel = newsroom()
    for number, article in enumerate(news(channel), start=1):
        publication = PublicationFactory.create(channel=channel, article=article)
        approval.approve(publication.pk, by=None)
        publication.messages.update(state="sent", message_id=number, sent_at=timezone.now())
        likes = [5, 9, 7][number - 1]
        PostReactions.objects.create(channel=channel, message_id=number, counts={"👍": likes}, total=likes)
    Publication.objects.update(state=Publication.State.PUBLISHED)

    chosen = choosing.choose(channel, digests.Period.containing("daily", yesterday()))

    assert [source.heading for source in chosen] == [NEWS[place][0] for place in (1, 2, 0)]


def test_other_days_and_other_sources_do_not_belong_to_it() -> None:
    channel = newsroom()
    news(channel, yesterday() - timedelta(days=1))
    news(newsroom())

    digest = written(channel)

    assert digest.state == Digest.State.EMPTY


def test_an_empty_period_says_so_and_makes_no_post() -> None:
    digest = written(newsroom())

    assert (digest.state, digest.is_current, digest.next_step_at) == (Digest.State.EMPTY, False, None)
    assert digest.last_error
    assert not Publication.objects.exists()


def test_a_rebuild_makes_a_new_version_and_keeps_the_old_one() -> None:
    channel = newsroom()
    news(channel, number=1)
    first = written(channel)
    news(channel, number=0)

    second = written(channel)

    first.refresh_from_db()
    assert (first.version, second.version) == (1, 2)
    assert (first.is_current, second.is_current) == (False, True)
    assert first.text
    states = dict(Publication.objects.values_list("digest", "state"))
    assert states == {first.pk: Publication.State.REJECTED, second.pk: Publication.State.PENDING}


def test_the_old_version_stays_current_until_the_new_one_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel)
    first = written(channel)
    monkeypatch.setattr(llm, "complete", fail)

    second = written(channel)

    first.refresh_from_db()
    assert (first.is_current, second.is_current, second.state) == (True, False, Digest.State.DRAFT)


def test_a_period_has_one_version_in_the_making() -> None:
    channel = newsroom()

    one, other = (digests.request("daily", channel, yesterday()) for _turn in range(2))

    assert one == other
    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.create(
            channel=channel, period="daily", period_start=yesterday(), period_end=yesterday(), version=7
        )


def test_a_period_that_lies_ahead_is_refused() -> None:
    with pytest.raises(digests.NotBegun):
        digests.request("weekly", newsroom(), timezone.localdate() + timedelta(days=8))


def test_an_approved_version_keeps_a_rebuilt_one_from_going_out_by_itself() -> None:
    channel = newsroom()
    news(channel)
    first = written(channel, approves_itself=True)

    second = written(channel, approves_itself=True)

    states = dict(Publication.objects.values_list("digest", "state"))
    assert states == {first.pk: Publication.State.APPROVED, second.pk: Publication.State.PENDING}


def test_a_doubted_digest_waits_for_an_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel, number=1)
    answer = llm.Completion("Порт увеличил перевалку угля на 97%, сообщил Иван Сидоров.", "gemini", "flash", None, 1, 1)
    monkeypatch.setattr(llm, "complete", lambda *_args, **_options: answer)

    digest = written(channel, approves_itself=True)

    publication = Publication.objects.get(digest=digest)
    assert publication.state == Publication.State.PENDING
    assert publication.last_error
    assert {finding["text"] for finding in digest.sections.get().findings} >= {"97%"}


# --- failures -------------------------------------------------------------------------------------------------------


def fail(*_args: Any, **_options: Any) -> llm.Completion:
    raise llm.ProviderFailed("no luck")


def test_a_failure_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel)
    with monkeypatch.context() as broken:
        broken.setattr(llm, "complete", fail)
        digest = written(channel)
    assert digest.last_error == "no luck"
    assert digest.next_step_at is not None and digest.next_step_at > timezone.now()

    Digest.objects.update(next_step_at=timezone.now())

    assert finished(digest).state == Digest.State.READY


def test_the_last_attempt_is_made_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel, number=1)
    asked: list[str] = []

    def refuse(_prompt: llm.Prompt, *, provider: str = "", **_options: Any) -> llm.Completion:
        asked.append(provider)
        raise llm.ProviderFailed("no luck")

    monkeypatch.setattr(llm, "complete", refuse)
    digest = written(channel)
    for _attempt in range(3):
        Digest.objects.update(next_step_at=timezone.now())
        finished(digest)

    assert asked == ["", "", "", "extractive"]


def test_what_fails_for_good_raises_an_alert_that_a_later_version_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel)
    with monkeypatch.context() as broken:
        broken.setattr(llm, "complete", fail)
        digest = written(channel)
        for _attempt in range(3):
            Digest.objects.update(next_step_at=timezone.now())
            finished(digest)
    assert (digest.state, Alert.objects.open().count()) == (Digest.State.FAILED, 1)

    written(channel)

    assert not Alert.objects.open().exists()


def test_a_late_answer_is_dropped_when_somebody_else_has_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel, number=1)
    digest = digests.request("daily", channel, yesterday())
    building.take_step(digest.pk)
    complete = llm.complete

    def lose_lease(prompt: llm.Prompt, **options: Any) -> llm.Completion:
        Digest.objects.update(next_step_at=timezone.now() + timedelta(minutes=9))
        return complete(prompt, **options)

    monkeypatch.setattr(llm, "complete", lose_lease)

    assert not building.take_step(digest.pk)
    assert digest.sections.filter(is_awaited=True, text="").exists()


def test_what_an_editor_writes_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel, number=1)
    digest = written(channel)
    section = digest.sections.get()
    editing.rewrite(digest.pk, section.pk, revision=1, instruction="короче")

    def be_overtaken(*_args: Any, **_options: Any) -> llm.Completion:
        editing.write(digest.pk, section.pk, revision=2, heading="Уголь", text="Своими словами.")
        return llm.Completion("Ответ модели.", "gemini", "flash", None, 1, 1)

    monkeypatch.setattr(llm, "complete", be_overtaken)

    assert "Своими словами." in finished(digest).text
    assert "Ответ модели." not in digest.text


def test_what_is_asked_for_while_the_last_step_is_taken_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = newsroom()
    news(channel, number=1)
    digest = written(channel)
    section = digest.sections.get()
    editing.rewrite(digest.pk, section.pk, revision=1, instruction="короче")
    assert building.take_step(digest.pk)
    leased = Digest.objects.select_related("channel").claim(digest.pk, building.LEASE)
    editing.rewrite(digest.pk, section.pk, revision=2, instruction="ещё короче")

    assert leased is not None
    assert finishing.finish(leased)

    assert Digest.objects.due().exists()


# --- long periods ---------------------------------------------------------------------------------------------------


def test_a_month_stands_on_its_days_and_on_summaries_where_a_day_is_missing() -> None:
    channel = newsroom()
    last_month = yesterday().replace(day=1) - timedelta(days=1)
    first, second = last_month.replace(day=1), last_month.replace(day=9)
    news(channel, first)
    day = written(channel, day=first)
    loose = news(channel, second, number=1)

    digest = written(channel, "monthly", last_month)

    one, other = digest.sections.order_by("position")
    assert [item.part for item in one.items.all()] == [day]
    assert [item.article for item in other.items.all()] == loose
    assert digest.state == Digest.State.READY


def test_a_month_waits_for_its_days_that_are_being_written() -> None:
    channel = newsroom()
    last_month = yesterday().replace(day=1) - timedelta(days=1)
    digests.request("daily", channel, last_month)

    digest = written(channel, "monthly", last_month)

    assert (digest.state, digest.sections.count()) == (Digest.State.DRAFT, 0)
    assert digest.next_step_at is not None and digest.next_step_at > timezone.now()


def test_a_year_stands_on_its_months() -> None:
    channel = newsroom()
    last_year = date(yesterday().year - 1, 5, 9)
    news(channel, last_year)
    month = written(channel, "monthly", last_year)

    digest = written(channel, "annual", last_year)

    section = digest.sections.get()
    assert section.heading == "Май"
    assert [item.part for item in section.items.all()] == [month]


def test_what_was_pinned_or_taken_out_is_so_in_the_next_version() -> None:
    channel = newsroom()
    news(channel)
    digest = written(channel)
    first, second, third = digest.sections.order_by("position")
    editing.take_out(digest.pk, first.pk, revision=1)
    editing.pin(digest.pk, third.pk, revision=2, is_pinned=True)

    again = written(channel)

    sections = list(again.sections.order_by("position"))
    assert [(section.heading, section.is_included) for section in sections] == [
        (third.heading, True),
        (second.heading, True),
        (first.heading, False),
    ]
    assert sections[0].is_pinned
    assert first.heading not in again.text


def test_a_digest_is_approved_like_everything_else() -> None:
    channel = newsroom()
    news(channel)
    digest = written(channel)
    publication = Publication.objects.get(digest=digest)

    approval.approve(publication.pk, by=None, revision=1)

    payload = publication.messages.get().payload
    bold = {
        payload["text"][mark["offset"] :][: mark["length"]] for mark in payload["entities"] if mark["type"] == "bold"
    }
    assert bold == {digest.title, *(title for title, _summary in NEWS)}
