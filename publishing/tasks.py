"""Doorbells of publishing. Each does what its rows say is due, and is harmless twice or never."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from articles import leases
from articles.models import Article, ForecastNote
from publishing import alerts, bots, clocks, delivery, digests, notes, pictures, queueing, reconciling, waiting
from publishing.bot import digests as shown_digests
from publishing.bot import inbox
from publishing.digests import building
from publishing.models import Bot, BotUpdate, Digest, DigestWatch, Probe
from publishing.subscriptions import sending

# A channel that opens soon after a sweep is waited for; else it would wait for the next sweep, and fall behind the pace
# that it is allowed. In so long a bot can post to sixty channels.
PATIENCE = timedelta(seconds=2)
# A doorbell for each channel would cost more than a post. Who is late because a call before his hangs is rung for by
# the next sweep.
CHANNELS_AT_ONCE = 25
# No worker is kept longer by what goes to subscribers.
MAILED_AT_ONCE = timedelta(seconds=20)
# The rest is rung for by the next sweep.
ANSWERED_AT_ONCE = 100


@shared_task(ignore_result=True)
def deliver_channel(channel_id: int) -> None:
    """Send what may go out in a channel right now, or in a moment."""
    delivery.deliver(channel_id, until=timezone.now() + PATIENCE)


@shared_task(ignore_result=True)
def deliver_channels(channel_ids: list[int]) -> None:
    """The same in several channels, one after another."""
    delivery.deliver_all(channel_ids, until=timezone.now() + PATIENCE)


@shared_task(ignore_result=True)
def queue_ready_articles() -> None:
    """Take articles that are ready into the queues, and let channels that approve by themselves send at once."""
    queueing.queue_ready()
    ring_channels()


@shared_task(ignore_result=True)
def look_again() -> None:
    """Hold what has turned out a copy while it waited, and release what has waited for its picture."""
    waiting.hold_copies()
    waiting.release_illustrated()


@shared_task(ignore_result=True)
def queue_ready_notes() -> None:
    """Take forecast notes that are ready into the queues of the service channels, which may send them at once."""
    notes.queue_ready()
    ring_channels()


@shared_task(ignore_result=True)
def prune_pictures() -> None:
    """Forget pictures whose posts are old."""
    pictures.prune()


@shared_task(ignore_result=True)
def plan_digests() -> None:
    """Make the rows of digests that schedules want by now, and let workers write them."""
    for digest_id in digests.plan_due():
        build_digest.delay(digest_id)


@shared_task(ignore_result=True)
@leases.mine.given_back()
def build_digest(digest_id: int) -> None:
    """Take a digest's next step; the one after it is rung for, so that no worker is kept for long."""
    if building.take_step(digest_id):
        build_digest.delay(digest_id)
    else:
        ring_channels()


@shared_task(ignore_result=True)
def reconcile_message(message_id: int) -> None:
    """Look into the channel for a message of which nobody knows whether it was sent."""
    reconciling.reconcile(message_id)


@shared_task(ignore_result=True)
def remove_copies() -> None:
    """Delete what the reconciler has left in audit chats."""
    reconciling.remove_copies()


@shared_task(ignore_result=True)
def probe_bots() -> None:
    """Ask Telegram whether it is back."""
    bots.probe_due()


@shared_task(ignore_result=True)
def tell_administrators() -> None:
    """Tell administrators in Telegram what has come up."""
    alerts.tell()


@shared_task(ignore_result=True)
def answer_update(key: int) -> None:
    """Answer what somebody has said to the bot."""
    if inbox.answer(key):
        ring_channels()


@shared_task(ignore_result=True)
def mail_subscribers() -> None:
    """Make the mailings that are due and send to subscribers, for a while; the rest is rung for by the next sweep."""
    sending.work(until=timezone.now() + MAILED_AT_ONCE, threads=sending.THREADS)


@shared_task(ignore_result=True)
def show_digests() -> None:
    """Tell administrators how far the digests are that they have asked for."""
    shown_digests.show_due()


def ring_due() -> None:
    """Ring for whatever is due: messages of dead senders, articles to be queued, channels with messages to send."""
    delivery.recover()
    clocks.mend()
    for message_id in reconciling.due().values_list("pk", flat=True):
        reconcile_message.delay(message_id)
    if Probe.objects.to_be_removed().exists():
        remove_copies.delay()
    if Bot.objects.to_be_probed(timezone.now()).exists():
        probe_bots.delay()
    for key in BotUpdate.objects.left_behind().values_list("pk", flat=True)[:ANSWERED_AT_ONCE]:
        answer_update.delay(key)
    if alerts.waiting():
        tell_administrators.delay()
    if Article.objects.ready_to_publish().exists():
        queue_ready_articles.delay()
    if waiting.is_something_due():
        look_again.delay()
    if ForecastNote.objects.ready_to_publish().exists():
        queue_ready_notes.delay()
    for digest_id in Digest.objects.due().values_list("pk", flat=True):
        build_digest.delay(digest_id)
    if DigestWatch.objects.exists():
        show_digests.delay()
    if sending.is_due():
        mail_subscribers.delay()
    ring_channels()


def ring_channels() -> None:
    """Ring for every channel in which something may go out now, or in a moment."""
    for channel_ids in due_together():
        deliver_channels.delay(channel_ids)


def due_together() -> Iterator[list[int]]:
    """Those channels, as many at a time as a worker is rung for at once."""
    due = delivery.due_channels(timezone.now() + PATIENCE)
    for first in range(0, len(due), CHANNELS_AT_ONCE):
        yield due[first : first + CHANNELS_AT_ONCE]
