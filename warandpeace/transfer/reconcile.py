"""One block into the target: written at once where nothing is there yet, else compared row by row, three ways.

source now   written last   target now      what happens
──────────   ────────────   ──────────      ─────────────────────────────────────────
A            A              anything        nothing: the source has not changed
B            A              A               overwritten with B
B            A              C               kept: somebody has changed it here since
B            A              missing         kept: somebody has deleted it here since
B            –              missing         added
B            –              B               taken as it is
B            –              C               kept: it was here before
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import DatabaseError, OperationalError, ProgrammingError, transaction

from warandpeace.transfer.batches import DIGEST_BYTES, Batch, Mark, Marks, checksum_of, digest_in, name_in, unpack_marks
from warandpeace.transfer.blocks import Block, Quarantined
from warandpeace.transfer.models import QuarantinedRow, Transfer, TransferBlock
from warandpeace.transfer.originals import dump_original
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target

CHANGED_HERE = "changed here since"
DELETED_HERE = "deleted here since"
HERE_BEFORE = "here before the transfer"
WRITE = "write"
NO_ROWS_FAULT = (OperationalError, ProgrammingError)  # the disk is full, the server is gone, a right is missing
NOTHING = bytes(DIGEST_BYTES)  # what stands for the values of a row that was never written


@dataclass
class Written:
    """A block that is in the target, without its texts: what is needed to prove it."""

    block: Block
    kept: set[Mark] = field(default_factory=set)  # rows that differ for a reason: the target's own stayed
    was_proved: bool = False

    def slim(self) -> Written:
        for table, batch in self.block.rows.items():
            self.block.rows[table] = batch.slim(len(table.key))
        return self


class Writer:
    """Writes blocks for one run. `known` are the cells that an earlier run has left a checkpoint of."""

    def __init__(self, target: Target, run: Transfer) -> None:
        self.target, self.run = target, run
        cells = TransferBlock.objects.using(target.alias).filter(origin=run.origin)
        self.known = set(cells.values_list("stream", "cell"))

    def write(self, block: Block) -> Written:
        """Bring the block into the target and write its checkpoint. Raises django.db.Error.

        Rows that the target refuses after all are moved to the block's quarantine.
        """
        written = Written(block)
        stored = self._checkpoint(block)
        if stored is not None and self._says_the_same(stored, block):
            written.was_proved = stored.proved_at is not None
            return written.slim()
        if stored is not None or not self._inserted(written):
            with transaction.atomic(using=self.target.alias):
                _reconcile(self.target, written, unpack_marks(bytes(stored.marks)) if stored else {})
                self._save(written, is_new=stored is None)
        return written.slim()

    def _inserted(self, written: Written) -> bool:
        """Try the fast way; a row that is in the way sends the block the careful way."""
        try:
            with transaction.atomic(using=self.target.alias):
                for table, batch in written.block.rows.items():
                    if batch:
                        self.target.insert(table, batch)
                self._save(written, is_new=True)
        except NO_ROWS_FAULT:
            raise
        except DatabaseError:
            return False
        return True

    def _says_the_same(self, stored: TransferBlock, block: Block) -> bool:
        now = (block.read, block.transferred, block.lost, dict(block.skipped))
        then = (stored.read, stored.transferred, stored.quarantined, stored.skipped)
        return now == then and bytes(stored.marks) == block.marks and self._same_quarantine(block)

    def _same_quarantine(self, block: Block) -> bool:
        """A row may stay in quarantine for another reason than before."""
        if not block.quarantined:
            return True
        rows = QuarantinedRow.objects.using(self.target.alias)
        kept = rows.filter(origin=self.run.origin, stream=block.stream, cell=block.cell)
        return set(kept.values_list("source_key", "reason")) == {(row.key, row.reason) for row in block.quarantined}

    def _checkpoint(self, block: Block) -> TransferBlock | None:
        if (block.stream, block.cell) not in self.known:
            return None
        blocks = TransferBlock.objects.using(self.target.alias)
        return blocks.get(origin=self.run.origin, stream=block.stream, cell=block.cell)

    def _save(self, written: Written, *, is_new: bool) -> None:
        block, alias = written.block, self.target.alias
        cell = {"origin": self.run.origin, "stream": block.stream, "cell": block.cell}
        if not is_new:
            TransferBlock.objects.using(alias).filter(**cell).delete()
            QuarantinedRow.objects.using(alias).filter(**cell).delete()
        marks = block.marks
        TransferBlock.objects.using(alias).create(
            **cell,
            read=block.read,
            transferred=block.transferred,
            quarantined=block.lost,
            merged=block.merged,
            skipped=dict(block.skipped),
            checksum=checksum_of(marks),
            marks=marks,
        )
        if block.quarantined:
            QuarantinedRow.objects.using(alias).bulk_create(
                QuarantinedRow(
                    **cell,
                    transfer=self.run,
                    source_key=row.key,
                    reason=row.reason,
                    original=dump_original(row.original),
                )
                for row in block.quarantined
            )


def _reconcile(target: Target, written: Written, base: Marks) -> None:
    block = written.block
    for table, batch in block.rows.items():
        changed = [place for place, mark in enumerate(batch.marks) if base.get(name_in(mark)) != digest_in(mark)]
        present = target.digests(table, [batch.rows[place] for place in changed]) if changed else []
        fresh = []
        for place, there in zip(changed, present, strict=True):
            name = name_in(batch.marks[place])
            verdict = _verdict(digest_in(batch.marks[place]), base.get(name), there)
            if verdict == WRITE:
                fresh.append(place)
            elif verdict:
                block.kept[verdict] += 1
                # What was written last stays the measure, so that the next run decides alike.
                batch.marks[place] = name + base.get(name, NOTHING)
                written.kept.add(batch.marks[place])
        for refused, reason in _refused(target, table, batch.only(fresh)):
            _to_quarantine(block, table, refused, reason)


def _verdict(now: bytes, base: bytes | None, present: bytes | None) -> str:
    """`write`, the reason why the target's row is kept, or nothing where both are the same."""
    if present == now:
        return ""
    if present is None:
        return WRITE if base is None else DELETED_HERE
    if base is None:
        return HERE_BEFORE
    return WRITE if present == base else CHANGED_HERE


def _refused(target: Target, table: Table, batch: Batch) -> list[tuple[Batch, str]]:
    """Write the rows, all at once or else one by one; gives those the database refuses, with its reason."""
    if not batch:
        return []
    try:
        with transaction.atomic(using=target.alias):
            target.upsert(table, batch)
    except NO_ROWS_FAULT:
        raise
    except DatabaseError as error:
        if len(batch) == 1:
            return [(batch, str(error).strip().splitlines()[0])]
        middle = len(batch) // 2
        halves = range(middle), range(middle, len(batch))
        return [each for half in halves for each in _refused(target, table, batch.only(half))]
    return []


def _to_quarantine(block: Block, table: Table, refused: Batch, reason: str) -> None:
    """Move a row the database refused; with its main row the whole row of the source counts as not transferred."""
    batch, (row,) = block.rows[table], refused.rows
    block.rows[table] = batch.only([place for place, mark in enumerate(batch.marks) if mark not in refused.marks])
    is_whole = table == block.main
    block.transferred -= is_whole
    key = "/".join(str(value) for value in row[: len(table.key)])
    original = dict(zip(table.columns, row, strict=True))
    reason = f"the database refuses it: {reason}"
    block.quarantined.append(Quarantined(key if is_whole else f"{table}:{key}", reason, original, is_whole))
