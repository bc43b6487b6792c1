"""How often Telegram lets a bot call, and a chat be posted to."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

# Calls that were made in time may arrive a little closer together: a window is that part of what the limit says.
LENIENCE = 0.9


@dataclass
class Pace:
    """Telegram's limits: messages a second and a minute in one chat, and calls a second of the bot.

    Counted in sliding windows. `refused` is how many calls came too early.
    """

    chat_per_second: int = 1
    chat_per_minute: int = 20
    bot_per_second: int = 30
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    _calls: defaultdict[tuple[str, float], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def seconds_to_wait(self, chat: str | None) -> int:
        """Count a call; 0 if it comes in time, else how long Telegram asks to wait. No chat: only the bot's limit."""
        now = self.clock()
        limits = {("", 1.0): self.bot_per_second}
        if chat is not None:
            limits |= {(chat, 1.0): self.chat_per_second, (chat, 60.0): self.chat_per_minute}
        wait = max(self._wait(window, limit, now) for window, limit in limits.items())
        if wait > 0:
            self.refused += 1
            return int(wait) + 1
        for window in limits:
            self._calls[window].append(now)
        return 0

    def _wait(self, window: tuple[str, float], limit: int, now: float) -> float:
        calls, length = self._calls[window], window[1] * LENIENCE
        while calls and calls[0] <= now - length:
            calls.popleft()
        return calls[0] + length - now if len(calls) >= limit else 0.0
