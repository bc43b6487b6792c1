"""Indexes and keys: dropped where many rows are to come, and built again when they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

from django.db import transaction

from warandpeace.transfer.blocks import Block, Stream
from warandpeace.transfer.models import Transfer
from warandpeace.transfer.pipeline import from_both_ends, thread_of
from warandpeace.transfer.progress import Progress
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target

# Below this many rows dropping and rebuilding indexes costs more than it saves.
REBUILD_FROM = 20_000


class Indexes:
    """Those of one run's tables. `look_for_a_stop` raises Stopped, between two of them."""

    def __init__(
        self, target: Target, run: Transfer, streams: Sequence[Stream], look_for_a_stop: Callable[[], None]
    ) -> None:
        self.target, self.run, self.streams, self.look_for_a_stop = target, run, streams, look_for_a_stop
        self._dropped = dict[Table, list[str]]()
        self._looked_at = set[Table]()

    def make_room(self) -> None:
        """Empty tables get the storage that suits them; those with many rows to come lose their indexes meanwhile."""
        for stream in self.streams:
            for table in stream.targets:
                if table.model._base_manager.using(self.target.alias).exists():
                    continue
                with transaction.atomic(using=self.target.alias):
                    self.target.suit(table)
                    if stream.count() >= REBUILD_FROM:
                        self._dropped[table] = self.target.strip(table)
                        self.run.rebuild += self._dropped[table]
                        self.run.save(using=self.target.alias, update_fields=["rebuild"])

    def are_dropped_for(self, block: Block) -> bool:
        """Whether its tables stand without their keys: then no row of another block can be in its way, or lacking."""
        return self._dropped.keys() >= block.rows.keys()

    @contextmanager
    def built_behind(self) -> Iterator[Callable[[str], None]]:
        """Gives whom to tell of each stream that brings rows: a server finishes the tables behind it meanwhile.

        What isn't begun by the end is left to `rebuild`, which does two at a time.
        """
        if not self.target.is_server:
            yield lambda stream: None
            return
        jobs = list[Future[None]]()
        with thread_of(self.target, self.target.open_writer) as builder:

            def reach(stream: str) -> None:
                jobs.extend(builder.submit(job) for job in self._jobs_behind(stream))

            try:
                yield reach
            finally:
                begun = [job for job in jobs if not job.cancel()]
            for job in begun:
                job.result()

    def _jobs_behind(self, stream: str) -> Iterator[Callable[[], None]]:
        """All that finishes the tables into which neither this stream nor a later one brings rows; each once."""
        names = [each.name for each in self.streams]
        awaited = {table for each in self.streams[names.index(stream) :] for table in each.targets}
        for table in [table for table in self._dropped if table not in awaited]:
            for statement in self._dropped.pop(table):
                if not _is_foreign_key(statement):
                    yield partial(self._build, self.run, statement)
            yield partial(self._look_at, table)

    def rebuild(self, progress: Progress) -> None:
        """Build again what is still missing, of this run or of one that was interrupted."""
        for run in Transfer.objects.using(self.target.alias).exclude(rebuild=[]):

            def build(statement: str, run: Transfer = run) -> None:
                self._build(run, statement)
                progress.advance(1)

            progress.begin("indexes", len(run.rebuild))
            from_both_ends(self.target, [each for each in run.rebuild if not _is_foreign_key(each)], build)
            for statement in filter(_is_foreign_key, run.rebuild):  # each looks for rows by the indexes of two tables
                build(statement)
        progress.end()
        tables = {table: None for stream in self.streams for table in stream.targets if table not in self._looked_at}
        from_both_ends(self.target, list(tables), self._look_at)

    def _build(self, run: Transfer, statement: str) -> None:
        """One of them; it leaves the list in the same transaction. Another connection may be building the next."""
        self.look_for_a_stop()
        with transaction.atomic(using=self.target.alias):
            self.target.rebuild(statement)
            kept = Transfer.objects.using(self.target.alias).select_for_update().get(pk=run.pk)
            kept.rebuild.remove(statement)
            kept.save(using=self.target.alias, update_fields=["rebuild"])

    def _look_at(self, table: Table) -> None:
        self.target.look_at(table)
        self._looked_at.add(table)


def _is_foreign_key(statement: str) -> bool:
    return " FOREIGN KEY " in statement
