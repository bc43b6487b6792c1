"""What the old bot measured: calls to paid APIs, their daily sums, its own sessions and their statistics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

from usage.models import ApiUsageDaily, ApiUsageEvent, ProcessSession, SessionStatsDaily
from warandpeace.legacy import clocks
from warandpeace.legacy.family_stream import FamilyStream
from warandpeace.legacy.stream import ColumnStream, New, RowStream
from warandpeace.legacy.values import Columns, Old, demand, key, keys, number, numbers, text, texts
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.jsonb import parse_json
from warandpeace.transfer.tables import Table

SUCCEEDED, FAILED = ApiUsageEvent.State.SUCCEEDED.value, ApiUsageEvent.State.FAILED.value
EVENT, SESSION, STATISTICS = Table(ApiUsageEvent), Table(ProcessSession), Table(SessionStatsDaily)
# The old file knows no numbers for these rows: the database gives them, and the natural key names the row.
DAILY = Table(ApiUsageDaily, key=("day", "provider", "model", "api_key_hash"), without=("id",))


def money(old: Old, name: str) -> Decimal:
    """US dollars out of SQLite's floating point. Raises Unfit."""
    value = old[name]
    if value is None:
        return Decimal(0)
    if not isinstance(value, int | float):
        raise Unfit(f"{name} is no number")
    return Decimal(repr(value))


def moneys(values: Sequence[object]) -> list[Decimal]:
    """`money` for a whole column. Raises Unfit."""
    demand({*map(type, values)} <= {float, int, NoneType})
    return [Decimal(repr(value or 0)) for value in values]


class UsageEvents(ColumnStream):
    name = "api_usage_events"
    main = EVENT
    targets = (EVENT,)
    dated = "started_at"
    day_in = "ts_utc"
    old_columns = (
        "id",
        "ts_utc",
        "provider",
        "model",
        "api_key_hash",
        "endpoint",
        "req_count",
        "success",
        "http_status",
        "latency_ms",
        "tokens_in",
        "tokens_out",
        "cost_usd",
        "error_code",
        "extra_json",
    )

    def convert(self, old: Old) -> New:
        values = {
            "id": key(old),
            "started_at": clocks.moment(old["ts_utc"], "ts_utc"),
            "state": SUCCEEDED if number(old, "success") else FAILED,
            "provider": text(old, "provider"),
            "model": text(old, "model"),
            "api_key_hash": text(old, "api_key_hash"),
            "endpoint": text(old, "endpoint"),
            "requests": number(old, "req_count", 1),
            "http_status": old["http_status"],
            "latency_ms": old["latency_ms"],
            "tokens_in": number(old, "tokens_in"),
            "tokens_out": number(old, "tokens_out"),
            "cost_usd": money(old, "cost_usd"),
            "error_code": text(old, "error_code"),
            "extra": extra_of(text(old, "extra_json")),
        }
        return [(EVENT, EVENT.row(values))]

    def convert_columns(self, old: Columns) -> Columns:
        return {
            "id": keys(old["id"]),
            "started_at": clocks.moments(old["ts_utc"], "ts_utc"),
            "state": [SUCCEEDED if succeeded else FAILED for succeeded in numbers(old["success"])],
            "provider": texts(old["provider"]),
            "model": texts(old["model"]),
            "api_key_hash": texts(old["api_key_hash"]),
            "endpoint": texts(old["endpoint"]),
            "requests": numbers(old["req_count"], 1),
            "http_status": old["http_status"],
            "latency_ms": old["latency_ms"],
            "tokens_in": numbers(old["tokens_in"]),
            "tokens_out": numbers(old["tokens_out"]),
            "cost_usd": moneys(old["cost_usd"]),
            "error_code": texts(old["error_code"]),
            "extra": list(map(extra_of, texts(old["extra_json"]))),
        }


def extra_of(written: str) -> dict[str, Any]:
    """The event's further facts, if there are any; a text that is no JSON object is kept as `text` in one."""
    if not written:
        return {}
    try:
        value = parse_json(written)
    except Unfit:
        value = written
    return value if isinstance(value, dict) else {"text": written}


