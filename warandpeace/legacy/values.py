"""What stands in one column of an old row, or of many: SQLite let anything into any of them."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any

from warandpeace.transfer.errors import Unfit

Old = dict[str, Any]
Columns = dict[str, Sequence[Any]]


def text(old: Old, name: str) -> str:
    """A text that may be missing; numbers that SQLite let in are taken as their digits. Raises Unfit for a BLOB."""
    value = old[name]
    if value is None:
        return ""
    if isinstance(value, bytes):
        raise Unfit(f"{name} is no text but bytes")
    return value if isinstance(value, str) else str(value)


def number(old: Old, name: str, otherwise: int = 0) -> int:
    """A whole number that may be missing. Raises Unfit."""
    value = old[name]
    if value is None:
        return otherwise
    if not isinstance(value, int):
        raise Unfit(f"{name} is no whole number")
    return value


def key(old: Old, name: str = "id") -> int:
    """The old row's own number. Raises Unfit for what can't be a primary key."""
    value = old[name]
    if not isinstance(value, int) or value < 1:
        raise Unfit(f"{name} is no positive whole number")
    return value


def demand(is_usual: bool) -> None:
    """Raise Unfit for a column in which anything is odd: then its rows are looked at one by one."""
    if not is_usual:
        raise Unfit("is not usual")


def texts(values: Sequence[Any]) -> list[str]:
    """Texts that may be missing. Raises Unfit."""
    demand({*map(type, values)} <= {str, NoneType})
    return [value or "" for value in values]


def numbers(values: Sequence[Any], otherwise: int = 0) -> Sequence[int]:
    """Whole numbers that may be missing. Raises Unfit."""
    types = {*map(type, values)}
    if types == {int}:
        return values
    demand(types <= {int, NoneType})
    return [otherwise if value is None else value for value in values]


def keys(values: Sequence[Any]) -> Sequence[int]:
    """The old rows' own numbers. Raises Unfit."""
    demand({*map(type, values)} == {int} and min(values) > 0)
    return values
