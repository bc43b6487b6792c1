"""One call to a language model for one section of a digest: what it is asked, and what it answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from articles import prompts
from articles.asking import usable
from articles.factcheck.checking import check as check_facts
from articles.factcheck.findings import Kind as Finding
from publishing.digests import choosing
from publishing.digests.condensing import GAP, Step, next_step
from publishing.digests.periods import Kind
from publishing.models import Digest, DigestSection
from usage import llm

PURPOSE = "digest"
# The shortest and longest text of a section, in characters.
SIZES = {Kind.DAILY: (120, 400), Kind.WEEKLY: (200, 500), Kind.MONTHLY: (400, 900), Kind.ANNUAL: (300, 700)}
# Findings about a summary's form that say nothing of a section.
BESIDE_THE_POINT = {Finding.LENGTH}
WISH = "Пожелание редактора к этому разделу, выполни его, не добавляя фактов: {instruction}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer to a step, the prompt and the call it came from, and the findings of its check as JSON."""

    step: Step
    text: str
    prompt: str
    completion: llm.Completion
    findings: list[dict[str, Any]]


def ask(digest: Digest, section: DigestSection, *, provider: str = "") -> Answer:
    """Take the next step of writing a section, from one provider if named. Raises LlmError or UnusableSummary."""
    texts = choosing.texts(section)
    step = next_step(texts, section.notes, llm.longest_text())
    shortest, longest = SIZES[Kind(digest.period)] if step.level is None else (0, step.max_chars)
    prompt = prompts.current(digest.period)
    completion = llm.complete(
        llm.Prompt(
            instructions=_instructions(prompt.filled(min_chars=shortest, max_chars=longest), section, step),
            title=section.heading,
            text=step.text,
            language=digest.channel.language,
            max_chars=longest,
            version=prompt.label,
        ),
        purpose=PURPOSE,
        subject=f"digest:{digest.pk}",
        provider=provider,
    )
    # Models count badly: an editor can shorten what is a little too long.
    text = usable(completion.text, source=f"{section.heading}\n{step.text}", max_chars=longest * 3 // 2)
    found = check(text, section.heading, texts, digest.period_end) if step.level is None else []
    return Answer(step, text, prompt.label, completion, found)


def _instructions(filled: str, section: DigestSection, step: Step) -> str:
    """The prompt, and what an editor wished of the section itself."""
    wish = section.instruction.strip() if step.level is None else ""
    return f"{filled}\n\n{WISH.format(instruction=wish)}" if wish else filled


def check(text: str, heading: str, texts: Sequence[str], published: date) -> list[dict[str, Any]]:
    """What a section says that none of the texts it stands on supports, as JSON. Offline and quick."""
    report = check_facts(text, title=heading, text=GAP.join(texts), published=published)
    return [finding.as_json() for finding in report.findings if finding.kind not in BESIDE_THE_POINT]
