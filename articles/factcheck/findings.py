"""What a check has found, as values and as the JSON that a summary keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    NUMBER = "number"
    PERCENTAGE = "percentage"
    DATE = "date"
    NAME = "name"
    QUOTATION = "quotation"
    LINK = "link"
    SENTENCE = "sentence"
    LENGTH = "length"
    LANGUAGE = "language"
    MARKUP = "markup"
    EXCUSE = "excuse"


# With any of these an editor has to look before the text goes out.
BARS = frozenset({Kind.NUMBER, Kind.PERCENTAGE, Kind.DATE, Kind.NAME, Kind.QUOTATION, Kind.LINK, Kind.EXCUSE})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A part of the summary (`text`, from `start` to before `end`) without support, or with another flaw."""

    start: int
    end: int
    kind: Kind
    text: str

    @property
    def bars(self) -> bool:
        return self.kind in BARS

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def bars_approval(findings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether findings as a summary keeps them mean that an editor must look before the text goes out."""
    return any(finding.get("kind") in BARS for finding in findings)
