from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone, translation

from articles.forecasts.form import stored
from articles.models import ForecastNote
from publishing import approval, notes, tasks
from publishing.models import Channel, Publication
from publishing.rendering import render
from tests.articles.notes import FACT, forecast, note
from tests.factories import ArticleFactory, ChannelFactory, SourceFactory, UserFactory

State = Publication.State
DOUBT = {"kind": "percentage", "text": "21%", "start": 0, "end": 3, "place": "key_facts.0"}

pytestmark = pytest.mark.django_db


def service_channel(**fields: Any) -> Channel:
    channel: Channel = ChannelFactory.create(carries_forecasts=True, language="en", **fields)
    return channel


def offered(**fields: Any) -> ForecastNote:
    """A written note that waits for a channel to take it."""
    values = {"version": 1, "status": ForecastNote.Status.WRITTEN, "data": note(), "offered_at": timezone.now()}
    fields.setdefault("article", None)
    article = fields.pop("article") or ArticleFactory.create()
    return ForecastNote.objects.create(article=article, **values | fields)


def test_a_note_goes_to_the_service_channel_as_a_publication_of_its_own() -> None:
    channel, ready = service_channel(), offered()
    ChannelFactory.create()
    Publication.objects.create(channel=channel, article=ready.article, title="Порт", text="Порт вырос.")

    assert notes.queue_ready() == 1

    made = Publication.objects.get(kind="forecast")
    assert (made.channel, made.article, made.state) == (channel, ready.article, State.PENDING)
    assert not ForecastNote.objects.ready_to_publish().exists()


def test_the_post_says_what_is_known_and_what_may_come() -> None:
    with translation.override("ru"):
        text = notes.text_of(stored(note()), "en")

    facts, entities, outlook, reasoning, verdict = text.split("\n\n")
    assert (facts, entities) == (f"• {FACT}", "Порт (увеличил перевалку)")
    assert outlook.splitlines()[0].startswith("Продолжит ли перевалка расти? (")
    assert outlook.splitlines()[1:] == ["65% — Рост продолжится", "35% — Рост прекратится"]
    assert (reasoning, verdict) == ("Новый терминал уже работает.", "Economy · confidence 60%")


def test_the_likeliest_outcome_comes_first_and_an_empty_reasoning_is_left_out() -> None:
    reversed_ = forecast(outcomes=forecast()["outcomes"][::-1], reasoning="")

    text = notes.text_of(stored(note(forecast=reversed_)), "en")

    assert text.index("65%") < text.index("35%")
    assert text.count("\n\n") == 3


def test_it_is_rendered_by_the_one_tree_with_its_source_and_footer() -> None:
    service_channel()
    ready = offered()
    notes.queue_ready()

    (part,) = render(Publication.objects.get())

    assert part.text.startswith(f"Forecast: {ready.article.title}\n\n• {FACT}")
    assert part.text.rstrip().endswith("@warandpeace")
    assert [(one.type, one.url) for one in part.entities if one.url] == [("text_link", ready.article.url)]


def test_without_a_service_channel_the_offer_is_cleared() -> None:
    ChannelFactory.create()
    offered()

    assert notes.queue_ready() == 0

    assert not ForecastNote.objects.ready_to_publish().exists()


def test_a_service_channel_with_sources_carries_only_theirs() -> None:
    mine, other = SourceFactory.create(), SourceFactory.create()
    service_channel().sources.add(mine, SourceFactory.create())

    for source in (mine, other):
        offered(article=ArticleFactory.create(source=source))

    assert notes.queue_ready() == 1
    assert Publication.objects.filter(article__source=mine).exists()


def test_a_note_is_queued_once() -> None:
    service_channel()
    ready = offered()

    assert (notes.queue_ready(), notes.queue_ready()) == (1, 0)
    assert notes._queue(ready) == 0


def test_who_was_overtaken_makes_nothing() -> None:
    service_channel()
    seen = offered()
    ForecastNote.objects.update(offered_at=None)

    assert notes._queue(seen) == 0
    assert not Publication.objects.exists()


def test_a_newer_version_replaces_what_nobody_has_touched() -> None:
    service_channel()
    first = offered()
    notes.queue_ready()

    offered(article=first.article, version=2, data=note(key_facts=["Порт открыл новый терминал."]))
    notes.queue_ready()

    publication = Publication.objects.get()
    assert "Порт открыл новый терминал." in publication.text
    assert publication.revision == 2


def test_a_newer_version_leaves_what_an_editor_has_changed() -> None:
    service_channel()
    first = offered()
    notes.queue_ready()
    queued = Publication.objects.get()
    approval.edit(queued.pk, by=UserFactory.create(), revision=1, title=queued.title, text="Моё.")

    offered(article=first.article, version=2, data=note(key_facts=["Порт открыл новый терминал."]))

    assert notes.queue_ready() == 0
    assert Publication.objects.get().text == queued.text


@pytest.mark.parametrize(("findings", "state"), [([], State.APPROVED), ([DOUBT], State.PENDING)])
def test_a_channel_that_approves_by_itself_leaves_doubts_to_editors(
    findings: list[dict[str, Any]], state: State
) -> None:
    service_channel(auto_approve=Channel.AutoApprove.ALWAYS)
    offered(findings=findings)

    notes.queue_ready()

    publication = Publication.objects.get()
    assert publication.state == state
    assert bool(publication.last_error) == bool(findings)


def test_a_row_that_is_no_note_is_not_published() -> None:
    service_channel()
    offered(data={"event_type": "economy"})

    assert notes.queue_ready() == 0

    assert ForecastNote.objects.exclude(last_error="").filter(offered_at=None).exists()
    assert not Publication.objects.exists()


def test_the_sweeper_rings_for_notes_that_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(tasks.queue_ready_notes, "delay", lambda: rung.append(True))

    tasks.ring_due()
    offered()
    tasks.ring_due()

    assert rung == [True]
