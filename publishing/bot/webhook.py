"""Telegram brings the updates itself, to a page of ours; `runbot` tells it where, and watches that it stays so.

The page only writes the update down and rings: a worker answers. So Telegram gets its reply at once, and an update it
brings twice is one row.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from http import HTTPStatus
from threading import Event
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from publishing import tasks, telegram
from publishing.alerts import TOKEN_ENV
from publishing.bot import debugging, inbox, menus
from publishing.bot.polling import ALERT, UPDATES, TokenRejected, with_connection
from publishing.outcomes import NotSent
from usage.doorbell import ring
from usage.models import Alert
from usage.watchdog import work

logger = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the header's name
LARGEST_UPDATE = 256 * 1024  # bytes
CONNECTIONS = 10
TAKEN = "telegram-webhook-taken"
BETWEEN_LOOKS = timedelta(seconds=30)


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take one update that proves by its secret that it comes from Telegram; empty replies, whatever it was.

    200 says that it is written down, or not for us; after anything else Telegram brings it again.
    """
    if not settings.TELEGRAM_WEBHOOK_URL:
        raise Http404
    if not constant_time_compare(request.headers.get(SECRET_HEADER, ""), settings.TELEGRAM_WEBHOOK_SECRET):
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    if _is_too_fast():
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)
    if len(request.body) > LARGEST_UPDATE:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        update = json.loads(request.body)
    except (ValueError, RecursionError):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    for key in inbox.receive([update]):
        ring(tasks.answer_update, key)
    return HttpResponse()


def _is_too_fast() -> bool:
    """Whether this process has taken as many updates as it may in this minute."""
    cache.add(TAKEN, 0, timeout=60)
    try:
        taken: int = cache.incr(TAKEN)
    except ValueError:  # the minute has ended just now
        return False
    return taken > int(settings.TELEGRAM_WEBHOOK_PER_MINUTE)


def keep(stopped: Event) -> None:
    """Have Telegram bring the updates, until `stopped`. Raises TokenRejected if Telegram doesn't know the token."""
    while not (is_set := _set()) and not stopped.wait(BETWEEN_LOOKS.total_seconds()):
        logger.warning("Telegram doesn't take the webhook; trying again in %s", BETWEEN_LOOKS)
    if is_set:
        menus.set_up()
    while not stopped.is_set():
        try:
            with work.job():
                with_connection(_look_around)
        except DatabaseError as error:
            logger.warning("The database is away: %s", type(error).__name__)
        stopped.wait(BETWEEN_LOOKS.total_seconds())


def _set() -> bool:
    """Tell Telegram where to bring the updates, and with which secret; what waits there already is kept."""
    with work.job():
        result = _call(
            lambda bot: bot.set_webhook(
                settings.TELEGRAM_WEBHOOK_URL,
                secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
                allowed_updates=UPDATES,
                max_connections=CONNECTIONS,
            )
        )
    return result is True


def _look_around() -> None:
    debugging.obey()
    inbox.forget()
    _check(_call(lambda bot: bot.get_webhook_info()))


def _check(info: Any) -> None:
    """Alert somebody if another program has taken the updates over, and log what Telegram complains about."""
    match info:
        case {"url": str(url)} if url != settings.TELEGRAM_WEBHOOK_URL:
            Alert.sound(ALERT, TOKEN_ENV, _("Another program receives this bot's messages: two stacks?"))
        case {"last_error_message": str(complaint), "pending_update_count": int(pending)} if pending:
            logger.warning("Telegram could not bring %s updates: %s", pending, complaint[:200])
        case {"url": _url}:
            Alert.is_over(ALERT, TOKEN_ENV)


def _call(make: telegram.Call) -> Any:
    """Telegram's result; None if there is none. Raises TokenRejected."""
    request = telegram.call(TOKEN_ENV, make)
    match request.outcome() if request else None:
        case NotSent(stops_bot=True):
            raise TokenRejected
    return request.result() if request else None
