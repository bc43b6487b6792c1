"""How the values of each kind of column travel: their canonical bytes, and how they lie in a SQLite file of ours."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from warandpeace.transfer import encoding
from warandpeace.transfer.encoding import INT2, INT4, INT8, Encode, EncodeColumn
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.jsonb import normal_json, parse_json

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Codec:
    """How one column's values are encoded, and how they lie in a SQLite file of ours (None: as they are).

    `oid` is what PostgreSQL calls the type (src/include/catalog/pg_type.dat); a whole column of values without NULL
    may have a quicker way than one value after the other.
    """

    oid: int
    encode: Encode
    encode_column: EncodeColumn | None = None
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


def _json_from_sqlite(value: Any) -> Any:
    return None if value is None else parse_json(value)


def _naive_utc(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


def _integers(oid: int, pack: Callable[[int, int], bytes], size: int, *, signed: bool = True) -> Codec:
    one = encoding.integer_encoder(pack, size, signed=signed)
    return Codec(oid, one, encoding.integer_column_encoder(pack, size, signed=signed))


def _texts(oid: int, max_length: int | None) -> Codec:
    one, many = encoding.text_encoder(max_length), encoding.text_column_encoder(max_length)
    return Codec(oid, one, many, None, encoding.text_of)


INT2_OID, INT4_OID, INT8_OID, TEXT_OID, VARCHAR_OID, NUMERIC_OID = 21, 23, 20, 25, 1043, 1700
CODECS = {
    "AutoField": _integers(INT4_OID, INT4, 4),
    "BigAutoField": _integers(INT8_OID, INT8, 8),
    "SmallAutoField": _integers(INT2_OID, INT2, 2),
    "IntegerField": _integers(INT4_OID, INT4, 4),
    "BigIntegerField": _integers(INT8_OID, INT8, 8),
    "SmallIntegerField": _integers(INT2_OID, INT2, 2),
    "PositiveIntegerField": _integers(INT4_OID, INT4, 4, signed=False),
    "PositiveBigIntegerField": _integers(INT8_OID, INT8, 8, signed=False),
    "PositiveSmallIntegerField": _integers(INT2_OID, INT2, 2, signed=False),
    "BooleanField": Codec(16, encoding.encode_boolean, None, _boolean_from_sqlite, int),
    "FloatField": Codec(701, encoding.encode_float),
    "DateTimeField": Codec(
        1184, encoding.encode_datetime, encoding.encode_datetime_column, _moment_from_sqlite, _naive_utc
    ),
    "DateField": Codec(1082, encoding.encode_date, None, _parser(parse_date, "date"), str),
    "TimeField": Codec(1083, encoding.encode_time, None, _parser(parse_time, "time of day"), str),
    "UUIDField": Codec(2950, encoding.encode_uuid, None, _parser(uuid.UUID, "UUID"), lambda value: value.hex),
    "BinaryField": Codec(17, encoding.encode_binary),
    "JSONField": Codec(3802, encoding.encode_json, encoding.encode_json_column, _json_from_sqlite, normal_json),
    "GenericIPAddressField": Codec(869, encoding.encode_address, None, None, str),
}
SHORT_TEXTS = {"CharField", "SlugField", "FileField", "FilePathField"}


def codec_of(field: models.Field[Any, Any]) -> Codec:
    """How this column's values travel. Raises TypeError for a kind of field that has not been thought of."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    kind = field.get_internal_type()
    if field.primary_key and field.model._meta.auto_created:
        # The table of a many-to-many relation: migrations number it by the setting, whatever its app's default is.
        kind = settings.DEFAULT_AUTO_FIELD.rpartition(".")[2]
    if kind == "TextField":
        return _texts(TEXT_OID, None)
    if kind in SHORT_TEXTS:
        return _texts(VARCHAR_OID, field.max_length)
    if isinstance(field, models.DecimalField):
        rounded = encoding.rounder(field.max_digits, field.decimal_places)
        one = encoding.decimal_encoder(field.max_digits, field.decimal_places)
        return Codec(NUMERIC_OID, one, None, _decimal_from_sqlite, lambda value: str(rounded(value)))
    if kind not in CODECS:
        raise TypeError(f"The transfer does not know how to carry a {kind} ({field}).")
    return CODECS[kind]
