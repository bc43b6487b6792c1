"""Replies that the real server rarely gives: what they prove."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from publishing import verdicts
from publishing.outcomes import NotSent, Refused, Unknown


def reply(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, reply(ok=False, error_code=400, description="Bad Request")),
        (400, reply(ok=False, error_code=500, description="Internal Server Error")),
        (403, b"<html>Forbidden by the proxy</html>"),
        (400, reply(error="not Telegram's form")),
        (200, reply(ok=True, result=True)),
        (200, reply(ok=True, result={"message_id": "7"})),
        (200, b""),
        (200, b"[]"),
        (200, b"\xff\xfe"),
    ],
)
def test_what_is_not_telegrams_own_word_proves_nothing(status: int, body: bytes) -> None:
    assert isinstance(verdicts.of_reply(status, body), Unknown)


def test_a_wait_is_bounded() -> None:
    body = reply(ok=False, error_code=429, description="Too Many Requests", parameters={"retry_after": 10**9})

    outcome = verdicts.of_reply(429, body)

    assert isinstance(outcome, NotSent)
    assert outcome.retry_after == timedelta(hours=24)


@pytest.mark.parametrize("status", [409, 429])
def test_a_wait_without_a_time_is_no_refusal(status: int) -> None:
    outcome = verdicts.of_reply(status, reply(ok=False, error_code=status, description="Later"))

    assert isinstance(outcome, NotSent)
    assert outcome.retry_after is None


@pytest.mark.parametrize("description", ["Bad Request: message text is empty", "Bad Request: message is too long"])
def test_what_is_about_the_message_is_refused(description: str) -> None:
    outcome = verdicts.of_reply(400, reply(ok=False, error_code=400, description=description))

    assert isinstance(outcome, Refused)


def test_a_bot_without_rights_pauses_the_channel() -> None:
    body = reply(ok=False, error_code=400, description="Bad Request: need administrator rights in the channel chat")

    outcome = verdicts.of_reply(400, body)

    assert isinstance(outcome, NotSent)
    assert outcome.pause


def test_a_failure_of_unknown_kind_proves_nothing() -> None:
    assert isinstance(verdicts.of_failure(None), Unknown)
