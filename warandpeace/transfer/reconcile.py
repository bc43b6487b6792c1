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

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, OperationalError, transaction

from warandpeace.transfer.blocks import Block, Quarantined
from warandpeace.transfer.marks import checksum_of, mark, marks_of, name_of, pack_marks, unpack_marks
from warandpeace.transfer.models import QuarantinedRow, Transfer, TransferBlock
from warandpeace.transfer.originals import dump_original
from warandpeace.transfer.tables import DIGEST_BYTES, Packed, Table
from warandpeace.transfer.target import Target

CHANGED_HERE = "changed here since"
DELETED_HERE = "deleted here since"
HERE_BEFORE = "here before the transfer"
WRITE = "write"


@dataclass
class Written:
    """A block that is in the target, without its texts: what is needed to prove it."""

    block: Block
    marks: dict[bytes, bytes]
    kept: set[bytes] = field(default_factory=set)  # rows that differ for a reason: the target's own stayed
    was_proved: bool = False

    def slim(self) -> Written:
        for table, rows in self.block.rows.items():
            width = len(table.key)
            self.block.rows[table] = [Packed(row[:width], b"", key, digest) for row, _, key, digest in rows]
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
        written = Written(block, marks_of(block))
        stored = self._checkpoint(block)
        if stored is not None and self._says_the_same(stored, written):
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
                for table, rows in written.block.rows.items():
                    if rows:
                        self.target.insert(table, rows)
                self._save(written, is_new=True)
        except OperationalError:  # the disk is full, the server is gone: no row's fault
            raise
        except DatabaseError:
            return False
        return True

    def _says_the_same(self, stored: TransferBlock, written: Written) -> bool:
        block = written.block
        now = (block.read, block.transferred, block.lost, dict(block.skipped))
        then = (stored.read, stored.transferred, stored.quarantined, stored.skipped)
        return now == then and bytes(stored.marks) == pack_marks(written.marks) and self._same_quarantine(block)

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
        packed_marks = pack_marks(written.marks)
        TransferBlock.objects.using(alias).create(
            **cell,
            read=block.read,
            transferred=block.transferred,
            quarantined=block.lost,
            merged=block.merged,
            skipped=dict(block.skipped),
            checksum=checksum_of(packed_marks),
            marks=packed_marks,
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


def _reconcile(target: Target, written: Written, base: dict[bytes, bytes]) -> None:
    block, marks = written.block, written.marks
    for table, rows in block.rows.items():
        changed = [packed for packed in rows if base.get(name_of(table, packed.key)) != packed.digest]
        present = target.digests(table, changed) if changed else {}
        fresh = []
        for packed in changed:
            name, now = mark(table, packed)
            verdict = _verdict(now, base.get(name), present.get(packed.key))
            if verdict == WRITE:
                fresh.append(packed)
            elif verdict:
                block.kept[verdict] += 1
                written.kept.add(name)
                # What was written last stays the measure, so that the next run decides alike.
                marks[name] = base.get(name, bytes(DIGEST_BYTES))
        for packed, reason in _refused(target, table, fresh):
            del marks[name_of(table, packed.key)]
            _to_quarantine(block, table, packed, reason)


def _verdict(now: bytes, base: bytes | None, present: bytes | None) -> str:
    """`write`, the reason why the target's row is kept, or nothing where both are the same."""
    if present == now:
        return ""
    if present is None:
        return WRITE if base is None else DELETED_HERE
    if base is None:
        return HERE_BEFORE
    return WRITE if present == base else CHANGED_HERE


def _refused(target: Target, table: Table, rows: Sequence[Packed]) -> list[tuple[Packed, str]]:
    """Write the rows, all at once or else one by one; gives those the database refuses, with its reason."""
    if not rows:
        return []
    try:
        with transaction.atomic(using=target.alias):
            target.upsert(table, rows)
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(rows) == 1:
            return [(rows[0], str(error).strip().splitlines()[0])]
        middle = len(rows) // 2
        return _refused(target, table, rows[:middle]) + _refused(target, table, rows[middle:])
    return []


def _to_quarantine(block: Block, table: Table, packed: Packed, reason: str) -> None:
    """Move a row the database refused; with its main row the whole row of the source counts as not transferred."""
    block.rows[table].remove(packed)
    is_whole = table == block.main
    block.transferred -= is_whole
    key = "/".join(str(value) for value in packed.row[: len(table.key)])
    original = dict(zip(table.columns, packed.row, strict=False))
    if len(original) < len(table.columns):
        original["canonical"] = bytes(packed.data)
    reason = f"the database refuses it: {reason}"
    block.quarantined.append(Quarantined(key if is_whole else f"{table}:{key}", reason, original, is_whole))
