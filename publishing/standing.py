"""What of a publication stands in its channel right now, told by its messages alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from publishing.models import Channel, Message, Publication

Action, State = Message.Action, Message.State


@dataclass(frozen=True)
class Post:
    """One post in the channel: the message it was sent as, and how it reads by now."""

    message: Message
    payload: dict[str, Any]


def posts(messages: Iterable[Message]) -> list[Post]:
    """What stands in the channel of a publication with these messages, in the order of its parts."""
    done = [message for message in _in_order(messages) if message.state == State.SENT]
    gone = {message.target_id for message in done if message.action == Action.DELETE}
    reads = {message.target_id: message.payload for message in done if message.action == Action.EDIT}
    return [
        Post(message, reads.get(message.pk, message.payload))
        for message in done
        if message.action == Action.SEND and message.pk not in gone
    ]


def is_left_behind(message: Message, channel: Channel) -> bool:
    """Whether it stands in the chat that its channel had before it moved, where its number is good for nothing."""
    return message.sent_at is not None and channel.has_moved_since(message.sent_at)


def left_behind() -> str:
    return _("The chat has moved, and its earlier posts stayed behind: change this one by hand in Telegram.")


def latest(messages: Iterable[Message]) -> list[Message]:
    """The messages of the latest change, or of the first posting where nothing was changed since."""
    ordered = _in_order(messages)
    return [message for message in ordered if message.change == ordered[-1].change]


def state_of(messages: Iterable[Message]) -> Publication.State:
    """The state of a publication whose messages are all at rest."""
    known = _in_order(messages)
    posted_in = max((message.change for message in known if message.action == Action.SEND), default=0)
    stands, changed_since = posts(known), [message for message in known if message.change > posted_in]
    if not stands:
        return Publication.State.DELETED if changed_since else Publication.State.FAILED
    if any(message.change == posted_in and message.state == State.DEAD for message in known):
        return Publication.State.FAILED
    was_changed = any(message.state == State.SENT for message in changed_since)
    return Publication.State.EDITED if was_changed else Publication.State.PUBLISHED


def _in_order(messages: Iterable[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: (message.change, message.ordinal))
