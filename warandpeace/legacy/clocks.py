"""The old bot's two clocks: `published_at` without an offset is the editors' local time, every other time is UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import TypeVar

from warandpeace.transfer.errors import Unfit

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Otherwise = TypeVar("Otherwise", datetime, None)
LENGTH_OF_DATE, LENGTH_OF_SECOND = len("2025-08-12"), len("2025-08-12 09:32:45")


def moment(value: object, name: str, naive: tzinfo = UTC) -> datetime:
    """A moment in time out of ISO text, with or without an offset. Raises Unfit, for wild years too."""
    if not isinstance(value, str):
        raise Unfit(f"{name} is no date but {type(value).__name__}")
    try:
        parsed = datetime.fromisoformat(value.strip())
        parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=naive)
        parsed = parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(f"{name} is no date: {value[:40]!r}") from None
    if not EARLIEST <= parsed <= LATEST:
        raise Unfit(f"{name} is not between {EARLIEST.year} and {LATEST.year}: {value[:40]!r}")
    return parsed


def moment_or(value: object, name: str, otherwise: Otherwise) -> datetime | Otherwise:
    """A moment in UTC, or something else where the old row says nothing. Raises Unfit."""
    return otherwise if value is None or value == "" else moment(value, name)


def moments(values: Sequence[object], name: str) -> list[datetime]:
    """`moment` for a whole column: quickly, where all of it is in UTC and says so. Raises Unfit."""
    try:
        parsed = list(map(datetime.fromisoformat, values))  # type: ignore[arg-type]
        if {each.tzinfo for each in parsed} == {UTC} and min(parsed) >= EARLIEST and max(parsed) <= LATEST:
            return parsed
    except (TypeError, ValueError):
        pass  # one by one, then
    return [moment(value, name) for value in values]


def moments_or(values: Sequence[object], name: str, otherwise: Sequence[datetime]) -> list[datetime]:
    """`moment_or` for a whole column: quickly, where all of it has the shape that SQLite's clock writes."""
    try:
        if set(map(len, values)) == {LENGTH_OF_SECOND}:  # type: ignore[arg-type]
            parsed = [datetime.fromisoformat(value + "+00:00") for value in values]  # type: ignore[operator]
            if min(parsed) >= EARLIEST and max(parsed) <= LATEST:
                return parsed
    except (TypeError, ValueError):
        pass  # one by one, then
    return [moment_or(value, name, other) for value, other in zip(values, otherwise, strict=True)]


def has_only_a_day(value: object) -> bool:
    return isinstance(value, str) and len(value.strip()) <= LENGTH_OF_DATE


def day(value: object, name: str) -> date:
    """A calendar day. Raises Unfit."""
    return moment(value, name).date()
