"""The story of a transfer: look, say, make ready, carry, rebuild, prove, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.utils import timezone

from warandpeace.transfer.blocks import Block, Stream
from warandpeace.transfer.corrections import NONE, Line, keep, kept, read_lines, rehearsed
from warandpeace.transfer.errors import Stopped, TransferError
from warandpeace.transfer.following import Followed, follow
from warandpeace.transfer.indexes import Indexes
from warandpeace.transfer.models import Transfer
from warandpeace.transfer.opening import (
    advice,
    check_fresh,
    check_other,
    make_schema,
    open_target,
    schema_is_finished,
    schema_is_missing,
)
from warandpeace.transfer.pipeline import pump
from warandpeace.transfer.progress import Progress
from warandpeace.transfer.proof import Account, Proved, Verifier, accounts_of, keep_proof, prove
from warandpeace.transfer.reconcile import Writer
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.sources import open_source
from warandpeace.transfer.target import Target

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What was asked for. `source` and `target` are files or URLs; an empty target is the configured database."""

    source: str
    target: str
    zone: tzinfo
    batch_size: int
    limit: int | None = None
    since: datetime | None = None
    tables: tuple[str, ...] = ()
    corrected: Path | None = None
    with_following: bool = True

    @property
    def is_partial(self) -> bool:
        return bool(self.limit is not None or self.since or self.tables)

    def options(self) -> dict[str, Any]:
        asked = {
            "limit": self.limit,
            "since": self.since and self.since.date().isoformat(),
            "tables": list(self.tables),
        }
        return {name: value for name, value in asked.items() if value}


@dataclass
class Outcome:
    """What came of it. `run` is the target's row, if anything was written; `problems` are a rehearsal's."""

    source: str
    target: str
    left_out: dict[str, tuple[int, str]]
    accounts: dict[str, Account]
    run: Transfer | None = None
    problems: list[dict[str, Any]] | None = None
    followed: list[Followed] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(account.holds for account in self.accounts.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "target": self.target,
            "holds": self.holds,
            "tables": {name: account.as_json() for name, account in self.accounts.items()},
            "left_out": {name: {"count": n, "reason": why} for name, (n, why) in self.left_out.items()},
            "followed": {each.name: {"rows": each.rows, "seconds": round(each.seconds, 1)} for each in self.followed},
        }


