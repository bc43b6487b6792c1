"""Pairs of an article and a summary, labelled with what was changed in the summary, and how well the check finds it.

`tests/data/factcheck/dev.txt` may be looked at while the check is worked on. `final.txt` was written at the same time
by the same rules and is only measured: its figure is what to expect of new texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from articles.factcheck.checking import check
from articles.factcheck.findings import Finding

DATA = Path(__file__).parents[1] / "data" / "factcheck"


@dataclass(frozen=True)
class Pair:
    """An article and a summary of it. `kind` is what was falsified from `start` to `end`; empty for a true summary."""

    title: str
    text: str
    published: date
    summary: str
    kind: str = ""
    start: int = 0
    end: int = 0

    def findings(self) -> list[Finding]:
        report = check(self.summary, title=self.title, text=self.text, published=self.published)
        return [finding for finding in report.findings if finding.bars]

    def is_caught(self, findings: list[Finding]) -> bool:
        """Whether something was found where the summary was falsified."""
        return any(one.start < self.end and self.start < one.end for one in findings)


@dataclass
class Score:
    """Of `changed` falsified summaries `caught` were found; of `true` ones `doubted` were suspected for nothing."""

    changed: int = 0
    caught: int = 0
    true: int = 0
    doubted: int = 0
    beside: int = 0

    @property
    def recall(self) -> float:
        return self.caught / self.changed

    @property
    def precision(self) -> float:
        """How many of the summaries that were held back deserved it."""
        return self.caught / (self.caught + self.doubted + self.beside)

    def __str__(self) -> str:
        return (
            f"{self.changed + self.true} pairs ({self.changed} falsified): precision {self.precision:.3f}, recall"
            f" {self.recall:.3f} ({self.caught} caught, {self.changed - self.caught} missed, of {self.true} true ones"
            f" {self.doubted} doubted)"
        )


def pairs(name: str) -> list[Pair]:
    """The pairs of a set: each true summary, and each of its falsifications."""
    found = []
    for block in (DATA / f"{name}.txt").read_text(encoding="utf-8").split("\n===\n"):
        if block.strip():
            found += _pairs_of(block.strip())
    return found


def _pairs_of(block: str) -> list[Pair]:
    parts = block.split("\n--\n")
    title, day, text = parts[0].split("\n", 2)
    true = [Pair(title, text, date.fromisoformat(day), summary) for summary in parts[1:-1]]
    return true + [_falsified(true, line) for line in parts[-1].splitlines()]


def _falsified(true: list[Pair], line: str) -> Pair:
    kind, told, changed = line.split(" | ")
    pair = next(pair for pair in true if told in pair.summary)
    start = pair.summary.index(told)
    summary = pair.summary.replace(told, changed, 1)
    return Pair(pair.title, pair.text, pair.published, summary, kind, start, start + len(changed))


def score(name: str) -> Score:
    """How well the check does on a set."""
    total = Score()
    for pair in pairs(name):
        findings = pair.findings()
        if pair.kind:
            total.changed += 1
            total.caught += pair.is_caught(findings)
            total.beside += bool(findings) and not pair.is_caught(findings)
        else:
            total.true += 1
            total.doubted += bool(findings)
    return total


def mistakes(name: str) -> list[str]:
    """What the check got wrong in a set, for people."""
    found = []
    for pair in pairs(name):
        findings = pair.findings()
        if pair.kind and not pair.is_caught(findings):
            found.append(f"missed {pair.kind}: {pair.summary[pair.start : pair.end]} — {pair.title}")
        elif not pair.kind and findings:
            found.append(f"doubted {[(one.kind.value, one.text) for one in findings]} — {pair.summary[:60]}")
    return found
