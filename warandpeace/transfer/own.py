"""Our own database as a source, on either engine: every table, every row, under its own key."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models
from django.db.migrations.loader import MigrationLoader

from articles.models import Article, BackfillRun, ChangedText, DeadLetter, ServerTurn, Signature, Source
from publishing.models import Channel, Digest, Installation, Publication, Subscriber
from usage.models import ApiUsageEvent
from warandpeace.backups.models import Backup
from warandpeace.signing_in.models import SignIn
from warandpeace.transfer.corrections import NONE, Corrections
from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.models import CorrectedRow, QuarantinedRow, Transfer, TransferBlock
from warandpeace.transfer.own_stream import MAPPED, OwnStream
from warandpeace.transfer.scope import Scope
from warandpeace.transfer.snapshot import Snapshot
from warandpeace.transfer.tables import Table
from warandpeace.transfer.target import Target

LEFT_OUT = {
    Session: "people sign in again",
    SignIn: "it lists the sessions",
    ChangedText: "the target notes by itself which texts it has to index",
    ServerTurn: "it is a matter of seconds",
    Signature: "`manage.py duplicates rebuild` makes them there",
}
# Installation says which database this is, and backups are of this one: a target is another.
NOT_COPIED = {*MAPPED, *LEFT_OUT, Backup, Installation, Transfer, TransferBlock, QuarantinedRow, CorrectedRow}
# A target with rows of these is in use. Everything else that a new database holds was put there by its migrations.
SIGNS_OF_USE: tuple[type[models.Model], ...] = (
    get_user_model(),
    Source,
    Channel,
    Article,
    Publication,
    Digest,
    Subscriber,
    ApiUsageEvent,
    DeadLetter,
    BackfillRun,
)


def own_tables() -> list[Table]:
    """All tables that are carried, parents before children."""
    waiting = [
        Table(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model not in NOT_COPIED
    ]
    ordered, done = list[Table](), set(MAPPED)
    while waiting:
        ready = [
            table for table in waiting if all(parent in done or parent is table.model for _, parent in table.parents)
        ]
        if not ready:
            raise TypeError(f"These tables point to each other in a circle: {waiting}")
        ordered += ready
        done |= {table.model for table in ready}
        waiting = [table for table in waiting if table.model not in done]
    return ordered


class OwnSource:
    """A whole database of ours. `origin` is the moment its first migration was applied: no two databases share it."""

    kind = "own"
    must_be_empty = SIGNS_OF_USE

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.label = snapshot, snapshot.label
        first = snapshot.value("SELECT CAST(applied AS TEXT) FROM django_migrations ORDER BY id LIMIT 1")
        self.origin = "own-" + sha256(str(first).encode()).hexdigest()[:32]
        self.tables = own_tables()
        self._check_schema()

    def _check_schema(self) -> None:
        """Raise TransferError unless the source has the schema of this version."""
        present = self.snapshot.tables()
        missing = [
            table.name
            for table in self.tables
            if table.name not in present or not set(table.columns) <= set(self.snapshot.columns(table.name))
        ]
        if missing:
            raise TransferError(
                f"{self.label} was made by an older version ({missing[0]} is not as it is now). "
                "Run `manage.py migrate` there first, with DATABASE_URL set to it."
            )
        known = set(MigrationLoader(None).disk_migrations or {})
        ours = {app for app, _ in known}
        applied = set(self.snapshot.rows("SELECT app, name FROM django_migrations"))
        if unknown := sorted(f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in known):
            raise TransferError(f"{self.label} was made by a newer version ({unknown[0]}): update this program first.")

    def counts(self) -> dict[str, int]:
        return {table.name: int(self.snapshot.value(f'SELECT count(*) FROM "{table}"')) for table in self.tables}

    def left_out(self) -> dict[str, tuple[int, str]]:
        """Tables that are not carried at all: how many rows they have, and why."""
        names = {model._meta.db_table: reason for model, reason in LEFT_OUT.items()}
        return {
            name: (int(self.snapshot.value(f'SELECT count(*) FROM "{name}"')), reason) for name, reason in names.items()
        }

    def prepare(
        self, target: Target | None, settings: dict[str, Any], chosen: set[str], *, is_first: bool
    ) -> dict[str, Any]:
        """Make room: what migrations have put into a new database gives way to what comes."""
        if target is not None and is_first:
            for table in reversed(self.tables):
                if table.name in chosen:
                    table.model._base_manager.using(target.alias).all()._raw_delete(target.alias)
        return settings

    def streams(
        self,
        target: Target | None,
        scope: Scope,
        settings: dict[str, Any],
        chosen: set[str],
        corrections: Corrections = NONE,
    ) -> list[OwnStream]:
        mapping = (
            {} if target is None else {ContentType: self._content_types(target), Permission: self._permissions(target)}
        )
        return [
            OwnStream(self.snapshot, table, scope, mapping, corrections.get(table.name, {}))
            for table in self.tables
            if table.name in chosen
        ]

    def _content_types(self, target: Target) -> dict[Any, Any]:
        here = {(each.app_label, each.model): each.pk for each in ContentType.objects.using(target.alias).all()}
        rows = self.snapshot.rows("SELECT id, app_label, model FROM django_content_type")
        return {number: here[app, model] for number, app, model in rows if (app, model) in here}

    def _permissions(self, target: Target) -> dict[Any, Any]:
        named = ("codename", "content_type__app_label", "content_type__model")
        here = {tuple(names): pk for pk, *names in Permission.objects.using(target.alias).values_list("pk", *named)}
        rows = self.snapshot.rows(
            "SELECT p.id, p.codename, c.app_label, c.model FROM auth_permission p "
            "JOIN django_content_type c ON c.id = p.content_type_id"
        )
        return {number: here[tuple(names)] for number, *names in rows if tuple(names) in here}
