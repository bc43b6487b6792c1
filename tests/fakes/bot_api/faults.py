"""What can befall a call, whether or not it was carried out."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from tests.fakes.bot_api.replies import Reply, ok, refusal


class Fault(StrEnum):
    """What befalls a call that posts or changes a post. The first seven befall one that was carried out."""

    HANG = "accepted, then silence"
    DROP = "accepted, then the connection is closed"
    RESET = "accepted, then the connection is reset"
    SLOW = "accepted, answered after a while"
    TRUNCATE = "accepted, then half of the reply"
    BAD_GATEWAY = "accepted, then a proxy's HTML page that names the address"
    SERVER_ERROR = "accepted, then Telegram's own 500"
    GARBAGE = "200 with a page that isn't Telegram's"
    REFUSED = "400: can't parse entities"
    BAD_PHOTO = "400: the picture can't be read"
    CHAT_NOT_FOUND = "400: chat not found"
    MIGRATED = "400: the chat has another number now"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    FLOOD = "429 with retry_after"


ACCEPTED = (Fault.HANG, Fault.DROP, Fault.RESET, Fault.SLOW, Fault.TRUNCATE, Fault.BAD_GATEWAY, Fault.SERVER_ERROR)
# How long the caller waits for a reply, in seconds.
DELAYS = {Fault.HANG: 60.0, Fault.SLOW: 0.2}
UNAUTHORIZED = refusal("Unauthorized", 401)
REFUSALS: dict[Fault, dict[str, Any]] = {
    Fault.SERVER_ERROR: refusal("Internal Server Error: restart", 500),
    Fault.REFUSED: refusal("can't parse entities: unsupported start tag"),
    Fault.BAD_PHOTO: refusal("IMAGE_PROCESS_FAILED"),
    Fault.CHAT_NOT_FOUND: refusal("chat not found"),
    Fault.MIGRATED: refusal("group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1002000000001),
    Fault.UNAUTHORIZED: UNAUTHORIZED,
    Fault.FORBIDDEN: refusal("Forbidden: bot is not a member of the channel chat", 403),
    Fault.FLOOD: refusal("Too Many Requests: retry after 7", 429, retry_after=7),
}


def page_or_silence(fault: Fault, path: str, result: Any) -> Reply | None:
    """What comes over the wire where Telegram itself says nothing readable; None closes the connection."""
    page = f"<html><h1>upstream failed</h1>{path}</html>".encode()
    match fault:
        case Fault.TRUNCATE:
            whole = ok(result).body
            return Reply(200, whole[: len(whole) // 2], promised=len(whole) // 2)
        case Fault.BAD_GATEWAY:
            return Reply(502, page, "text/html")
        case Fault.GARBAGE:
            return Reply(200, page, "text/html")
        case Fault.SLOW:
            return ok(result)
        case Fault.RESET:
            return Reply(0, b"")
    return None
