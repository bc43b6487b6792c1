from __future__ import annotations

import json
import logging
import sys

import pytest

from warandpeace import logs

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.fixture
def secrets(settings, monkeypatch):
    settings.SECRET_KEY = "canary/secret+key"
    settings.OPENAI_API_KEY = "canary-openai"
    settings.GOOGLE_API_KEYS = ["canary-google-1", "canary-google-2"]
    settings.TELEGRAM_TOKENS = {"TELEGRAM_BOT_TOKEN": "canary-telegram"}
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "canary-database")
    logs._secrets.cache_clear()
    yield
    logs._secrets.cache_clear()


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    exception = sys.exc_info() if error else None
    return logging.LogRecord("articles.ingest", logging.INFO, "", 0, message, arguments, exception)


@pytest.mark.parametrize(
    "secret",
    [
        "canary/secret+key",
        "canary%2Fsecret%2Bkey",
        "canary-openai",
        "canary-google-2",
        "canary-telegram",
        "canary-database",
        TOKEN,
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
    ],
)
@pytest.mark.parametrize("formatter", [logs.Line(), logs.Json()])
def test_no_secret_is_logged(secrets, formatter, secret):
    line = formatter.format(record("sent %s away", secret))

    assert secret not in line
    assert TOKEN not in line
    assert logs.MASK in line


@pytest.mark.parametrize("formatter", [logs.Line(), logs.Json()])
def test_no_secret_is_logged_in_a_traceback(secrets, formatter):
    try:
        raise RuntimeError("refused canary-openai")
    except RuntimeError:
        line = formatter.format(record("failed", error=True))

    assert "RuntimeError: refused [secret]" in line


def test_an_address_keeps_its_user_but_not_its_password():
    assert logs.redact("redis://news:pass@host/0") == "redis://news:[secret]@host/0"


def test_ordinary_text_stays_as_it_is():
    text = "Порт увеличил перевалку: https://news.example/2026/11/22?page=2 (12:30)"

    assert logs.redact(text) == text


def test_a_json_line_names_what_it_belongs_to():
    token = logs.correlation_id.set("abc123")

    entry = json.loads(logs.Json().format(record("new=%d", 3)))

    logs.correlation_id.reset(token)
    assert entry["id"] == "abc123"
    assert entry["logger"] == "articles.ingest"
    assert entry["message"] == "new=3"


def test_a_message_of_several_lines_stays_one_line():
    assert "\n" not in logs.Line().format(record("first\nsecond"))


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="Set LOG_FORMAT to line or json"):
        logs.configuration("INFO", "xml")
