"""How the newsroom is, on one screen."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from warandpeace import gauges, health


def figures() -> dict[str, float]:
    """The gauges of `/metrics` by their names; a gauge with a label has its value in brackets."""
    found = {}
    for metric in gauges.figures():
        for sample in metric.samples:
            label = f"[{next(iter(sample.labels.values()))}]" if sample.labels else ""
            found[f"{sample.name}{label}"] = sample.value
    return found


class Command(BaseCommand):
    help = (
        "Says how the newsroom is: what is wrong first, then the figures. Exit status 0 only when nothing is wrong, "
        "so that scripts may ask too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a screen")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = health.answers()
        wrong = [name for name, check in checks.items() if not check.ok]
        shown = figures() if checks["migrations"].ok and checks["database"].ok else {}
        if options["json"]:
            report = {"ok": not wrong, "checks": {name: asdict(check) for name, check in checks.items()}}
            self.stdout.write(json.dumps(report | {"figures": shown}))
        else:
            self.print_screen(checks, shown)
            self.stdout.write(f"checks={len(checks)} wrong={len(wrong)}")
        if wrong:
            raise SystemExit(1)

    def print_screen(self, checks: dict[str, health.Check], shown: dict[str, float]) -> None:
        for name in sorted(checks, key=lambda name: checks[name].ok):
            style = self.style.SUCCESS if checks[name].ok else self.style.ERROR
            self.stdout.write(f"{style('ok   ' if checks[name].ok else 'WRONG')}  {name:<12} {checks[name].detail}")
        self.stdout.write("")
        for name, value in shown.items():
            if not name.startswith("session_start"):
                self.stdout.write(f"{value:>10.0f}  {name}")
