"""What people subscribe to in the bot: digests of channels, topics, words; and how they end it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from articles.models import ArticleTag, Tag
from articles.models.tag import slug_of
from publishing.bot.commands import button, command
from publishing.bot.conversation import Answer, Asked, Button, ButtonRow, one_line, say
from publishing.models import Channel, Publication, Subscription
from publishing.rendering import Span
from publishing.subscriptions import people
from publishing.subscriptions.people import SubscriptionError

Kind = Subscription.Kind
DIGESTS = (Kind.DAILY, Kind.WEEKLY)
ON, OFF = "✅ ", "✖ "
MOST_CHANNELS = 10
TOPICS_ON_A_PAGE = 8
# Topics that are offered: the most frequent ones of the newest publications.
LOOKED_AT, MOST_TOPICS = 300, 40
LONGEST_LABEL = 40


@command("subscribe", gettext_lazy("get digests, a topic, words: /subscribe words"))
def subscribe(asked: Asked) -> Answer:
    """Subscribe to what was written: `daily`, `weekly`, a topic's name, else words; without any, offer all."""
    words = asked.words
    if not words:
        return _offer(asked.person)
    try:
        wanted = _subscribed(asked.person, words)
    except SubscriptionError as error:
        return say(str(error))
    if wanted is None:
        return _offer(asked.person)
    return say(_("You get it from now on: %(what)s.") % {"what": label(wanted)}, *_advice(wanted))


@command("unsubscribe", gettext_lazy("get something no longer"))
def unsubscribe(asked: Asked) -> Answer:
    """End what was written; without words, or if there is no such, show what there is to end."""
    present = people.wanted_by(asked.person)
    named = [one for one in present if asked.words and _is_meant(one, asked.words)]
    for one in named:
        people.drop(asked.person, one.pk)
    if named:
        return say(_("You get it no longer: %(what)s.") % {"what": ", ".join(map(label, named))})
    return listed(asked.person)


@button("sub_offer")
def offer(asked: Asked) -> Answer:
    """What there is to subscribe to, in place."""
    return _offer(asked.person, in_place=True)


@button("sub_digest")
def toggle_digest(asked: Asked, channel_id: int, which: int) -> Answer:
    """Switch a channel's digest on or off."""
    channel = people.channels().filter(pk=channel_id).first()
    if channel is None or which >= len(DIGESTS):
        return Answer(toast=_("This button no longer works."))
    kind = DIGESTS[which]
    present = [one for one in people.wanted_by(asked.person) if one.kind == kind and one.channel_id == channel.pk]
    if present:
        people.drop(asked.person, present[0].pk)
    else:
        people.to_digest(asked.person, _language(), channel, kind)
    return _offer(asked.person, in_place=True)


@button("sub_topics")
def topics(asked: Asked, page: int) -> Answer:
    """One page of topics, those that are on with a mark."""
    return _topics(asked.person, page)


@button("sub_topic")
def toggle_topic(asked: Asked, tag_id: int, page: int) -> Answer:
    """Switch a topic on or off."""
    tag = Tag.objects.filter(pk=tag_id).first()
    if tag is None:
        return Answer(toast=_("This topic no longer exists."))
    present = [one for one in people.wanted_by(asked.person) if one.tag_id == tag.pk]
    if present:
        people.drop(asked.person, present[0].pk)
        return _topics(asked.person, page)
    try:
        people.to_topic(asked.person, _language(), tag)
    except SubscriptionError as error:
        return Answer(toast=str(error))
    return _topics(asked.person, page)


@button("sub_list")
def mine(asked: Asked) -> Answer:
    """What the person gets, in place."""
    return listed(asked.person, in_place=True)


@button("sub_drop")
def drop(asked: Asked, subscription_id: int) -> Answer:
    """End one subscription; a second tap finds it ended."""
    people.drop(asked.person, subscription_id)
    return listed(asked.person, in_place=True)


@button("sub_drop_all")
def drop_all(asked: Asked) -> Answer:
    """End all of them."""
    people.drop_all(asked.person)
    return listed(asked.person, in_place=True)


def listed(person: int, *, in_place: bool = False) -> Answer:
    """What somebody gets, each with a button that ends it."""
    present = people.wanted_by(person)
    if not present:
        return say(_("You get nothing from this bot. /subscribe changes that."), in_place=in_place)
    rows: list[ButtonRow] = [(Button(OFF + label(one), "sub_drop", (one.pk,)),) for one in present]
    rows.append((Button(_("All of it"), "sub_drop_all"),))
    return say([Span(_("What shall come no longer?"), bold=True)], buttons=tuple(rows), in_place=in_place)


