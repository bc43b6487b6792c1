"""How readers react to posts: Telegram tells the counts to a bot that is an administrator of the channel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from publishing.models import Channel, PostReactions
from publishing.splitting import clean

KIND = "message_reaction_count"
# Telegram offers a few dozen; whatever says more isn't Telegram.
MOST_KINDS = 100
LONGEST_NAME = 32
GREATEST = 2**31 - 1


def note(update: dict[str, Any]) -> bool:
    """Write down the reactions that an update of the Bot API tells, unless later ones are known; whether it told any.

    Posts of chats that are no channel of ours are passed over, and so is what isn't as Telegram sends it.
    """
    match update.get(KIND):
        case {"chat": {"id": int(chat), **more}, "message_id": int(number), "date": int(date), "reactions": list(told)}:
            moment = _moment(date)
            if moment is None or not 0 < number <= GREATEST:
                return False
            channels = _channels(chat, more.get("username"))
            for channel in channels:
                _write(channel, number, counts_of(told), moment)
            return bool(channels)
    return False


def counts_of(told: list[Any]) -> dict[str, int]:
    """How often there is each reaction: by its emoji, by the number of one of Telegram's own pictures, or `paid`."""
    counts: dict[str, int] = {}
    for one in told[:MOST_KINDS]:
        match one:
            case {"type": {"type": str(kind), **what}, "total_count": int(count)} if 0 < count <= GREATEST:
                name = clean(str(what.get("emoji") or what.get("custom_emoji_id") or kind))[:LONGEST_NAME]
                counts[name] = min(counts.get(name, 0) + count, GREATEST)
    return counts


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _channels(chat: int, username: object) -> list[Channel]:
    """Our channels that post in the chat; a channel knows its chat by number or by name."""
    same = Q(chat_id=str(chat))
    if isinstance(username, str) and username:
        same |= Q(chat_id__iexact=f"@{username[:64]}")
    return list(Channel.objects.filter(same, kind=Channel.Kind.TELEGRAM))


def _write(channel: Channel, number: int, counts: dict[str, int], moment: datetime) -> None:
    values = {"counts": counts, "total": min(sum(counts.values()), GREATEST), "counted_at": moment}
    row, is_new = PostReactions.objects.get_or_create(channel=channel, message_id=number, defaults=values)
    if not is_new:
        PostReactions.objects.filter(pk=row.pk, counted_at__lte=moment).update(**values)
