"""What can become of a call that was to send a message, and what a channel kind must be able to do.

The outcome says what was *proved*, not which exception was raised: only a message in the reply proves that it was
sent, only a connection never made or the server's own refusal proves that it wasn't.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from publishing.models import Message


@dataclass(frozen=True)
class Sent:
    """The channel has the message, under this number."""

    number: int
    reply: str = ""


@dataclass(frozen=True)
class NotSent:
    """Proved: nothing was sent, and a later try may succeed. `reason` is a sentence for an editor.

    `retry_after` is the server's own wish. `pause` says that the whole channel cannot post before somebody acts,
    `stops_bot` that its bot can post nowhere. `moved_to` is the chat's new number, if it has moved.
    """

    reason: str
    reply: str = ""
    retry_after: timedelta | None = None
    pause: bool = False
    stops_bot: bool = False
    moved_to: str = ""


@dataclass(frozen=True)
class Refused:
    """Proved: nothing was sent, and this very message will never be accepted. `reason` is a sentence for an editor.

    `moved_to` is the chat's new number, if it has moved.
    """

    reason: str
    reply: str = ""
    moved_to: str = ""


@dataclass(frozen=True)
class Unknown:
    """Nothing is proved. The message must not be sent again before somebody finds out."""

    reason: str
    reply: str = ""


Outcome = Sent | NotSent | Refused | Unknown


class Transport(Protocol):
    """How a kind of channel takes messages."""

    @property
    def time_limit(self) -> timedelta:
        """How long a call takes at the most."""
        ...

    def send(self, message: Message) -> Outcome:
        """Send the frozen payload. Called with no transaction open."""
        ...

    def find(self, message: Message) -> Outcome:
        """What became of a message whose sender never wrote an outcome; `Unknown` where that can't be told."""
        ...
