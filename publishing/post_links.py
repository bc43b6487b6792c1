"""Where a post can be seen, and which post somebody means: numbers and addresses at t.me."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from publishing.models import Channel, Message
from publishing.standing import is_left_behind

# https://core.telegram.org/api/links#message-links: a name or, after /c/, a number, perhaps a thread, and the post.
LINK = re.compile(
    r"^(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me)/(?:s/)?(?:c/(?P<id>\d+)|(?P<name>[A-Za-z]\w+))/(?:\d+/)?(?P<number>\d+)/?(?:\?.*)?$"
)
PRIVATE = "-100"  # how the Bot API's numbers of channels begin
GREATEST = 2**31 - 1


class NoPost(ValueError):
    """No post of the channel is meant by that; the text is a sentence for the person who wrote it."""


def link(channel: Channel, number: int | None) -> str:
    """The post's address at t.me; empty where it has none."""
    chat = channel.chat_id
    if number is None or channel.kind != Channel.Kind.TELEGRAM:
        return ""
    if chat.startswith("@"):
        return f"https://t.me/{chat.removeprefix('@')}/{number}"
    return f"https://t.me/c/{chat.removeprefix(PRIVATE)}/{number}" if chat.startswith(PRIVATE) else ""


def link_to(message: Message, channel: Channel) -> str:
    """The address of what became of a message; empty where it has none, or has stayed behind when its chat moved."""
    return "" if is_left_behind(message, channel) else link(channel, message.message_id)


def number_of(written: str, channel: Channel) -> int:
    """The number of the post that somebody means, by its number or its address. Raises NoPost."""
    written = written.strip()
    found = LINK.match(written)
    if found and not _is_of(channel, found["id"], found["name"]):
        raise NoPost(_("This address leads into another channel."))
    digits = found["number"] if found else written
    if not digits.isdecimal() or not 0 < int(digits) <= GREATEST:
        raise NoPost(_("Write the post's number, or its address as in https://t.me/channel/123."))
    return int(digits)


def _is_of(channel: Channel, number: str | None, name: str | None) -> bool:
    """Whether an address may lead into the channel: its name and its number can't be compared with each other."""
    chat = channel.chat_id
    if chat.startswith("@") and name:
        return chat.removeprefix("@").lower() == name.lower()
    return not (chat.startswith(PRIVATE) and number) or chat.removeprefix(PRIVATE) == number
