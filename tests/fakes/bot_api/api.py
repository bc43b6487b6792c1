"""The calls of the Bot API: which one it is, whether it comes too fast, what befalls it, and what it is told."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.bot_api.faults import ACCEPTED, DELAYS, REFUSALS, UNAUTHORIZED, Fault, page_or_silence
from tests.fakes.bot_api.pace import Pace
from tests.fakes.bot_api.people import Conversations
from tests.fakes.bot_api.replies import Reply, failure, is_refusal, ok, refusal

SENDING = ("sendMessage", "sendPhoto")
CHANGING = ("editMessageText", "editMessageCaption", "deleteMessage")
# Calls that count as a message in their chat.
POSTING = (*SENDING, "forwardMessage")
ME = {"id": 1, "is_bot": True, "first_name": "Bot", "username": "warandpeace_bot"}
NO_WEBHOOK = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}

Call = Callable[[dict[str, Any]], Any]


@dataclass
class BotApi(Conversations):
    """What the server knows. `calls` holds each method that was called, with its parameters."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    change_faults: deque[Fault] = field(default_factory=deque)  # what befalls edits and deletions
    befallen: Counter[Fault] = field(default_factory=Counter)  # how often each fault has struck
    pace: Pace | None = None  # none: calls may come as fast as they can
    webhook: dict[str, Any] = field(default_factory=dict)
    token_is_dead: bool = False
    closing: threading.Event = field(default_factory=threading.Event)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each call of a method."""
        return [parameters for name, parameters in self.calls if name == method]

    def answer(self, method: str, path: str, parameters: dict[str, Any]) -> Reply | None:
        """The reply to a call; None closes the connection without one."""
        with self.lock:
            self.calls.append((method, parameters))
            if self.token_is_dead:
                return failure(UNAUTHORIZED)
            if seconds := self._too_early(method, parameters):
                return failure(refusal(f"Too Many Requests: retry after {seconds}", 429, retry_after=seconds))
            make = self._calls().get(method, lambda _: True)
            faults = {SENDING: self.faults, CHANGING: self.change_faults}
            if befalls := next((queue for methods, queue in faults.items() if method in methods and queue), None):
                return self._fail(befalls.popleft(), path, lambda: make(parameters))
            result = make(parameters)
            return failure(result) if is_refusal(result) else ok(result)

    def _calls(self) -> dict[str, Call]:
        return {
            "sendMessage": self.send_message,
            "sendPhoto": self.send_photo,
            "forwardMessage": self.forward,
            "deleteMessage": self.delete,
            "editMessageText": self.edit_text,
            "editMessageCaption": self.edit_caption,
            "getMe": lambda _: ME,
            "getUpdates": self.poll,
            "setWebhook": self._set_webhook,
            "getWebhookInfo": lambda _: NO_WEBHOOK | self.webhook,
        }

    def _too_early(self, method: str, parameters: dict[str, Any]) -> int:
        """For how many seconds Telegram asks to wait."""
        if self.pace is None or method not in POSTING + CHANGING:
            return 0
        return self.pace.seconds_to_wait(parameters["chat_id"] if method in POSTING else None)

    def _set_webhook(self, parameters: dict[str, Any]) -> bool:
        self.webhook = {"url": parameters["url"]}
        return True

    def _fail(self, fault: Fault, path: str, do: Callable[[], Any]) -> Reply | None:
        self.befallen[fault] += 1
        result = do() if fault in ACCEPTED else {}
        if fault in REFUSALS:
            return failure(REFUSALS[fault])
        if is_refusal(result):
            return failure(result)
        if fault in DELAYS:
            self._wait(DELAYS[fault])
        return page_or_silence(fault, path, result)

    def _wait(self, seconds: float) -> None:
        """Let other calls in meanwhile."""
        self.lock.release()
        self.closing.wait(seconds)
        self.lock.acquire()
