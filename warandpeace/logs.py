"""Log lines: one line each, with the id of the request or task they belong to, and never with a secret in them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from django.conf import settings

# The request or task that is being handled; "-" outside of both.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")

MASK = "[secret]"

# Settings whose names say so hold secrets, alone or in a list or dict.
SECRET_NAME = re.compile(r"(?<!PUBLIC_)(SECRET|TOKEN|PASSWORD|API_KEY)")

# Any bot's token, ours or not: its number, a colon and 35 characters.
BOT_TOKEN = r"\d{6,}:[A-Za-z0-9_-]{30,}"  # noqa: S105

# A password inside an address: redis://user:password@host.
URL_PASSWORD = r"(?<=://)([^\s:/@]*):[^\s/@]+@"  # noqa: S105

# Shorter values would mask ordinary words.
SHORTEST_SECRET = 6


def _texts(value: Any) -> Iterator[str]:
    """The texts inside a setting, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)


def configured_secrets() -> set[str]:
    """Every secret value in the settings, also as it looks inside an address."""
    values = {text for name in dir(settings) if SECRET_NAME.search(name) for text in _texts(getattr(settings, name))}
    values |= {text for database in settings.DATABASES.values() for text in _texts(database.get("PASSWORD", ""))}
    values |= {quote(value, safe="") for value in values}
    return {value for value in values if len(value) >= SHORTEST_SECRET}


@cache
def _secrets() -> re.Pattern[str]:
    longest_first = sorted(configured_secrets(), key=len, reverse=True)
    return re.compile("|".join([*map(re.escape, longest_first), BOT_TOKEN]))


def redact(text: str) -> str:
    """The text with every configured secret, every bot token and every address's password masked."""
    return re.sub(URL_PASSWORD, rf"\1:{MASK}@", _secrets().sub(MASK, text))


class Line(logging.Formatter):
    """For people: time, level, logger, the request or task, and the message; a traceback follows on its own lines.

    What a message brings along cannot begin a line that looks like ours.
    """

    default_time_format = "%H:%M:%S"
    default_msec_format = ""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s [%(correlation_id)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.correlation_id = correlation_id.get()
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


class Json(logging.Formatter):
    """For machines: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "role": settings.PROCESS_ROLE,
            "id": correlation_id.get(),
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def configuration(level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, as a line for people or, with the style `json`, for machines.

    Raises ValueError for any other style, and for a level that there isn't.
    """
    if level not in logging.getLevelNamesMapping():
        raise ValueError("Set LOG_LEVEL to DEBUG, INFO, WARNING or ERROR.")
    formatters = {"line": "warandpeace.logs.Line", "json": "warandpeace.logs.Json"}
    if style not in formatters:
        raise ValueError("Set LOG_FORMAT to line or json.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": formatters[style]}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "chosen"},
            "errors": {"class": "warandpeace.metrics.ErrorCounter", "level": "ERROR"},
        },
        "root": {"level": level, "handlers": ["console", "errors"]},
        "loggers": {
            # Their own handlers would print a second time, or in another form.
            "django": {"level": "INFO", "handlers": []},
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            # Their lines hold addresses with tokens, or come every few seconds and say nothing.
            **{
                name: {"level": "WARNING"}
                for name in (
                    "httpx",
                    "httpcore",
                    "telegram",
                    "axes.apps",
                    "celery.app.trace",
                    "celery.worker.strategy",
                    "celery.beat",
                    "httpx2",
                    "httpcore2",
                    "openai",
                    "pymorphy3",
                    "celery.worker.consumer.connection",
                )
            },
            "kombu.connection": {"level": "ERROR"},  # warns that a folder has no host name
        },
    }
