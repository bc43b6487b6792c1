"""Values to their canonical bytes, one by one and by the column.

The canonical form of a value is its field in PostgreSQL's binary COPY (documentation of COPY, "Binary Format", and the
types' `recv` functions): four bytes of length, or -1 for NULL, and the value. Every kind of value has an encoder that
raises Unfit with what is wrong with it. The common ones are also encoded a whole column at a time, by functions that
are all C inside: that is several times as fast, and where anything is odd it raises, and the rows go one by one.
"""

from __future__ import annotations

import ipaddress
import struct
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import repeat
from operator import add, floordiv, sub
from typing import Any

from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.jsonb import normal_json

Encode = Callable[[Any], bytes]
EncodeColumn = Callable[[Sequence[Any]], list[bytes]]

NULL = struct.pack("!i", -1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.date().toordinal()
MICROSECOND = timedelta(microseconds=1)
DIFFERENT_NUMBERS = 4096  # decimals that are remembered: what a call costs is one of few sums
LONGEST_TEXT = 1 << 28  # bytes; PostgreSQL's own limit for a field is four times as much

_length = struct.Struct("!i").pack
INT2, INT4, INT8 = struct.Struct("!ih").pack, struct.Struct("!ii").pack, struct.Struct("!iq").pack
_bool, _float8 = struct.Struct("!i?").pack, struct.Struct("!id").pack


def field_bytes(data: bytes) -> bytes:
    return _length(len(data)) + data


class Utf8(bytes):
    """A long text as its bytes: to decode and encode it again would cost as much as all the rest of its row."""

    @cached_property
    def sha256(self) -> bytes:
        return sha256(self).digest()


def decoded(data: bytes) -> str:
    """The text of UTF-8. Raises Unfit."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unfit("is not valid UTF-8") from None


def text_of(value: Any) -> Any:
    return decoded(value) if isinstance(value, Utf8) else value


def text_encoder(max_length: int | None) -> Encode:
    longest = max_length or LONGEST_TEXT

    def encode(value: str | Utf8) -> bytes:
        try:
            data = value if isinstance(value, Utf8) else value.encode()
        except AttributeError:
            raise Unfit(f"is no text but {type(value).__name__}") from None
        except UnicodeEncodeError:
            raise Unfit("is not valid UTF-8") from None
        if b"\0" in data:
            raise Unfit("has a NUL character")
        if len(value if value is not data else decoded(data)) > longest:
            raise Unfit(f"is longer than {longest} characters")
        return _length(len(data)) + data

    return encode


def text_column_encoder(max_length: int | None) -> EncodeColumn:
    longest = max_length or LONGEST_TEXT

    def encode(values: Sequence[str]) -> list[bytes]:
        if max(map(len, values)) > longest:
            raise Unfit("is too long")
        encoded = _all_encoded(values)
        if b"\0" in b"".join(encoded):
            raise Unfit("has a NUL character")
        return list(map(add, map(_length, map(len, encoded)), encoded))

    return encode


def long_texts(values: Sequence[str | Utf8]) -> tuple[list[bytes], list[Utf8]]:
    """Texts with their lengths beside them: they are too large to be copied once more than needed. Raises Unfit."""
    texts = [value if isinstance(value, Utf8) else Utf8(_all_encoded([value])[0]) for value in values]
    for text in texts:  # one by one: together they would not fit into the processor's cache
        if len(decoded(text)) > LONGEST_TEXT or text.find(0) >= 0:
            raise Unfit("is too long or has a NUL character")
    return list(map(_length, map(len, texts))), texts


def _all_encoded(values: Sequence[Any]) -> list[bytes]:
    try:
        return list(map(str.encode, values))
    except (TypeError, UnicodeEncodeError):
        raise Unfit("is no text") from None


def integer_encoder(pack: Callable[[int, int], bytes], size: int, *, signed: bool = True) -> Encode:
    def encode(value: int) -> bytes:
        if not isinstance(value, int) or (value < 0 and not signed):
            raise Unfit(f"is no {'whole' if signed else 'positive whole'} number")
        try:
            return pack(size, value)
        except struct.error:
            raise Unfit("is out of range") from None

    return encode


def integer_column_encoder(pack: Callable[[int, int], bytes], size: int, *, signed: bool = True) -> EncodeColumn:
    def encode(values: Sequence[int]) -> list[bytes]:
        if set(map(type, values)) != {int} or (not signed and min(values) < 0):
            raise Unfit("is no whole number")
        try:
            return list(map(pack, repeat(size), values))
        except struct.error:
            raise Unfit("is out of range") from None

    return encode


def encode_boolean(value: bool) -> bytes:
    if not isinstance(value, bool):
        raise Unfit("is neither true nor false")
    return _bool(1, value)


def encode_float(value: float) -> bytes:
    if not isinstance(value, int | float):
        raise Unfit("is no number")
    return _float8(8, value)


def encode_datetime(value: datetime) -> bytes:
    try:
        since = value - EPOCH
    except (TypeError, OverflowError):
        raise Unfit("is no moment in time") from None
    return INT8(8, since // MICROSECOND)


def encode_datetime_column(values: Sequence[datetime]) -> list[bytes]:
    try:
        since = map(floordiv, map(sub, values, repeat(EPOCH)), repeat(MICROSECOND))
        return list(map(INT8, repeat(8), since))
    except (TypeError, OverflowError):
        raise Unfit("is no moment in time") from None


def encode_date(value: date) -> bytes:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Unfit("is no date")
    return INT4(4, value.toordinal() - EPOCH_DAY)


def encode_time(value: time) -> bytes:
    if not isinstance(value, time):
        raise Unfit("is no time of day")
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return INT8(8, seconds * 1_000_000 + value.microsecond)


def encode_uuid(value: uuid.UUID) -> bytes:
    if not isinstance(value, uuid.UUID):
        raise Unfit("is no UUID")
    return field_bytes(value.bytes)


def encode_binary(value: bytes) -> bytes:
    if not isinstance(value, bytes | memoryview | bytearray):
        raise Unfit("is no sequence of bytes")
    return field_bytes(bytes(value))


def encode_json(value: object) -> bytes:
    return field_bytes(b"\x01" + normal_json(value).encode())


EMPTY_OBJECT = encode_json({})


def encode_json_column(values: Sequence[object]) -> list[bytes]:
    return [EMPTY_OBJECT if value == {} else encode_json(value) for value in values]  # most have nothing to say


def encode_address(value: str) -> bytes:
    """An IP address as `inet`: family, prefix, no CIDR, length, bytes."""
    try:
        address = ipaddress.ip_address(str(value).partition("/")[0])
    except ValueError:
        raise Unfit("is no IP address") from None
    packed = address.packed  # the families are 2 and 3, half of the versions
    return field_bytes(bytes([address.version // 2, address.max_prefixlen, 0, len(packed)]) + packed)


def rounder(max_digits: int, places: int) -> Callable[[Any], Decimal]:
    context, step = Context(prec=max_digits), Decimal(1).scaleb(-places)

    def rounded(value: Any) -> Decimal:
        try:
            return Decimal(value).quantize(step, context=context)
        except (ArithmeticError, TypeError, ValueError):
            raise Unfit(f"is no number of at most {max_digits} digits") from None

    return rounded


def decimal_encoder(max_digits: int, places: int) -> Encode:
    """`numeric`: digits to the base of 10,000 with the weight of the first one, and the column's scale."""
    groups_after_point = -(-places // 4)
    rounded, shift, exact = rounder(max_digits, places), groups_after_point * 4, Context(prec=80)

    @lru_cache(DIFFERENT_NUMBERS)
    def numeric(whole: int) -> bytes:
        rest, digits = abs(whole), list[int]()
        while rest:
            rest, digit = divmod(rest, 10_000)
            digits.insert(0, digit)
        weight = len(digits) - groups_after_point - 1 if digits else 0
        while digits and not digits[-1]:
            digits.pop()
        sign = 0x4000 if whole < 0 else 0
        return field_bytes(struct.pack(f"!hhHH{len(digits)}h", len(digits), weight, sign, places, *digits))

    def encode(value: Decimal) -> bytes:
        return numeric(int(rounded(value).scaleb(shift, exact)))

    return encode
