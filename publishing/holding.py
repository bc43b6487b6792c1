"""A restored backup or a second copy never sends again what the original has sent: it is held until somebody releases.

A database knows its own fingerprint. In a restored or copied one the fingerprint that was written no longer fits, and
before anything is sent, whatever is not out yet is held. On PostgreSQL the fingerprint is the cluster and the
database, on SQLite the file itself.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_noop

from publishing.models import Channel, Installation, Message, Publication
from usage.models import Alert

logger = logging.getLogger(__name__)

# Kept in the rows, and translated where they are shown.
HELD_BY_RESTORE = gettext_noop("This database was restored or copied: release it, if the original no longer sends.")

State = Publication.State
ALERT = ("restored", "database")


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


def hold_after_restore() -> int:
    """Hold everything that isn't out yet if this is not the database it was; returns how many publications.

    One query where all is well. Safe to call often and from many processes.
    """
    mine = fingerprint()
    known, created = Installation.objects.get_or_create(pk=1, defaults={"fingerprint": mine})
    if created or known.fingerprint == mine:
        return 0
    with transaction.atomic():
        row = Installation.objects.filter(pk=1, fingerprint=known.fingerprint)
        if not row.update(fingerprint=mine, since=timezone.now()):
            return 0
        in_line = Publication.objects.filter(state__in=Publication.IN_LINE)
        held = in_line.update(state=State.HELD, reason=HELD_BY_RESTORE, updated_at=timezone.now())
        # Articles of the time since the backup come in again, and some channels would approve them by themselves.
        Channel.objects.filter(is_paused=False).update(is_paused=True, pause_reason=HELD_BY_RESTORE)
        Alert.sound(*ALERT, f"{HELD_BY_RESTORE} ({held})")
    logger.warning("The database was restored or copied: %s publications are held", held)
    return held


@transaction.atomic
def release(channel: Channel) -> int:
    """Let a channel go on that was held, and each of its publications as it stood; how many those are."""
    now = timezone.now()
    if channel.pause_reason == HELD_BY_RESTORE:
        channel.is_paused, channel.pause_reason = False, ""
        channel.save(update_fields=["is_paused", "pause_reason"])
    held = Publication.objects.filter(channel=channel, state=State.HELD, reason=HELD_BY_RESTORE)
    parts = Message.objects.filter(publication=OuterRef("pk"))
    begun = held.filter(Exists(parts.exclude(state=Message.State.READY)))
    count = begun.update(state=State.SENDING, reason="", updated_at=now)
    count += held.filter(Exists(parts)).update(state=State.APPROVED, reason="", updated_at=now)
    count += held.update(state=State.PENDING, reason="", updated_at=now)
    if not Channel.objects.filter(pause_reason=HELD_BY_RESTORE).exists():
        Alert.is_over(*ALERT)
    return count
