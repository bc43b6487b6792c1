"""Whether the promise was kept: what subscribers see (the fake server's ledger) against what our rows say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from publishing import settling, standing
from publishing.models import Channel, Message
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import AUDIT
from usage.models import Alert

State = Message.State

KINDS = ("doubled", "lost", "untold", "differs")


class PromiseBroken(AssertionError):
    """A message was sent twice, is missing, or its row says something else than the ledger."""


@dataclass(frozen=True)
class Breach:
    """A message that was sent twice or is lost, of which nobody was told, or that differs from what its row says."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


def check(api: BotApi) -> Counter[str]:
    """How many messages have ended in which state. Raises PromiseBroken with everything that breaks the promise."""
    broken, states = judge(api)
    if broken:
        raise PromiseBroken("; ".join(map(str, broken)))
    return states


def judge(api: BotApi) -> tuple[list[Breach], Counter[str]]:
    """Where the promise is broken, and how many messages have ended in which state."""
    messages = list(Message.objects.select_related("channel"))
    broken = [*_untold(messages), *_copies(api, messages), *_differences(api, messages)]
    return broken, Counter(message.state for message in messages)


def _untold(messages: list[Message]) -> Iterator[Breach]:
    """Each message of which nobody knows whether it was sent has an alert."""
    alerts = set(Alert.objects.open().filter(code=settling.UNRESOLVED).values_list("subject", flat=True))
    for message in messages:
        if message.state in Message.UNRESOLVED and str(message.pk) not in alerts:
            yield Breach("untold", f"{message} is {message.state}")


def _copies(api: BotApi, messages: list[Message]) -> Iterator[Breach]:
    """Each message was sent once, or not at all, or its row says that nobody knows; a text may be posted again."""
    copies = Counter(post["text"] for post in api.sent if post["chat_id"] != AUDIT)
    posts = [message for message in messages if message.action == Message.Action.SEND]
    sure = Counter(message.payload["text"] for message in posts if message.state == State.SENT)
    maybe = Counter(message.payload["text"] for message in posts if message.state in Message.UNRESOLVED)
    for text in {message.payload["text"] for message in posts}:
        if copies[text] < sure[text]:
            yield Breach("lost", f"{copies[text]} copies, {sure[text]} sent: {text[:50]}")
        if copies[text] > sure[text] + maybe[text]:
            yield Breach("doubled", f"{copies[text]} copies, {sure[text]} sent, {maybe[text]} doubtful: {text[:50]}")


def _differences(api: BotApi, messages: list[Message]) -> Iterator[Breach]:
    """What was edited reads so, what was deleted is gone, and what was neither stands as it was sent."""
    stands = {(post["chat_id"], post["message_id"]): post["text"] for post in api.ledger}
    # What stayed where it was when a channel's chat got another number; there nothing can be changed.
    chats = {AUDIT, *Channel.objects.values_list("chat_id", flat=True)}
    left = {text for (chat, _number), text in stands.items() if chat not in chats}
    for publication in {message.publication_id for message in messages}:
        own = [message for message in messages if message.publication_id == publication]
        posts = {post.message.pk: post.payload["text"] for post in standing.posts(own)}
        texts = {message.payload.get("text") for message in own}
        for message in own:
            if message.action == Message.Action.SEND and message.state == State.SENT:
                is_left = standing.is_left_behind(message, message.channel)
                here = stands.get((message.channel.chat_id, message.message_id))
                seen = next(iter(texts & left), None) if is_left else here
                if seen != posts.get(message.pk):
                    yield Breach("differs", f"{message} should read {posts.get(message.pk)!r}, but reads {seen!r}")
