"""Many channels in one pass: what each would cost by itself is paid once, and none waits for another's moment."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from publishing import claims, delivery, holding, tasks
from publishing.models import Attempt, Bot, Channel, Publication
from publishing.outcomes import Transport
from tests.factories import ChannelFactory
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import approved, telegram

pytestmark = pytest.mark.django_db(transaction=True)


def opening(*seconds: float) -> list[Channel]:
    """Channels with a message each, which open so many seconds from now."""
    channels: list[Channel] = [ChannelFactory.create() for _ in seconds]
    for channel in channels:
        approved(channel)
    now = timezone.now()
    for channel, wait in zip(channels, seconds, strict=True):
        Channel.objects.filter(pk=channel.pk).update(next_post_at=now + timedelta(seconds=wait))
    return channels


def order_of_posts() -> list[int]:
    return list(Attempt.objects.order_by("started_at").values_list("message__channel", flat=True))


def test_a_channel_that_opens_in_a_moment_keeps_none_waiting_that_is_open() -> None:
    late, soon, now = opening(0.4, 0.2, 0)

    sent = delivery.deliver_all([late.pk, soon.pk, now.pk], until=timezone.now() + timedelta(minutes=1))

    assert sent == 3
    assert order_of_posts() == [now.pk, soon.pk, late.pk]


def test_only_those_channels_are_sent_to() -> None:
    mine, _another = opening(0, 0)

    assert delivery.deliver_all([mine.pk], until=timezone.now()) == 1
    assert order_of_posts() == [mine.pk]


def test_nothing_is_sent_that_may_not_go_out_in_time() -> None:
    (channel,) = opening(60)

    assert delivery.deliver_all([channel.pk], until=timezone.now() + timedelta(seconds=1)) == 0


def test_what_fails_in_one_channel_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, whole = opening(-1, 0)
    transport_of = delivery.transport_of

    def break_one(channel: Channel) -> Transport:
        if channel == broken:
            raise ZeroDivisionError
        return transport_of(channel)

    monkeypatch.setattr(delivery, "transport_of", break_one)

    with pytest.raises(ExceptionGroup):
        delivery.deliver_all([broken.pk, whole.pk], until=timezone.now())

    assert order_of_posts() == [whole.pk]


def test_a_correction_does_not_wait_for_the_pace_of_its_channel(api: BotApi) -> None:
    publication = approved(telegram(seconds_between_posts=3600))
    delivery.deliver(publication.channel_id)
    message = publication.messages.get()
    message.pk, message.action, message.change, message.target_id = None, "edit", 1, message.pk
    message.state, message.sent_at = "ready", None
    message.save()
    Publication.objects.update(state=Publication.State.CHANGING)

    (due,) = claims.openings(timezone.now() + timedelta(seconds=5))

    assert due.at < timezone.now() + timedelta(seconds=5)


def test_a_channel_opens_for_the_first_in_its_line() -> None:
    (channel,) = opening(-1)
    soon = timezone.now() + timedelta(seconds=2)
    approved(channel).messages.update(priority=1, not_before=soon)

    (now,) = claims.openings(timezone.now())
    (later,) = claims.openings(soon)

    assert now.at < later.at == soon


def test_workers_are_rung_for_many_channels_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CHANNELS_AT_ONCE", 2)
    channels = opening(-3, -2, -1)

    together = list(tasks.due_together())

    assert together == [[channels[0].pk, channels[1].pk], [channels[2].pk]]


def test_a_pass_looks_again_after_a_second_whether_it_is_the_database_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, seconds = holding.Watch(), [0.0]
    monkeypatch.setattr(holding, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    looked = watch.look()

    assert watch.look() is looked
    seconds[0] = 2.0
    assert watch.look() is not looked


@pytest.mark.parametrize(("wait", "is_begun"), [(0.05, True), (0.5, False)])
def test_a_wait_as_short_as_a_call_costs_no_second_transaction(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, wait: float, is_begun: bool
) -> None:
    publication = approved(telegram())
    bot, now = Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN"), timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    Bot.objects.filter(pk=bot.pk).update(next_call_at=now + timedelta(seconds=wait))

    claim, attempt = claims.claim_and_begin(publication.channel_id, lambda channel: timedelta(seconds=1))

    assert claim is not None
    assert (attempt is not None) == is_begun
    if attempt is not None:
        assert attempt.started_at == claim.not_before == now + timedelta(seconds=wait)


def test_a_call_is_not_made_before_its_moment(api: BotApi) -> None:
    publication, moment = approved(telegram()), timezone.now() + timedelta(seconds=0.09)
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", next_call_at=moment)

    assert delivery.deliver(publication.channel_id) == 1
    assert timezone.now() > moment
