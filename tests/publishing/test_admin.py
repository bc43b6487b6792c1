"""The queue, channels and articles in the admin: who may decide, what is decided, and what the pages show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from publishing import approval
from publishing.models import Message, Publication
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory, SourceFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db

QUEUE = "/admin/publishing/pendingpublication/"


def decide(client: Client, action: str, *publications: Publication, **answer: Any) -> Any:
    """What the list sends when an action is run on several rows."""
    seen = {f"revision-{publication.pk}": publication.revision for publication in publications}
    chosen = {"_selected_action": [publication.pk for publication in publications]}
    return client.post(QUEUE, {"action": action, "index": 0, **chosen, **seen, **answer}, follow=True)


@pytest.fixture
def publisher() -> Client:
    return signed_in("publisher")


@pytest.fixture
def editor() -> Client:
    return signed_in("editor")


# --- the queue ------------------------------------------------------------------------------------------------------


def test_the_queue_says_why_each_row_is_not_out_yet(publisher: Client) -> None:
    publication = PublicationFactory(title="Порт увеличил перевалку")

    page = publisher.get(QUEUE).content.decode()

    assert publication.title in page
    assert "ждёт одобрения" in page
    assert "сразу после одобрения" in page


def test_the_queue_costs_the_same_whatever_its_length(
    publisher: Client, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    channel, source = ChannelFactory(), SourceFactory()
    PublicationFactory.create_batch(2, channel=channel, article__source=source)
    with django_assert_max_num_queries(25) as few:
        publisher.get(QUEUE)
    PublicationFactory.create_batch(20, channel=channel, article__source=source)

    with django_assert_num_queries(len(few)):
        publisher.get(QUEUE)


def test_one_row_is_approved_by_its_own_button(publisher: Client) -> None:
    publication = PublicationFactory()
    revision = {f"revision-{publication.pk}": publication.revision}

    publisher.post(QUEUE, {"_one": f"approve_selected:{publication.pk}", **revision})

    publication.refresh_from_db()
    assert publication.state == Publication.State.APPROVED
    assert publication.approved_by.username == "publisher"


def test_several_are_approved_and_counted(publisher: Client) -> None:
    publications = PublicationFactory.create_batch(3)

    page = decide(publisher, "approve_selected", *publications).content.decode()

    assert "Одобрены 3 публикации." in page
    assert Message.objects.filter(state=Message.State.READY).count() == 3


def test_approving_rings_the_channel_after_commit(publisher: Client, django_capture_on_commit_callbacks: Any) -> None:
    publication = PublicationFactory()

    with django_capture_on_commit_callbacks(execute=True):
        decide(publisher, "approve_selected", publication)

    publication.refresh_from_db()
    assert publication.state == Publication.State.PUBLISHED
    assert publication.channel.sandbox_posts.count() == 1


def test_a_row_that_changed_since_the_page_was_opened_is_not_approved(publisher: Client) -> None:
    publication = PublicationFactory()
    approval.edit(publication.pk, by=None, revision=1, title="Другой заголовок", text="Другой текст")

    page = decide(publisher, "approve_selected", publication).content.decode()

    publication.refresh_from_db()
    assert publication.state == Publication.State.PENDING
    assert "изменил кто-то другой" in page


def test_scheduling_asks_for_the_time_first(publisher: Client) -> None:
    publication = PublicationFactory()

    page = decide(publisher, "schedule_selected", publication).content.decode()

    assert "Когда выпустить?" in page
    assert Publication.objects.get(pk=publication.pk).state == Publication.State.PENDING


def test_a_time_is_taken_as_moscow_time(publisher: Client) -> None:
    publication = PublicationFactory()
    moment = (timezone.now() + timedelta(days=2)).replace(hour=9, minute=30, second=0, microsecond=0)
    local = timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")

    decide(publisher, "schedule_selected", publication, apply=1, moment=local)

    publication.refresh_from_db()
    assert publication.scheduled_for == moment


def test_a_time_that_has_passed_is_refused(publisher: Client) -> None:
    publication = PublicationFactory()

    page = decide(publisher, "schedule_selected", publication, apply=1, moment="2020-01-01T10:00").content.decode()

    assert "Это время уже прошло." in page
    assert Publication.objects.get(pk=publication.pk).state == Publication.State.PENDING


def test_rejecting_keeps_the_reason(publisher: Client) -> None:
    publications = PublicationFactory.create_batch(2)

    decide(publisher, "reject_selected", *publications, apply=1, reason="дубликат")

    assert set(Publication.objects.values_list("state", "reason")) == {("rejected", "дубликат")}


def test_an_editor_sees_no_way_to_decide_and_finds_none(editor: Client) -> None:
    publication = PublicationFactory()

    page = editor.get(QUEUE).content.decode()
    answer = editor.post(QUEUE, {"_one": f"approve_selected:{publication.pk}"})

    assert "approve_selected" not in page
    assert answer.status_code == 400
    assert Publication.objects.get(pk=publication.pk).state == Publication.State.PENDING


def test_what_needs_a_person_has_its_own_tab(publisher: Client) -> None:
    publication = PublicationFactory(title="Ответа не было")
    approval.approve(publication.pk, by=None)
    publication.messages.update(state=Message.State.UNKNOWN)

    page = publisher.get(QUEUE, {"stage": "person"}).content.decode()

    assert "Ответа не было" in page


def test_the_only_channel_can_be_paused_from_the_queue(publisher: Client) -> None:
    channel = ChannelFactory()

    page = publisher.get(QUEUE).content.decode()

    assert reverse("admin:publishing_channel_pause", args=[channel.pk]) in page


# --- channels and articles ------------------------------------------------------------------------------------------


def test_a_publisher_pauses_and_resumes_a_channel(publisher: Client) -> None:
    channel = ChannelFactory()
    address = reverse("admin:publishing_channel_pause", args=[channel.pk])

    publisher.post(address, {"paused": "1"})
    channel.refresh_from_db()
    paused = (channel.is_paused, channel.pause_reason)
    publisher.post(address, {"paused": "0"})

    channel.refresh_from_db()
    assert paused == (True, "остановил(а) publisher")
    assert not channel.is_paused


def test_an_editor_may_not_pause_a_channel(editor: Client) -> None:
    channel = ChannelFactory()

    answer = editor.post(reverse("admin:publishing_channel_pause", args=[channel.pk]), {"paused": "1"})

    channel.refresh_from_db()
    assert answer.status_code == 403
    assert not channel.is_paused


def test_pausing_leads_back_only_to_our_own_pages(publisher: Client) -> None:
    address = reverse("admin:publishing_channel_pause", args=[ChannelFactory().pk])

    answer = publisher.post(address, {"paused": "1", "next": "https://elsewhere.example/"})

    assert answer["Location"] == reverse("admin:publishing_channel_changelist")


def test_articles_are_put_into_a_queue_by_hand(editor: Client) -> None:
    channel, articles = ChannelFactory(), ArticleFactory.create_batch(2)
    chosen = {"_selected_action": [article.pk for article in articles]}

    editor.post("/admin/articles/article/", {"action": f"queue_on_{channel.pk}", "index": 0, **chosen})

    assert set(channel.publications.values_list("article", flat=True)) == {article.pk for article in articles}
