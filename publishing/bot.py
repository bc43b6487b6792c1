"""The bot that people can write to. It offers everybody what is public, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from telegram import BotCommand, LinkPreviewOptions, MessageEntity, Update
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, CommandHandler, ContextTypes, filters

from publishing.alerts import TOKEN_ENV
from publishing.models import Publication
from publishing.rendering import Part, Span, lay_out
from publishing.splitting import clean
from publishing.telegram import bot, wire_request
from usage.models import Alert

logger = logging.getLogger(__name__)

LATEST = 5
DEFAULT_LANGUAGE = "en"

# Each answers in the active language; what it says is public.
Answer = Callable[[], list[Part]]


class TokenRejected(Exception):
    """Telegram does not know the token."""


def start() -> list[Part]:
    """What the bot is, and what it can do."""
    hello = _("This is the bot of a news channel. What you can ask:")
    offers = "\n".join(f"/{name} — {describe()}" for name, (describe, _answer) in COMMANDS.items())
    return lay_out([[Span(hello)], [Span(offers)]])


def status() -> list[Part]:
    """How many publications have gone out today, and when the last one did."""
    published = Publication.objects.filter(published_at__isnull=False)
    last = published.order_by("-published_at").values_list("published_at", flat=True).first()
    if last is None:
        return lay_out([[Span(_("Nothing has been published yet."))]])
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = published.filter(published_at__gte=midnight).count()
    moment = date_format(timezone.localtime(last), "j E, H:i")
    return lay_out(
        [[Span(_("Published today: %(count)d. The last post: %(time)s.") % {"count": today, "time": moment})]]
    )


def latest() -> list[Part]:
    """The newest publications, each with its link."""
    published = Publication.objects.filter(published_at__isnull=False).select_related("article")
    newest = published.order_by("-published_at")[:LATEST]
    lines = [[Span(clean(one.title), url=one.article.url if one.article else "")] for one in newest]
    return lay_out([[Span(_("The latest"), bold=True)], *lines]) if lines else status()


COMMANDS: dict[str, tuple[Callable[[], str], Answer]] = {
    "start": (lambda: _("what this is"), start),
    "latest": (lambda: _("the latest news"), latest),
    "status": (lambda: _("what was published today"), status),
}


def run(token: str) -> None:
    """Answer people until SIGINT or SIGTERM. Raises TokenRejected if Telegram doesn't know the token."""
    asyncio.run(_check(token))
    builder = ApplicationBuilder().bot(bot(token, wire_request(), wire_request())).post_init(_offer_commands)
    application = builder.build()
    for name, (_describe, answer) in COMMANDS.items():
        application.add_handler(CommandHandler(name, _handler(answer), filters.ChatType.PRIVATE))
    application.add_error_handler(_report)
    application.run_polling(
        allowed_updates=[Update.MESSAGE], bootstrap_retries=-1, stop_signals=(signal.SIGINT, signal.SIGTERM)
    )


async def _check(token: str) -> None:
    """Ask Telegram about the token before the library does, which would log and raise it in clear text."""
    request = wire_request()
    async with request:
        try:
            await bot(token, request).get_me()
        except InvalidToken:
            raise TokenRejected from None
        except TelegramError as error:
            logger.warning("Telegram doesn't answer yet: %s", type(error).__name__)


async def _offer_commands(application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """Show the commands in the menus of Telegram's apps, in each language."""
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            commands = [BotCommand(name, describe()) for name, (describe, _answer) in COMMANDS.items()]
        code = None if language == DEFAULT_LANGUAGE else language
        with suppress(TelegramError):  # a menu is a convenience; the commands work without it
            await application.bot.set_my_commands(commands, language_code=code)


def _handler(answer: Answer) -> Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]:
    async def handle(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        language = update.effective_user.language_code if update.effective_user else None
        for part in await sync_to_async(_in_language)(answer, language or DEFAULT_LANGUAGE):
            if update.effective_message:
                await update.effective_message.reply_text(
                    part.text,
                    entities=[MessageEntity(**entity.as_dict()) for entity in part.entities],
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )

    return handle


def _in_language(answer: Answer, language: str) -> list[Part]:
    close_old_connections()
    known = dict(settings.LANGUAGES)
    with translation.override(language if language in known else DEFAULT_LANGUAGE):
        return answer()


async def _report(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Only the error's kind is logged: its text may quote what somebody wrote to the bot."""
    if isinstance(context.error, Conflict):
        text = _("Another program receives this bot's messages: two stacks?")
        await sync_to_async(Alert.sound)("two_stacks", TOKEN_ENV, text)
    logger.error("An update could not be answered: %s", type(context.error).__name__)
