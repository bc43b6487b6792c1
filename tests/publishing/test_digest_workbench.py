"""The workbench of a digest in the admin: every button, who may press it, and what two editors do to each other."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from publishing import delivery
from publishing.approval import approve
from publishing.models import Digest, DigestPlan, DigestSection, Message, Publication
from tests.factories import PublicationFactory
from tests.people import signed_in
from tests.publishing.newsroom import NEWS, finished, news, newsroom, written, yesterday
from usage import llm

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Digest:
    channel = newsroom(slug="main")
    news(channel)
    return written(channel)


def address(digest: Digest) -> str:
    return f"/admin/publishing/digest/{digest.pk}/change/"


def press(who: Client, digest: Digest, **form: Any) -> Any:
    """Press a button on the page as it is now; what the page says afterwards."""
    digest.refresh_from_db()
    return who.post(address(digest), {"revision": digest.revision} | form, follow=True)


def headings(digest: Digest, *, is_included: bool = True) -> list[str]:
    sections = digest.sections.filter(is_included=is_included).order_by("position", "pk")
    return list(sections.values_list("heading", flat=True))


def section_of(digest: Digest, place: int = 0) -> DigestSection:
    return list(digest.sections.order_by("position"))[place]


def test_the_page_shows_sections_their_articles_and_the_exact_post(digest: Digest) -> None:
    page = signed_in("editor").get(address(digest)).content.decode()

    assert page.count('class="wp-card wp-section"') == len(NEWS)
    assert all(page.count(title) >= 2 for title, _summary in NEWS)
    assert '<div class="wp-bubble">' in page


def test_sections_are_put_into_another_order(digest: Digest) -> None:
    numbers = [section.pk for section in digest.sections.order_by("position")]
    before = headings(digest)

    press(signed_in("editor"), digest, _order=",".join(map(str, reversed(numbers))))

    digest.refresh_from_db()
    assert headings(digest) == before[::-1]
    assert digest.text.startswith(before[-1])
    assert Publication.objects.get(digest=digest).text == digest.text


def test_a_section_goes_one_place_down_without_the_script(digest: Digest) -> None:
    one, two, three = headings(digest)

    press(signed_in("editor"), digest, _move=f"{section_of(digest).pk}:down")

    assert headings(digest) == [two, one, three]


def test_a_pinned_section_goes_to_the_top(digest: Digest) -> None:
    one, two, three = headings(digest)

    press(signed_in("editor"), digest, _pin=f"{section_of(digest, 2).pk}:on")

    assert headings(digest) == [three, one, two]
    assert section_of(digest).is_pinned


def test_a_section_is_taken_out_and_in_again(digest: Digest) -> None:
    editor, first = signed_in("editor"), section_of(digest)

    press(editor, digest, _take_out=first.pk)
    assert first.heading not in Publication.objects.get(digest=digest).text
    press(editor, digest, _take_in=first.pk)

    assert headings(digest)[-1] == first.heading
    assert first.heading in Publication.objects.get(digest=digest).text


def test_a_section_is_rewritten_with_an_instruction(digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def answer(prompt: llm.Prompt, **_options: Any) -> llm.Completion:
        told.append(prompt.instructions)
        return llm.Completion("Коротко об угле.", "gemini", "flash", None, 1, 1)

    monkeypatch.setattr(llm, "complete", answer)
    section = section_of(digest)

    press(signed_in("editor"), digest, _rewrite=section.pk, instruction="короче")
    finished(digest)

    again = section_of(digest)
    assert "короче" in told[0]
    assert (again.text, again.previous_text, again.is_awaited) == ("Коротко об угле.", section.text, False)
    assert "Коротко об угле." in Publication.objects.get(digest=digest).text


def test_a_section_written_by_hand_is_checked_and_can_be_put_back(digest: Digest) -> None:
    editor, section = signed_in("editor"), section_of(digest)

    page = press(editor, digest, _write=section.pk, heading="Уголь", text="Перевалка выросла на 97%.").content.decode()
    assert '<mark class="wp-mark wp-mark-bad"' in page
    assert section_of(digest).is_edited
    press(editor, digest, _put_back=section.pk)

    assert section_of(digest).text == section.text
    assert section_of(digest).findings == section.findings


def test_an_article_that_was_set_aside_no_longer_supports_the_text(digest: Digest) -> None:
    editor, section = signed_in("editor"), section_of(digest)
    item = section.items.get()

    press(editor, digest, _set_aside=f"{section.pk}:{item.pk}:on")

    assert section_of(digest).findings
    press(editor, digest, _set_aside=f"{section.pk}:{item.pk}:off")
    assert section_of(digest).findings == section.findings


def test_the_title_is_the_posts_title(digest: Digest) -> None:
    press(signed_in("editor"), digest, _entitle="Главное за день")

    assert Publication.objects.get(digest=digest).title == "Главное за день"


def test_the_history_of_the_post_says_who_changed_it(digest: Digest) -> None:
    press(signed_in("editor"), digest, _entitle="Главное за день")

    newest = Publication.objects.get(digest=digest).history.first()
    assert newest is not None
    assert (str(newest.history_user), newest.history_change_reason) == ("editor", "edited")


def test_of_two_editors_the_second_is_told_and_keeps_what_was_typed(digest: Digest) -> None:
    section = section_of(digest)
    press(signed_in("publisher"), digest, _entitle="Раньше")

    form = {"revision": 1, "_write": section.pk, "heading": "Моё", "text": "Мой текст."}
    page = signed_in("editor").post(address(digest), form).content.decode()

    assert "Мой текст." in page
    assert '<input type="hidden" name="revision" value="2">' in page
    assert section_of(digest).text == section.text


def test_what_is_approved_is_what_was_seen(digest: Digest) -> None:
    publication, publisher = Publication.objects.get(digest=digest), signed_in("publisher")
    form = {"_approve": 1, "revision": 1, "publication_revision": publication.revision}
    press(publisher, digest, _entitle="Раньше")

    publisher.post(address(digest), form)
    assert Publication.objects.get(digest=digest).state == Publication.State.PENDING

    press(publisher, digest, _approve=1, publication_revision=publication.revision + 1)
    assert Publication.objects.get(digest=digest).state == Publication.State.APPROVED


def test_an_approved_digest_is_changed_no_more(digest: Digest) -> None:
    approve(Publication.objects.get(digest=digest).pk, by=None)

    press(signed_in("publisher"), digest, _entitle="Поздно")

    digest.refresh_from_db()
    assert (digest.title == "Поздно", digest.revision) == (False, 1)


def test_nothing_is_approved_while_a_section_is_being_written(digest: Digest) -> None:
    DigestSection.objects.filter(pk=section_of(digest).pk).update(is_awaited=True)

    press(signed_in("publisher"), digest, _approve=1, publication_revision=1)

    assert Publication.objects.get(digest=digest).state == Publication.State.PENDING


@pytest.mark.parametrize(
    ("role", "button", "status"),
    [
        ("operator", "_entitle", 403),
        ("editor", "_approve", 403),
        ("editor", "_schedule", 403),
        ("editor", "_nonsense", 400),
        ("publisher", "_schedule", 200),
        ("publisher", "_reject", 200),
    ],
)
def test_each_role_may_do_what_it_is_for(digest: Digest, role: str, button: str, status: int) -> None:
    answer = signed_in(role).post(address(digest), {"revision": 1, button: "1"})

    assert answer.status_code == status


def test_an_article_leads_to_its_post_in_the_channel() -> None:
    channel = newsroom(slug="main")
    article = news(channel, number=1)[0]
    publication = PublicationFactory.create(channel=channel, article=article)
    approve(publication.pk, by=None)
    delivery.deliver(channel.pk)
    post = Message.objects.get().sandbox_post.pk

    page = signed_in("editor").get(address(written(channel))).content.decode()

    assert f'href="/sandbox/main/?before={post + 1}#post-{post}"' in page


def test_an_article_leads_to_its_post_in_telegram() -> None:
    channel = newsroom(slug="main", kind="telegram", chat_id="@warandpeace")
    article = news(channel, number=1)[0]
    publication = PublicationFactory.create(channel=channel, article=article)
    approve(publication.pk, by=None)
    Message.objects.update(state="sent", message_id=77, sent_at="2026-11-22T12:00Z")
    Publication.objects.update(state="published")

    page = signed_in("editor").get(address(written(channel))).content.decode()

    assert 'href="https://t.me/warandpeace/77"' in page


def test_two_versions_are_compared_word_by_word_and_escaped(digest: Digest) -> None:
    editor, section = signed_in("editor"), section_of(digest)
    press(editor, digest, _write=section.pk, heading="Уголь", text="<script>alert(1)</script>")
    newer = written(digest.channel)

    page = editor.get(f"{address(newer)}?with={digest.pk}").content.decode()

    assert "<ins>" in page and "<del>" in page
    assert "<script>alert" not in page


def test_a_new_version_is_asked_for_on_the_page(digest: Digest, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        press(signed_in("editor"), digest, _again=1)

    assert list(Digest.objects.order_by("version").values_list("is_current", flat=True)) == [False, True]


def test_a_digest_is_asked_for_in_the_admin(django_capture_on_commit_callbacks: Any) -> None:
    channel = newsroom()
    news(channel)
    form = {"channel": channel.pk, "period": "daily", "day": str(yesterday())}

    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in("editor").post("/admin/publishing/digest/add/", form)

    assert answer["Location"] == address(Digest.objects.get())
    assert Digest.objects.get().state == Digest.State.READY


def test_a_day_that_lies_ahead_gets_a_sentence() -> None:
    form = {"channel": newsroom().pk, "period": "daily", "day": "2999-01-01"}

    page = signed_in("editor").post("/admin/publishing/digest/add/", form)

    assert page.status_code == 200
    assert 'class="wp-error"' in page.content.decode()


@pytest.mark.parametrize("role", ["operator", ""])
def test_who_may_not_change_digests_asks_for_none(role: str) -> None:
    assert signed_in(role).get("/admin/publishing/digest/add/").status_code == 403


def test_a_digest_of_the_old_bot_shows_its_text() -> None:
    values = {"period": "daily", "period_start": yesterday(), "period_end": yesterday(), "state": "ready"}
    old = Digest.objects.create(channel=newsroom(), is_current=True, text="Всё за день <b>", **values)

    page = signed_in("editor").get(address(old)).content.decode()

    assert "Всё за день &lt;b&gt;" in page


def test_an_operator_sets_a_schedule() -> None:
    form = {"channel": newsroom().pk, "period": "weekly", "at": "09:30", "is_active": "on"}

    signed_in("operator").post("/admin/publishing/digestplan/add/", form)

    assert (DigestPlan.objects.get().period, DigestPlan.objects.get().is_active) == ("weekly", True)


def test_the_page_asks_as_often_for_three_sections_as_for_one(digest: Digest) -> None:
    editor, small = signed_in("editor"), newsroom()
    news(small, number=1)
    one = written(small)

    counts = []
    for shown in (one, one, digest):
        with CaptureQueriesContext(connection) as asked:
            editor.get(address(shown))
        counts.append(len(asked))

    assert counts[1] == counts[2]
