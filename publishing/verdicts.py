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
BAD_REQUEST = 400
FORBIDDEN = 403
TRY_LATER = (409, 429)

LONGEST_WAIT = timedelta(hours=24)

# Descriptions of a 400 that say that a post reads so already, or is gone already, as it was asked to.
DONE_ALREADY = ("message is not modified", "message to delete not found")
IS_GONE = ("message to edit not found", "message_id_invalid")
NO_EDITING = ("message can't be edited", "message_edit_time_expired", "message_author_required")
NO_DELETING = ("message can't be deleted", "message_delete_forbidden")
NO_RIGHTS = ("not enough rights", "have no rights", "need administrator rights", "chat_admin_required")

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


def of_change(status: int, body: bytes, number: int) -> Outcome:
    """The verdict on a reply to an edit or a deletion of the post `number`. What is so already counts as done."""
    text = body.decode("utf-8", "replace")
    match _telegram_json(body):
        case {"ok": True, "result": True | {"message_id": int()}}:
            return Sent(number, text)
        case {"ok": False, "error_code": 400, "description": str(description)} if status == BAD_REQUEST:
            if any(words in description.lower() for words in DONE_ALREADY):
                return Sent(number, text)
            if reason := _why_not_changed(description):
                return Refused(reason, text)
    return of_reply(status, body)


def gone() -> str:
    """The sentence about a post that can't be edited because somebody has deleted it."""
    return _("The post is not in the channel any more. Delete it here too, and post it again if it is needed.")


def _why_not_changed(description: str) -> str:
    """What an editor must know if this very post can't be changed; empty if the reason is another."""
    reasons = {
        IS_GONE: gone(),
        NO_EDITING: _("Telegram doesn't let the bot edit this post: it is not the bot's own, or it is too old."),
        NO_DELETING: _(
            "Telegram doesn't let the bot delete this post: it is older than 48 hours, or not the bot's own."
            " Delete it by hand in Telegram, then press Delete here once more."
        ),
        NO_RIGHTS: _("The bot lacks the right to change posts in this channel. Make it an administrator who may."),
    }
    told = (reason for words, reason in reasons.items() if any(word in description.lower() for word in words))
    return next(told, "")


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
