"""How the newsroom is, on one screen."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import override
from prometheus_client.core import Metric

from warandpeace import gauges, health

# Labelled figures of one kind: the greatest are shown, the others are counted.
SHOWN_OF_A_KIND = 5


def figures() -> list[Metric]:
    return [metric for metric in gauges.figures() if metric.name != "session_start_time_seconds"]


def flat(metrics: list[Metric]) -> dict[str, float]:
    """The gauges by their names; one with labels has their values in brackets."""
    found = {}
    for sample in (sample for metric in metrics for sample in metric.samples):
        label = f"[{','.join(filter(None, sample.labels.values()))}]" if sample.labels else ""
        found[sample.name + label] = sample.value
    return found


def readable(name: str, value: float) -> str:
    """A value as people read it, by the unit in its name."""
    if name.endswith("_ratio"):
        return f"{value:.0%}"
    if name.endswith("_minutes"):
        return span(timedelta(minutes=value))
    if name.endswith("_seconds"):
        return span(timedelta(seconds=value))
    return f"{value:.0f}"


def span(time: timedelta) -> str:
    """Two units at most: 3 d 4 h, 12 min, 5 s."""
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [
        f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if count
    ]
    return " ".join(units[:2]) or "0 s"


class Command(BaseCommand):
    help = (
        "Says how the newsroom is: what is wrong first, then the figures. Exit status 0 only when nothing is wrong, "
        "so that scripts may ask too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a screen")

    def handle(self, *args: Any, **options: Any) -> None:
        with override(health.PLAIN):
            checks = health.answers()
        wrong = [name for name, check in checks.items() if not check.ok]
        shown = figures() if checks["migrations"].ok and checks["database"].ok else []
        if options["json"]:
            report = {"ok": not wrong, "checks": {name: asdict(check) for name, check in checks.items()}}
            self.stdout.write(json.dumps(report | {"figures": flat(shown)}))
        else:
            self.print_screen(checks, shown)
            self.stdout.write(f"checks={len(checks)} wrong={len(wrong)}")
        if wrong:
            raise SystemExit(1)

    def print_screen(self, checks: dict[str, health.Check], shown: list[Metric]) -> None:
        for name in sorted(checks, key=lambda name: checks[name].ok):
            style = self.style.SUCCESS if checks[name].ok else self.style.ERROR
            self.stdout.write(f"{style('ok   ' if checks[name].ok else 'WRONG')}  {name:<12} {checks[name].detail}")
        self.stdout.write("")
        for metric in shown:
            for line in lines(metric):
                self.stdout.write(line)


def lines(metric: Metric) -> Iterator[str]:
    """One line a gauge; of one with labels the greatest values, and none that is zero."""
    samples = sorted((one for one in metric.samples if one.value or not one.labels), key=lambda one: -one.value)
    for sample in samples[:SHOWN_OF_A_KIND]:
        label = " ".join(filter(None, sample.labels.values()))
        yield f"{readable(metric.name, sample.value):>12}  {metric.documentation.rstrip('.')}{label and f': {label}'}"
    if len(samples) > SHOWN_OF_A_KIND:
        yield f"{'':>12}  … and {len(samples) - SHOWN_OF_A_KIND} more"
