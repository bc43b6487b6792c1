"""What became of a delivery, as a reply or the lack of one has proved it. Each verb is one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.metrics import errors
from publishing.models import Delivery, DeliveryAttempt
from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from publishing.settling import backoff
from publishing.subscriptions import people

State = Delivery.State
# A proof counts even after its sender was given up for lost.
OPEN_FOR = {
    Sent: (State.SENDING, State.UNKNOWN, State.LEFT, State.READY),
    NotSent: (State.SENDING, State.UNKNOWN),
    Refused: (State.SENDING, State.UNKNOWN),
    Unknown: (State.SENDING,),
}
NAMES = {
    Sent: DeliveryAttempt.Outcome.SENT,
    NotSent: DeliveryAttempt.Outcome.NOT_SENT,
    Refused: DeliveryAttempt.Outcome.REFUSED,
    Unknown: DeliveryAttempt.Outcome.UNKNOWN,
}
# Nobody looks into private chats, so after so long a delivery in doubt is left as it is.
LEFT_AFTER = timedelta(days=3)
MOST_TRIES = 20
# What was sent to whom is needed no longer than that.
KEPT = timedelta(days=60)
AT_REST = (State.SENT, State.DEAD, State.SKIPPED, State.LEFT)


@transaction.atomic
def settle(attempt: DeliveryAttempt, outcome: Outcome) -> bool:
    """Write what became of an attempt; True if its delivery is sent now. A person who has blocked the bot is let go.

    An outcome that comes too late, or for somebody who has had themselves erased, changes nothing.
    """
    delivery, now = attempt.delivery, timezone.now()
    row = Delivery.objects.filter(pk=delivery.pk, fence=attempt.fence, state__in=OPEN_FOR[type(outcome)])
    settled = bool(row.update(**{"claimed_until": None} | _values(attempt, outcome, now)))
    reason = "" if isinstance(outcome, Sent) else outcome.reason[:300]
    closing = DeliveryAttempt.objects.filter(pk=attempt.pk)
    if not settled and not isinstance(outcome, Sent):
        closing = closing.filter(outcome=DeliveryAttempt.Outcome.PENDING)
    closing.update(outcome=NAMES[type(outcome)], error=reason, finished_at=now)
    if settled:
        _follow(delivery, outcome, now)
    return settled and isinstance(outcome, Sent)


def _values(attempt: DeliveryAttempt, outcome: Outcome, now: datetime) -> dict[str, Any]:
    match outcome:
        case Sent(number=number):
            return {"state": State.SENT, "message_id": number, "sent_at": now, "last_error": ""}
        case NotSent(pause=True, reason=reason) | Refused(reason=reason):
            return {"state": State.DEAD, "last_error": reason[:300]}
        case NotSent(reason=reason) if attempt.fence >= MOST_TRIES:
            return {"state": State.DEAD, "last_error": reason[:300]}
        case NotSent(reason=reason, retry_after=wish):
            wait = backoff(attempt.fence) if wish is None else wish
            return {"state": State.READY, "not_before": now + wait, "last_error": reason[:300]}
        case Unknown(reason=reason):
            return {"state": State.UNKNOWN, "claimed_until": now + LEFT_AFTER, "last_error": reason[:300]}


def _follow(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    """What the outcome means for the person, and for the parts that come after."""
    later = Delivery.objects.filter(
        mailing=delivery.mailing_id, subscriber=delivery.subscriber_id, ordinal__gt=delivery.ordinal
    )
    match outcome:
        case Sent():
            pause = timedelta(seconds=settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES)
            later.filter(state=State.READY).update(not_before=Greatest("not_before", now + pause))
        case NotSent(pause=True):
            people.let_go(delivery.subscriber.telegram_user_id)
        case Refused():
            errors.labels("delivery_refused").inc()
            later.skip(_("Not sent, because an earlier part was refused."))
        case Unknown():
            errors.labels("delivery_unknown").inc()


def leave(deliveries: QuerySet[Delivery]) -> int:
    """Decide that deliveries in doubt stay as they are: perhaps arrived, and never sent again; how many those were.

    The parts after them are not sent either.
    """
    with transaction.atomic():
        doubtful = list(deliveries.filter(state=State.UNKNOWN).values_list("pk", "mailing", "subscriber", "ordinal"))
        for _pk, mailing, subscriber, ordinal in doubtful:
            later = Delivery.objects.filter(mailing=mailing, subscriber=subscriber, ordinal__gt=ordinal)
            later.skip(_("Not sent, because nobody knows whether an earlier part was."))
        rows = Delivery.objects.filter(pk__in=[pk for pk, *_rest in doubtful], state=State.UNKNOWN)
        return rows.update(state=State.LEFT, claimed_until=None)


def leave_old(at_once: int = 500) -> int:
    """Leave what has been in doubt for `LEFT_AFTER`, so many at once; how many."""
    old = Delivery.objects.filter(state=State.UNKNOWN, claimed_until__lt=timezone.now()).order_by("claimed_until")
    numbers = list(old.values_list("pk", flat=True)[:at_once])
    return leave(Delivery.objects.filter(pk__in=numbers)) if numbers else 0


def forget(at_once: int = 1000) -> int:
    """Delete deliveries that came to rest longer than `KEPT` ago, of the oldest so many; how many."""
    oldest = Delivery.objects.order_by("pk").values_list("pk", "state", "created_at")[:at_once]
    before = timezone.now() - KEPT
    at_rest = [pk for pk, state, created_at in oldest if state in AT_REST and created_at < before]
    return Delivery.objects.filter(pk__in=at_rest, state__in=AT_REST).delete()[0] if at_rest else 0
