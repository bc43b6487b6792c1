"""What a reply of the Bot API, or the lack of one, proves about a message.

See https://core.telegram.org/bots/api#making-requests for the form of a reply. Pure: bytes in, outcome out.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
from django.utils.translation import gettext as _

from publishing.outcomes import NotSent, Outcome, Refused, Sent, Unknown

# Raised before the first byte of a request has left.
NEVER_CONNECTED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
)

CLIENT_ERRORS = range(400, 500)
TOKEN_IS_DEAD = (401, 404)
FORBIDDEN = 403
TRY_LATER = (409, 429)

LONGEST_WAIT = timedelta(hours=24)

# Descriptions of a 400 that speak of the chat or the bot's place in it, not of the message.
ABOUT_THE_CHAT = (
    "chat not found",
    "need administrator rights",
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
    "chat_admin_required",
    "channel_private",
    "member list is inaccessible",
)


def of_failure(cause: BaseException | None) -> Outcome:
    """The verdict where no reply came: `cause` is the HTTP client's own exception, None if it is not known."""
    if isinstance(cause, NEVER_CONNECTED):
        return NotSent(_("Telegram can't be reached. It will be tried again."), type(cause).__name__)
    return Unknown(
        _("The connection to Telegram broke before an answer came, so the post may or may not be in the channel."),
        type(cause).__name__ if cause else "",
    )


def result_of(body: bytes) -> Any:
    """What Telegram has answered to a call that went well; None if this is no such answer."""
    reply = _telegram_json(body)
    return reply.get("result") if reply.get("ok") is True else None


def of_reply(status: int, body: bytes) -> Outcome:
    """The verdict on a reply; only Telegram's own JSON proves anything."""
    text = body.decode("utf-8", "replace")
    reply = _telegram_json(body)
    match reply:
        case {"ok": True, "result": {"message_id": int(number)}}:
            return Sent(number, text)
        case {"ok": False, "error_code": int(code), "description": str(description)} if code == status:
            return _of_refusal(code, description, reply.get("parameters"), text)
    return _unreadable(status, text)


def _unreadable(status: int, text: str) -> Unknown:
    return Unknown(
        _("Telegram's answer (HTTP %(status)s) doesn't say whether the post is in the channel.") % {"status": status},
        text,
    )


def _telegram_json(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body)
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) else {}


def _of_refusal(code: int, description: str, parameters: object, text: str) -> Outcome:
    """The verdict on Telegram's own `ok: false`. A 5xx fails what was in flight and proves nothing."""
    if code not in CLIENT_ERRORS:
        return _unreadable(code, text)
    match parameters:
        case {"migrate_to_chat_id": int(chat)}:
            reason = _("The chat has moved; its new number was noted.")
            return NotSent(reason, text, timedelta(seconds=1), moved_to=str(chat))
        case {"retry_after": int(seconds)}:
            return NotSent(_("Telegram asks to wait."), text, min(timedelta(seconds=max(seconds, 1)), LONGEST_WAIT))
    if code in TRY_LATER:
        return NotSent(_("Telegram asks to wait."), text)
    return _for_good(code, description, text)


def _for_good(code: int, description: str, text: str) -> Outcome:
    """The verdict on a refusal that waiting doesn't cure: it is about the bot, the chat, or this very message."""
    if code in TOKEN_IS_DEAD:
        reason = _("Telegram doesn't know this bot's token. Set a valid one and resume the bot.")
        return NotSent(reason, text, stops_bot=True)
    if reason := _why_to_pause(code, description):
        return NotSent(reason, text, pause=True)
    return Refused(_("Telegram refused the post: %(description)s") % {"description": description}, text)


def _why_to_pause(code: int, description: str) -> str:
    """What an editor must know if no message can go to this chat for now; empty if only this message is refused."""
    if code == FORBIDDEN:
        reason = _("The bot was removed from the channel or may not post there (%(description)s).")
        return reason % {"description": description}
    if any(words in description.lower() for words in ABOUT_THE_CHAT):
        reason = _("Telegram doesn't let the bot post in this chat (%(description)s). Check its number and rights.")
        return reason % {"description": description}
    return ""
