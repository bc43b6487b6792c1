"""Which alerts are raised and cleared, seen from outside: the newsroom's own rows, and Prometheus' rules."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass

from tests.chaos.progress import asked
from tests.chaos.traffic import Repeated
from usage.models import Alert


@dataclass
class Episode:
    """One alert from its beginning to its end, by the monotonic clock; one that is not over has no end."""

    name: str
    raised: float
    cleared: float | None = None


class Alarms(Repeated):
    """Looks every second. An alert is named by its kind alone: which post or which source it is about is not told."""

    pause = 1.0

    def __init__(self, prometheus: int | None) -> None:
        super().__init__()
        self.prometheus = prometheus
        self.episodes: list[Episode] = []

    def once(self) -> None:
        for found, is_ours in ((asked(_rows), True), (self._rules(), False)):
            if found is not None:
                self._compare({name for name in found if name}, is_ours=is_ours)

    def open(self) -> set[str]:
        return {episode.name for episode in self.episodes if episode.cleared is None}

    def since(self, moment: float) -> list[Episode]:
        """Those that were raised since then, or had been before and lasted."""
        return [one for one in self.episodes if one.cleared is None or one.cleared > moment]

    def _compare(self, found: set[str], *, is_ours: bool) -> None:
        now = time.monotonic()
        known = {one.name: one for one in self.episodes if one.cleared is None and one.name.islower() == is_ours}
        for name in found - set(known):
            self.episodes.append(Episode(name, now))
        for name in set(known) - found:
            known[name].cleared = now

    def _rules(self) -> set[str] | None:
        """The names of Prometheus' alerts that fire; they have capital letters, ours have none."""
        if self.prometheus is None:
            return None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.prometheus}/api/v1/alerts", timeout=3) as answer:
                alerts = json.load(answer)["data"]["alerts"]
        except (OSError, ValueError):
            return None
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def _rows() -> set[str]:
    return set(Alert.objects.open().values_list("code", flat=True))
