"""Digests on an administrator's word: asked for, watched as they are written, and decided in the same message."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from publishing import digests
from publishing.bot import queue, speaking
from publishing.bot.commands import button, command
from publishing.bot.conversation import Answer, Asked, Button, one_line, say
from publishing.bot.people import decider
from publishing.digests import DigestError, Period
from publishing.digests.periods import EARLIEST, LATEST, Kind
from publishing.models import Channel, Digest, DigestWatch
from publishing.rendering import Span

KINDS = (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY, Kind.ANNUAL)
MOST_CHANNELS = 20
# A message isn't written over for longer; the digest waits in the queue then.
WATCHED = timedelta(days=1)
# Messages that one look writes over at the most.
MOST_SHOWN = 50


@command("daily_digest", gettext_lazy("make the daily digest: /daily_digest 2026-11-21"), for_admins=True)
def daily(asked: Asked) -> Answer:
    """The digest of a day, else of yesterday."""
    return _asked(asked, Kind.DAILY)


@command("weekly_digest", gettext_lazy("make the weekly digest"), for_admins=True)
def weekly(asked: Asked) -> Answer:
    """The digest of the week of a day, else of the last one."""
    return _asked(asked, Kind.WEEKLY)


@command("monthly_digest", gettext_lazy("make the monthly digest"), for_admins=True)
def monthly(asked: Asked) -> Answer:
    """The digest of the month of a day, else of the last one."""
    return _asked(asked, Kind.MONTHLY)


@command("annual_digest", gettext_lazy("make the annual digest"), for_admins=True)
def annual(asked: Asked) -> Answer:
    """The digest of the year of a day, else of the last one."""
    return _asked(asked, Kind.ANNUAL)


@button("digest_make", for_admins=True)
def make(asked: Asked, which: int, channel_id: int, day: int) -> Answer:
    """Make the digest of a kind for the channel that was chosen; `day` counts from the year 1, 0 is the last period."""
    channel = Channel.objects.filter(pk=channel_id).first()
    if channel is None or which >= len(KINDS) or not _is_within_reach(day):
        return Answer(toast=_("This button no longer works."))
    return _begun(asked, KINDS[which], channel, date.fromordinal(day) if day else None)


def _asked(asked: Asked, kind: Kind) -> Answer:
    """Begin, or ask for which channel."""
    day = None
    if asked.words:
        try:
            day = Period.containing(kind, date.fromisoformat(asked.words)).start
        except ValueError:
            return say(_("Write the day as in 2026-11-21."))
    channels = list(Channel.objects.order_by("name")[:MOST_CHANNELS])
    if len(channels) == 1:
        return _begun(asked, kind, channels[0], day)
    if not channels:
        return say(_("There is no channel yet."))
    number = day.toordinal() if day else 0
    choice = [(Button(one_line(one.name, 40), "digest_make", (KINDS.index(kind), one.pk, number)),) for one in channels]
    return say(_("Of which channel?"), buttons=tuple(choice))


def _begun(asked: Asked, kind: Kind, channel: Channel, day: date | None) -> Answer:
    """Ask for the digest; the message that says so is written over as it comes along."""
    by = decider(asked.person)
    wanted = day or Period.last_ended(kind, timezone.now(), channel.zone).start
    try:
        digest = digests.request(kind, channel, wanted, by=by)
    except DigestError as error:
        return Answer(toast=str(error)) if asked.is_tap else say(str(error))
    remember = partial(_watch, digest.pk, asked.person, get_language())
    return say(*_told(digest, digests.progress(digest.pk)), in_place=True, said=remember)


def _is_within_reach(day: int) -> bool:
    return not day or EARLIEST.toordinal() <= day <= LATEST.toordinal()


def _watch(digest_id: int, person: int, language: str, message_id: int) -> None:
    """Remember which message tells how far the digest is."""
    DigestWatch.objects.update_or_create(
        person=person, message_id=message_id, defaults={"digest_id": digest_id, "language": language, "shown": ""}
    )


def show_due() -> int:
    """Write over the messages whose digests have come along; how many. What is over is no longer watched."""
    DigestWatch.objects.filter(created_at__lt=timezone.now() - WATCHED).delete()
    watches = DigestWatch.objects.select_related("digest__channel").order_by("pk")[:MOST_SHOWN]
    return sum(_show(watch) for watch in watches)


def _show(watch: DigestWatch) -> bool:
    """Bring one message up to date. Who changes what is `shown` does it, so two processes don't write it twice."""
    progress = digests.progress(watch.digest_id)
    shown = f"{progress.state} {progress.written}/{progress.sections} {progress.publication} {progress.error}"[:200]
    row = DigestWatch.objects.filter(pk=watch.pk, shown=watch.shown)
    if shown == watch.shown or not row.update(shown=shown):
        return False
    with translation.override(watch.language):
        answer = _answer(watch, progress)
        written = speaking.write_over(watch.person, watch.message_id, answer)
    if not written:
        DigestWatch.objects.filter(pk=watch.pk).update(shown="")
    elif progress.is_over:
        DigestWatch.objects.filter(pk=watch.pk).delete()
    return written


def _answer(watch: DigestWatch, progress: digests.Progress) -> Answer:
    """How far it is; once it is written, the publication with the buttons of the queue."""
    if progress.publication is not None:
        return queue.show(Asked(watch.person, is_admin=True, is_tap=True), progress.publication, 0)
    return say(*_told(watch.digest, progress))


def _told(digest: Digest, progress: digests.Progress) -> tuple[list[Span], str]:
    title = one_line(f"{digest} · {digest.channel}")
    if progress.error:
        state = one_line(progress.error)
    elif progress.sections:
        counts = {"done": progress.written, "all": progress.sections}
        state = _("Written: %(done)d of %(all)d sections…") % counts
    else:
        state = _("Choosing what belongs into it…")
    return [Span(title, bold=True)], state
