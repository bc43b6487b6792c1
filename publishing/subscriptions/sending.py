"""The outbox to subscribers: claim, commit "sending", call, commit the outcome; as `delivery` does it for channels.

One process at a time sends to subscribers, with a few threads, at the pace that it shares with the bot's channels.
These go first. Whatever may have arrived is never sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing import bots, delivery, holding, telegram
from publishing.alerts import TOKEN_ENV
from publishing.claims import OUTCOME_GRACE
from publishing.exclusion import only_sender
from publishing.holding import Inspection
from publishing.models import Bot, Channel, Delivery, DeliveryAttempt, Installation, Mailing
from publishing.models.mailing import DeliveryQuerySet
from publishing.outcomes import Outcome, Sent, Unknown
from publishing.subscriptions import mailings, settling
from publishing.subscriptions.fanning import Fan

logger = logging.getLogger(__name__)

# The lock of who sends to subscribers; no channel has this number.
SUBSCRIBERS = 0
THREADS = 8
# Deliveries that are claimed together. All must have begun before the lease runs out.
AT_ONCE = 32
CLAIM_LEASE = timedelta(seconds=30)
# So long a delivery waits for the bot's turn before it is handed back, and all of them for channels.
PATIENCE = timedelta(seconds=5)
PATIENCE_WITH_CHANNELS = timedelta(seconds=2)
BETWEEN_LOOKS = 0.05  # seconds

State = Delivery.State


def work(*, until: datetime | None = None, threads: int = 1) -> int:
    """Make the mailings that are due and send what is due of them, until nothing is left or `until` (aware) has come.

    Returns how many deliveries were sent; at once if another process is at it. Safe to kill at any moment.
    """
    with only_sender(SUBSCRIBERS) as is_held:
        if not is_held:
            return 0
        inspection = holding.inspect()
        mailings.bury_other_lives(inspection.epoch)
        _recover()
        mailings.make_due(inspection.epoch)
        _fan_out(until)
        return _send_all(inspection, is_held, until, threads)


def _fan_out(until: datetime | None) -> None:
    for mailing in Mailing.objects.in_the_making().select_related("channel"):
        fan = Fan(mailing)
        while (until is None or timezone.now() < until) and fan.make_batch() is not None:
            pass


def is_due() -> bool:
    """Whether `work` would find something to do."""
    now = timezone.now()
    epoch = Installation.objects.values_list("epoch", flat=True).first() or 1
    lost = Delivery.objects.filter(state__in=[*Delivery.IN_FLIGHT, State.UNKNOWN], claimed_until__lt=now)
    if Mailing.objects.in_the_making().exists() or lost.exists() or mailings.is_due():
        return True
    return _may_call(now) and Delivery.objects.due(now, epoch).exists()


def _recover() -> None:
    """Settle what a dead sender left, and leave what has been in doubt for days. Its lock is ours, so nobody sends."""
    overdue = Delivery.objects.filter(claimed_until__lt=timezone.now())
    overdue.filter(state=State.CLAIMED).update(state=State.READY, claimed_until=None)
    told = _("The program stopped while the message was on its way, so it may or may not have arrived.")
    for lost in overdue.filter(state=State.SENDING).iterator(chunk_size=AT_ONCE):
        settling.settle(DeliveryAttempt.objects.get(delivery=lost, fence=lost.fence), Unknown(told))
    while settling.leave_old():
        pass
    settling.forget()


def _send_all(inspection: Inspection, is_held: Callable[[], bool], until: datetime | None, threads: int) -> int:
    sent = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="subscribers") as pool:
        each: Callable[[Delivery], bool] = partial(_send, inspection)
        while is_held() and (until is None or timezone.now() < until):
            _let_channels_pass()
            claimed = _claim(inspection.epoch)
            if not claimed:
                break
            outcomes: Iterable[bool] = (
                map(each, claimed) if threads == 1 else pool.map(partial(_in_thread, each), claimed)
            )
            went = list(outcomes)
            sent += sum(went)
            if not any(went) and not _may_call(timezone.now()):
                break
    return sent


def _in_thread(send: Callable[[Delivery], bool], claimed: Delivery) -> bool:
    close_old_connections()
    try:
        return send(claimed)
    finally:
        close_old_connections()


def _let_channels_pass() -> None:
    """What a channel of the bot may post right now goes first; a channel that nobody serves stops nobody for long."""
    give_up_at = timezone.now() + PATIENCE_WITH_CHANNELS
    while (now := timezone.now()) < give_up_at:
        own = Channel.objects.filter(kind=Channel.Kind.TELEGRAM, token_env=TOKEN_ENV)
        if not own.filter(pk__in=delivery.due_channels(now)).exists():
            return
        time.sleep(BETWEEN_LOOKS)


def _may_call(now: datetime) -> bool:
    if not settings.TELEGRAM_TOKENS.get(TOKEN_ENV):
        return False
    bot = Bot.objects.filter(token_env=TOKEN_ENV)
    return not bot.exists() or bot.usable(now).exists()


@transaction.atomic
def _claim(epoch: int) -> list[Delivery]:
    """The next deliveries, which are ours for a while; none if the bot must not be called."""
    now = timezone.now()
    if not _may_call(now):
        return []
    numbers = list(Delivery.objects.due(now, epoch).values_list("pk", flat=True)[:AT_ONCE])
    ready = Delivery.objects.filter(pk__in=numbers, state=State.READY)
    ready.update(state=State.CLAIMED, fence=F("fence") + 1, claimed_until=now + CLAIM_LEASE)
    ours = Delivery.objects.filter(pk__in=numbers, state=State.CLAIMED, claimed_until=now + CLAIM_LEASE)
    return list(ours.select_related("mailing", "subscriber").order_by("not_before", "pk"))


def _send(inspection: Inspection, claimed: Delivery) -> bool:
    """Make the one call that the claim allows, and write what became of it; whether it was sent."""
    moment = _booked(claimed)
    if moment is not None:
        time.sleep(max(0.0, (moment - timezone.now()).total_seconds()))
    attempt = _begin(claimed) if moment else None
    if attempt is None:
        _hand_back(claimed)
        return False
    inspection.note()
    outcome = telegram.send_to(TOKEN_ENV, claimed.subscriber.telegram_user_id, claimed.content)
    delivery.with_patience(partial(_settle, attempt, outcome))
    logger.debug("Delivery %s: %s", claimed.pk, type(outcome).__name__)
    return isinstance(outcome, Sent)


@transaction.atomic
def _settle(attempt: DeliveryAttempt, outcome: Outcome) -> None:
    settling.settle(attempt, outcome)
    bots.learn_of(TOKEN_ENV, outcome)


def _booked(claimed: Delivery) -> datetime | None:
    """The moment (aware) of the call that the bot has free; None if it has none soon."""
    assert claimed.claimed_until is not None  # noqa: S101  it was claimed
    give_up_at = min(timezone.now() + PATIENCE, claimed.claimed_until)
    while (moment := Bot.book(TOKEN_ENV, timezone.now())) is None:
        if not _may_call(timezone.now()) or timezone.now() > give_up_at:
            return None
        time.sleep(BETWEEN_LOOKS)
    return moment


def _hand_back(claimed: Delivery) -> None:
    _row(claimed).update(state=State.READY, claimed_until=None)


@transaction.atomic
def _begin(claimed: Delivery) -> DeliveryAttempt | None:
    """Write down that the call is about to be made; None if it must not be made any more."""
    now = timezone.now()
    if not _may_call(now):
        return None
    deadline = now + telegram.time_limit()
    if not _row(claimed).update(state=State.SENDING, claimed_until=deadline + OUTCOME_GRACE):
        return None
    return DeliveryAttempt.objects.create(delivery=claimed, fence=claimed.fence, started_at=now, deadline=deadline)


def _row(claimed: Delivery) -> DeliveryQuerySet:
    return Delivery.objects.filter(pk=claimed.pk, fence=claimed.fence, state=State.CLAIMED)
