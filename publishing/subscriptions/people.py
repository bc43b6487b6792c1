"""What somebody asks for: to get something, to get it no longer, when and in which language; or to be forgotten."""

from __future__ import annotations

from datetime import time

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Tag
from articles.search.query import parse
from publishing.models import BotUpdate, Channel, Delivery, DigestWatch, Subscriber, Subscription
from publishing.models.channel import ChannelQuerySet

MOST_TOPICS = 10
MOST_WORDS = 10
LIMITS = {Subscription.Kind.TOPIC: MOST_TOPICS, Subscription.Kind.WORDS: MOST_WORDS}

State = Subscriber.State


class SubscriptionError(Exception):
    """The wish was not granted; the text is a sentence for the person, in their language."""


def channels() -> ChannelQuerySet:
    """The channels whose readers may subscribe: service channels are the newsroom's own."""
    return Channel.objects.filter(carries_forecasts=False).order_by("pk")


def known(person: int) -> Subscriber | None:
    return Subscriber.objects.filter(telegram_user_id=person).first()


def wanted_by(person: int) -> list[Subscription]:
    """What somebody gets, in a steady order."""
    rows = Subscription.objects.filter(subscriber__telegram_user_id=person, subscriber__state=State.ACTIVE)
    return list(rows.select_related("channel", "tag").order_by("kind", "pk"))


def met(person: int, language: str) -> Subscriber:
    """The person's row, made if there is none; who comes back is active again. Inside the caller's transaction."""
    Subscriber.objects.get_or_create(telegram_user_id=person, defaults={"language": language})
    row: Subscriber = Subscriber.objects.select_for_update().get(telegram_user_id=person)
    if row.state != State.ACTIVE:
        row.state = State.ACTIVE
        row.save(update_fields=["state", "updated_at"])
    return row


# --- to get something -----------------------------------------------------------------------------------------------


def to_digest(person: int, language: str, channel: Channel, kind: str) -> Subscription:
    """Subscribe somebody to a channel's digest of a kind; those that are out already don't come."""
    return _subscribe(person, language, kind=Subscription.Kind(kind), channel=channel)


def to_topic(person: int, language: str, tag: Tag) -> Subscription:
    """Subscribe somebody to what is filed under a tag. Raises SubscriptionError beyond MOST_TOPICS."""
    return _subscribe(person, language, kind=Subscription.Kind.TOPIC, tag=tag)


def to_words(person: int, language: str, words: str) -> Subscription:
    """Subscribe somebody to articles that have all the words, in any form.

    Raises SubscriptionError beyond MOST_WORDS, for a text that is too long, and for one without a word.
    """
    text = plain(words)
    if len(text) > Subscription.LONGEST_WORDS:
        raise SubscriptionError(
            _("That is too long: %(count)d characters at most.") % {"count": Subscription.LONGEST_WORDS}
        )
    if not parse(text).wanted:
        raise SubscriptionError(_("There is no word in that to look for."))
    return _subscribe(person, language, kind=Subscription.Kind.WORDS, words=text)


def plain(words: str) -> str:
    """Words as they are kept: case and white space don't count."""
    return " ".join(words.lower().split())


@transaction.atomic
def _subscribe(person: int, language: str, *, kind: Subscription.Kind, **to_what: Channel | Tag | str) -> Subscription:
    subscriber = met(person, language)
    present = subscriber.subscriptions.filter(kind=kind)
    if already := present.filter(**to_what).first():
        return already
    limit = LIMITS.get(kind)
    if limit is not None and present.count() >= limit:
        raise SubscriptionError(
            _("You have %(count)d of these, and that is the most. Drop one first.") % {"count": limit}
        )
    return Subscription.objects.create(subscriber=subscriber, kind=kind, **to_what)


# --- to get it no longer --------------------------------------------------------------------------------------------


@transaction.atomic
def drop(person: int, subscription_id: int) -> Subscription | None:
    """End one of somebody's subscriptions, with what is on its way for it; None if they have no such."""
    rows = Subscription.objects.select_related("channel", "tag", "subscriber")
    row = rows.filter(pk=subscription_id, subscriber__telegram_user_id=person).first()
    if row is None:
        return None
    row.delete()
    waiting = Delivery.objects.filter(subscriber=row.subscriber_id)
    if row.channel_id:
        waiting.filter(mailing__kind=row.kind, mailing__channel=row.channel_id).skip(_("Unsubscribed."))
    elif not row.subscriber.subscriptions.to_news().exists():
        waiting.filter(mailing__kind="news").skip(_("Unsubscribed."))
    if not row.subscriber.subscriptions.exists():
        Subscriber.objects.filter(pk=row.subscriber_id, state=State.ACTIVE).update(state=State.LEFT)
    return row


def drop_all(person: int) -> None:
    """End all of somebody's subscriptions."""
    _end(person, State.LEFT, _("Unsubscribed."))


def let_go(person: int) -> None:
    """Somebody has blocked the bot: end what they had, quietly."""
    _end(person, State.BLOCKED, _("Has blocked the bot."))


@transaction.atomic
def _end(person: int, state: Subscriber.State, reason: str) -> None:
    row = Subscriber.objects.select_for_update().filter(telegram_user_id=person).first()
    if row is None:
        return
    row.subscriptions.all().delete()
    Delivery.objects.filter(subscriber=row).skip(reason)
    row.state = state
    row.save(update_fields=["state", "updated_at"])


@transaction.atomic
def erase(person: int) -> None:
    """Forget somebody: their row, subscriptions and deliveries, and what they have said to the bot.

    Of their updates only the numbers stay for a while, by which one that Telegram brings twice is known.
    """
    Subscriber.objects.filter(telegram_user_id=person).delete()
    DigestWatch.objects.filter(person=person).delete()
    now = timezone.now()
    BotUpdate.objects.filter(person=person).update(
        person=0, payload={}, taken_at=Coalesce("taken_at", now), finished_at=Coalesce("finished_at", now)
    )


# --- how ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def speak(person: int, language: str) -> None:
    """Let the bot speak a language to somebody."""
    row = met(person, language)
    row.language = language
    row.save(update_fields=["language", "updated_at"])


@transaction.atomic
def send_at(person: int, language: str, moment: time | None) -> None:
    """Let digests come at a time of day, or as soon as they are out; those on their way, too."""
    row = met(person, language)
    row.send_at = moment
    row.save(update_fields=["send_at", "updated_at"])
    now = timezone.now()
    own = Delivery.objects.filter(subscriber=row)
    begun = own.filter(state=Delivery.State.SENT).values("mailing")
    waiting = own.filter(state=Delivery.State.READY, mailing__channel__isnull=False).exclude(mailing__in=begun)
    for delivery in waiting.select_related("mailing__channel"):
        assert delivery.mailing.channel is not None  # noqa: S101  only those were asked for
        due = row.due_at(max(now, delivery.mailing.out_at) if moment else now, delivery.mailing.channel)
        waiting.filter(pk=delivery.pk).update(not_before=due)
