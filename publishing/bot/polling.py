"""Asks Telegram for updates, one long question after the other, and has them answered by a few threads.

Updates are rows before Telegram is told that they have arrived, so none is lost when this process dies: what it hasn't
begun to answer, a worker answers.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django.utils.translation import gettext as _
from telegram import Bot
from telegram.error import TelegramError

from publishing import tasks, telegram
from publishing.alerts import TOKEN_ENV
from publishing.bot import debugging, inbox, menus, reactions
from publishing.models import Bot as BotRow
from publishing.outcomes import NotSent
from publishing.telegram import wire_request
from publishing.wire import WireRequest
from usage.models import Alert
from usage.watchdog import work

logger = logging.getLogger(__name__)

T = TypeVar("T")

UPDATES = ("message", "callback_query", reactions.KIND)
# How long Telegram keeps a question that it has no answer to.
LONG_POLL = timedelta(seconds=25)
THREADS = 4
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
ALERT = "two_stacks"


class TokenRejected(Exception):
    """Telegram does not know the token."""


@dataclass(frozen=True)
class Came:
    """Updates, as decoded JSON; none if nobody has said anything."""

    updates: list[dict[str, Any]]


@dataclass(frozen=True)
class Failed:
    """No updates came; ask again after the time."""

    pause: timedelta
    is_conflict: bool = False


def run(token: str) -> None:
    """Answer people until SIGINT or SIGTERM. Raises TokenRejected if Telegram doesn't know the token."""
    with suppress(asyncio.CancelledError):
        asyncio.run(_until_stopped(Poller(token)))


async def _until_stopped(poller: Poller) -> None:
    listening = asyncio.ensure_future(poller.listen())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, listening.cancel)
    await listening


class Poller:
    """One listener of a bot; Telegram allows no second one."""

    def __init__(self, token: str) -> None:
        self.request = wire_request()
        self.bot: Bot = telegram.bot(token, self.request)
        self.offset: int | None = None
        self.pause = FIRST_PAUSE
        self.may_have_company = True
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answer")
        # Apart from those, so that slow answers never keep what comes in from being written down.
        self.rows = ThreadPoolExecutor(1, thread_name_prefix="rows")

    async def listen(self) -> None:
        """Ask for updates for ever. Raises TokenRejected."""
        try:
            async with self.request:
                await self._introduce()
                while True:
                    await self._listen_once()
        finally:
            # What isn't begun is left to the workers.
            for pool in (self.rows, self.threads):
                pool.shutdown(wait=False, cancel_futures=True)

    async def _introduce(self) -> None:
        """Take over from a webhook, and set the menus; both as soon as Telegram can be reached."""
        while isinstance(failed := await self._called(self.bot.delete_webhook()), Failed):
            await asyncio.sleep(failed.pause.total_seconds())
        self.pause = FIRST_PAUSE
        for step in menus.steps():
            self._in_thread(step)

    async def _listen_once(self) -> None:
        """One question and what comes of it. While the database is away, Telegram keeps the updates."""
        try:
            await asyncio.sleep((await self._run(_look_around)).total_seconds())
            match await self._called(self._question()):
                case Failed(is_conflict=is_conflict, pause=pause):
                    if is_conflict:
                        await self._run(self._note_company)
                    await asyncio.sleep(pause.total_seconds())
                case Came(updates):
                    self.pause = FIRST_PAUSE
                    await self._take_in(updates)
        except DatabaseError as error:
            logger.warning("The database is away: %s", type(error).__name__)
            await asyncio.sleep(LONGEST_PAUSE.total_seconds())

    def _question(self) -> Coroutine[Any, Any, object]:
        # Also acknowledges what came before, which is in rows by now.
        return self.bot.get_updates(offset=self.offset, timeout=LONG_POLL, allowed_updates=UPDATES)

    async def _called(self, call: Coroutine[Any, Any, object]) -> Came | Failed:
        """What came of a call. Raises TokenRejected."""
        self.request.reply = self.request.cause = None
        # The verdict comes from the wire; the library's errors would say less, and its reading of updates may fail.
        with work.job(), suppress(TelegramError, ValueError, KeyError, TypeError, AttributeError):
            await call
        match self.request.result():
            case list(updates):
                return Came([update for update in updates if isinstance(update, dict)])
            case None:
                return self._failure(self.request)
        return Came([])

    def _failure(self, request: WireRequest) -> Failed:
        match request.outcome():
            case NotSent(stops_bot=True):
                raise TokenRejected
            case NotSent(retry_after=timedelta() as wish):
                return Failed(wish)
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        status = request.reply[0] if request.reply else 0
        logger.warning(
            "Telegram brings no updates (%s); asking again in %s", status or type(request.cause).__name__, pause
        )
        return Failed(pause, is_conflict=status == HTTPStatus.CONFLICT)

    async def _take_in(self, updates: list[dict[str, Any]]) -> None:
        """Write the updates down, then have them answered."""
        new = await self._run(partial(inbox.receive, updates))
        numbers = [number for update in updates if isinstance(number := update.get("update_id"), int)]
        self.offset = max(numbers) + 1 if numbers else self.offset
        if self.may_have_company:
            await self._run(self._note_solitude)
        for key in new:
            self._in_thread(partial(_answer, key))

    def _note_company(self) -> None:
        self.may_have_company = True
        Alert.sound(ALERT, TOKEN_ENV, _("Another program receives this bot's messages: two stacks?"))

    def _note_solitude(self) -> None:
        self.may_have_company = False
        Alert.is_over(ALERT, TOKEN_ENV)

    async def _run(self, step: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.rows, with_connection, step)

    def _in_thread(self, step: Callable[[], None]) -> None:
        self.threads.submit(with_connection, step).add_done_callback(_report)


def with_connection(step: Callable[[], T]) -> T:
    """Take the step with a database connection that is alive, and leave none open that isn't wanted."""
    close_old_connections()
    try:
        return step()
    finally:
        close_old_connections()


def _answer(key: int) -> None:
    """Answer one update, and let delivery look at once at what it may have approved."""
    if inbox.answer(key):
        tasks.ring_channels()


def _report(done: Future[None]) -> None:
    """What went wrong in a thread costs only what that thread did."""
    if not done.cancelled() and (error := done.exception()):
        logger.error("an answer of the bot came to nothing", exc_info=error)


def _look_around() -> timedelta:
    """What the rows ask of this process; gives how long Telegram wants the bot to wait, LONGEST_PAUSE at the most."""
    debugging.obey()
    inbox.forget()
    now = timezone.now()
    resumes_at = BotRow.objects.filter(token_env=TOKEN_ENV, resumes_at__gt=now).values_list("resumes_at", flat=True)
    return min(LONGEST_PAUSE, max((moment - now for moment in resumes_at), default=timedelta()))
