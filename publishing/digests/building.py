"""A digest on its way from a row to a post: each step claims it, does one thing, and commits.

First its articles are chosen, then each section is written by a call of its own, then all of it becomes the current
version and goes into the queue. A process may be killed anywhere: at worst one call is made again.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.asking import CutShort, SummaryError
from publishing.digests import choosing, finishing, writing
from publishing.digests.condensing import noted
from publishing.digests.periods import Kind, Period
from publishing.models import Digest, DigestItem, DigestSection
from usage import llm
from usage.models import Alert

# A call must be over by then; afterwards another worker may take the digest, and the late answer is dropped.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 4
# From this attempt on the offline summariser writes what no model has managed to.
LAST_RESORT, OFFLINE = 4, "extractive"
# Doubled after each further failure.
FIRST_PAUSE = timedelta(minutes=1)
# A digest waits for the end of its period, and for shorter ones that are being written, looking again after this.
PATIENCE = timedelta(seconds=30)


def take_step(digest_id: int) -> bool:
    """Take the next step of a digest if it is due; True if another one is due at once.

    A failure is written into its row. It is tried again later and, after `MOST_ATTEMPTS`, given up with an alert.
    """
    digest = Digest.objects.select_related("channel").claim(digest_id, LEASE)
    if digest is None:
        return False
    section = digest.sections.filter(is_awaited=True).order_by("position", "pk").first()
    if section is None:
        return _choose(digest) if _is_unplanned(digest) else finishing.finish(digest)
    try:
        answer = _ask(digest, section)
    except llm.NothingToComplete as error:
        return _leave_out(digest, section, str(error))
    except (llm.LlmError, SummaryError) as error:
        return _record_failure(digest, section, error)
    return _record(digest, section, answer)


def _is_unplanned(digest: Digest) -> bool:
    return digest.state == Digest.State.DRAFT and not digest.sections.exists()


# --- choosing -------------------------------------------------------------------------------------------------------


def _choose(digest: Digest) -> bool:
    """Make the rows of the sections and what they stand on."""
    period = Period(Kind(digest.period), digest.period_start, digest.period_end)
    if _is_too_early(digest, period) or _waits_for_parts(digest):
        Digest.objects.held(digest).update(next_step_at=timezone.now() + PATIENCE, attempts=0)
        return False
    sources = choosing.choose(digest.channel, period)
    if not sources:
        return finishing.close_empty(digest)
    with transaction.atomic():
        if not _held_on(digest):
            return False
        for position, source in enumerate(sources, start=1):
            _add_section(digest, position, source)
    return True


def _add_section(digest: Digest, position: int, source: choosing.Source) -> None:
    section = DigestSection.objects.create(
        digest=digest,
        position=position,
        heading=source.heading,
        is_included=source.is_included,
        is_pinned=source.is_pinned,
        is_awaited=source.is_included,
    )
    items = [DigestItem(article=article) for article in source.articles] + [
        DigestItem(part=part) for part in source.parts
    ]
    if source.parts:
        items.sort(key=_day)
    for place, item in enumerate(items, start=1):
        item.digest, item.section, item.position = digest, section, place
    DigestItem.objects.bulk_create(items)


def _day(item: DigestItem) -> date:
    """When it happened, so that shorter digests and the articles that stand in for them follow each other."""
    if item.article:
        return timezone.localdate(item.article.published_at)
    assert item.part is not None  # noqa: S101  it is one or the other
    return item.part.period_start


def _is_too_early(digest: Digest, period: Period) -> bool:
    """Whether a schedule asked for it by a clock that ran ahead. People may ask for a period that isn't over."""
    return digest.is_scheduled and period.bounds(digest.channel.zone)[1] > timezone.now()


def _waits_for_parts(digest: Digest) -> bool:
    kind = choosing.PARTS.get(Kind(digest.period))
    within = (digest.period_start, digest.period_end)
    below = Digest.objects.filter(channel=digest.channel, period=kind, period_start__range=within)
    return kind is not None and below.in_the_making().exists()


# --- writing --------------------------------------------------------------------------------------------------------


def _ask(digest: Digest, section: DigestSection) -> writing.Answer:
    if digest.attempts > MOST_ATTEMPTS:
        raise CutShort(_("No attempt came to an end: the process was killed each time."))
    return writing.ask(digest, section, provider=OFFLINE if digest.attempts >= LAST_RESORT else "")


@transaction.atomic
def _record(digest: Digest, section: DigestSection, answer: writing.Answer) -> bool:
    """Keep what was answered, unless the lease is lost or an editor has written the section meanwhile."""
    if not _held_on(digest):
        return False
    awaited = DigestSection.objects.filter(pk=section.pk, is_awaited=True, instruction=section.instruction)
    if answer.step.level is not None:
        awaited.update(notes=noted(section.notes, answer.step, answer.text))
        return True
    awaited.update(
        is_awaited=False,
        is_edited=False,
        previous_text=section.text,
        text=answer.text,
        findings=answer.findings,
        provider=answer.completion.provider,
        model=answer.completion.model,
        prompt_version=answer.prompt,
        usage_event_id=answer.completion.usage_event_id,
        error="",
    )
    return True


@transaction.atomic
def _leave_out(digest: Digest, section: DigestSection, reason: str) -> bool:
    """Go on without a section of which there is nothing to tell; one that has a text keeps it."""
    if not _held_on(digest):
        return False
    has_text = bool(section.text)
    DigestSection.objects.filter(pk=section.pk).update(is_awaited=False, is_included=has_text, error=reason)
    return True


@transaction.atomic
def _record_failure(digest: Digest, section: DigestSection, error: llm.LlmError | SummaryError) -> bool:
    """Plan the next attempt, or give up: the rewriting of a section, or the whole version."""
    held, reason = Digest.objects.held(digest), str(error) or error.code
    if digest.attempts < MOST_ATTEMPTS:
        pause = FIRST_PAUSE * 2 ** (digest.attempts - 1)
        held.update(next_step_at=timezone.now() + pause, last_error=reason)
        return False
    if digest.state == Digest.State.READY:
        return _leave_out(digest, section, reason)
    if held.update(state=Digest.State.FAILED, next_step_at=None, last_error=reason):
        told = _("The digest “%(title)s” was not written: %(reason)s")
        Alert.sound(finishing.ALERT, finishing.subject_of(digest), told % {"title": digest, "reason": reason})
    return False


def _held_on(digest: Digest) -> bool:
    """Let the next step follow at once, if nobody else has taken the digest."""
    values = {"next_step_at": timezone.now(), "attempts": 0, "last_error": ""}
    return bool(Digest.objects.held(digest).update(**values))
