"""`manage.py runbot`: answer people who write to the bot."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from publishing.bot import polling, webhook
from usage.presence import Presence
from usage.stopping import stopped_by_signals
from usage.watchdog import Watchdog, work

# It asks Telegram for news at least every half minute; so many seconds without an answer or an error, and it hangs.
LONGEST_SILENCE = 300.0


class Command(BaseCommand):
    help = (
        "Answer people who write to the Telegram bot, and let administrators decide there, until it is stopped. The "
        "token comes from TELEGRAM_BOT_TOKEN; only one such process may run for a token. With TELEGRAM_WEBHOOK_URL "
        "Telegram brings to the web process what people write, and this process sees to it that it does."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TELEGRAM_BOT_TOKEN:
            raise CommandError("Set TELEGRAM_BOT_TOKEN to the token that @BotFather gave you for your bot.")
        watchdog = Watchdog(work, places=1, silence=LONGEST_SILENCE, alive=settings.ALIVE_FILE)
        try:
            with watchdog, Presence("bot"):
                self._listen()
        except polling.TokenRejected:
            raise CommandError("Telegram does not know this token. Check TELEGRAM_BOT_TOKEN.") from None
        self.stdout.write("The bot has stopped.")

    def _listen(self) -> None:
        if settings.TELEGRAM_WEBHOOK_URL:
            self.stdout.write(f"Telegram brings the updates to {settings.TELEGRAM_WEBHOOK_URL}. Ctrl-C stops it.")
            with stopped_by_signals() as stopped:
                webhook.keep(stopped)
        else:
            self.stdout.write("The bot is listening. Ctrl-C stops it.")
            polling.run(settings.TELEGRAM_BOT_TOKEN)
