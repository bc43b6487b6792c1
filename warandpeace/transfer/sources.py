"""What the source is: told from what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Protocol

from django.db import models

from warandpeace.legacy.reading import LegacySource
from warandpeace.transfer.blocks import Stream
from warandpeace.transfer.corrections import NONE, Corrections
from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.own import OwnSource
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import Snapshot, open_snapshot
from warandpeace.transfer.target import Target


class Source(Protocol):
    """`origin` names the source's content, wherever it lies; `must_be_empty` are signs that a target is in use."""

    kind: str
    label: str
    origin: str
    must_be_empty: tuple[type[models.Model], ...]
    snapshot: Snapshot

    def counts(self) -> dict[str, int]:
        """Its tables in the order in which they are carried, with their numbers of rows."""

    def left_out(self) -> dict[str, tuple[int, str]]:
        """Tables that are not carried: how many rows they have, and why."""

    def prepare(
        self, target: Target | None, settings: dict[str, Any], chosen: set[str], *, is_first: bool
    ) -> dict[str, Any]:
        """Make the target ready, and settle what must be the same in every run (JSON). Without a target: guesses."""

    def streams(
        self,
        target: Target | None,
        scope: Scope,
        settings: dict[str, Any],
        chosen: set[str],
        corrections: Corrections = NONE,
    ) -> Sequence[Stream]:
        """The streams of the chosen tables, in their order."""


def open_source(where: str, naive: tzinfo) -> Source:
    """Open a file or a server and look what it is. Raises TransferError."""
    snapshot = open_snapshot(where)
    tables = snapshot.tables()
    if "django_migrations" in tables and "articles_article" in tables:
        return OwnSource(snapshot)
    if snapshot.is_file and "articles" in tables:
        return LegacySource(snapshot, naive)
    raise TransferError(
        f"{snapshot.label} holds neither the old bot's tables nor this program's: give --from the right file or URL."
    )
