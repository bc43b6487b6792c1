"""The calls that say an answer, at the bot's pace, and what their replies teach.

An answer that Telegram didn't take is lost: the person asks again. It is repeated only where nothing was sent for sure.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, ReplyParameters

from publishing import bots, telegram
from publishing.alerts import TOKEN_ENV
from publishing.bot.conversation import Answer, Incoming
from publishing.models import Bot
from publishing.outcomes import NotSent, Sent
from publishing.rendering import Part
from publishing.subscriptions import people as subscribers

LONGEST_TOAST = 200
# What somebody waits for an answer at the most, because Telegram wants the bot to wait or others use it.
PATIENCE = timedelta(seconds=20)
BETWEEN_LOOKS = 0.2  # seconds
TRIES = 3
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


def say(incoming: Incoming, answer: Answer) -> None:
    """Say the answer to the person; a tap gets its toast even if that is empty, or their app shows a clock."""
    if incoming.tap:
        tap, toast = incoming.tap, answer.toast[:LONGEST_TOAST]
        _call(incoming.person, lambda bot: bot.answer_callback_query(tap, text=toast or None, show_alert=bool(toast)))
    message_id = _said(incoming, answer)
    if answer.said and message_id:
        answer.said(message_id)


def _said(incoming: Incoming, answer: Answer) -> int:
    """Say it, and give the number of the last message; 0 if there is none."""
    if answer.in_place and incoming.tap and answer.parts:
        return incoming.message_id if write_over(incoming.person, incoming.message_id, answer) else 0
    message_id = 0
    for number, part in enumerate(answer.parts, start=1):
        is_last = number == len(answer.parts)
        match _send(incoming, part, answer, with_buttons=is_last):
            case {"message_id": int(message_id)}:
                continue
        return 0
    return message_id


def write_over(person: int, message_id: int, answer: Answer) -> bool:
    """Let a message of the bot say the first part of the answer instead; whether it does, or did already."""
    content = _content(answer.parts[0], answer, with_buttons=True)
    edited = _call(
        person,
        lambda bot: bot.edit_message_text(chat_id=person, message_id=message_id, **content),
        changes=message_id,
    )
    return edited is not None


def _send(incoming: Incoming, part: Part, answer: Answer, *, with_buttons: bool) -> Any:
    content = _content(part, answer, with_buttons=with_buttons)
    if answer.quotes and incoming.message_id:
        content["reply_parameters"] = ReplyParameters(incoming.message_id, allow_sending_without_reply=True)
    return _call(incoming.person, lambda bot: bot.send_message(incoming.person, **content))


def _content(part: Part, answer: Answer, *, with_buttons: bool) -> dict[str, Any]:
    """Text with entities: unlike HTML, nothing in it can be taken for a tag."""
    keyboard = [
        [InlineKeyboardButton(one.label, callback_data=one.data) for one in row] for row in answer.buttons if row
    ]
    return {
        "text": part.text,
        "entities": [MessageEntity(**entity.as_dict()) for entity in part.entities],
        "link_preview_options": NO_PREVIEW,
        "reply_markup": InlineKeyboardMarkup(keyboard) if keyboard and with_buttons else None,
    }


def _call(person: int, make: telegram.Call, *, changes: int = 0) -> Any:
    """Make the call as soon as the bot may be called; Telegram's result, None if it has not done it.

    A call that `changes` a message to what it says already has done it.
    """
    give_up_at = timezone.now() + PATIENCE
    for _try in range(TRIES):
        if not _wait_for_turn(give_up_at):
            return None
        request = telegram.call(TOKEN_ENV, make)
        if request is None:
            return None
        if (result := request.result()) is not None:
            return result
        match request.change(changes) if changes else request.outcome():
            case Sent() as done:
                return done
            case NotSent(retry_after=timedelta() as wish):
                bots.wait(TOKEN_ENV, wish)
            case NotSent(pause=True):
                # They have stopped the bot.
                subscribers.let_go(person)
                break
            case NotSent(stops_bot=False):
                time.sleep(BETWEEN_LOOKS)
            case _:
                break
    return None


def _wait_for_turn(give_up_at: datetime) -> bool:
    """Book the bot's next call among all processes that share it, and wait for it; False if that takes too long."""
    while (moment := Bot.book(TOKEN_ENV, timezone.now())) is None:
        row = Bot.objects.get(token_env=TOKEN_ENV)
        if row.is_paused or max(row.resumes_at, timezone.now()) > give_up_at:
            return False
        time.sleep(BETWEEN_LOOKS)
    time.sleep(max((moment - timezone.now()).total_seconds(), 0))
    return True
