"""Where a walk through an archive is, as its run keeps it between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Place:
    """A checkpoint: the page to be read next, what has been seen of the days that are not at an end, and the articles
    (number, attempts) whose texts are to be fetched before that.
    """

    day: str = ""
    page: int = 1
    url: str = ""
    # Of the page before, because some sites answer with their last page for ever.
    seen: str = ""
    # day → how many are listed there, and how many of them were missing
    days: dict[str, list[int]] = field(default_factory=dict)
    texts: list[list[int]] = field(default_factory=list)
    days_done: int = 0
    pages_before: int = 0
    empty_days: int = 0
    skipped_in_row: int = 0
    is_over: bool = False
    # How many pages the list says it has; nought if it doesn't.
    last_page: int = 0
    # Pages that are walked from the oldest one: looking for it, walking back, and looking whether pages have moved.
    phase: str = ""
    # While looking: the last page known to be wanted or newer, and the first known to be older; nought: none yet.
    low: int = 0
    high: int = 0
    # The canonical link that stood first on the first page before.
    top: str = ""
    # What was found of each day, for runs whose purpose is to tell.
    report: dict[str, list[int]] = field(default_factory=dict)
    # What the old bot knew of its walk.
    legacy: dict[str, Any] | None = None

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> Place:
        """Where a run's checkpoint says it is; what it doesn't say is as at the beginning."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in checkpoint.items() if name in known})

    def checkpoint(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}
