"""What a robots.txt says to us (RFC 9309). Pure, and without Django: a worker reads it, some are made to be slow."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

# Not of the RFC, but old and widespread; whoever asks for longer pauses than that, in seconds, gets these.
LONGEST_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an address may be read, and the pause between two requests that is asked for, in seconds."""

    is_open: bool
    delay: float


def judge(rules: str, url: str, agent: str) -> Verdict:
    """What the rules say of an address to a program of this name."""
    parsed = Protego.parse(rules)
    return Verdict(parsed.can_fetch(url, agent), min(parsed.crawl_delay(agent) or 0.0, LONGEST_DELAY))
