"""The invented news, and when each item appears. All of it was made up for this purpose, names and places included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

# So many of the items are there from the beginning, this far apart in the past; the others follow one by one.
PAST_SHARE = 2
PAST_STEP = timedelta(minutes=25)
NEXT_STEP = timedelta(seconds=90)


@dataclass(frozen=True)
class Item:
    """One invented article; `appears_after` is counted from the first start and negative for what was there before."""

    slug: str
    topic: str
    language: str
    title: str
    paragraphs: tuple[str, ...]
    appears_after: timedelta

    @property
    def lead(self) -> str:
        return self.paragraphs[0]


def _parse(text: str, appears_after: timedelta) -> Item:
    """An item from its block: `# name: value` lines, the title, the paragraphs."""
    values = dict(re.findall(r"^# (\w+): (.+)$", text, re.MULTILINE))
    title, *paragraphs = re.sub(r"^# .*\n", "", text, flags=re.MULTILINE).strip().replace("\n\n", "\n").splitlines()
    return Item(
        slug=values["slug"],
        topic=values["topic"],
        language=values.get("language", "ru"),
        title=title,
        paragraphs=tuple(paragraphs),
        appears_after=appears_after,
    )


@cache
def items() -> tuple[Item, ...]:
    """All items, the oldest first."""
    text = Path(__file__).with_name("news.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=# slug: )", text, flags=re.MULTILINE)[1:]
    past = len(blocks) // PAST_SHARE
    delays = [PAST_STEP * (number - past) for number in range(past)]
    delays += [NEXT_STEP * (number + 1) for number in range(len(blocks) - past)]
    return tuple(_parse(block, delay) for block, delay in zip(blocks, delays, strict=True))


def visible(started_at: datetime, now: datetime) -> list[Item]:
    """The items that have appeared, the newest first, for an installation that was first started at `started_at`."""
    return [item for item in reversed(items()) if started_at + item.appears_after <= now]
