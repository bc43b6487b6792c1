"""The chats of the bot: what stands in them, and what becomes of a post that is sent, edited or deleted."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.bot_api.replies import is_refusal, refusal
from tests.fakes.bot_api.rules import objection_to_caption, objection_to_text

NOT_MODIFIED = "message is not modified: specified new message content and reply markup are exactly the same"

Told = dict[str, Any]


def _from_hundred() -> Iterator[int]:
    return itertools.count(100)


@dataclass
class Chats:
    """`ledger` holds each message as its chat shows it now, `sent` as it was first accepted."""

    ledger: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    locked: set[int] = field(default_factory=set)  # posts that can't be changed, as if they were too old
    numbers_of: defaultdict[str, Iterator[int]] = field(default_factory=lambda: defaultdict(_from_hundred))
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def texts(self) -> list[str]:
        """The texts the chats have received, in their order."""
        return [post["text"] for post in self.ledger]

    def stand_in(self, chat_id: str) -> list[dict[str, Any]]:
        """The messages that stand in a chat right now."""
        return [post for post in self.ledger if post["chat_id"] == chat_id]

    def post_by_somebody(self, chat_id: str, text: str) -> int:
        """Another author posts in a chat; the number of the post."""
        with self.lock:
            return int(self._keep({"chat_id": chat_id, "text": text})["message_id"])

    # --- the calls, each with what the caller is told ---------------------------------------------------------------

    def send_message(self, parameters: dict[str, Any]) -> Told:
        objection = objection_to_text(parameters)
        return refusal(objection) if objection else self._keep(parameters)

    def send_photo(self, parameters: dict[str, Any]) -> Told:
        objection = objection_to_caption(parameters)
        return refusal(objection) if objection else self._keep({"text": parameters.get("caption", "")} | parameters)

    def forward(self, parameters: dict[str, Any]) -> Told:
        post = self._at(parameters["from_chat_id"], parameters["message_id"])
        if post is None:
            return refusal("message to forward not found")
        return self._keep({"chat_id": parameters["chat_id"], "text": post["text"]})

    def delete(self, parameters: dict[str, Any]) -> Told | bool:
        post = self._to_change(parameters, "delete")
        if is_refusal(post):
            return post
        self.ledger.remove(post)
        return True

    def edit_text(self, parameters: dict[str, Any]) -> Told:
        objection = objection_to_text(parameters)
        return refusal(objection) if objection else self._edit(parameters, parameters["text"], is_caption=False)

    def edit_caption(self, parameters: dict[str, Any]) -> Told:
        objection = objection_to_caption(parameters)
        return (
            refusal(objection) if objection else self._edit(parameters, parameters.get("caption", ""), is_caption=True)
        )

    # --- what they share --------------------------------------------------------------------------------------------

    def _keep(self, message: dict[str, Any]) -> Told:
        post = message | {"message_id": next(self.numbers_of[message["chat_id"]])}
        self.ledger.append(post)
        self.sent.append(dict(post))
        return _told(post)

    def _edit(self, parameters: dict[str, Any], text: str, *, is_caption: bool) -> Told:
        """A post of the chat with another text; a picture has a caption, and any other post a text."""
        post = self._to_change(parameters, "edit")
        if is_refusal(post):
            return post
        if ("photo" in post) != is_caption:
            return refusal(f"there is no {'caption' if is_caption else 'text'} in the message to edit")
        keyboard = parameters.get("reply_markup", "")
        if (post["text"], post.get("reply_markup", "")) == (text, keyboard):
            return refusal(NOT_MODIFIED)
        post |= {"text": text} | ({"reply_markup": keyboard} if keyboard or "reply_markup" in post else {})
        return _told(post)

    def _to_change(self, parameters: dict[str, Any], verb: str) -> dict[str, Any]:
        """The post that is to be edited or deleted, or the refusal to do that."""
        post = self._at(parameters["chat_id"], parameters["message_id"])
        if post is None:
            return refusal(f"message to {verb} not found")
        if post["message_id"] in self.locked:
            return refusal(f"message can't be {verb.rstrip('e')}ed")
        return post

    def _at(self, chat_id: str, number: str) -> dict[str, Any] | None:
        return next((post for post in self.stand_in(chat_id) if post["message_id"] == int(number)), None)


def _told(post: dict[str, Any]) -> Told:
    """What the caller is told of a post."""
    chat = {"id": -1001, "type": "channel", "title": "Канал"}
    return {"message_id": post["message_id"], "date": 1790000000, "chat": chat, "text": post["text"]}