@dataclass(frozen=True)
class Daily:
    """The sums of one day, provider, model and key."""

    id: int
    day: date
    provider: str
    model: str
    api_key_hash: str
    requests: int
    successes: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ms: int

    def plus(self, other: Daily) -> Daily:
        sums = ("requests", "successes", "tokens_in", "tokens_out", "cost_usd", "latency_ms")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in sums})


class DailyUsage(FamilyStream[Daily]):
    """SQLite lets NULL into a primary key and repeats such rows; each is a part of the sum, counted once."""

    name = "api_usage_daily"
    main = DAILY
    targets = (DAILY,)
    dated = "day"
    key_columns = ("day_utc", "provider", "model", "api_key_hash")
    old_columns = (
        *key_columns,
        "req_count",
        "success_count",
        "tokens_in_total",
        "tokens_out_total",
        "cost_usd_total",
        "latency_ms_sum",
    )

    def family_key(self, old: Old) -> str:
        day = clocks.day(old["day_utc"], "day_utc").isoformat()
        return json.dumps([day, text(old, "provider"), text(old, "model"), text(old, "api_key_hash")])

    def understood(self, old: Old) -> Daily:
        return Daily(
            id=old["rowid"],
            day=clocks.day(old["day_utc"], "day_utc"),
            provider=text(old, "provider"),
            model=text(old, "model"),
            api_key_hash=text(old, "api_key_hash"),
            requests=number(old, "req_count"),
            successes=number(old, "success_count"),
            tokens_in=number(old, "tokens_in_total"),
            tokens_out=number(old, "tokens_out_total"),
            cost_usd=money(old, "cost_usd_total"),
            latency_ms=number(old, "latency_ms_sum"),
        )

    def united(self, members: list[Daily]) -> Iterator[tuple[Daily, list[Daily]]]:
        if members:
            total = members[0]
            for other in members[1:]:
                total = total.plus(other)
            yield total, members[1:]

    def today(self, daily: Daily) -> New:
        yield DAILY, DAILY.row({name: getattr(daily, name) for name in DAILY.columns})


class Sessions(RowStream):
    name = "sessions"
    main = SESSION
    targets = (SESSION,)
    dated = "started_at"
    old_columns = ("session_id", "started_at_utc", "ended_at_utc", "git_sha", "container_id", "notes")

    def convert(self, old: Old) -> New:
        try:
            session_id = UUID(text(old, "session_id"))
        except ValueError:
            raise Unfit("session_id is no UUID") from None
        started = clocks.moment(old["started_at_utc"], "started_at_utc")
        ended = clocks.moment_or(old["ended_at_utc"], "ended_at_utc", None) if old["ended_at_utc"] else None
        values = {
            "session_id": session_id,
            "role": "legacy",
            "started_at": started,
            "ended_at": ended,
            "git_sha": text(old, "git_sha"),
            "container_id": text(old, "container_id"),
            "notes": text(old, "notes"),
        }
        return [(SESSION, SESSION.row(values))]


class SessionStatistics(RowStream):
    name = "session_stats_daily"
    main = STATISTICS
    targets = (STATISTICS,)
    dated = "day"
    old_columns = (
        "day_utc",
        "http_requests_total",
        "articles_processed_total",
        "tokens_in_total",
        "tokens_out_total",
        "updated_at",
    )

    def convert(self, old: Old) -> New:
        midnight = clocks.moment(old["day_utc"], "day_utc")
        values = {
            "day": midnight.date(),
            "http_requests": number(old, "http_requests_total"),
            "articles_processed": number(old, "articles_processed_total"),
            "tokens_in": number(old, "tokens_in_total"),
            "tokens_out": number(old, "tokens_out_total"),
            "updated_at": clocks.moment_or(old["updated_at"], "updated_at", midnight),
        }
        return [(STATISTICS, STATISTICS.row(values))]
