"""What `/healthcheck` tells. This app knows little of how the product runs, so the project plugs in what it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing that was looked at, as an operator reads it."""

    name: str
    detail: str
    ok: bool = True


Probe = Callable[[], Iterable[Fact]]

PROBES: list[Probe] = []


def plug_in(probe: Probe) -> None:
    """Have `/healthcheck` tell these facts, too; they are asked for in the language of whoever reads them."""
    if probe not in PROBES:
        PROBES.append(probe)


def facts() -> list[Fact]:
    """All facts, what is wrong first."""
    return sorted((fact for probe in PROBES for fact in probe()), key=lambda fact: fact.ok)
