"""People who write to the bot and tap its buttons, and how the bot gets to know of it."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.bot_api.chats import Chats

DATE = 1790000000


@dataclass
class Conversations(Chats):
    """The chats with people in them: each thing they do is an update that waits for the bot."""

    updates: deque[dict[str, Any]] = field(default_factory=deque)
    conflicts: int = 0  # questions for updates that are answered as if somebody else asked, too
    said: dict[int, dict[str, Any]] = field(default_factory=dict)  # what people wrote to the bot, by its number
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def write_to_bot(self, text: str, user_id: int = 7, language: str = "ru") -> None:
        """A person writes to the bot."""
        number = next(self.numbers)
        length = len(text.split(maxsplit=1)[0])
        commands = [{"type": "bot_command", "offset": 0, "length": length}] if text.startswith("/") else []
        message = _message(number, user_id, text) | {"from": _person(user_id, language)}
        self.said[number] = message
        self.updates.append({"update_id": number, "message": message | {"entities": commands}})

    def tap(self, data: str, user_id: int = 7, language: str = "ru", post: dict[str, Any] | None = None) -> None:
        """A person taps a button that carries the data, below the post or else below the newest one."""
        number, below = next(self.numbers), post or self.ledger[-1]
        message = _message(below["message_id"], user_id, below["text"])
        if quoted := self.said.get(json.loads(below.get("reply_parameters", "{}")).get("message_id")):
            message["reply_to_message"] = quoted
        person = _person(user_id, language)
        tapped = {"id": f"tap-{number}", "from": person, "message": message, "chat_instance": "1", "data": data}
        self.updates.append({"update_id": number, "callback_query": tapped})

    @staticmethod
    def buttons(post: dict[str, Any]) -> dict[str, str]:
        """The buttons below a post: what each carries, by what it says."""
        rows = json.loads(post.get("reply_markup") or "{}").get("inline_keyboard", [])
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    def poll(self, parameters: dict[str, Any]) -> list[dict[str, Any]] | dict[str, Any]:
        """What getUpdates is told."""
        if self.conflicts:
            self.conflicts -= 1
            return {"ok": False, "error_code": 409, "description": "Conflict: terminated by other getUpdates request"}
        known = int(parameters.get("offset", 0))
        while self.updates and self.updates[0]["update_id"] < known:
            self.updates.popleft()
        return list(self.updates)


def _person(user_id: int, language: str) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": "Анна", "language_code": language}


def _message(number: int, user_id: int, text: str) -> dict[str, Any]:
    chat = {"id": user_id, "type": "private", "first_name": "Анна"}
    return {"message_id": number, "date": DATE, "chat": chat, "text": text}
