"""What the stories of backup and restore need of a database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from warandpeace.backups.encryption import Reader, Writer
from warandpeace.backups.proof import Proof


@dataclass(frozen=True)
class Snapshot:
    """The database at one moment: `dump` reads exactly the rows that `tables` speaks of."""

    tables: Proof
    migrations: Mapping[str, list[str]]
    dump: Reader


class Engine(ABC):
    """One database, whether it exists yet or not. `settings` are Django's. Everything raises BackupError."""

    kind: ClassVar[str]
    payload: ClassVar[str]  # what a dump's file is called

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call the database, without its place or anything secret."""

    @abstractmethod
    def version(self) -> int:
        """The server's major version."""

    @abstractmethod
    def check_programs(self, dumped_by: int) -> None:
        """Raise BackupError unless what dumps and restores is there and knows dumps of servers of that version."""

    @abstractmethod
    def size(self) -> int:
        """In bytes, on the disk."""

    @abstractmethod
    def room(self, size: int) -> dict[Path, int]:
        """How many bytes are needed where on this machine to copy or restore a database of that size."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The present moment, for as long as it is held; nobody is kept from writing."""

    @abstractmethod
    def proof(self) -> Proof:
        """A checksum of each table."""

    @abstractmethod
    def beside(self, suffix: str) -> Engine:
        """Another database in the same place, named after this one."""

    @abstractmethod
    def create(self) -> None:
        """Make the database, empty; what bore its name before is dropped."""

    @abstractmethod
    def drop(self) -> None:
        """Remove the database with all that is in it, if it exists."""

    @abstractmethod
    def load(self) -> AbstractContextManager[Writer]:
        """Takes a dump; at the end its rows are in the database."""

    @abstractmethod
    def is_in_use(self) -> bool:
        """Whether the database exists and anything is in it."""

    @abstractmethod
    def check_alone(self) -> None:
        """Raise InUse, with who that is, if somebody is connected."""

    @abstractmethod
    def take_place(self, new: Engine, aside: str) -> str:
        """Put `new` in the place of this database, at once or not at all. Gives the old one's new name, if it was."""