def label(subscription: Subscription) -> str:
    """A subscription in a few words."""
    if subscription.channel:
        return one_line(f"{subscription.get_kind_display()} · {subscription.channel.name}", LONGEST_LABEL)
    if subscription.tag:
        return one_line(f"#{subscription.tag.name}", LONGEST_LABEL)
    return one_line(f"“{subscription.words}”", LONGEST_LABEL)


def _language() -> str:
    """The language the person is answered in right now."""
    return get_language()


def _subscribed(person: int, words: str) -> Subscription | None:
    """Subscribe to what is meant; None if it is a digest, and the person has still to choose of which channel."""
    kind = _digest_named(words)
    if kind is not None:
        channels = list(people.channels()[:2])
        return people.to_digest(person, _language(), channels[0], kind) if len(channels) == 1 else None
    tag = Tag.objects.filter(slug=slug_of(words) or None).first() if _may_be_topic(words) else None
    if tag is not None:
        return people.to_topic(person, _language(), tag)
    return people.to_words(person, _language(), words)


def _digest_named(words: str) -> Kind | None:
    names = {"daily": Kind.DAILY, _("daily"): Kind.DAILY, "weekly": Kind.WEEKLY, _("weekly"): Kind.WEEKLY}
    return names.get(people.plain(words))


def _may_be_topic(words: str) -> bool:
    """What stands in quotation marks is words, even if a topic has that name."""
    return not words.startswith(('"', "«", "“", "„"))


def _is_meant(subscription: Subscription, words: str) -> bool:
    if subscription.channel_id:
        return _digest_named(words) == subscription.kind
    if subscription.tag:
        return subscription.tag.slug == slug_of(words)
    return subscription.words == people.plain(words)


def _advice(subscription: Subscription) -> Iterable[str]:
    yield _("When and in which language: /settings. No longer: /unsubscribe")
    if subscription.kind == Kind.WORDS:
        yield _(
            "An article must have all of the words, in any form. “Words in quotation marks” must stand side by side."
        )


def _offer(person: int, *, in_place: bool = False) -> Answer:
    channels = list(people.channels()[:MOST_CHANNELS])
    on = {(one.channel_id, one.kind) for one in people.wanted_by(person)}
    rows: list[ButtonRow] = []
    for channel in channels:
        names = [_digest_label(channel, kind, is_alone=len(channels) == 1) for kind in DIGESTS]
        rows.append(
            tuple(
                Button((ON if (channel.pk, kind) in on else "") + name, "sub_digest", (channel.pk, which))
                for which, (kind, name) in enumerate(zip(DIGESTS, names, strict=True))
            )
        )
    rows.append((Button(_("Topics ›"), "sub_topics", (0,)), Button(_("What I get"), "sub_list")))
    hint = _("Or write what news shall be about: /subscribe port of Odesa")
    return say([Span(_("What shall come to you?"), bold=True)], hint, buttons=tuple(rows), in_place=in_place)


def _digest_label(channel: Channel, kind: Kind, *, is_alone: bool) -> str:
    return one_line(str(kind.label) if is_alone else f"{kind.label} · {channel.name}", LONGEST_LABEL)


def _topics(person: int, page: int) -> Answer:
    tags = _frequent_tags()
    on = {one.tag_id for one in people.wanted_by(person)}
    first = page * TOPICS_ON_A_PAGE
    shown = tags[first : first + TOPICS_ON_A_PAGE]
    back = Button(_("‹ Back"), "sub_topics" if page else "sub_offer", (page - 1,) if page else ())
    if not shown:
        return say(_("There are no topics here."), buttons=((back,),), in_place=True)
    rows: list[ButtonRow] = [
        (Button((ON if tag.pk in on else "") + one_line(tag.name, LONGEST_LABEL), "sub_topic", (tag.pk, page)),)
        for tag in shown
    ]
    more = [Button(_("More ›"), "sub_topics", (page + 1,))] if len(tags) > first + TOPICS_ON_A_PAGE else []
    rows.append((back, *more))
    return say([Span(_("Topics"), bold=True)], buttons=tuple(rows), in_place=True)


def _frequent_tags() -> list[Tag]:
    """What the newest publications are about, the most frequent first."""
    out = Publication.objects.filter(published_at__isnull=False, article__isnull=False).order_by("-published_at")
    newest = list(out.values_list("article", flat=True)[:LOOKED_AT])
    counts = Counter(ArticleTag.objects.filter(article__in=newest).values_list("tag", flat=True))
    numbers = [pk for pk, _count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_TOPICS]]
    tags = Tag.objects.in_bulk(numbers)
    return [tags[pk] for pk in numbers if pk in tags]
