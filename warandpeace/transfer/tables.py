"""A table of today's schema as the transfer sees it: columns in a fixed order, the key first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from itertools import repeat
from operator import is_, itemgetter
from struct import Struct
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models
from django.db.models import NOT_PROVIDED

from warandpeace.transfer.codecs import Codec, codec_of
from warandpeace.transfer.encoding import NULL
from warandpeace.transfer.errors import Unfit

DIGEST_BYTES = 8
_small_count, _count = Struct("!h").pack, Struct("!i").pack

Row = tuple[Any, ...]
Fields = list[bytes] | bytes  # a column's fields; or the one that all rows have in common


class Packed(NamedTuple):
    """One row on its way: its values, how they are sent to COPY, its key's fields, and what stands for its values.

    `digest` is made of the row's canonical bytes: what PostgreSQL's `record_send` gives for it, which is the same but
    for the types' numbers. So a server can make it without the row being read back.
    """

    row: Row
    data: bytes | memoryview
    key: bytes
    digest: bytes


def digest(canonical: bytes) -> bytes:
    return sha256(canonical).digest()[:DIGEST_BYTES]


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
    def _type_numbers(self) -> list[bytes]:
        return [_count(codec.oid) for codec in self.codecs]

    @cached_property
    def _nullable(self) -> list[bool]:
        return [each.null for each in self.fields.values()]

    @cached_property
    def _usual(self) -> list[Any]:
        return [default for _, default in self._defaults]

    @cached_property
    def _defaults(self) -> tuple[tuple[str, Any], ...]:
        return tuple((name, _default(each)) for name, each in self.fields.items())

    def row(self, values: dict[str, Any]) -> Row:
        """The values in the order of the columns; a column that isn't named gets its field's constant default."""
        return self.maker(*values)(*values.values())

    def maker(self, *names: str) -> Callable[..., Row]:
        """What makes rows of these columns' values, quickly; all other columns get their field's constant default."""
        if (made := self._makers.get(names)) is None:
            places = {name: len(self.columns) + place for place, name in enumerate(names)}
            pick = itemgetter(*(places.pop(name, place) for place, name in enumerate(self.columns)))
            if places:
                raise KeyError(f"{self} has no {', '.join(places)}")
            usual = tuple(self._usual)

            def made(*values: Any) -> Row:
                row: Row = pick(usual + values)
                return row

            self._makers[names] = made
        return made

    @cached_property
    def _makers(self) -> dict[tuple[str, ...], Callable[..., Row]]:
        return {}

    def pack(self, row: Row) -> Packed:
        """Encode a row. Raises Unfit with the name of the column that can't be held."""
        return self.pack_all([row])[0]

    def pack_all(self, rows: Sequence[Row]) -> list[Packed]:
        """Encode rows, column by column. Raises Unfit with the name of the first column that can't be held."""
        return self._packed(rows, list(zip(*rows, strict=True))) if rows else []

    def pack_columns(self, columns: Mapping[str, Sequence[Any]], common: Mapping[str, Any]) -> list[Packed]:
        """Encode rows that come by the column; `common` is what all of them share, and there is at least one row.

        All other columns get their field's constant default. Raises Unfit as `pack_all` does.
        """
        if unknown := {*columns, *common} - set(self.columns):
            raise KeyError(f"{self} has no {', '.join(sorted(unknown))}")
        count = len(next(iter(columns.values())))
        usual = zip(self.columns, self._usual, strict=True)
        whole = [columns.get(name) or [common.get(name, default)] * count for name, default in usual]
        return self._packed(list(zip(*whole, strict=True)), whole)

    def _packed(self, rows: Sequence[Row], whole: Sequence[Sequence[Any]]) -> list[Packed]:
        try:
            columns = [self._encoded(place, values) for place, values in enumerate(whole)]
        except (Unfit, TypeError):
            for row in rows:
                self._blame(row)
            raise
        head, width = _count(len(columns)), len(self.key)
        canonical = [part for pair in zip(self._type_numbers, columns, strict=True) for part in pair]
        return [
            Packed(row, data, key, digest(whole))
            for row, data, key, whole in zip(
                rows,
                _together([_small_count(len(columns)), *columns], len(rows)),
                _together(columns[:width], len(rows)),
                _together([head, *canonical], len(rows)),
                strict=True,
            )
        ]

    def _encoded(self, place: int, values: Sequence[Any]) -> Fields:
        """One column. Raises Unfit or TypeError."""
        if all(map(is_, values, repeat(values[0]))):
            return self._encoded_one_by_one(place, values[:1])[0]
        many = self.codecs[place].encode_column
        try:
            if many is not None and None not in values:
                return many(values)
        except (Unfit, TypeError):
            pass  # one of them will say what is wrong with it
        return self._encoded_one_by_one(place, values)

    def _encoded_one_by_one(self, place: int, values: Sequence[Any]) -> list[bytes]:
        encode = self.codecs[place].encode
        if not self._nullable[place] and None in values:
            raise Unfit("is empty")
        return [NULL if value is None else encode(value) for value in values]

    def _blame(self, row: Row) -> None:
        """Raise Unfit with the name of the first column that is wrong, if any is."""
        for value, (name, each), codec in zip(row, self.fields.items(), self.codecs, strict=True):
            try:
                if value is not None:
                    codec.encode(value)
                elif not each.null:
                    raise Unfit("is empty")
            except Unfit as reason:
                raise Unfit(f"{name} {reason}") from None


def _together(columns: Sequence[Fields], rows: int) -> Iterable[bytes]:
    """The columns' fields row by row, each row in one piece."""
    if all(isinstance(column, bytes) for column in columns):
        return repeat(b"".join(columns), rows)  # type: ignore[arg-type]
    return map(b"".join, zip(*_pieces(columns)))  # noqa: B905  what all rows have in common repeats without an end


def _pieces(columns: Sequence[Fields]) -> Iterator[Iterable[bytes]]:
    """The columns, those together that are the same in all rows."""
    common = b""
    for column in columns:
        if isinstance(column, bytes):
            common += column
            continue
        if common:
            yield repeat(common)
            common = b""
        yield column
    if common:
        yield repeat(common)


def _default(each: models.Field[Any, Any]) -> Any:
    """A constant that stands for "nothing said": never the time of day, which would differ in the next run."""
    if isinstance(each, models.BinaryField):
        return b""
    if each.default is NOT_PROVIDED and each.db_default is not NOT_PROVIDED:
        return getattr(each.db_default, "value", each.db_default)
    if each.default is NOT_PROVIDED:
        return "" if each.empty_strings_allowed and not each.null else None
    if callable(each.default):
        return each.default() if each.default in {list, dict} else None
    return each.default


@cache
def named_table(label: str, key: tuple[str, ...], without: tuple[str, ...]) -> Table:
    return Table(apps.get_model(label), key, without)
