"""Forecast notes on their way to service channels: pulled, laid out as posts, queued like everything else."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from articles.forecasts.form import Note, UnusableNote, stored
from articles.models import Article, ForecastNote
from publishing.approval import UNDECIDED, ApprovalError, approve
from publishing.models import Channel, Publication

KIND = Publication.Kind.FORECAST

# --- the post -------------------------------------------------------------------------------------------------------


def title_of(article: Article, language: str) -> str:
    """The title of the post on an article's note, in the language of the channel."""
    with translation.override(language):
        return (pgettext("title of a post", "Forecast: %(title)s") % {"title": article.title})[:1000]


def text_of(note: Note, language: str) -> str:
    """The note as the plain text of a post: what is known, who takes part, what may come of it, and how likely it is.

    The channel's template lays it out, and editors may change it, as with any other text.
    """
    with translation.override(language):
        return "\n\n".join(_paragraphs(note))


def percent(share: float) -> str:
    """A probability in whole percent, as the language of the moment writes it."""
    return _("%(number)d%%") % {"number": round(100 * share)}


def _paragraphs(note: Note) -> Iterator[str]:
    yield "\n".join(f"• {fact}" for fact in note.key_facts)
    yield "; ".join(f"{one.name} ({one.role})" if one.role else one.name for one in note.entities)
    likely_first = sorted(note.forecast.outcomes, key=lambda outcome: -outcome.probability)
    listed = [f"{percent(outcome.probability)} — {outcome.text}" for outcome in likely_first]
    yield "\n".join([f"{note.forecast.question} ({note.forecast.horizon.label})", *listed])
    if note.forecast.reasoning:
        yield note.forecast.reasoning
    confidence = _("confidence %(percent)s") % {"percent": percent(note.confidence)}
    yield f"{str(note.event_type.label).capitalize()} · {confidence}"


# --- queueing -------------------------------------------------------------------------------------------------------


def queue_ready(limit: int = 100) -> int:
    """Take up to `limit` notes that are ready to publish into the queues of the service channels; how many were queued.

    Each note is one transaction; two processes never make two publications.
    """
    ready = ForecastNote.objects.ready_to_publish().select_related("article__source")[:limit]
    return sum(_queue(note) for note in ready)


@transaction.atomic
def _queue(note: ForecastNote) -> int:
    """Take one note over: clear its offer, and put it into the queue of each channel that carries such notes."""
    offer = ForecastNote.objects.filter(pk=note.pk, offered_at=note.offered_at)
    if not offer.update(offered_at=None):
        return 0
    try:
        read = stored(note.data)
    except UnusableNote as error:
        ForecastNote.objects.filter(pk=note.pk).update(last_error=str(error))
        return 0
    return sum(_offer_to(channel, note, read) for channel in channels_for(note.article))


def channels_for(article: Article) -> list[Channel]:
    """The service channels of an article: those of its source, and those that name no source at all."""
    of_source = Q(sources=article.source_id) | Q(sources=None)
    return list(Channel.objects.filter(of_source, carries_forecasts=True).distinct())


def _offer_to(channel: Channel, note: ForecastNote, read: Note) -> bool:
    text = text_of(read, channel.language)
    publication, created = Publication.objects.get_or_create(
        channel=channel,
        article=note.article,
        kind=KIND,
        defaults={"title": title_of(note.article, channel.language), "text": text},
    )
    if not created:
        # A newer version takes the place of one that nobody has touched or decided.
        untouched = Publication.objects.filter(pk=publication.pk, state__in=UNDECIDED, edited_text="")
        return bool(untouched.update(text=text, revision=F("revision") + 1))
    if channel.auto_approve == Channel.AutoApprove.ALWAYS:
        _approve_by_rule(publication, note)
    return True


def _approve_by_rule(publication: Publication, note: ForecastNote) -> None:
    """What the channel would approve by itself but can't be sent stays with the editors, who see why."""
    reason = _("The fact check found something in the note that its source does not support.")
    if not note.bars_approval:
        try:
            approve(publication.pk, by=None, revision=publication.revision)
        except ApprovalError as error:
            reason = str(error)
        else:
            return
    Publication.objects.filter(pk=publication.pk).update(last_error=reason)
