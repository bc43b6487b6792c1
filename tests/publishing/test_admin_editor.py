"""One publication in the admin: its text, its preview, and the decisions about what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from publishing import approval
from publishing.models import Message, Publication
from tests.factories import PublicationFactory
from tests.people import signed_in

pytestmark = pytest.mark.django_db


def page_of(publication: Publication) -> str:
    return reverse("admin:publishing_publication_change", args=[publication.pk])


def typed(publication: Publication, **changes: Any) -> dict[str, Any]:
    """What the editor's form sends for the publication as it is, with changes."""
    return {"revision": publication.revision, "title": publication.title, "text": publication.final_text} | changes


@pytest.fixture
def publisher() -> Client:
    return signed_in("publisher")


@pytest.fixture
def editor() -> Client:
    return signed_in("editor")


def test_the_editor_shows_the_post_as_it_will_be_sent(editor: Client) -> None:
    publication = PublicationFactory(title="Порт & море", channel__footer="@warandpeace")

    page = editor.get(page_of(publication)).content.decode()

    assert "<b>Порт &amp; море</b>" in page
    assert "@warandpeace" in page


def test_an_edit_is_saved_as_the_next_version(editor: Client) -> None:
    publication = PublicationFactory()

    editor.post(page_of(publication), typed(publication, text="Новый текст\r\nв две строки"))

    publication.refresh_from_db()
    assert publication.final_text == "Новый текст\nв две строки"
    assert publication.revision == 2


def test_the_second_of_two_editors_is_told_and_keeps_their_text(editor: Client) -> None:
    publication = PublicationFactory()
    approval.edit(publication.pk, by=None, revision=1, title="Чужой заголовок", text="Чужой текст")

    page = editor.post(page_of(publication), typed(publication, text="Мой текст")).content.decode()

    assert "изменил кто-то другой" in page
    assert "Чужой текст" in page
    assert "Мой текст" in page
    assert Publication.objects.get(pk=publication.pk).final_text == "Чужой текст"


def test_approving_in_the_editor_saves_and_approves_what_was_seen(publisher: Client) -> None:
    publication = PublicationFactory()

    publisher.post(page_of(publication), typed(publication, title="Точный заголовок", _approve=""))

    publication.refresh_from_db()
    assert (publication.state, publication.title) == (Publication.State.APPROVED, "Точный заголовок")
    assert "Точный заголовок" in publication.messages.get().payload["text"]


def test_nothing_is_saved_when_the_approval_fails(publisher: Client) -> None:
    publication = PublicationFactory()
    invisible = "\u202a"

    answer = publisher.post(page_of(publication), typed(publication, title=invisible, text=invisible, _approve=""))

    publication.refresh_from_db()
    assert "Отправлять нечего" in answer.content.decode()
    assert publication.revision == 1


def test_an_editor_may_not_approve_by_a_forged_button(editor: Client) -> None:
    publication = PublicationFactory()

    answer = editor.post(page_of(publication), typed(publication, _approve=""))

    assert answer.status_code == 403
    assert Publication.objects.get(pk=publication.pk).state == Publication.State.PENDING


def test_an_operator_may_read_but_not_edit() -> None:
    publication = PublicationFactory()
    operator = signed_in("operator")

    read = operator.get(page_of(publication))
    written = operator.post(page_of(publication), typed(publication, text="Правка"))

    assert read.status_code == 200
    assert "<textarea" not in read.content.decode()
    assert written.status_code == 403


def test_what_is_out_is_read_only(publisher: Client) -> None:
    publication = PublicationFactory(state=Publication.State.PUBLISHED)

    page = publisher.get(page_of(publication)).content.decode()

    assert "<textarea" not in page
    assert "_approve" not in page


def test_the_preview_shows_what_is_typed_and_writes_nothing(editor: Client) -> None:
    publication = PublicationFactory()
    address = reverse("admin:publishing_publication_preview", args=[publication.pk])

    page = editor.post(address, {"title": "Проба <i>", "text": "два\nслова"}).content.decode()

    assert "<b>Проба &lt;i&gt;</b>" in page
    assert "два<br>слова" in page
    assert Publication.objects.get(pk=publication.pk).revision == 1


def test_the_preview_is_closed_to_strangers() -> None:
    publication = PublicationFactory()
    address = reverse("admin:publishing_publication_preview", args=[publication.pk])

    answer = signed_in("").post(address, {"title": "Проба", "text": ""})

    assert answer.status_code == 403


def test_a_person_settles_a_message_nobody_knew_about(publisher: Client) -> None:
    publication = PublicationFactory()
    approval.approve(publication.pk, by=None)
    publication.messages.update(state=Message.State.UNKNOWN)
    message = publication.messages.get()

    publisher.post(page_of(publication), {"_was_sent": message.pk})

    message.refresh_from_db()
    assert message.state == Message.State.SENT
