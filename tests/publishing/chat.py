"""What tests of the bot share: somebody who writes and taps, and what they get to see in their chat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from pytest_django import Settings

from publishing.bot import inbox
from publishing.models import Publication
from tests.factories import ArticleFactory, PublicationFactory
from tests.fakes.bot_api import BotApi, bot_api
from tests.publishing.outbox import TOKEN

ADMIN, STRANGER = 7, 99


@dataclass
class Chat:
    """A private chat with the bot, over a Bot API on the loopback; what comes in is answered at once."""

    api: BotApi
    person: int = ADMIN
    language: str = "en"

    def write(self, text: str) -> str:
        """Write to the bot; what it says to that, its messages separated by empty lines."""
        before = len(self.api.ledger)
        self.api.write_to_bot(text, self.person, self.language)
        self._bring()
        return "\n\n".join(self.api.texts[before:])

    def tap(self, label: str) -> str:
        """Tap the button below the newest message; the toast that the tap shows."""
        return self.send_tap(self.api.buttons(self.newest)[label])

    def send_tap(self, data: str, post: dict[str, Any] | None = None) -> str:
        """Tap a button that carries the data."""
        before = len(self.api.called("answerCallbackQuery"))
        self.api.tap(data, self.person, self.language, post)
        self._bring()
        return " ".join(call.get("text", "") for call in self.api.called("answerCallbackQuery")[before:])

    def _bring(self) -> None:
        new = inbox.receive(list(self.api.updates))
        self.api.updates.clear()
        for key in new:
            inbox.answer(key)

    @property
    def newest(self) -> dict[str, Any]:
        """The newest message of the chat as it reads by now."""
        return self.api.stand_in(str(self.person))[-1]

    @property
    def buttons(self) -> list[str]:
        """What the buttons below the newest message say."""
        return list(self.api.buttons(self.newest))


@contextmanager
def chat_with_bot(settings: Settings) -> Iterator[Chat]:
    """An administrator's chat with the bot, in English."""
    with bot_api() as api:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_BOT_TOKEN = api.url, TOKEN
        settings.TELEGRAM_TOKENS, settings.TELEGRAM_ADMIN_IDS = {"TELEGRAM_BOT_TOKEN": TOKEN}, [ADMIN]
        yield Chat(api)


def published(title: str, **fields: Any) -> Publication:
    """A publication that stands in its channel."""
    article = ArticleFactory.create(title=title)
    stands = {"state": Publication.State.PUBLISHED, "published_at": timezone.now()}
    made: Publication = PublicationFactory.create(article=article, **stands | fields)
    return made
