"""What a clock wrote that was wrong, and has been set back since.

Nothing here waits longer for reasons of its own than the limits below say, but for what people have scheduled and what
Telegram has asked for. What waits longer was put off by such a clock, and is due now.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from publishing import telegram
from publishing.claims import OUTCOME_GRACE
from publishing.delivery import transport_of
from publishing.models import Bot, Channel, Chat, Delivery, DeliveryAttempt, Digest, Message
from publishing.models.bot import FAILURES_UNTIL_BROKEN
from publishing.settling import LONGEST_BACKOFF
from publishing.subscriptions.sending import CLAIM_LEASE

# No pause of a channel's, a chat's or a bot's own is longer than that.
LONGEST_OWN_WAIT = timedelta(seconds=30)
# No lease and no pause of a digest is.
LONGEST_WAIT_OF_DIGESTS = timedelta(minutes=15)
# Among so many of the last calls one is looked for that was begun in the future.
LOOKED_BACK = 100


def mend() -> int:
    """Make due what waits for a wrong time; how many rows. A few queries that find nothing where all is well."""
    now = timezone.now()
    far = now + LONGEST_OWN_WAIT
    paces = _mend_channels(now, far) + Chat.objects.filter(next_call_at__gt=far).update(next_call_at=now)
    digests = Digest.objects.filter(next_step_at__gt=now + LONGEST_WAIT_OF_DIGESTS).update(next_step_at=now)
    return paces + _mend_bots(now, far) + _mend_messages(now, far) + _mend_deliveries(now, far) + digests


def _mend_channels(now: datetime, far: datetime) -> int:
    waiting = Channel.objects.filter(next_post_at__gt=far)
    ahead = [channel.pk for channel in waiting if channel.next_post_at > far + channel.pace]
    return Channel.objects.filter(pk__in=ahead).update(next_post_at=now)


def _mend_bots(now: datetime, far: datetime) -> int:
    """Who booked a call of the far future was as far ahead with what Telegram had asked for: that goes on, set back."""
    mended = Bot.objects.filter(failures__gte=FAILURES_UNTIL_BROKEN, resumes_at__gt=far).update(resumes_at=now)
    for bot in Bot.objects.filter(next_call_at__gt=far):
        seen = Bot.objects.filter(pk=bot.pk, next_call_at=bot.next_call_at, resumes_at=bot.resumes_at)
        mended += seen.update(next_call_at=now, resumes_at=bot.resumes_at - (bot.next_call_at - now))
    return mended


def _mend_messages(now: datetime, far: datetime) -> int:
    """What failed waits until its call must have ended, and for a pause; what Telegram asked for, as its bot does."""
    longest_call = max(transport_of(Channel(kind=kind)).time_limit for kind in Channel.Kind)
    resting = Bot.objects.filter(token_env=OuterRef("channel__token_env"), resumes_at__gt=now)
    unscheduled = Message.objects.filter(state=Message.State.READY, publication__scheduled_for=None)
    retries = unscheduled.filter(~Exists(resting), not_before__gt=far + longest_call + LONGEST_BACKOFF)
    calls = Message.objects.filter(state__in=Message.IN_FLIGHT, claimed_until__gt=far + longest_call)
    return retries.update(not_before=now) + calls.update(claimed_until=now + longest_call)


def _mend_deliveries(now: datetime, far: datetime) -> int:
    """A delivery may wait for long, for its person's hour; only calls that began in the future prove a wrong clock."""
    lease = CLAIM_LEASE + telegram.time_limit() + OUTCOME_GRACE
    held = Delivery.objects.filter(state__in=Delivery.IN_FLIGHT, claimed_until__gt=far + lease)
    mended = held.update(claimed_until=now + lease)
    ahead = DeliveryAttempt.objects.filter(started_at__gt=far)
    newest = DeliveryAttempt.objects.order_by("-pk").values_list("pk", flat=True)[:LOOKED_BACK]
    if ahead.filter(pk__in=list(newest)).exists():
        begun = ahead.filter(delivery__mailing=OuterRef("mailing"), delivery__subscriber=OuterRef("subscriber"))
        put_off = Delivery.objects.filter(Exists(begun), state=Delivery.State.READY, not_before__gt=now)
        mended += put_off.update(not_before=now)
    return mended
