"""JSON as PostgreSQL's jsonb writes it: the same value has the same text wherever it was stored.

Keys are unique and sorted by the length of their UTF-8 and then by its bytes; numbers are exact decimals (src/backend/
utils/adt/jsonb_util.c, `lengthCompareJsonbStringValue`; jsonb.c, `JsonbToCString`).
"""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from warandpeace.transfer.errors import Unfit

DEEPEST = 200
GREATEST_EXPONENT = 1000


_decode = json.JSONDecoder(parse_float=Decimal).decode


def parse_json(text: str) -> Any:
    """The value of a JSON text, fractions as exact decimals. Raises Unfit."""
    try:
        return _decode(text)
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        raise Unfit("is no JSON") from None


def normal_json(value: Any) -> str:
    """The one text of a JSON value. Raises Unfit for what jsonb can't hold."""
    return _text(value, 0)


def _text(value: Any, depth: int) -> str:
    if depth > DEEPEST:
        raise Unfit("is nested too deeply")
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        pairs = sorted(((str(key), item) for key, item in value.items()), key=lambda pair: _rank(pair[0]))
        return "{" + ", ".join(f"{_string(key)}: {_text(item, depth + 1)}" for key, item in pairs) + "}"
    raise Unfit("is no JSON")


def _rank(key: str) -> tuple[int, bytes]:
    data = key.encode("utf-8", "surrogatepass")
    return len(data), data


def _string(value: str) -> str:
    if "\0" in value:
        raise Unfit("has a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unfit("is not valid UTF-8") from None
    return encode_basestring(value)


def _number(value: float | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if not exact.is_finite() or abs(exact.adjusted()) > GREATEST_EXPONENT:
        raise Unfit("has a number that JSON can't hold")
    return format(exact if exact else abs(exact), "f")
