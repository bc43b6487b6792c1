"""A Bot API on the loopback: real HTTP, a ledger of what its chats have received, and faults to order.

The ledger is what subscribers would see, whatever the caller was told. So a test can ask both: what happened, and
what does our row say happened?
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

LONGEST_POLL = 0.2  # seconds
SLOW = 0.2  # seconds
NO_WEBHOOK = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
MAX_CAPTION = 1024  # characters


class Fault(StrEnum):
    """What befalls a sendMessage or a sendPhoto. The first seven befall a message that was accepted."""

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


SENDING = ("sendMessage", "sendPhoto")
ACCEPTED = (Fault.HANG, Fault.DROP, Fault.RESET, Fault.SLOW, Fault.TRUNCATE, Fault.BAD_GATEWAY, Fault.SERVER_ERROR)
REFUSALS: dict[Fault, tuple[int, str, dict[str, int]]] = {
    Fault.SERVER_ERROR: (500, "Internal Server Error: restart", {}),
    Fault.REFUSED: (400, "Bad Request: can't parse entities: unsupported start tag", {}),
    Fault.BAD_PHOTO: (400, "Bad Request: IMAGE_PROCESS_FAILED", {}),
    Fault.CHAT_NOT_FOUND: (400, "Bad Request: chat not found", {}),
    Fault.MIGRATED: (
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        {"migrate_to_chat_id": -1002000000001},
    ),
    Fault.UNAUTHORIZED: (401, "Unauthorized", {}),
    Fault.FORBIDDEN: (403, "Forbidden: bot is not a member of the channel chat", {}),
    Fault.FLOOD: (429, "Too Many Requests: retry after 7", {"retry_after": 7}),
}


CHANGING = ("editMessageText", "editMessageCaption", "deleteMessage")


@dataclass(frozen=True)
class Reply:
    status: int  # 0 resets the connection
    body: bytes
    content_type: str = "application/json"
    promised: int = 0  # bytes of the body that are announced but never come


@dataclass
class BotApi:
    """What the server knows. `ledger` holds each accepted message as its chat shows it, `calls` each method called."""

    url: str = ""
    ledger: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    change_faults: deque[Fault] = field(default_factory=deque)  # what befalls edits and deletions
    locked: set[int] = field(default_factory=set)  # posts that can't be changed, as if they were too old
    sent: list[dict[str, Any]] = field(default_factory=list)  # each message as it was first accepted
    updates: deque[dict[str, Any]] = field(default_factory=deque)
    conflicts: int = 0  # questions for updates that are answered as if somebody else asked, too
    webhook: dict[str, Any] = field(default_factory=dict)
    said: dict[int, dict[str, Any]] = field(default_factory=dict)  # what people wrote to the bot, by its number
    token_is_dead: bool = False
    closing: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))
    numbers_of: defaultdict[str, Iterator[int]] = field(
        default_factory=lambda: defaultdict(lambda: itertools.count(100))
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def texts(self) -> list[str]:
        """The texts the chats have received, in their order."""
        return [post["text"] for post in self.ledger]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each call of a method."""
        return [parameters for name, parameters in self.calls if name == method]

    def write_to_bot(self, text: str, user_id: int = 7, language: str = "ru") -> None:
        """A person writes to the bot."""
        number = next(self.numbers)
        person = {"id": user_id, "is_bot": False, "first_name": "Анна", "language_code": language}
        chat = {"id": user_id, "type": "private", "first_name": "Анна"}
        length = len(text.split(maxsplit=1)[0])
        commands = [{"type": "bot_command", "offset": 0, "length": length}] if text.startswith("/") else []
        message = {"message_id": number, "date": 1790000000, "chat": chat, "from": person, "text": text}
        self.said[number] = message
        self.updates.append({"update_id": number, "message": message | {"entities": commands}})

    def tap(self, data: str, user_id: int = 7, language: str = "ru", post: dict[str, Any] | None = None) -> None:
        """A person taps a button that carries the data, below the post or else below the newest one."""
        number, below = next(self.numbers), post or self.ledger[-1]
        person = {"id": user_id, "is_bot": False, "first_name": "Анна", "language_code": language}
        chat = {"id": user_id, "type": "private", "first_name": "Анна"}
        message = {"message_id": below["message_id"], "date": 1790000000, "chat": chat, "text": below["text"]}
        if quoted := self.said.get(json.loads(below.get("reply_parameters", "{}")).get("message_id")):
            message["reply_to_message"] = quoted
        tapped = {"id": f"tap-{number}", "from": person, "message": message, "chat_instance": "1", "data": data}
        self.updates.append({"update_id": number, "callback_query": tapped})

    @staticmethod
    def buttons(post: dict[str, Any]) -> dict[str, str]:
        """The buttons below a post: what each carries, by what it says."""
        rows = json.loads(post.get("reply_markup") or "{}").get("inline_keyboard", [])
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    def answer(self, method: str, path: str, parameters: dict[str, Any]) -> Reply | None:
        """The reply to a call; None closes the connection without one."""
        with self.lock:
            self.calls.append((method, parameters))
            answers: dict[str, Callable[[dict[str, Any]], Any]] = {
                "sendMessage": self._accept,
                "sendPhoto": self._accept,
                "forwardMessage": self._forward,
                "deleteMessage": self._delete,
                "editMessageText": self._edit_text,
                "editMessageCaption": self._edit_caption,
                "getMe": lambda _: {"id": 1, "is_bot": True, "first_name": "Bot", "username": "warandpeace_bot"},
                "getUpdates": self._poll,
                "setWebhook": self._set_webhook,
                "getWebhookInfo": lambda _: NO_WEBHOOK | self.webhook,
            }
            if self.token_is_dead:
                return self._fail(Fault.UNAUTHORIZED, path, dict)
            if method in SENDING and self.faults:
                return self._fail(self.faults.popleft(), path, lambda: self._accept(parameters))
            if method in CHANGING and self.change_faults:
                return self._fail(self.change_faults.popleft(), path, lambda: answers[method](parameters))
            result = answers.get(method, lambda _: True)(parameters)
            is_refused = isinstance(result, dict) and result.get("ok") is False
            return _json(result["error_code"], result) if is_refused else _ok(result)

    def _accept(self, parameters: dict[str, Any]) -> dict[str, Any]:
        chat_numbers = self.numbers_of[parameters["chat_id"]]
        post = {"text": parameters.get("caption", "")} | parameters | {"message_id": next(chat_numbers)}
        self.ledger.append(post)
        self.sent.append(dict(post))
        return _told(post)

    def stand_in(self, chat_id: str) -> list[dict[str, Any]]:
        """The messages that stand in a chat right now."""
        return [post for post in self.ledger if post["chat_id"] == chat_id]

    def post_by_somebody(self, chat_id: str, text: str) -> int:
        """Another author posts in a chat; the number of the post."""
        with self.lock:
            return int(self._accept({"chat_id": chat_id, "text": text})["message_id"])

    def _at(self, chat_id: str, number: str) -> dict[str, Any] | None:
        return next((post for post in self.stand_in(chat_id) if post["message_id"] == int(number)), None)

    def _forward(self, parameters: dict[str, Any]) -> dict[str, Any]:
        post = self._at(parameters["from_chat_id"], parameters["message_id"])
        if post is None:
            return _refusal("message to forward not found")
        return self._accept({"chat_id": parameters["chat_id"], "text": post["text"]})

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any] | bool:
        post = self._at(parameters["chat_id"], parameters["message_id"])
        if post is None:
            return _refusal("message to delete not found")
        if post["message_id"] in self.locked:
            return _refusal("message can't be deleted")
        self.ledger.remove(post)
        return True

    def _edit_text(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._edit(parameters, parameters["text"], is_caption=False)

    def _edit_caption(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if len(parameters.get("caption", "")) > MAX_CAPTION:
            return _refusal("message caption is too long")
        return self._edit(parameters, parameters.get("caption", ""), is_caption=True)

    def _edit(self, parameters: dict[str, Any], text: str, *, is_caption: bool) -> dict[str, Any]:
        """A post of the chat with another text; a picture has a caption, and any other post a text."""
        post = self._at(parameters["chat_id"], parameters["message_id"])
        if post is None:
            return _refusal("message to edit not found")
        if post["message_id"] in self.locked:
            return _refusal("message can't be edited")
        if ("photo" in post) != is_caption:
            return _refusal(f"there is no {'caption' if is_caption else 'text'} in the message to edit")
        keyboard = parameters.get("reply_markup", "")
        if (post["text"], post.get("reply_markup", "")) == (text, keyboard):
            return _refusal(
                "message is not modified: specified new message content and reply markup are exactly the same"
            )
        post |= {"text": text} | ({"reply_markup": keyboard} if keyboard or "reply_markup" in post else {})
        return _told(post)

    def _set_webhook(self, parameters: dict[str, Any]) -> bool:
        self.webhook = {"url": parameters["url"]}
        return True

    def _poll(self, parameters: dict[str, Any]) -> list[dict[str, Any]] | dict[str, Any]:
        if self.conflicts:
            self.conflicts -= 1
            return {"ok": False, "error_code": 409, "description": "Conflict: terminated by other getUpdates request"}
        known = int(parameters.get("offset", 0))
        while self.updates and self.updates[0]["update_id"] < known:
            self.updates.popleft()
        return list(self.updates)

    def _fail(self, fault: Fault, path: str, do: Callable[[], Any]) -> Reply | None:
        result = do() if fault in ACCEPTED else {}
        if fault in REFUSALS:
            status, description, extra = REFUSALS[fault]
            told = {"ok": False, "error_code": status, "description": description}
            return _json(status, told | ({"parameters": extra} if extra else {}))
        page = f"<html><h1>upstream failed</h1>{path}</html>".encode()
        match fault:
            case Fault.TRUNCATE:
                whole = _ok(result).body
                return Reply(200, whole[: len(whole) // 2], promised=len(whole) // 2)
            case Fault.BAD_GATEWAY:
                return Reply(502, page, "text/html")
            case Fault.GARBAGE:
                return Reply(200, page, "text/html")
            case Fault.HANG:
                self._wait(60)
            case Fault.SLOW:
                self._wait(SLOW)
        return {Fault.SLOW: _ok(result), Fault.RESET: Reply(0, b"")}.get(fault)

    def _wait(self, seconds: float) -> None:
        """Let other calls in meanwhile."""
        self.lock.release()
        self.closing.wait(seconds)
        self.lock.acquire()


def _told(post: dict[str, Any]) -> dict[str, Any]:
    """What the caller is told of a post."""
    chat = {"id": -1001, "type": "channel", "title": "Канал"}
    return {"message_id": post["message_id"], "date": 1790000000, "chat": chat, "text": post["text"]}


def _refusal(description: str) -> dict[str, Any]:
    return {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"}


def _ok(result: Any) -> Reply:
    return _json(200, {"ok": True, "result": result})


def _json(status: int, reply: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(reply).encode())


def _parameters(content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters of a call: of a form or, where a file is among them, of its parts; a file is its bytes."""
    if not content_type.startswith("multipart/"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    form: Any = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parameters: dict[str, Any] = {}
    for part in form.get_payload():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        parameters[name] = value if part.get_filename() else value.decode()
    return parameters


def _handler(api: BotApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            method = self.path.rpartition("/")[2]
            reply = api.answer(method, self.path, _parameters(self.headers.get("Content-Type", ""), body))
            if method == "getUpdates":
                api.closing.wait(LONGEST_POLL)
            if reply is None:
                self.close_connection = True
                return
            if not reply.status:
                # Closed with something to linger for and no time to: the kernel sends a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body) + reply.promised))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = bool(reply.promised)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """The test's output is no access log."""

    return Handler


@contextmanager
def bot_api(*faults: Fault) -> Iterator[BotApi]:
    """A server whose first messages meet the faults, one each; everything after them goes well."""
    api = BotApi(faults=deque(faults))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
