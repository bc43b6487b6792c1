"""Indexes and keys: dropped where many rows are to come, and built again when they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction

from warandpeace.transfer.blocks import Stream
from warandpeace.transfer.models import Transfer
from warandpeace.transfer.pipeline import from_both_ends
from warandpeace.transfer.progress import Progress
from warandpeace.transfer.target import Target

# Below this many rows dropping and rebuilding indexes costs more than it saves.
REBUILD_FROM = 20_000


def make_room(target: Target, run: Transfer, streams: Iterable[Stream]) -> None:
    """Empty tables get the storage that suits them; those with many rows to come lose their indexes meanwhile."""
    for stream in streams:
        for table in stream.targets:
            if table.model._base_manager.using(target.alias).exists():
                continue
            with transaction.atomic(using=target.alias):
                target.suit(table)
                if stream.count() >= REBUILD_FROM:
                    run.rebuild += target.strip(table)
                    run.save(using=target.alias, update_fields=["rebuild"])


def rebuild(target: Target, progress: Progress, look_for_a_stop: Callable[[], None]) -> None:
    """Build again what was dropped, by this run or by one that was interrupted. Raises Stopped between two of them."""
    for run in Transfer.objects.using(target.alias).exclude(rebuild=[]):
        foreign_keys = [statement for statement in run.rebuild if " FOREIGN KEY " in statement]
        others = [statement for statement in run.rebuild if statement not in foreign_keys]

        def build(statement: str, run: Transfer = run) -> None:
            look_for_a_stop()
            _build(target, run, statement)
            progress.advance(1)

        progress.begin("indexes", len(run.rebuild))
        from_both_ends(target, others, build)
        for statement in foreign_keys:  # each looks for rows by the indexes of two tables
            build(statement)
    progress.end()


def _build(target: Target, run: Transfer, statement: str) -> None:
    """One of them; it leaves the list in the same transaction. Another connection may be building the next."""
    with transaction.atomic(using=target.alias):
        target.rebuild(statement)
        kept = Transfer.objects.using(target.alias).select_for_update().get(pk=run.pk)
        kept.rebuild.remove(statement)
        kept.save(using=target.alias, update_fields=["rebuild"])
