"""From summarised articles to publications on channels, and the answer to "why isn't it out yet?"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from articles.models import Article, Picture, Story
from publishing import standing
from publishing.approval import ApprovalError, approve
from publishing.models import Channel, Message, Publication

State = Publication.State
TURNED_DOWN = Publication.TURNED_DOWN

# Kept in the rows, and translated where it is shown.
DUPLICATE = gettext_noop("A duplicate of what this channel has already.")
PICTURE = gettext_noop("Its picture is still on its way.")

# --- queueing -------------------------------------------------------------------------------------------------------


def queue_ready(limit: int = 100) -> int:
    """Take up to `limit` articles that are ready to publish into the queues of their channels.

    Returns how many publications were made. Each article is one transaction; two processes never make two.
    """
    return sum(_queue(article) for article in Article.objects.ready_to_publish().select_related("source")[:limit])


@transaction.atomic
def _queue(article: Article) -> int:
    """Take one article over: clear its offer, and make a publication on each channel of its source that has none.

    One whose picture is still on its way is left for a later sweep, within bounds.
    """
    channels = article.source.channels.all()
    if any(channel.with_photos for channel in channels) and Picture.objects.want(article).is_awaited:
        return 0
    offer = Article.objects.filter(pk=article.pk, offered_at=article.offered_at)
    if not offer.update(offered_at=None):
        return 0
    return sum(_offer_to(channel, article) for channel in channels)


def queue_on(channel: Channel, articles: Iterable[Article]) -> int:
    """Put articles into a channel's queue by hand, whatever their age and source; how many were not there yet.

    One whose picture is still on its way is held until that has come, within bounds: see `waiting`.
    """
    return sum(_offer_to(channel, article) for article in articles)


@transaction.atomic
def _offer_to(channel: Channel, article: Article) -> bool:
    is_awaited = channel.with_photos and Picture.objects.want(article).is_awaited
    reason = DUPLICATE if _is_known_on(channel, article) else PICTURE if is_awaited else ""
    held = {"state": State.HELD, "reason": reason} if reason else {}
    publication, created = Publication.objects.get_or_create(
        channel=channel,
        article=article,
        kind=Publication.Kind.NEWS,
        defaults={"title": article.title, "text": article.summary_text, **held},
    )
    if created and not held and channel.auto_approve == Channel.AutoApprove.ALWAYS:
        approve_by_rule(publication)
    return created


def _is_known_on(channel: Channel, article: Article) -> bool:
    """Whether the channel has or will have another article of the same story, unless an editor has turned that down."""
    if article.story_id is None:
        return False
    # Of two copies that come at once the second one waits here and then sees the first.
    Story.objects.select_for_update().filter(pk=article.story_id).first()
    others = Publication.objects.filter(channel=channel, article__story=article.story_id).exclude(article=article)
    return others.exclude(state__in=TURNED_DOWN).exists()


def approve_by_rule(publication: Publication) -> None:
    """What the channel would approve by itself but can't be sent stays with the editors, who see why."""
    if publication.article and publication.article.needs_editor:
        doubt = _("The fact check found something in the summary that its source does not support.")
        Publication.objects.filter(pk=publication.pk).update(last_error=doubt)
        return
    try:
        approve(publication.pk, by=None, revision=publication.revision)
    except ApprovalError as error:
        Publication.objects.filter(pk=publication.pk).update(last_error=str(error))


# --- explaining -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explanation:
    """Why a publication stands where it stands. `label` and `detail` are in the reader's language.

    `tone` is info, success, warning or danger; `due_at` is when it will go out as far as is known, else None.
    Of a duplicate, `story` is its story and `other` the publication that the channel has already.
    """

    label: str
    detail: str
    tone: str
    due_at: datetime | None = None
    story: int | None = None
    other: int | None = None


def explain(publication: Publication, now: datetime | None = None) -> Explanation:
    """Why the publication isn't out yet and when it will be.

    Makes no query for rows of `Publication.objects.for_queue()`, which fetches the channel and the messages along
    and counts the publications ahead in the line.
    """
    now = now or timezone.now()
    if publication.state in Publication.IN_LINE:
        return _on_its_way(publication, now)
    if publication.state in Publication.OUT:
        return _out(publication, now)
    label, error = publication.get_state_display(), publication.last_error
    match State(publication.state):
        case State.HELD:
            return _held(publication, label, _translated(publication.reason))
        case State.PENDING:
            detail, tone = error or _("It goes out after an editor approves it."), "warning"
        case State.REJECTED:
            detail, tone = _translated(publication.reason), "info"
        case State.FAILED:
            detail, tone = error, "danger"
        case _:
            detail, tone = _("It is still being written."), "info"
    return Explanation(label, detail, tone)


def _held(publication: Publication, label: str, reason: str) -> Explanation:
    """Why it is held; of a duplicate, which post it is one of, and where both can be compared."""
    article = publication.article
    if publication.reason != DUPLICATE or article is None:
        return Explanation(label, reason or _("It goes out after somebody releases it."), "warning")
    other: dict[str, Any] | None = _line(publication)["other"]
    if other is None:
        return Explanation(label, reason, "warning", story=article.story_id)
    detail = _("A duplicate of “%(title)s”, which this channel has already.") % {"title": other["title"]}
    return Explanation(label, detail, "warning", story=article.story_id, other=other["pk"])


def _out(publication: Publication, now: datetime) -> Explanation:
    """What is out, and the reason if a later change of it was refused."""
    label = publication.get_state_display()
    if publication.last_error:
        return Explanation(label, publication.last_error, "warning")
    moment = _clock(publication.published_at, publication.channel, now) if publication.published_at else ""
    return Explanation(label, moment, "info" if publication.state == State.DELETED else "success")


