"""Editing, deleting and posting again in the admin: the page says what will happen, and does it once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from publishing import delivery
from publishing.models import Message, Publication, SandboxPost
from tests.people import signed_in
from tests.publishing.outbox import approved, wait_is_over

pytestmark = pytest.mark.django_db(transaction=True)
State = Publication.State


@pytest.fixture
def publisher() -> Client:
    return signed_in("publisher")


@pytest.fixture
def publication() -> Publication:
    made = approved(title="Заголовок", text="Текст.")
    delivery.deliver(made.channel_id)
    return Publication.objects.get()


def address(publication: Publication, what: str) -> str:
    return reverse("admin:publishing_publication_change_post", args=[publication.pk, what])


def typed(publication: Publication, **changes: Any) -> dict[str, Any]:
    known = {"seen": 0, "revision": publication.revision, "title": publication.title, "text": publication.final_text}
    return known | changes


def at_rest(publication: Publication) -> Publication:
    wait_is_over()
    delivery.deliver(publication.channel_id)
    return Publication.objects.get(pk=publication.pk)


def test_what_is_out_offers_its_changes(publisher: Client, publication: Publication) -> None:
    page = publisher.get(reverse("admin:publishing_publication_change", args=[publication.pk])).content.decode()

    for what in ("edit", "delete", "post_again"):
        assert address(publication, what) in page


def test_the_page_says_what_an_edit_will_do_before_it_is_done(publisher: Client, publication: Publication) -> None:
    page = publisher.post(address(publication, "edit"), typed(publication, text="Новый текст.")).content.decode()

    assert 'name="sure"' in page
    assert "Новый текст." in page
    assert Message.objects.count() == 1


def test_an_edit_is_done(publisher: Client, publication: Publication) -> None:
    publisher.post(address(publication, "edit"), typed(publication, text="Новый текст.", note="Число", sure=1))

    assert at_rest(publication).state == State.EDITED
    assert "Новый текст." in SandboxPost.objects.get().payload["text"]


def test_one_may_go_back_to_the_text(publisher: Client, publication: Publication) -> None:
    page = publisher.post(address(publication, "edit"), typed(publication, text="Новый.", back="")).content.decode()

    assert 'name="sure"' not in page
    assert "Новый." in page


def test_a_text_that_is_too_long_is_refused_with_the_reason(publisher: Client, publication: Publication) -> None:
    page = publisher.post(address(publication, "edit"), typed(publication, text="Слово. " * 1500, sure=1))

    assert 'role="alert"' in page.content.decode()
    assert Publication.objects.get().state == State.PUBLISHED


def test_a_deletion_is_asked_for_and_done(publisher: Client, publication: Publication) -> None:
    SandboxPost.objects.get()
    Message.objects.update(sent_at=timezone.now() - timedelta(hours=49))

    page = publisher.get(address(publication, "delete")).content.decode()
    publisher.post(address(publication, "delete"), {"seen": 0, "sure": 1})

    assert "48" in page
    assert at_rest(publication).state == State.DELETED
    assert not SandboxPost.objects.exists()


def test_posting_again_is_asked_twice(publisher: Client, publication: Publication) -> None:
    publisher.post(address(publication, "post_again"), {"seen": 0, "sure": 1})
    assert Message.objects.count() == 1

    for _click in range(2):
        publisher.post(address(publication, "post_again"), {"seen": 0, "sure": 1, "twice": "on"})
        at_rest(publication)

    assert SandboxPost.objects.count() == 2


def test_a_change_is_taken_back(publisher: Client, publication: Publication) -> None:
    publication.channel.is_paused = True
    publication.channel.save()
    publisher.post(address(publication, "delete"), {"seen": 0, "sure": 1})

    publisher.post(address(publication, "cancel"))

    assert at_rest(publication).state == State.PUBLISHED
    assert SandboxPost.objects.exists()


def test_what_is_done_is_kept_with_its_maker(publisher: Client, publication: Publication) -> None:
    publisher.post(address(publication, "delete"), {"seen": 0, "sure": 1})

    version = publication.history.filter(history_change_reason="delete").get()
    assert version.history_user.username == "publisher"


def test_an_editor_may_not_change_what_is_out(publication: Publication) -> None:
    answer = signed_in("editor").post(address(publication, "delete"), {"seen": 0, "sure": 1})

    assert answer.status_code == 403
    assert Message.objects.count() == 1


def test_nothing_else_is_an_address(publisher: Client, publication: Publication) -> None:
    assert publisher.get(address(publication, "anything")).status_code == 404
    assert publisher.get(reverse("admin:publishing_publication_history", args=[publication.pk])).status_code == 200
