"""The proof: what is in the target, read back on another connection, is what the source became."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.utils import timezone

from warandpeace.transfer.batches import Batch, Mark, Marks, Row, checksum_of, digest_in, name_in, unpack_marks
from warandpeace.transfer.blocks import Block, Stream
from warandpeace.transfer.models import Transfer, TransferBlock
from warandpeace.transfer.reconcile import CHANGED_HERE, Written
from warandpeace.transfer.scope import BEFORE
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target

MOST_NAMED = 100  # differing rows that a report names


@dataclass
class Proved:
    """What became of a block, and what its proof found: `differing` rows are not what they should be."""

    stream: str
    read: int
    transferred: int
    merged: int
    quarantined: int
    skipped: Counter[str]
    kept: Counter[str]
    corrected: int
    checksum: str
    differing_count: int = 0
    differing: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, block: Block, checksum: str, wrong: list[str]) -> Proved:
        counts = (block.read, block.transferred, len(block.merged), block.lost, block.skipped, block.kept)
        return cls(block.stream, *counts, block.corrected, checksum, len(wrong), wrong[:MOST_NAMED])


def prove(target: Target, written: Written) -> Proved:
    """Compare a block that has just been written, or was found unchanged, with the target.

    A row that differs in a block that was proved by an earlier run has been changed here since, which is allowed.
    """
    differing = list[str]()
    for table, batch in written.block.rows.items():
        wrong = [place for place in _differing(target, table, batch) if batch.marks[place] not in written.kept]
        if written.was_proved:
            written.block.kept[CHANGED_HERE] += len(wrong)
        else:
            differing += [_named(table, batch.rows[place]) for place in wrong]
    return Proved.of(written.block, checksum_of(written.block.marks), differing)


def _differing(target: Target, table: Table, batch: Batch) -> list[int]:
    """The rows that are not there as they should be: looked for one by one only where the checksum of all differs."""
    if not batch or target.checksum(table, batch.rows) == batch.checksum():
        return []
    found = target.digests(table, batch.rows)
    return [place for place, there in enumerate(found) if there != digest_in(batch.marks[place])]


def _named(table: Table, row: Row) -> str:
    return f"{table} " + "/".join(str(value) for value in row[: len(table.key)])


class Verifier:
    """`--verify-only`: the source converted once more, compared with the target; nothing is written."""

    def __init__(self, target: Target, run: Transfer) -> None:
        self.target = target
        self.blocks = TransferBlock.objects.using(target.alias).filter(origin=run.origin)

    def verify(self, block: Block) -> Proved:
        """Rows that bear the trace of a later change here are counted as such; all others must be equal."""
        checksum = checksum_of(block.marks)
        stored = self.blocks.filter(stream=block.stream, cell=block.cell).first()
        differing = list[str]()
        written = unpack_marks(bytes(stored.marks)) if stored else {}
        for table, batch in block.rows.items():
            wrong = [(batch.rows[place], batch.marks[place]) for place in _differing(self.target, table, batch)]
            if wrong and stored:
                self._excuse(block, table, wrong, written, stored)
            differing += [_named(table, row) for row, _ in wrong]
        return Proved.of(block, checksum, differing)

    def _excuse(
        self, block: Block, table: Table, wrong: list[tuple[Row, Mark]], written: Marks, stored: TransferBlock
    ) -> None:
        """Take out of `wrong` what was changed here after the transfer, and what the database had refused."""
        later = self._changed_later(table, [row[0] for row, _ in wrong], stored.written_at)
        for row, mark in list(wrong):
            if row[0] in later:
                block.kept[CHANGED_HERE] += 1
                wrong.remove((row, mark))
            elif name_in(mark) not in written and stored.quarantined > block.lost:
                block.transferred -= 1
                block.quarantine(row[0], "the database refuses it", dict(zip(table.columns, row, strict=True)))
                wrong.remove((row, mark))

    def _changed_later(self, table: Table, keys: list[Any], since: datetime) -> set[Any]:
        if len(table.key) > 1:
            return set()
        model, later = table.model, set[Any]()
        rows: QuerySet[Any] = model._base_manager.using(self.target.alias).filter(pk__in=keys)
        for name in ("updated_at", "edited_at"):
            try:
                model._meta.get_field(name)
            except FieldDoesNotExist:
                continue
            later |= set(rows.filter(**{f"{name}__gt": since}).values_list("pk", flat=True))
        history = getattr(model, "history", None)
        if history is not None:
            versions = history.using(self.target.alias).filter(history_date__gt=since)
            attribute = model._meta.pk.attname
            later |= set(versions.filter(**{f"{attribute}__in": keys}).values_list(attribute, flat=True))
        return later


@dataclass
class Account:
    """What became of one table of the source."""

    name: str
    count: int
    is_limited: bool = False
    passed_over: int = 0
    read: int = 0
    transferred: int = 0
    merged: int = 0
    quarantined: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    corrected: int = 0
    blocks: int = 0
    differing: list[str] = field(default_factory=list)
    differing_count: int = 0
    _hash: Any = field(default_factory=sha256)

    def add(self, proved: Proved) -> None:
        self.blocks += 1
        self.read += proved.read
        self.transferred += proved.transferred
        self.merged += proved.merged
        self.quarantined += proved.quarantined
        self.skipped += proved.skipped
        self.kept += proved.kept
        self.corrected += proved.corrected
        self.differing_count += proved.differing_count
        self.differing += proved.differing[: MOST_NAMED - len(self.differing)]
        self._hash.update(proved.checksum.encode())

    @property
    def beyond(self) -> int:
        """Rows that were never read because of --limit."""
        return self.count - self.read - self.passed_over if self.is_limited else 0

    @property
    def balance(self) -> int:
        """The source's rows that nobody has accounted for; 0 in a sound transfer."""
        return self.count - self.transferred - self.merged - self.quarantined - self.skipped.total() - self.beyond

    @property
    def holds(self) -> bool:
        return self.balance == 0 and self.differing_count == 0

    def as_json(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "transferred": self.transferred,
            "merged": self.merged,
            "quarantined": self.quarantined,
            "skipped": dict(self.skipped) | ({"beyond --limit": self.beyond} if self.beyond else {}),
            "kept": dict(self.kept),
            "corrected": self.corrected,
            "blocks": self.blocks,
            "checksum": self._hash.hexdigest()[:32],
            "differing": self.differing_count,
            "differing_rows": self.differing,
            "holds": self.holds,
        }


def accounts_of(streams: Iterable[Stream], *, is_limited: bool) -> dict[str, Account]:
    """An empty account for each stream."""
    accounts = {}
    for stream in streams:
        account = Account(stream.name, stream.count(), is_limited, stream.passed_over())
        account.skipped += Counter({BEFORE: account.passed_over})
        accounts[stream.name] = account
    return accounts


def keep_proof(target: Target, run: Transfer, accounts: Iterable[Account]) -> None:
    """Note which tables' blocks are proved; a row that differs there later was changed there later."""
    blocks = TransferBlock.objects.using(target.alias).filter(origin=run.origin, proved_at=None)
    sound = [account.name for account in accounts if account.holds]
    blocks.filter(stream__in=sound).update(proved_at=timezone.now())
