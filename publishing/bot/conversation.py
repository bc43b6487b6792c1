"""What people say to the bot and what it says to them, without a word about how it travels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from telegram import CallbackQuery, Update, User
from telegram.constants import ChatType

from publishing.models import Subscriber
from publishing.rendering import Part, Span, lay_out
from publishing.splitting import clean

# Telegram's own limit for a message; everything else is shorter.
LONGEST_TEXT = 4096
BIGGEST = 2**63


@dataclass(frozen=True)
class Incoming:
    """A message to the bot or a tap on one of its buttons, in a private chat; all of it is untrusted.

    `text` is what was written, or what the button carries; `tap` is Telegram's name of the tap, empty for a message.
    `message_id` is the message that was written or whose button was tapped, `replied_to` the text that one replies to.
    """

    update_id: int
    person: int
    language_code: str
    text: str
    tap: str = ""
    message_id: int = 0
    replied_to: str = ""


def read(payload: dict[str, Any]) -> Incoming | None:
    """An update of the Bot API as far as the bot listens: None for groups, channels, other bots and all other kinds."""
    try:
        return _heard(Update.de_json(payload))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, RecursionError):
        return None


def _heard(update: Update) -> Incoming | None:
    person, chat = update.effective_user, update.effective_chat
    if person is None or person.is_bot or chat is None or chat.type != ChatType.PRIVATE:
        return None
    if not all(0 <= number < BIGGEST for number in (update.update_id, person.id)):
        return None
    if update.callback_query:
        return _tapped(update.update_id, person, update.callback_query)
    if update.message and update.message.text:
        text, number = _bounded(update.message.text), update.message.message_id
        return Incoming(update.update_id, person.id, _bounded(person.language_code), text, message_id=number)
    return None


def _tapped(update_id: int, person: User, tap: CallbackQuery) -> Incoming:
    replied = getattr(tap.message, "reply_to_message", None)
    return Incoming(
        update_id,
        person.id,
        _bounded(person.language_code),
        text=_bounded(tap.data),
        tap=_bounded(tap.id),
        message_id=tap.message.message_id if tap.message else 0,
        replied_to=_bounded(replied.text) if replied else "",
    )


def _bounded(text: str | None) -> str:
    """A text from outside without what neither a database nor a message takes."""
    return clean(text or "")[:LONGEST_TEXT]


@dataclass(frozen=True)
class Asked:
    """What a command or a button is asked for, and by whom; `words` follow the command, in one line."""

    person: int
    is_admin: bool
    words: str = ""
    replied_to: str = ""
    is_tap: bool = False


@dataclass(frozen=True)
class Button:
    """A button below a message; a tap sends `name` and the numbers back. `/name` is a command as if it were written."""

    label: str
    name: str
    numbers: tuple[int, ...] = ()

    @property
    def data(self) -> str:
        return ":".join([self.name, *map(str, self.numbers)])


# Buttons side by side.
ButtonRow = tuple[Button, ...]


@dataclass(frozen=True)
class Answer:
    """What the bot says: messages with buttons below the last, and a `toast` that a tap shows for a moment.

    `in_place` writes over the message whose button was tapped; such an answer has one part. `quotes` makes it a reply
    to what was written. `wakes_delivery` says that something may be due to go out now. `said` is told the number of the
    message, once it is there.
    """

    parts: tuple[Part, ...] = ()
    buttons: tuple[ButtonRow, ...] = ()
    toast: str = ""
    in_place: bool = False
    quotes: bool = False
    wakes_delivery: bool = False
    said: Callable[[int], None] | None = None


SILENCE = Answer()


def say(*paragraphs: str | Sequence[Span], **options: Any) -> Answer:
    """An answer with these paragraphs. Spans must be clean already; a plain text is cleaned here."""
    laid_out = [[Span(clean(one))] if isinstance(one, str) else one for one in paragraphs]
    return Answer(tuple(lay_out(laid_out)), **options)


def one_line(text: str, length: int = 300) -> str:
    """A text from outside as it may stand in a line of ours."""
    line = " ".join(clean(text).split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def language_of(incoming: Incoming) -> str:
    """The language somebody has chosen with us, else the one of their Telegram, else the newsroom's."""
    chosen = Subscriber.objects.filter(telegram_user_id=incoming.person).values_list("language", flat=True).first()
    known = dict(settings.LANGUAGES)
    for language in (chosen or "", incoming.language_code.partition("-")[0].lower()):
        if language in known:
            return language
    return settings.LANGUAGE_CODE
