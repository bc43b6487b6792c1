"""Whether the promise was kept: what subscribers see (the fake server's ledger) against what our rows say."""

from __future__ import annotations

from collections import Counter

from publishing import settling
from publishing.models import Message
from tests.fakes.bot_api import BotApi
from tests.publishing.outbox import AUDIT
from usage.models import Alert

State = Message.State


class PromiseBroken(AssertionError):
    """A message was sent twice, is missing, or its row says something else than the ledger."""


def check(api: BotApi) -> Counter[str]:
    """How many messages ended in which state. Raises PromiseBroken for the first that breaks the promise."""
    posts = Counter(post["text"] for post in api.ledger if post["chat_id"] != AUDIT)
    alerts = set(Alert.objects.open().filter(code=settling.UNRESOLVED).values_list("subject", flat=True))
    ended = Counter[str]()
    for message in Message.objects.all():
        copies = posts[message.payload["text"]]
        _check_one(message, copies, is_alerted=str(message.pk) in alerts)
        ended[message.state] += 1
    return ended


def _check_one(message: Message, copies: int, *, is_alerted: bool) -> None:
    if copies > 1:
        raise PromiseBroken(f"{message} was sent {copies} times")
    if message.state in Message.UNRESOLVED:
        if not is_alerted:
            raise PromiseBroken(f"{message} is {message.state}, and nobody was told")
    elif copies != (message.state == State.SENT):
        raise PromiseBroken(f"{message} is {message.state}, but stands in the channel {copies} times")
