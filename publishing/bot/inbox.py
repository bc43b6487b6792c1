"""Updates as rows: each comes in once, is answered at most once, and is forgotten soon.

Whoever takes an update marks its row first. If that process dies, the update is not taken again: a decision has its
own transaction and stands or doesn't, and the person who sees no answer simply asks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from publishing.bot import reactions, speaking
from publishing.bot.answering import respond
from publishing.bot.conversation import Incoming, read
from publishing.models import BotUpdate

MINUTE = timedelta(minutes=1)
# Telegram itself keeps an update for a day; until then it may bring one again.
KEPT = timedelta(days=2)


def receive(payloads: Iterable[Any]) -> list[int]:
    """Write down updates of the Bot API (decoded JSON) that the bot should answer; gives the new rows' keys.

    What it has already, what isn't said to it in private, and what one person sends too fast is left out. How readers
    react to posts needs no answer and is written down at once.
    """
    told = [payload for payload in payloads if isinstance(payload, dict)]
    heard = [read(payload) for payload in told if not reactions.note(payload)]
    with transaction.atomic():
        return [row.pk for one in heard if one and (row := _noted(one))]


def _noted(incoming: Incoming) -> BotUpdate | None:
    """The new row; None if there is one already, or too many of this person's.

    The first one beyond the limit is still written down, so that the person is told; the others aren't.
    """
    lately = BotUpdate.objects.filter(person=incoming.person, received_at__gt=timezone.now() - MINUTE).count()
    if lately > settings.TELEGRAM_UPDATES_PER_MINUTE:
        return None
    row, is_new = BotUpdate.objects.get_or_create(
        bot_number=own_number(),
        update_id=incoming.update_id,
        defaults={
            "person": incoming.person,
            "payload": asdict(incoming),
            "is_too_many": lately == settings.TELEGRAM_UPDATES_PER_MINUTE,
        },
    )
    return row if is_new else None


def answer(key: int) -> bool:
    """Answer the update of this row unless somebody has taken it; whether something may be due to go out now."""
    row = BotUpdate.objects.take(key)
    if row is None:
        return False
    incoming = Incoming(**row.payload)
    said = respond(incoming, too_many=row.is_too_many)
    speaking.say(incoming, said)
    row.finish()
    return said.wakes_delivery


def forget() -> int:
    """Delete updates that Telegram no longer brings again; how many."""
    return BotUpdate.objects.filter(received_at__lt=timezone.now() - KEPT).delete()[0]


def own_number() -> int:
    """The bot's number, which is the public part of its token: each bot counts its updates by itself."""
    number = settings.TELEGRAM_BOT_TOKEN.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() else 0
