"""What lies beside a backup and says what it is, so that it can be judged without being restored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from warandpeace.backups.errors import Damaged, TooNew
from warandpeace.backups.proof import Proof, TableProof

FILE = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """`created_at` is the moment of the snapshot (UTC); `size` is in bytes; `checksum` is the file's SHA-256.

    `migrations` names what was applied in each app: what decides whether a program knows this schema.
    """

    name: str
    created_at: datetime
    engine: str
    server_version: int
    database: str
    migrations: Mapping[str, list[str]]
    tables: Proof
    payload: str
    size: int
    checksum: str
    is_encrypted: bool

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    def write(self, folder: Path) -> None:
        body = {"format": FORMAT} | asdict(self) | {"created_at": self.created_at.isoformat()}
        text = json.dumps(body | {"seal": _seal(body)}, indent=1, ensure_ascii=False)
        (folder / FILE).write_text(text, encoding="utf-8")

    def check_payload(self, folder: Path) -> Path:
        """The file of the backup, byte by byte what was written. Raises Damaged."""
        path = folder / self.payload
        try:
            size = path.stat().st_size
            if size < self.size:
                raise Damaged(f"{path} is cut off: {size:,} of {self.size:,} bytes are there. Take another backup.")
            with path.open("rb") as file:
                found = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Damaged(f"{path} can't be read ({error.strerror}). Take another backup.") from error
        if found != self.checksum:
            raise Damaged(f"{path} was changed after it was written: its checksum is wrong. Take another backup.")
        return path


def read(folder: Path) -> Manifest:
    """The manifest of a backup's folder. Raises Damaged if it is none, TooNew if it is of a form yet to come."""
    try:
        body = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Damaged(f"{folder} is not a backup, or one that was never finished: it has no {FILE}.") from None
    except OSError as error:
        raise Damaged(f"{folder / FILE} can't be read ({error.strerror}).") from error
    except ValueError as error:
        raise Damaged(
            f"{folder / FILE} was changed after it was written: it is no JSON. Take another backup."
        ) from error
    if not isinstance(body, dict) or not isinstance(body.get("format"), int):
        raise Damaged(f"{folder} is not a backup of this program.")
    if body["format"] > FORMAT:
        raise TooNew(f"{folder} was made by a newer version of this program: update first.")
    if body.pop("seal", None) != _seal(body):
        raise Damaged(f"{folder / FILE} was changed after it was written. Take another backup.")
    return _manifest(body)


def _manifest(body: dict[str, Any]) -> Manifest:
    """Its seal was right, so whatever is in it was written by us."""
    body.pop("format")
    body["tables"] = {name: TableProof(**table) for name, table in body["tables"].items()}
    body["created_at"] = datetime.fromisoformat(body["created_at"])
    return Manifest(**body)


def _seal(body: Mapping[str, Any]) -> str:
    return sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
