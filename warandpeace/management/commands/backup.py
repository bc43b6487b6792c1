"""`manage.py backup`: see `warandpeace.backups`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from warandpeace.backups.errors import BackupError
from warandpeace.backups.making import back_up
from warandpeace.backups.models import Backup
from warandpeace.backups.shelf import shelf


class Command(BaseCommand):
    help = (
        "Backs up the database and verifies it: the backup is read back, restored into a scratch database and compared "
        "table by table. Only then does it appear in BACKUP_DIR; older ones are removed as the settings say. "
        "It may be stopped or killed at any moment. `manage.py restore` lists what is there."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-due", action="store_true", help="only if the last verified one is older than BACKUP_HOURS"
        )

    def handle(self, *args: Any, if_due: bool, **options: Any) -> None:
        if if_due and not Backup.is_due(timezone.now()):
            self.stdout.write("No backup is due.")
            return
        try:
            manifest = back_up(self.stdout.write)
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        secrecy = "encrypted" if manifest.is_encrypted else "not encrypted: BACKUP_RECIPIENTS is empty"
        self.stdout.write(
            self.style.SUCCESS(
                f"Verified: {shelf() / manifest.name}, {len(manifest.tables)} tables, {manifest.rows:,} rows, "
                f"{manifest.size / 1e6:,.1f} MB, {secrecy}."
            )
        )
