"""A table of today's schema as the transfer sees it: columns in a fixed order, the key first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, repeat
from operator import add, is_, itemgetter
from struct import Struct
from typing import Any, NamedTuple

from django.db import models
from django.db.models import NOT_PROVIDED

from warandpeace.transfer.batches import Batch, Row, digest
from warandpeace.transfer.codecs import Codec, codec_of
from warandpeace.transfer.encoding import NULL, long_texts
from warandpeace.transfer.errors import Unfit

_small_count, _count = Struct("!h").pack, Struct("!i").pack

Fields = Sequence[bytes] | bytes  # a column's fields; or the one that all rows have in common
BYTEA_OID, SHA256_BYTES = 17, 32
_SHA256 = _count(BYTEA_OID) + _count(SHA256_BYTES)


class Column(NamedTuple):
    """What COPY is sent of a column, and what `record_send` sees of it: the type's number and fields."""

    sent: tuple[Fields, ...]
    seen: tuple[Fields, ...]


@dataclass(frozen=True)
class Table:
    """`key` are the columns that name a row: the primary key, or a natural key where the database gives the number.

    `long` is a column of long texts: in what stands for a row's values it is represented by its own SHA-256.
    """

    model: type[models.Model]
    key: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    long: str = ""
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

    def pack(self, rows: Sequence[Row]) -> Batch:
        """Encode rows, column by column. Raises Unfit with the name of the first column that can't be held."""
        return self._packed(rows, list(zip(*rows, strict=True))) if rows else Batch()

    def pack_columns(self, columns: Mapping[str, Sequence[Any]], common: Mapping[str, Any]) -> Batch:
        """Encode rows that come by the column; `common` is what all of them share, and there is at least one row.

        All other columns get their field's constant default. Raises Unfit as `pack` does.
        """
        if unknown := {*columns, *common} - set(self.columns):
            raise KeyError(f"{self} has no {', '.join(sorted(unknown))}")
        count = len(next(iter(columns.values())))
        usual = zip(self.columns, self._usual, strict=True)
        whole = [columns.get(name) or [common.get(name, default)] * count for name, default in usual]
        return self._packed(list(zip(*whole, strict=True)), whole)

    def _packed(self, rows: Sequence[Row], whole: Sequence[Sequence[Any]]) -> Batch:
        try:
            columns = [self._column(place, values) for place, values in enumerate(whole)]
        except (Unfit, TypeError):
            for row in rows:
                self._blame(row)
            raise
        count, keys = len(rows), [fields for column in columns[: len(self.key)] for fields in column.sent]
        sent = [_small_count(len(columns)), *(fields for column in columns for fields in column.sent)]
        seen = [_count(len(columns)), *(fields for column in columns for fields in column.seen)]
        names = map(digest, map(b"".join, _by_row([self.name.encode(), *keys], count)))
        values = map(digest, map(b"".join, _by_row(seen, count)))
        data = b"".join(chain.from_iterable(_by_row(sent, count)))
        return Batch(list(rows), [data], list(map(add, names, values)))

    def _column(self, place: int, values: Sequence[Any]) -> Column:
        """Raises Unfit or TypeError."""
        if self.columns[place] == self.long:
            lengths, texts = long_texts(values)
            return Column((lengths, texts), (_SHA256, [text.sha256 for text in texts]))
        fields = self._encoded(place, values)
        return Column((fields,), (self._type_numbers[place], fields))

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


def _by_row(columns: Iterable[Fields], rows: int) -> Iterator[tuple[bytes, ...]]:
    """The columns' fields row by row; those that all rows have in common, together where they lie side by side."""
    pieces, common = list[Iterable[bytes]](), b""
    for column in columns:
        if isinstance(column, bytes):
            common += column
            continue
        pieces += [repeat(common), column] if common else [column]
        common = b""
    return zip(*pieces, repeat(common, rows))  # noqa: B905  what is in common repeats without an end


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
