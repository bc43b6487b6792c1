"""What was approved in another life of the database goes out only after somebody has released it.

A restored backup or a second copy must not send again what the original has sent. A database knows its fingerprint:
on PostgreSQL the cluster and the database, on SQLite the file. In a copy the one that was written no longer fits. An
older state in the same place has the same fingerprint, but has come less far than the witness remembers. Either way
whatever is not out yet is held before anything is sent, and a new epoch begins.

What a transfer brings from another database is held in the same way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from publishing.models import Channel, Installation, Message, Publication
from publishing.prepared import Prepared
from publishing.witness import Memory, Witness, attempts_counted
from usage.models import Alert

# Kept in the rows, and translated where they are shown.
HELD_BY_RESTORE = gettext_noop("This database was restored or copied: release it, if the original no longer sends.")
HELD_BY_TRANSFER = gettext_noop("Transferred from another database: release it, or decide anew.")
PAUSED_BY_TRANSFER = gettext_noop("Transferred from another database: release the queue when this one is in charge.")
REASONS = (HELD_BY_RESTORE, HELD_BY_TRANSFER, PAUSED_BY_TRANSFER)

State = Publication.State
ALERT = ("restored", "database")
# How long a look at the database is believed by who goes on sending, in seconds.
GOOD_FOR = 1.0


def fingerprint() -> str:
    """What only this very database has; a dump doesn't carry it, nor does a copied file."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database())"
                " FROM pg_control_system()"
            )
            cluster, database = cursor.fetchone()
            return f"postgresql:{cluster}:{database}"
    return f"sqlite:{Path(str(connection.settings_dict['NAME'])).stat().st_ino}"


@dataclass(frozen=True)
class Inspection:
    """What a look at the database has come to: how many publications were held, and who is to note each attempt."""

    held: int
    witness: Witness
    epoch: int

    def note(self) -> None:
        """Remember that an attempt to send was begun; called before its first byte leaves."""
        self.witness.remember(Memory(self.epoch, attempts_counted()))


class Watch:
    """Looks again and again while somebody sends. What a look has found is good for a second, and for all channels."""

    def __init__(self) -> None:
        self.inspection: Inspection | None = None
        self.looks_at = 0.0

    def look(self) -> Inspection:
        """The last inspection, or a new one if it is too old."""
        if self.inspection is None or time.monotonic() >= self.looks_at:
            self.looks_at = time.monotonic() + GOOD_FOR
            self.inspection = inspect()
        return self.inspection


def hold_after_restore() -> int:
    """Hold everything that isn't out yet if this is not the database it was; returns how many publications."""
    return inspect().held


def inspect() -> Inspection:
    """Look whether this is the database it was, as far as it had come, and hold what isn't out yet if it is not.

    Two queries where all is well. Safe to call often and from many processes.
    """
    mine = fingerprint()
    witness = Witness(mine)
    # Recalled before the counter is read: what is counted meanwhile only makes the counter greater.
    memory = witness.recall() or Memory(0, 0)
    known, is_new = _installation.first(), False
    if known is None:
        first = {"fingerprint": mine, "epoch": memory.epoch + 1}
        known, is_new = Installation.objects.get_or_create(pk=1, defaults=first)
    found = Memory(known.epoch, attempts_counted())
    held, epoch = 0, known.epoch
    if not is_new and (known.fingerprint != mine or found < memory):
        epoch = max(known.epoch, memory.epoch) + 1
        held = _hold(known, mine, epoch)
    if memory < Memory(epoch, found.attempts):
        witness.remember(Memory(epoch, found.attempts))
    return Inspection(held, witness, epoch)


_installation = Prepared(lambda: Installation.objects.filter(pk=1))


@transaction.atomic
def _hold(known: Installation, mine: str, epoch: int) -> int:
    row = Installation.objects.filter(pk=1, fingerprint=known.fingerprint, epoch=known.epoch)
    if not row.update(fingerprint=mine, epoch=epoch, since=timezone.now()):
        return 0
    in_line = Publication.objects.filter(state__in=Publication.IN_LINE)
    held = in_line.update(state=State.HELD, reason=HELD_BY_RESTORE, updated_at=timezone.now())
    # Articles of the time since the backup come in again, and some channels would approve them by themselves.
    Channel.objects.filter(is_paused=False).update(is_paused=True, pause_reason=HELD_BY_RESTORE)
    Alert.sound(*ALERT, f"{HELD_BY_RESTORE} ({held})")
    return held


# --- release --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Released:
    """How many channels go on, how many publications go out again in their turn, and how many an editor must decide."""

    channels: int
    approved: int
    to_decide: int


@transaction.atomic
def release(channel: Channel) -> int:
    """Let a channel go on that was held, and each of its publications as it stood; how many those are."""
    if channel.is_paused and channel.pause_reason in REASONS:
        channel.is_paused, channel.pause_reason = False, ""
        channel.save(update_fields=["is_paused", "pause_reason"])
    approved, to_decide = _let_go(Publication.objects.filter(channel=channel))
    if not Channel.objects.filter(pause_reason=HELD_BY_RESTORE).exists():
        Alert.is_over(*ALERT)
    return approved + to_decide


@transaction.atomic
def release_transferred() -> Released:
    """Let the queue go on after a transfer: each publication as it stood, with its frozen messages.

    What had been approved goes out in its turn; what never was (the old bot's queue) awaits an editor's approval.
    A channel with nothing to post to (a Telegram channel without a chat) stays paused.
    """
    approved, to_decide = _let_go(Publication.objects.filter(reason=HELD_BY_TRANSFER))
    paused = Channel.objects.filter(is_paused=True, pause_reason=PAUSED_BY_TRANSFER)
    ready = paused.exclude(kind=Channel.Kind.TELEGRAM, chat_id="")
    return Released(ready.update(is_paused=False, pause_reason=""), approved, to_decide)


def _let_go(publications: QuerySet[Publication]) -> tuple[int, int]:
    """Put held publications back where they stood: how many of them go out in their turn, how many are to decide."""
    held = publications.filter(state=State.HELD, reason__in=REASONS)
    parts = Message.objects.filter(publication=OuterRef("pk"))

    def become(state: Publication.State, rows: QuerySet[Publication]) -> int:
        return rows.update(state=state, reason="", updated_at=timezone.now())

    approved = become(State.CHANGING, held.filter(Exists(parts.filter(change__gt=0))))
    approved += become(State.SENDING, held.filter(Exists(parts.exclude(state=Message.State.READY))))
    approved += become(State.APPROVED, held.filter(Exists(parts)))
    return approved, become(State.PENDING, held)
