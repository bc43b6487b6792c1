"""A source that is longer than a model can read, condensed in steps: which one comes next. Pure.

What is done is a list of levels, each `{"limit": characters, "texts": [condensed, …]}`, as a section keeps it. Each
level condenses the texts of the one before it, piece by piece, until what is left fits into one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from publishing.splitting import split

Levels = list[dict[str, Any]]

GAP = "\n\n"
# A condensed piece is at most this part of what a model can read, so that each level is much shorter than the last.
SHRINKS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One call: a text, and the level its answer belongs to, or None if the answer is the section itself."""

    text: str
    level: int | None
    limit: int

    @property
    def max_chars(self) -> int:
        """The longest answer to a step that condenses, in characters."""
        return self.limit // SHRINKS


def next_step(texts: Sequence[str], done: Levels, limit: int) -> Step:
    """What to ask next for a section that stands on these texts, where a call can take `limit` characters.

    A level that was begun keeps to the limit it was begun with.
    """
    current = list(texts)
    for number, level in enumerate([*done, {"limit": limit, "texts": []}]):
        pieces = list(pack(current, level["limit"]))
        if len(pieces) <= 1:
            return Step("".join(pieces), None, level["limit"])
        if len(level["texts"]) < len(pieces):
            return Step(pieces[len(level["texts"])], number, level["limit"])
        current = level["texts"]
    raise AssertionError("The last level is empty, so one of its pieces is always next.")


def noted(done: Levels, step: Step, answer: str) -> Levels:
    """What is done once a step that condenses was answered."""
    levels = [{"limit": level["limit"], "texts": list(level["texts"])} for level in done]
    if step.level == len(levels):
        levels.append({"limit": step.limit, "texts": []})
    levels[step.level or 0]["texts"].append(answer)
    return levels


def pack(texts: Sequence[str], limit: int) -> Iterator[str]:
    """The texts in as few pieces of at most `limit` characters as their order allows; a longer one is cut."""
    piece = ""
    for text in (part.text for whole in texts for part in split(whole, limit=limit)):
        if piece and len(piece) + len(GAP) + len(text) > limit:
            yield piece
            piece = ""
        piece = f"{piece}{GAP}{text}" if piece else text
    if piece:
        yield piece
