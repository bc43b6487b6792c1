"""Values to their canonical bytes, and between Python and SQLite.

The canonical form is the field format of PostgreSQL's binary COPY (documentation of COPY, "Binary Format", and the
types' `recv` functions): four bytes of length, or -1 for NULL, and the value.
"""

from __future__ import annotations

import ipaddress
import json
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from math import isfinite
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.jsonb import normal_json, parse_json

Encode = Callable[[Any], bytes]
Convert = Callable[[Any], Any]

NULL = struct.pack("!i", -1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.date().toordinal()
LONGEST_TEXT = 1 << 28  # bytes; PostgreSQL's own limit for a field is four times as much

_length = struct.Struct("!i").pack
_int2, _int4, _int8 = struct.Struct("!ih").pack, struct.Struct("!ii").pack, struct.Struct("!iq").pack
_bool, _float8 = struct.Struct("!i?").pack, struct.Struct("!id").pack


def field_bytes(data: bytes) -> bytes:
    return _length(len(data)) + data


class Utf8(bytes):
    """A long text as its bytes: to decode and encode it again would cost as much as all the rest of its row."""


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


def integer_encoder(pack: Callable[[int, int], bytes], size: int, *, signed: bool = True) -> Encode:
    def encode(value: int) -> bytes:
        if not isinstance(value, int) or (value < 0 and not signed):
            raise Unfit(f"is no {'whole' if signed else 'positive whole'} number")
        try:
            return pack(size, value)
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
    return _int8(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def encode_date(value: date) -> bytes:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Unfit("is no date")
    return _int4(4, value.toordinal() - EPOCH_DAY)


def encode_time(value: time) -> bytes:
    if not isinstance(value, time):
        raise Unfit("is no time of day")
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return _int8(8, seconds * 1_000_000 + value.microsecond)


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

    def encode(value: Decimal) -> bytes:
        scaled = rounded(value)
        rest, digits = abs(int(scaled.scaleb(shift, exact))), list[int]()
        while rest:
            rest, digit = divmod(rest, 10_000)
            digits.insert(0, digit)
        weight = len(digits) - groups_after_point - 1 if digits else 0
        while digits and not digits[-1]:
            digits.pop()
        sign = 0x4000 if digits and scaled < 0 else 0
        return field_bytes(struct.pack(f"!hhHH{len(digits)}h", len(digits), weight, sign, places, *digits))

    return encode


@dataclass(frozen=True)
class Codec:
    """How one column's values are encoded, and how they lie in a SQLite file of ours (None: as they are)."""

    encode: Encode
    from_sqlite: Convert | None = None
    to_sqlite: Convert | None = None


def _moment_from_sqlite(value: Any) -> Any:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else value
    except (TypeError, ValueError):
        moment = None
    if value is not None and moment is None:
        raise Unfit("is no moment in time")
    if not isinstance(moment, datetime):
        return moment  # the encoder says what is wrong with it
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _parser(parse: Callable[[str], Any], what: str) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value  # None, or parsed by Django's own connection already; anything else the encoder refuses
        try:
            parsed = parse(value)
        except (TypeError, ValueError, AttributeError):
            parsed = None
        if parsed is None:
            raise Unfit(f"is no {what}")
        return parsed

    return convert


def _decimal_from_sqlite(value: Any) -> Any:
    # SQLite keeps decimals as floating point numbers; 15 digits are those that survive it, as in Django's own backend.
    if isinstance(value, float):
        return Context(prec=15).create_decimal_from_float(value)
    return _DECIMAL(value)


def _to_decimal(value: str) -> Decimal:
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError from None


_DECIMAL = _parser(_to_decimal, "number")


def _boolean_from_sqlite(value: Any) -> Any:
    return bool(value) if value in {0, 1} else value


def _naive_utc(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


INTEGERS = {
    "AutoField": integer_encoder(_int4, 4),
    "BigAutoField": integer_encoder(_int8, 8),
    "SmallAutoField": integer_encoder(_int2, 2),
    "IntegerField": integer_encoder(_int4, 4),
    "BigIntegerField": integer_encoder(_int8, 8),
    "SmallIntegerField": integer_encoder(_int2, 2),
    "PositiveIntegerField": integer_encoder(_int4, 4, signed=False),
    "PositiveBigIntegerField": integer_encoder(_int8, 8, signed=False),
    "PositiveSmallIntegerField": integer_encoder(_int2, 2, signed=False),
}
OTHERS = {
    "BooleanField": Codec(encode_boolean, _boolean_from_sqlite, int),
    "FloatField": Codec(encode_float),
    "DateTimeField": Codec(encode_datetime, _moment_from_sqlite, _naive_utc),
    "DateField": Codec(encode_date, _parser(parse_date, "date"), str),
    "TimeField": Codec(encode_time, _parser(parse_time, "time of day"), str),
    "UUIDField": Codec(encode_uuid, _parser(uuid.UUID, "UUID"), lambda value: value.hex),
    "BinaryField": Codec(encode_binary),
    "JSONField": Codec(encode_json, lambda value: None if value is None else parse_json(value), normal_json),
    "GenericIPAddressField": Codec(encode_address, None, str),
}
TEXTS = {"CharField", "SlugField", "TextField", "FileField", "FilePathField"}


def codec_of(field: models.Field[Any, Any]) -> Codec:
    """How this column's values travel. Raises TypeError for a kind of field that has not been thought of."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    kind = field.get_internal_type()
    if field.primary_key and field.model._meta.auto_created:
        # The table of a many-to-many relation: migrations number it by the setting, whatever its app's default is.
        kind = settings.DEFAULT_AUTO_FIELD.rpartition(".")[2]
    if kind in INTEGERS:
        return Codec(INTEGERS[kind])
    if kind in TEXTS:
        return Codec(text_encoder(field.max_length if kind != "TextField" else None), None, text_of)
    if isinstance(field, models.DecimalField):
        rounded = rounder(field.max_digits, field.decimal_places)
        encode = decimal_encoder(field.max_digits, field.decimal_places)
        return Codec(encode, _decimal_from_sqlite, lambda value: str(rounded(value)))
    if kind not in OTHERS:
        raise TypeError(f"The transfer does not know how to carry a {kind} ({field}).")
    return OTHERS[kind]


def dump_original(values: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON with nothing lost: bytes, and text that is no valid UTF-8, in base64."""
    return {name: _original(value) for name, value in values.items()}


def _original(value: Any) -> Any:
    if isinstance(value, Utf8):
        return _original(value.decode("utf-8", "surrogateescape"))
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return _original(value.encode("utf-8", "surrogateescape"))
        return value if "\0" not in value else _original(value.encode())
    if isinstance(value, bytes | memoryview):
        return {"hex": bytes(value).hex()}
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    return json.loads(normal_json(value)) if isinstance(value, dict | list) else str(value)
