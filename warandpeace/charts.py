"""Charts as shapes that a template draws as SVG: no script, and the page prints as it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 190
HOURS = 24
SLOT = WIDTH / HOURS
BAR = SLOT * 0.7


@dataclass(frozen=True)
class Bar:
    """A bar of the chart, in the units of its view box."""

    x: float
    y: float
    width: float
    height: float
    hour: int
    count: int


@dataclass(frozen=True)
class HourlyChart:
    """Articles as bars and publications as a line, by the hour of the day."""

    articles: Mapping[int, int]
    publications: Mapping[int, int]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def highest(self) -> int:
        return max([*self.articles.values(), *self.publications.values()], default=0)

    def bars(self) -> list[Bar]:
        return [
            Bar(self._x(hour) - BAR / 2, HEIGHT - self._tall(count), BAR, self._tall(count), hour, count)
            for hour, count in sorted(self.articles.items())
        ]

    def line(self) -> str:
        """The points of the line from the first hour to the last one that has anything, as SVG wants them."""
        last = max([*self.articles, *self.publications], default=-1)
        points = ((self._x(hour), HEIGHT - self._tall(self.publications.get(hour, 0))) for hour in range(last + 1))
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    def marks(self) -> list[tuple[float, str]]:
        """Where the hours are written, and how."""
        return [(self._x(hour), f"{hour:02}") for hour in range(0, HOURS, 6)]

    def _x(self, hour: int) -> float:
        return (hour + 0.5) * SLOT

    def _tall(self, count: int) -> float:
        return count / self.highest * (HEIGHT - 10) if self.highest else 0.0
