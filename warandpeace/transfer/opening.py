"""Opening the target: which engine, whether it is new, and what to do when it can't be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError, connections
from django.db import Error as DatabaseTrouble
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from warandpeace.databases import configuration
from warandpeace.transfer.aliases import connect
from warandpeace.transfer.errors import TransferError
from warandpeace.transfer.labels import label_of
from warandpeace.transfer.own import SIGNS_OF_USE
from warandpeace.transfer.postgres import PostgresTarget
from warandpeace.transfer.sources import Source
from warandpeace.transfer.sqlite import SqliteTarget
from warandpeace.transfer.target import Target

TARGET_ALIAS = "transfer_target"
KINDS: dict[str, type[Target]] = {"postgresql": PostgresTarget, "sqlite": SqliteTarget}


def open_target(where: str) -> Target:
    """The database at a URL or a file's path; the configured one for an empty text. Raises TransferError."""
    target = _opened(where)
    if not target.is_server:
        _check_place(Path(target.connection.settings_dict["NAME"]))
    return target


def _opened(where: str) -> Target:
    if not where:
        default = connections[DEFAULT_DB_ALIAS]
        label = label_of(settings.DATABASE_URL) or str(default.settings_dict["NAME"])
        return KINDS[default.vendor](DEFAULT_DB_ALIAS, label)
    connection = connect(TARGET_ALIAS, configuration(where if "://" in where else f"sqlite:///{where}"))
    return KINDS[connection.vendor](TARGET_ALIAS, label_of(where))


def _check_place(path: Path) -> None:
    """Raise TransferError where no file of a database can lie."""
    if path.is_dir():
        raise TransferError(f"{path} is a folder: give --to the path of a file in it, which is made then.")
    if not path.parent.is_dir():
        raise TransferError(f"There is no folder {path.parent}: make it, or give --to another path.")
    if not os.access(path.parent, os.W_OK):
        raise TransferError(f"Nothing may be written into {path.parent}: grant that, or give --to another path.")


def schema_is_missing(target: Target) -> bool:
    """Whether the target is quite empty, or was when somebody began to make its tables and didn't come to the end.

    Raises TransferError if it has tables, but not those of this version.
    """
    if not target.is_there():
        return True
    executor = MigrationExecutor(target.connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    present = set(target.connection.introspection.table_names())
    if present and not _is_half_made(target, executor, present):
        raise TransferError(
            f"{target.label} has tables, but not those of this version: give --to an empty database, "
            "or run `manage.py migrate` there first if it is this program's."
        )
    return True


def _is_half_made(target: Target, executor: MigrationExecutor, present: set[str]) -> bool:
    """Whether our migrations have begun there, and nobody has used it yet."""
    begun = MigrationRecorder.Migration._meta.db_table in present
    known = set(executor.loader.applied_migrations) <= set(executor.loader.disk_migrations or {})
    in_use = any(
        model._base_manager.using(target.alias).values("pk").exists()
        for model in SIGNS_OF_USE
        if model._meta.db_table in present
    )
    return begun and known and not in_use


def schema_is_finished(target: Target) -> bool:
    """Whether what follows the migrations was done as well: the last of it are the permissions of the last app."""
    last = [app.label for app in apps.get_app_configs() if list(app.get_models())][-1]
    return Permission.objects.using(target.alias).filter(content_type__app_label=last).exists()


def make_schema(target: Target) -> None:
    call_command("migrate", database=target.alias, interactive=False, verbosity=0)


def check_other(target: Target, source: Source) -> None:
    """Raise TransferError if the target is the source itself."""
    is_same = target.label == source.label
    if source.snapshot.is_file and not target.is_server:
        path = Path(target.connection.settings_dict["NAME"])
        is_same = path.exists() and path.samefile(source.label)
    if is_same:
        raise TransferError(f"{source.label} is the source and the target at once: give --to another database.")


def check_fresh(target: Target, source: Source) -> None:
    """Raise TransferError if the target is in use by something else than a transfer from this source."""
    for model in source.must_be_empty:
        if found := model._base_manager.using(target.alias).count():
            raise TransferError(
                f"{target.label} already holds other data ({found:,} rows in {model._meta.db_table}). "
                "Give --to an empty database; nothing was changed."
            )


@contextmanager
def advice(label: str) -> Iterator[None]:
    """Turn what the driver says of the target into what the operator can do."""
    try:
        yield
    except DatabaseTrouble as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        said += ")" * (said.count("(") - said.count(")"))  # what it says further is left out
        raise TransferError(f"{label}: {said}. {_what_to_do(error, said)}") from error


def _what_to_do(error: DatabaseTrouble, said: str) -> str:
    again = "then run the same command again; it goes on where it stopped."
    if "full" in said or "No space" in said:
        return f"Make room on the target's disk, {again}"
    if "permission denied" in said or "must be owner" in said or "readonly" in said:
        return f"The target's user must own the database and may create tables in it; grant that, {again}"
    if "locked" in said:
        return f"Stop the program that uses the target, {again}"
    if isinstance(error, OperationalError):
        right = "that host, port, name and password in the URL are right"
        return f"See that the server runs and its disk is not full, and {right}, {again}"
    if isinstance(error, ProgrammingError):
        return f"The schema is not that of this version: run `manage.py migrate` there, {again}"
    return f"Put that right, {again}"
