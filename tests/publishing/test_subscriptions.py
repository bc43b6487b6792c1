"""What goes to subscribers: whom a digest and news reach, when, how often, and what became of each delivery."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from publishing import clocks, holding
from publishing.models import (
    Bot,
    Delivery,
    DeliveryAttempt,
    Installation,
    Mailing,
    Publication,
    Subscriber,
    Subscription,
)
from publishing.subscriptions import sending, settling
from tests.factories import ChannelFactory
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import approved, telegram
from tests.publishing.readers import FIRST_PERSON, begin, digest_out, later, mail, news_out, reader, states, topic

pytestmark = pytest.mark.django_db

Kind = Subscription.Kind
State = Delivery.State


# --- digests --------------------------------------------------------------------------------------------------------


def test_a_digest_goes_to_those_who_want_it_as_its_channel_got_it(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    reader(2, kind=Kind.WEEKLY, channel=out.channel)
    reader(3, kind=Kind.DAILY, channel=ChannelFactory.create())

    mail()
    mail()

    assert [(post["chat_id"], post["text"]) for post in api.ledger] == [
        (str(FIRST_PERSON + 1), out.messages.get().payload["text"])
    ]


def test_who_comes_later_gets_no_old_digest(api: BotApi) -> None:
    out = digest_out(ago=timedelta(hours=1))
    reader(1, kind=Kind.DAILY, channel=out.channel, since=timezone.now())

    assert (mail(), api.ledger) == (0, [])


def test_a_new_version_of_a_digest_that_was_sent_is_not_sent_again(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    mail()
    assert out.digest is not None
    day = out.digest.period_start
    digest_out(out.channel, is_current=False, period_start=day, period_end=day, version=2)

    assert (mail(), len(api.ledger)) == (0, 1)


def test_after_an_outage_only_the_newest_digest_comes(api: BotApi) -> None:
    channel = ChannelFactory.create()
    reader(1, kind=Kind.DAILY, channel=channel)
    digest_out(channel, text="Старый", ago=timedelta(hours=3))
    digest_out(channel, text="Новый", ago=timedelta(hours=2))

    mail()

    assert ["Новый" in text for text in api.texts] == [True]


def test_a_digest_that_could_not_be_sent_gives_way_to_the_next_one(api: BotApi) -> None:
    channel = ChannelFactory.create()
    reader(1, kind=Kind.DAILY, channel=channel)
    digest_out(channel, text="Старый", ago=timedelta(hours=3))
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", is_paused=True)
    mail()
    digest_out(channel, text="Новый", ago=timedelta(hours=2))
    Bot.objects.update(is_paused=False)
    mail()

    assert (["Новый" in text for text in api.texts], states()) == ([True], [State.SKIPPED, State.SENT])


def test_a_digest_waits_for_the_persons_time_of_day(api: BotApi) -> None:
    out = digest_out()
    wanted = (timezone.now() + timedelta(hours=2)).astimezone(out.channel.zone)
    reader(1, kind=Kind.DAILY, channel=out.channel, send_at=time(wanted.hour, wanted.minute))

    mail()

    due = Delivery.objects.get().not_before.astimezone(out.channel.zone)
    assert (api.ledger, due.hour, due.minute) == ([], wanted.hour, wanted.minute)


@pytest.mark.parametrize(
    ("at", "out", "due"),
    [
        # Berlin goes from UTC+1 to UTC+2 on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00.
        (time(8), datetime(2026, 3, 28, 8, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)),
        (time(2, 30), datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (time(2, 30), datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (time(8), datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        (None, datetime(2026, 3, 28, 8, tzinfo=UTC), datetime(2026, 3, 28, 8, tzinfo=UTC)),
    ],
)
def test_the_time_of_day_is_right_whatever_the_clocks_do(at: time | None, out: datetime, due: datetime) -> None:
    channel = ChannelFactory.build(time_zone="Europe/Berlin")

    assert Subscriber(send_at=at).due_at(out, channel) == due


def test_a_long_digest_comes_in_its_parts_in_order(api: BotApi, settings: Settings) -> None:
    settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES = 0
    out = digest_out(text="Слово за словом. " * 400)
    reader(1, kind=Kind.DAILY, channel=out.channel)

    for _ in range(3):
        mail()

    assert api.texts == [message.payload["text"] for message in out.messages.order_by("ordinal")]
    assert len(api.texts) == 2


# --- news -----------------------------------------------------------------------------------------------------------


def test_news_comes_to_those_whose_topic_or_words_it_is_about(api: BotApi) -> None:
    reader(1, kind=Kind.TOPIC, tag=topic("Порты"))
    reader(2, kind=Kind.WORDS, words="порту одесскому")
    reader(3, kind=Kind.WORDS, words="аэропорт")
    reader(4, kind=Kind.TOPIC, tag=topic("Погода"))
    news_out("Одесский порт закрыт", tag="Порты")

    mail()

    assert [post["chat_id"] for post in api.ledger] == [str(FIRST_PERSON + 1), str(FIRST_PERSON + 2)]


def test_news_of_a_while_comes_as_one_note(api: BotApi) -> None:
    reader(1, kind=Kind.WORDS, words="порт")
    news_out("Порт закрыт")
    news_out("Порт открыт", ago=timedelta(minutes=1))

    mail()
    mail()

    [text] = api.texts
    assert text == "What you follow\n\nПорт открыт\n\nПорт закрыт"


def test_news_waits_for_more_to_come(api: BotApi) -> None:
    reader(1, kind=Kind.WORDS, words="порт")
    news_out(ago=timedelta(minutes=1))

    assert (mail(), api.ledger) == (0, [])


def test_an_article_in_two_channels_is_told_once(api: BotApi) -> None:
    reader(1, kind=Kind.WORDS, words="порт")
    first = news_out("Порт закрыт")
    news_out("Порт закрыт")
    Publication.objects.exclude(pk=first.pk).update(article=first.article)

    mail()

    assert api.texts[0].count("Порт закрыт") == 1


def test_a_person_gets_so_many_notes_a_day_and_no_more(api: BotApi, settings: Settings) -> None:
    settings.SUBSCRIBER_NOTES_PER_DAY = 2
    reader(1, kind=Kind.WORDS, words="порт")
    for _ in range(3):
        news_out()
        mail()

    assert [text.endswith("No more today. /settings") for text in api.texts] == [False, True]


def test_what_was_out_before_somebody_subscribed_does_not_come(api: BotApi) -> None:
    reader(1, kind=Kind.WORDS, words="порт", since=timezone.now() - timedelta(minutes=30))
    news_out("Старый порт", ago=timedelta(hours=1))
    news_out("Новый порт", ago=timedelta(minutes=20))

    mail()

    assert api.texts == ["What you follow\n\nНовый порт"]


def test_nothing_in_a_headline_is_markup(api: BotApi) -> None:
    reader(1, kind=Kind.WORDS, words="порт")
    news_out("Порт <b>закрыт</b> [x](http://evil.example) \u202e")

    mail()

    assert "Порт <b>закрыт</b> [x](http://evil.example)" in api.texts[0]
    assert "parse_mode" not in api.ledger[0]


def test_service_channels_are_the_newsrooms_own(api: BotApi) -> None:
    reader(1, kind=Kind.WORDS, words="порт")
    news_out(channel=ChannelFactory.create(carries_forecasts=True))

    assert (mail(), api.ledger) == (0, [])


# --- what becomes of a delivery -------------------------------------------------------------------------------------


def test_who_has_blocked_the_bot_is_let_go_quietly(api: BotApi) -> None:
    out = digest_out()
    person = reader(1, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(Fault.FORBIDDEN)

    mail()

    person.refresh_from_db()
    assert (person.state, person.subscriptions.count(), states()) == (Subscriber.State.BLOCKED, 0, [State.DEAD])
    assert not Bot.objects.get().is_paused


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.RESET, Fault.TRUNCATE, Fault.BAD_GATEWAY, Fault.SERVER_ERROR])
def test_what_may_have_arrived_is_unresolved_and_never_sent_again(api: BotApi, fault: Fault) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(fault)

    mail()
    later()
    Delivery.objects.update(claimed_until=timezone.now() + timedelta(days=1))
    mail()

    assert (states(), len(api.sent)) == ([State.UNKNOWN], 1)


def test_a_delivery_in_doubt_is_left_as_it_is_after_days(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(Fault.DROP)
    mail()
    later()

    mail()

    assert (states(), len(api.sent)) == ([State.LEFT], 1)


def test_a_person_may_decide_that_a_delivery_is_left(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(Fault.DROP)
    mail()

    assert (settling.leave(Delivery.objects.all()), states()) == (1, [State.LEFT])


def test_telegrams_wish_to_wait_holds_for_all(api: BotApi) -> None:
    out = digest_out()
    for number in range(3):
        reader(number, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(Fault.FLOOD)

    mail()

    assert (len(api.called("sendMessage")), states()) == (1, [State.READY] * 3)


def test_what_is_refused_for_good_is_not_tried_again(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(Fault.REFUSED)

    mail()
    mail()

    assert (states(), len(api.called("sendMessage"))) == ([State.DEAD], 1)


def test_a_dead_token_stops_the_bot_and_keeps_the_delivery(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    api.token_is_dead = True

    mail()

    assert (Bot.objects.get().is_paused, states()) == (True, [State.READY])


def test_no_name_of_anybody_is_kept(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)

    mail()

    attempt = DeliveryAttempt.objects.get()
    assert (attempt.outcome, attempt.error) == (DeliveryAttempt.Outcome.SENT, "")
    assert "raw_reply" not in {field.name for field in DeliveryAttempt._meta.fields}


def test_channels_go_first(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    approved(telegram())
    looks: list[float] = []
    monkeypatch.setattr("time.sleep", looks.append)
    monkeypatch.setattr(sending, "PATIENCE_WITH_CHANNELS", timedelta(seconds=0.3))

    mail()

    assert sending.BETWEEN_LOOKS in looks


def test_a_restored_database_sends_nothing_of_its_other_life(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", is_paused=True)
    mail()
    Bot.objects.update(is_paused=False)
    Installation.objects.update(fingerprint="another")

    mail()

    assert (api.ledger, states()) == ([], [State.SKIPPED])


def test_what_was_out_before_a_restore_is_not_mailed(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    holding.inspect()

    assert (sending.work(), Mailing.objects.count()) == (0, 0)


def test_what_was_sent_is_forgotten_after_a_while(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    mail()
    Delivery.objects.update(created_at=timezone.now() - settling.KEPT - timedelta(days=1))

    mail()

    assert (states(), len(api.sent)) == ([], 1)


def test_nothing_is_due_where_nobody_has_subscribed() -> None:
    begin()
    digest_out()
    news_out()

    assert not sending.is_due()


def test_a_clock_that_was_wrong_puts_off_no_parts(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    api.faults.append(Fault.FLOOD)
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
        mail()

    assert clocks.mend() == 2, "the delivery and its bot"

    assert Delivery.objects.get().not_before <= timezone.now()
    assert clocks.mend() == 0


def test_who_waits_for_their_hour_goes_on_waiting(api: BotApi) -> None:
    out = digest_out()
    reader(1, kind=Kind.DAILY, channel=out.channel)
    mail()
    Delivery.objects.update(state=State.READY, not_before=timezone.now() + timedelta(hours=1))

    assert clocks.mend() == 0
