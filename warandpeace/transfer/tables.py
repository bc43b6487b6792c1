"""A table of today's schema as the transfer sees it: columns in a fixed order, the key first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from struct import Struct
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models
from django.db.models import NOT_PROVIDED

from warandpeace.transfer.codecs import NULL, Codec, Encode, codec_of
from warandpeace.transfer.errors import Unfit

DIGEST_BYTES = 8
_length_at = Struct("!i").unpack_from
_count = Struct("!h").pack

Row = tuple[Any, ...]


class Packed(NamedTuple):
    """One row on its way: its values, their canonical bytes, and the part of those that is its key."""

    row: Row
    data: bytes
    key: bytes

    @property
    def digest(self) -> bytes:
        return digest(self.data)


def digest(data: bytes) -> bytes:
    return sha256(data).digest()[:DIGEST_BYTES]


@dataclass(frozen=True)
class Table:
    """`key` are the columns that name a row: the primary key, or a natural key where the database gives the number."""

    model: type[models.Model]
    key: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    fields: dict[str, models.Field[Any, Any]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        meta = self.model._meta
        key = self.key or (meta.pk.column,)
        concrete = {
            each.column: each
            for each in meta.concrete_fields
            if not getattr(each, "generated", False) and each.column not in self.without
        }
        ordered = {name: concrete.pop(name) for name in key} | concrete
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "fields", ordered)

    def __str__(self) -> str:
        return self.model._meta.db_table

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process a table goes by its model's name."""
        return named_table, (self.model._meta.label, self.key, self.without)

    @cached_property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.fields)

    @cached_property
    def codecs(self) -> tuple[Codec, ...]:
        return tuple(codec_of(each) for each in self.fields.values())

    @cached_property
    def parents(self) -> tuple[tuple[int, type[models.Model]], ...]:
        """Which columns point to which other rows of ours."""
        return tuple(
            (place, each.related_model)
            for place, each in enumerate(self.fields.values())
            if isinstance(each, models.ForeignKey) and not isinstance(each.related_model, str)
        )

    @cached_property
    def _encoders(self) -> tuple[tuple[Encode, Any, Any, Any], ...]:
        """How each column is encoded; its default and its bytes, for most columns hold nothing else; and its NULL.

        A column that must not be NULL has None there, which no row can be put together with.
        """
        encoders = []
        for each, codec, usual in zip(self.fields.values(), self.codecs, self._usual, strict=True):
            null = NULL if each.null else None
            encoders.append((codec.encode, usual, null if usual is None else codec.encode(usual), null))
        return tuple(encoders)

    @cached_property
    def _head(self) -> bytes:
        return _count(len(self.columns))

    @cached_property
    def _usual(self) -> list[Any]:
        return [default for _, default in self._defaults]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns)}

    @cached_property
    def _defaults(self) -> tuple[tuple[str, Any], ...]:
        return tuple((name, _default(each)) for name, each in self.fields.items())

    def row(self, values: dict[str, Any]) -> Row:
        """The values in the order of the columns; a column that isn't named gets its field's constant default."""
        row = self._usual.copy()
        for name, value in values.items():
            row[self._places[name]] = value
        return tuple(row)

    def pack(self, row: Row) -> Packed:
        """Encode a row. Raises Unfit with the name of the column that can't be held."""
        try:
            parts = [
                ready if value is usual else null if value is None else encode(value)
                for value, (encode, usual, ready, null) in zip(row, self._encoders, strict=True)
            ]
            data = b"".join([self._head, *parts])
        except (Unfit, TypeError):
            self._blame(row)
            raise
        key = parts[0] if len(self.key) == 1 else b"".join(parts[: len(self.key)])
        return Packed(row, data, key)

    def key_of(self, data: bytes) -> bytes:
        """The key inside of a row's canonical bytes."""
        end = 2
        for _ in self.key:
            end += 4 + max(_length_at(data, end)[0], 0)
        return data[2:end]

    def _blame(self, row: Row) -> None:
        """Raise Unfit with the name of the first column that is wrong."""
        for value, (name, each), codec in zip(row, self.fields.items(), self.codecs, strict=True):
            try:
                if value is not None:
                    codec.encode(value)
                elif not each.null:
                    raise Unfit("is empty")
            except Unfit as reason:
                raise Unfit(f"{name} {reason}") from None


def _default(each: models.Field[Any, Any]) -> Any:
    """A constant that stands for "nothing said": never the time of day, which would differ in the next run."""
    if isinstance(each, models.BinaryField):
        return b""
    if each.default is NOT_PROVIDED:
        return "" if each.empty_strings_allowed and not each.null else None
    if callable(each.default):
        return each.default() if each.default in {list, dict} else None
    return each.default


@cache
def named_table(label: str, key: tuple[str, ...], without: tuple[str, ...]) -> Table:
    return Table(apps.get_model(label), key, without)
