"""`manage.py runbot`: answer people who write to the bot."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from publishing import bot


class Command(BaseCommand):
    help = (
        "Answer people who write to the Telegram bot (/start, /latest and /status) until it is stopped. The token "
        "comes from TELEGRAM_BOT_TOKEN; only one such process may run for a token."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TELEGRAM_BOT_TOKEN:
            raise CommandError("Set TELEGRAM_BOT_TOKEN to the token that @BotFather gave you for your bot.")
        self.stdout.write("The bot is listening. Ctrl-C stops it.")
        try:
            bot.run(settings.TELEGRAM_BOT_TOKEN)
        except bot.TokenRejected:
            raise CommandError("Telegram does not know this token. Check TELEGRAM_BOT_TOKEN.") from None
        self.stdout.write("The bot has stopped.")