class Journey:
    """One source, one target, one request."""

    def __init__(
        self, request: Request, say: Say, progress: Progress, should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        self.request, self.say, self.progress, self.should_stop = request, say, progress, should_stop
        self.source = open_source(request.source, request.zone)
        self.counts = self.source.counts()
        self.chosen = self._chosen()

    def close(self) -> None:
        """Let go of the source's snapshot."""
        self.source.snapshot.close()

    def _chosen(self) -> set[str]:
        if unknown := set(self.request.tables) - set(self.counts):
            raise TransferError(
                f"The source has no table {', '.join(sorted(unknown))}. It has: {', '.join(self.counts)}."
            )
        return set(self.request.tables or self.counts)

    def rehearse(self) -> Outcome:
        """--dry-run: look at the target, read and convert everything, and write nothing. Raises TransferError."""
        target = open_target(self.request.target)
        with advice(target.label):
            state, is_new, last = self._look_at(target)
            self._announce(f"into {target.label} ({state}); a rehearsal: nothing is written")
            known = kept(target, self.source.origin) if last else NONE
            settings = self._settings(target) if last else self.source.prepare(None, {}, self.chosen, is_first=True)
            there = None if is_new else target
            scope = self._scope(last.batch_size if last else self.request.batch_size, there)
            streams = self.source.streams(there, scope, settings, self.chosen, rehearsed(self._lines(), known))
            accounts = accounts_of(streams, is_limited=self.request.limit is not None)
            problems = list[dict[str, Any]]()
            for block in self._blocks(streams, accounts):
                self._count(accounts[block.stream], Proved.of(block, "", []))
                problems += [{"table": block.stream, "key": row.key, "reason": row.reason} for row in block.quarantined]
            return self._outcome(target.label, accounts, problems=problems)

    def transfer(self) -> Outcome:
        """Carry everything over and prove it. Raises TransferError; the same request goes on where this one ended."""
        with self._target() as target:
            run, streams = self._begin(target)
            try:
                outcome = self._carry(target, run, streams)
            except (TransferError, DatabaseTrouble) as error:
                self._interrupted(target, run, error)
                raise
            if outcome.holds and self.request.with_following:
                outcome.followed += follow(target, self.progress, self.should_stop)
                Transfer.objects.using(target.alias).filter(pk=run.pk).update(report=outcome.as_json())
            return outcome

    def verify(self) -> Outcome:
        """--verify-only: convert everything once more and compare; nothing is written."""
        with self._target() as target:
            last = None if schema_is_missing(target) else self._last(target)
            if last is None:
                raise TransferError(
                    f"Nothing of {self.source.label} was ever transferred there: run it without --verify-only."
                )
            self._announce(f"compared with {target.label}, nothing is written")
            settings = self._settings(target)
            scope, corrections = self._scope(last.batch_size, target), kept(target, self.source.origin)
            streams = self.source.streams(target, scope, settings, self.chosen, corrections)
            accounts = accounts_of(streams, is_limited=self.request.limit is not None)
            verifier = Verifier(target, last)
            for block in self._blocks(streams, accounts):
                self._count(accounts[block.stream], verifier.verify(block))
            return self._outcome(target.label, accounts)

    @contextmanager
    def _target(self) -> Iterator[Target]:
        target = open_target(self.request.target)
        with advice(target.label), target.locked() as is_ours:
            if not is_ours:
                raise TransferError("Another transfer into this database is running: wait until it ends.")
            yield target

    def _look_at(self, target: Target) -> tuple[str, bool, Transfer | None]:
        """What the target is like, in words; whether it has no tables yet; the first run into it.

        Raises TransferError if nothing can come into it.
        """
        check_other(target, self.source)
        if schema_is_missing(target):
            return "its tables are made first", True, None
        if last := self._last(target):
            return "it goes on there", False, last
        check_fresh(target, self.source)
        return "its tables are empty", False, None

    def _begin(self, target: Target) -> tuple[Transfer, list[Stream]]:
        """Everything before the first row: schema, room, the run's row, and the streams."""
        state, is_new, last = self._look_at(target)
        self._announce(f"into {target.label} ({state})")
        if is_new or (last is None and not schema_is_finished(target)):
            make_schema(target)
        size = last.batch_size if last else self.request.batch_size
        self._note_killed(target)
        with transaction.atomic(using=target.alias):
            settings = {} if last is None else self._settings(target)
            settings = self.source.prepare(target, settings, self.chosen, is_first=last is None)
            run = Transfer.objects.using(target.alias).create(
                origin=self.source.origin,
                source=self.source.label[:500],
                target=target.label[:500],
                batch_size=size,
                options=self.request.options() | {"settings": settings},
            )
        if lines := self._lines():
            self.say(f"{keep(target, run, lines):,} rows are put right by {self.request.corrected}.")
        scope, corrections = self._scope(size, target), kept(target, self.source.origin)
        return run, list(self.source.streams(target, scope, settings, self.chosen, corrections))

    def _note_killed(self, target: Target) -> None:
        """Runs that say they go on don't: this one alone writes here, so they were killed."""
        running = Transfer.objects.using(target.alias).filter(state=Transfer.State.RUNNING)
        running.update(state=Transfer.State.INTERRUPTED, error="It was killed; a later run went on from there.")

    def _lines(self) -> list[Line]:
        """What a person has put right, if a file of it was given. Raises TransferError."""
        if self.request.corrected is None:
            return []
        return read_lines(self.request.corrected, {name: self.source.snapshot.columns(name) for name in self.counts})

    def _carry(self, target: Target, run: Transfer, streams: list[Stream]) -> Outcome:
        accounts = accounts_of(streams, is_limited=self.request.limit is not None)
        tables = {table: None for stream in streams for table in stream.targets}
        indexes = Indexes(target, run, streams, self._look_for_a_stop)
        indexes.make_room()
        writer = Writer(target, run)
        blocks = self._blocks(streams, accounts)
        with indexes.built_behind() as reach:
            for proved in pump(blocks, target, writer.write, partial(prove, target), indexes.are_dropped_for):
                self._count(accounts[proved.stream], proved)
                reach(proved.stream)
        indexes.rebuild(self.progress)
        target.settle(tables)
        keep_proof(target, run, accounts.values())
        outcome = self._outcome(target.label, accounts, run)
        run.state = Transfer.State.PROVED if outcome.holds else Transfer.State.UNPROVED
        run.report, run.finished_at = outcome.as_json(), timezone.now()
        run.save(using=target.alias, update_fields=["state", "report", "finished_at"])
        return outcome

    def _outcome(self, target: str, accounts: dict[str, Account], run: Transfer | None = None, **more: Any) -> Outcome:
        return Outcome(self.source.label, target, self.source.left_out(), accounts, run, **more)

    def _blocks(self, streams: Iterable[Stream], accounts: dict[str, Account]) -> Iterator[Block]:
        """All blocks of all streams, as they are asked for."""
        for stream in streams:
            self.progress.begin(stream.name, accounts[stream.name].count)
            for block in stream.blocks():
                self._look_for_a_stop()
                yield block
        self.progress.end()

    def _look_for_a_stop(self) -> None:
        """Raises Stopped between two things, if somebody asks for that."""
        if self.should_stop():
            raise Stopped("Stopped. Run the same command again; it goes on where it stopped.")

    def _count(self, account: Account, proved: Proved) -> None:
        account.add(proved)
        self.progress.advance(proved.read)

    def _interrupted(self, target: Target, run: Transfer, error: Exception) -> None:
        run.state, run.finished_at = Transfer.State.INTERRUPTED, timezone.now()
        run.error = str(error)
        try:
            target.connection.close()
            run.save(using=target.alias, update_fields=["state", "finished_at", "error"])
        except DatabaseTrouble:
            self.say("The interruption could not be noted: the target can't be reached.")

    def _last(self, target: Target) -> Transfer | None:
        runs = Transfer.objects.using(target.alias).filter(origin=self.source.origin)
        return runs.order_by("pk").first()

    def _settings(self, target: Target) -> dict[str, Any]:
        first = self._last(target)
        return dict(first.options["settings"]) if first else {}

    def _scope(self, size: int, target: Target | None) -> Scope:
        request = self.request
        return Scope(size, request.limit, request.since, request.is_partial, target)

    def _announce(self, what: str) -> None:
        rows = sum(count for name, count in self.counts.items() if name in self.chosen)
        kind = {"legacy": "the old bot's database", "own": "a database of this program"}[self.source.kind]
        self.say(f"{self.source.label} is {kind}: {rows:,} rows in {len(self.chosen)} tables, {what}.")
