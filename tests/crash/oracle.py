"""Whether the promise was kept: what subscribers see (the fake server's ledger) against what our rows say."""

from __future__ import annotations

from collections import Counter

from publishing import settling, standing
from publishing.models import Channel, Message
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import AUDIT
from usage.models import Alert

State = Message.State


class PromiseBroken(AssertionError):
    """A message was sent twice, is missing, or its row says something else than the ledger."""


def check(api: BotApi) -> Counter[str]:
    """How many messages ended in which state. Raises PromiseBroken for the first that breaks the promise."""
    messages = list(Message.objects.select_related("channel"))
    alerts = set(Alert.objects.open().filter(code=settling.UNRESOLVED).values_list("subject", flat=True))
    for message in messages:
        if message.state in Message.UNRESOLVED and str(message.pk) not in alerts:
            raise PromiseBroken(f"{message} is {message.state}, and nobody was told")
    _check_copies(api, messages)
    _check_what_stands(api, messages)
    return Counter(message.state for message in messages)


def _check_copies(api: BotApi, messages: list[Message]) -> None:
    """Each message was sent once, or not at all, or its row says that nobody knows; a text may be posted again."""
    copies = Counter(post["text"] for post in api.sent if post["chat_id"] != AUDIT)
    posts = [message for message in messages if message.action == Message.Action.SEND]
    sure = Counter(message.payload["text"] for message in posts if message.state == State.SENT)
    maybe = Counter(message.payload["text"] for message in posts if message.state in Message.UNRESOLVED)
    for text in {message.payload["text"] for message in posts}:
        if not sure[text] <= copies[text] <= sure[text] + maybe[text]:
            raise PromiseBroken(f"{copies[text]} copies, {sure[text]} sent and {maybe[text]} doubtful: {text[:50]}")


def _check_what_stands(api: BotApi, messages: list[Message]) -> None:
    """What was edited reads so, what was deleted is gone, and what was neither stands as it was sent."""
    stands = {(post["chat_id"], post["message_id"]): post["text"] for post in api.ledger}
    # Where a channel's posts stayed when its chat got another number.
    left = {chat for chat, _number in stands} - {AUDIT, *Channel.objects.values_list("chat_id", flat=True)}
    for publication in {message.publication_id for message in messages}:
        own = [message for message in messages if message.publication_id == publication]
        posts = {post.message.pk: post.payload["text"] for post in standing.posts(own)}
        for message in own:
            if message.action == Message.Action.SEND and message.state == State.SENT:
                places = [(chat, message.message_id) for chat in (message.channel.chat_id, *left)]
                seen = next((stands[place] for place in places if place in stands), None)
                if seen != posts.get(message.pk):
                    raise PromiseBroken(f"{message} should read {posts.get(message.pk)!r}, but reads {seen!r}")