def _on_its_way(publication: Publication, now: datetime) -> Explanation:
    messages = standing.latest(publication.messages.all())
    # A part of a change that was refused doesn't keep the others from being tried.
    done = {Message.State.SENT, Message.State.DEAD} if publication.state == State.CHANGING else {Message.State.SENT}
    message = next((message for message in messages if message.state not in done), None)
    if message is None:
        return Explanation(publication.get_state_display(), "", "info")
    part = _("Part %(part)d of %(parts)d.") % {"part": message.ordinal, "parts": len(messages)}
    which = " ".join(filter(None, [_what(message), part if len(messages) > 1 else ""]))
    match message.state:
        case Message.State.UNKNOWN | Message.State.NEEDS_PERSON:
            detail = _("Look into the channel and say whether it is there. %(error)s") % {"error": message.last_error}
            return Explanation(_("unknown whether it was sent"), f"{which} {detail}".strip(), "danger")
        case Message.State.CLAIMED | Message.State.SENDING:
            return Explanation(_("being sent"), which, "info", now)
        case Message.State.DEAD:
            return Explanation(_("refused"), f"{which} {message.last_error}".strip(), "danger")
    explanation = _ready(publication, message, now)
    return replace(explanation, detail=f"{_what(message)} {explanation.detail}".strip())


def _what(message: Message) -> str:
    """What the message does to a publication that is out already; empty for its first posting."""
    if message.change == 0:
        return ""
    sentences = {
        Message.Action.SEND: _("It is posted again."),
        Message.Action.EDIT: _("Its post is edited."),
        Message.Action.DELETE: _("Its post is deleted."),
    }
    return sentences[Message.Action(message.action)]


def _ready(publication: Publication, message: Message, now: datetime) -> Explanation:
    """Why a message that may be sent hasn't been, beginning with what somebody must act on."""
    channel, line = publication.channel, _line(publication)
    if stop := _stop(channel, line):
        return stop
    ahead: int = line["ahead"]
    is_silent = message.is_repeatable or publication.ignores_quiet_hours
    due_at = _estimate(channel, message, ahead, now, is_silent=is_silent)
    if message.not_before > now:
        return _later(publication, message, due_at, now, is_silent=is_silent)
    if (quiet_end := channel.quiet_end(now)) and not is_silent:
        return Explanation(
            _("quiet hours"), _("until %(time)s") % {"time": _clock(quiet_end, channel, now)}, "info", due_at
        )
    others = ngettext("%(count)d publication goes before it.", "%(count)d publications go before it.", ahead)
    return Explanation(
        _("approved"), others % {"count": ahead} if ahead else _("It is next in line."), "success", due_at
    )


def _stop(channel: Channel, line: dict[str, Any]) -> Explanation | None:
    """What lets nothing out of the channel before somebody acts, or Telegram is back."""
    if channel.is_paused:
        resume = _("Nothing goes out before it is resumed.")
        return Explanation(_("channel paused"), _translated(channel.pause_reason) or resume, "warning")
    if channel.lacks_token:
        ask = _("Set %(name)s to the token of the channel's bot and start again.") % {"name": channel.token_env}
        return Explanation(_("no bot token"), ask, "danger")
    if line["bot_stands"] and channel.kind == Channel.Kind.TELEGRAM:
        return Explanation(_("the bot stands still"), _("The page of the bots says why."), "danger")
    if line["is_behind_unknown"]:
        detail = _("Nothing passes an earlier post of which nobody knows whether it was sent.")
        return Explanation(_("waits for a decision"), detail, "warning")
    return None


def _later(
    publication: Publication, message: Message, due_at: datetime, now: datetime, *, is_silent: bool
) -> Explanation:
    """The message waits for its own time: after a failure, because an editor has set it, or may still undo it."""
    channel = publication.channel
    if message.last_error:
        return Explanation(_("will be tried again"), message.last_error, "warning", due_at)
    if publication.scheduled_for is None and message.change == 0:
        return Explanation(
            _("approved"), _("It goes out in a few seconds; until then it can be undone."), "info", due_at
        )
    moment = _clock(message.not_before, channel, now)
    if (quiet_end := channel.quiet_end(message.not_before)) and not is_silent:
        times = {"time": moment, "end": _clock(quiet_end, channel, now)}
        return Explanation(_("scheduled"), _("for %(time)s; quiet hours until %(end)s") % times, "info", due_at)
    return Explanation(_("scheduled"), _("for %(time)s") % {"time": moment}, "info", due_at)


def _line(publication: Publication) -> dict[str, Any]:
    """What its channel has before it, and of its story: fetched along by `for_queue`, else asked now."""
    if "ahead" not in vars(publication):
        publication = Publication.objects.for_queue().get(pk=publication.pk)
    return vars(publication)


def _estimate(channel: Channel, message: Message, ahead: int, now: datetime, *, is_silent: bool) -> datetime:
    """The earliest moment: its own time, the channel's pace with those before it in line, and the quiet hours.

    A correction keeps to none of these but its own time; some news wait for no morning.
    """
    if message.is_repeatable:
        return max(message.not_before, now)
    moment = max(message.not_before, max(now, channel.next_post_at) + channel.pace * ahead)
    return moment if is_silent else channel.quiet_end(moment) or moment


def _clock(moment: datetime, channel: Channel, now: datetime) -> str:
    """The time in the channel's time zone, with the day unless that is today."""
    local, today = moment.astimezone(channel.zone), now.astimezone(channel.zone).date()
    return date_format(local, "H:i" if local.date() == today else "j E, H:i")


def _translated(reason: str) -> str:
    """What the product has written into a row is a message of the catalogue; a person's words stay as they are."""
    return _(reason) if reason else ""
