"""One publication in the admin: its text, its preview, and the decisions about what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from publishing import approval
from publishing.models import Message, Publication
from publishing.similar import similar
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


def test_breaking_news_is_saved_and_asked_about_before_it_goes_anywhere(publisher: Client) -> None:
    publication = PublicationFactory()

    page = publisher.post(page_of(publication), typed(publication, title="Срочный заголовок", _break=""))

    publication.refresh_from_db()
    assert 'value="break_selected"' in page.content.decode()
    assert (publication.title, publication.state) == ("Срочный заголовок", Publication.State.PENDING)


def test_an_editor_may_not_break_news(editor: Client) -> None:
    publication = PublicationFactory()

    refused = editor.post(page_of(publication), typed(publication, _break=""))

    assert refused.status_code == 403


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


# --- beside the text ------------------------------------------------------------------------------------------------


def test_what_the_source_does_not_say_is_marked(editor: Client) -> None:
    publication = PublicationFactory(text="Порт увеличил перевалку угля на 97%.")

    page = editor.get(page_of(publication)).content.decode()

    assert '<mark class="wp-mark wp-mark-bad"' in page
    assert 'id="s0"' in page


def test_a_version_is_compared_word_by_word_with_the_one_before(editor: Client) -> None:
    publication = PublicationFactory(title="Порт", text="Порт вырос.")
    approval.edit(publication.pk, by=None, revision=1, title="Порт", text="Порт сократился.")
    newest = publication.history.first().history_id

    page = editor.get(page_of(publication), {"diff": newest}).content.decode()

    assert "<ins>сократился.</ins>" in page


def test_the_second_editor_is_told_who_is_here_and_who_has_saved(editor: Client, publisher: Client) -> None:
    publication = PublicationFactory()
    editor.get(page_of(publication))
    editor.post(page_of(publication), typed(publication, text="Текст редактора"))

    address = reverse("admin:publishing_publication_beside", args=[publication.pk])
    told = publisher.get(address, {"revision": 1}).content.decode()

    assert told.count("editor") == 2


def test_nobody_is_told_of_themselves(editor: Client) -> None:
    publication = PublicationFactory()
    address = reverse("admin:publishing_publication_beside", args=[publication.pk])

    told = [editor.get(address, {"revision": 1}).content.decode().strip() for _twice in range(2)]

    assert told == ["", ""]


def test_another_text_is_offered_and_replaces_nothing(editor: Client, django_capture_on_commit_callbacks: Any) -> None:
    publication = PublicationFactory(text="Мой текст")
    address = reverse("admin:publishing_publication_rewrite", args=[publication.pk])

    with django_capture_on_commit_callbacks(execute=True):
        editor.post(address, {"_shorter": ""})

    offer = publication.article.summaries.get(is_trial=True)
    assert (offer.prompt_version, bool(offer.text)) == ("shorter-1", True)
    assert offer.text in editor.get(address, headers={"HX-Request": "true"}).content.decode()
    assert Publication.objects.get(pk=publication.pk).final_text == "Мой текст"


def test_an_offer_is_taken_into_the_form_and_not_saved(editor: Client) -> None:
    publication = PublicationFactory(text="Мой текст")
    offer = publication.article.summaries.create(version=1, is_trial=True, text="Предложенный текст")

    page = editor.post(page_of(publication), typed(publication, text="Набрано", _take=offer.pk)).content.decode()

    assert "Предложенный текст</textarea>" in page
    assert "Набрано" in page
    assert Publication.objects.get(pk=publication.pk).final_text == "Мой текст"


def test_the_same_text_is_not_asked_for_twice_at_once(editor: Client) -> None:
    publication = PublicationFactory()
    address = reverse("admin:publishing_publication_rewrite", args=[publication.pk])

    for _twice in range(2):
        editor.post(address, {"_rewrite": ""})

    assert publication.article.summaries.filter(is_trial=True).count() == 1


def test_who_may_not_change_articles_asks_for_no_text() -> None:
    address = reverse("admin:publishing_publication_rewrite", args=[PublicationFactory().pk])

    assert signed_in("operator").post(address, {"_rewrite": ""}).status_code == 403


def test_alike_posts_of_the_same_channel_are_shown(editor: Client) -> None:
    publication = PublicationFactory(title="Порт увеличил перевалку угля")
    alike = PublicationFactory(channel=publication.channel, title="Порт снова увеличил перевалку угля")
    PublicationFactory(channel=publication.channel, title="В музее открылась выставка")
    PublicationFactory(title="Порт увеличил перевалку угля")

    found = similar(publication)

    assert [(one.publication, one.percent >= 30) for one in found] == [(alike, True)]


def test_the_messages_of_a_long_post_are_numbered_and_measured(editor: Client) -> None:
    publication = PublicationFactory(text="Слово за слово. " * 400)
    address = reverse("admin:publishing_publication_preview", args=[publication.pk])

    page = editor.post(address, {"title": "Длинно", "text": publication.text}).content.decode()

    assert page.count('class="wp-part"') == 2


def test_the_page_costs_the_same_whatever_its_history(
    editor: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    publication = PublicationFactory()
    editor.get(page_of(publication))
    with django_assert_max_num_queries(40) as few:
        editor.get(page_of(publication))
    for revision in range(1, 6):
        approval.edit(publication.pk, by=None, revision=revision, title="Порт", text=f"Порт вырос, {revision}.")
    PublicationFactory.create_batch(5, channel=publication.channel, title=publication.title)

    with django_assert_num_queries(len(few)):
        editor.get(page_of(publication))
