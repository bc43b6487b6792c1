"""`manage.py restore`: see `warandpeace.backups`."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from environ import ImproperlyConfigured

from warandpeace.backups import encryption, shelf
from warandpeace.backups.engines import configured
from warandpeace.backups.errors import BackupError
from warandpeace.backups.restoring import Request, Restored, rehearse, restore

EXAMPLES = """examples:
  manage.py restore                                           what there is
  manage.py restore latest --dry-run --identity key.txt       could it be restored? nothing is written
  manage.py restore latest --to sqlite:////tmp/look.sqlite3   into another database, to look at it
  manage.py restore 20261122-030000-000 --overwrite --yes-i-mean warandpeace

Afterwards everything that was not sent yet is held: release it in the admin, channel by channel. With --overwrite the
database that was there is kept under another name. Exit status 0 means that every table is as it was.
"""


class Command(BaseCommand):
    help = "Lists the backups, or restores one and proves it; nothing is sent by itself afterwards."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **options
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", nargs="?", help="its name, a path to it, or `latest`; without it all are listed")
        parser.add_argument("--identity", type=Path, metavar="FILE", help="your private key, of age-keygen or SSH")
        parser.add_argument("--dry-run", action="store_true", help="check and decrypt the whole backup, write nothing")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--to", default="", metavar="URL", help="a database that is empty or not there yet")
        where.add_argument("--overwrite", action="store_true", help="in the place of the configured database")
        parser.add_argument("--yes-i-mean", default="", metavar="NAME", help="the name of the database to overwrite")

    def handle(self, **options: Any) -> None:
        try:
            if options["backup"] is None:
                self._list()
            elif options["dry_run"]:
                manifest = rehearse(self._request(options))
                self.stdout.write(f"{manifest.name} can be restored: {manifest.rows:,} rows. Nothing was changed.")
            else:
                self._check_meant(options)
                self._tell(restore(self._request(options), self.stdout.write))
        except (BackupError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error

    def _request(self, options: dict[str, Any]) -> Request:
        keys = encryption.identities(options["identity"]) if options["identity"] else []
        return Request(options["backup"], options["to"], tuple(keys))

    def _check_meant(self, options: dict[str, Any]) -> None:
        """The configured database is replaced only by who says so twice."""
        if options["to"]:
            return
        if not options["overwrite"]:
            raise CommandError("Say where to: --to URL, or --overwrite for the configured database; or --dry-run.")
        if options["yes_i_mean"] != (name := configured().name):
            raise CommandError(f"This replaces the database {name}. If you mean it, add --yes-i-mean {name}")

    def _tell(self, restored: Restored) -> None:
        if restored.kept:
            self.stdout.write(f"The database that was there is kept as {restored.kept}; drop it when you are sure.")
        self.stdout.write(
            self.style.SUCCESS(
                f"Restored {restored.manifest.name}: {restored.manifest.rows:,} rows, all as they were; "
                f"publications held until you release them: {restored.held}."
            )
        )

    def _list(self) -> None:
        found = shelf.backups()
        for kept in found:
            if kept.manifest is None or kept.trouble:
                self.stdout.write(self.style.ERROR(f"{kept.folder.name}  unusable: {kept.trouble}"))
                continue
            made = timezone.localtime(kept.manifest.created_at)
            self.stdout.write(
                f"{kept.folder.name}  {made:%Y-%m-%d %H:%M}  {kept.manifest.engine}  {kept.manifest.rows:,} rows  "
                f"{kept.manifest.size / 1e6:,.1f} MB  {'encrypted' if kept.manifest.is_encrypted else 'in the clear'}"
            )
        usable = sum(not kept.trouble for kept in found)
        self.stdout.write(f"{usable} of {len(found)} usable, in {shelf.shelf()}.")
