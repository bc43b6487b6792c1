"""Charts as shapes that a template draws as SVG, and tiles of figures: no script, and the page prints as it looks.

It lives here because every other app may import from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 190
# What is left free above the tallest bar, and how much of its place a bar takes.
HEADROOM = 10
FILLED = 0.7


@dataclass(frozen=True)
class Tile:
    """One figure, what it is compared with, where it leads, and whether somebody must act. `meter` is in percent."""

    label: str
    figure: str
    note: str
    url: str = ""
    alarm: bool = False
    meter: int | None = None


@dataclass(frozen=True)
class Column:
    """One value: what is written below it, what the reader is told of it, and where it leads (nowhere if empty)."""

    value: float
    label: str = ""
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class Shape:
    """A column as a bar or a point, in the units of the chart's view box."""

    column: Column
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Chart:
    """Bars, with a line of other values over them if there is one, and a level (a budget, the usual) across.

    `top` is how the greatest value is written beside the chart.
    """

    columns: Sequence[Column]
    over: Sequence[Column] = ()
    level: float | None = None
    top: str = ""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def highest(self) -> float:
        """What the chart is scaled by: all bars and points, and the level, are within."""
        return max([*(column.value for column in (*self.columns, *self.over)), self.level or 0], default=0)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw: neither a bar nor a point."""
        return not any(column.value for column in (*self.columns, *self.over))

    @property
    def bars(self) -> list[Shape]:
        return self._shapes(self.columns)

    @property
    def points(self) -> list[Shape]:
        """The places of the line, those with nothing too."""
        return self._shapes(self.over)

    @property
    def line(self) -> str:
        """The line as SVG wants it."""
        return " ".join(f"{point.middle:.1f},{point.y:.1f}" for point in self.points)

    @property
    def level_y(self) -> float | None:
        return None if self.level is None else self.height - self._tall(self.level)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Where the labels are written below the chart."""
        return [(bar.middle, bar.column.label) for bar in self.bars if bar.column.label]

    def _shapes(self, columns: Sequence[Column]) -> list[Shape]:
        slot = self.width / max(len(self.columns), 1)
        margin = slot * (1 - FILLED) / 2
        return [
            Shape(
                column,
                slot * place + margin,
                self.height - self._tall(column.value),
                slot * FILLED,
                self._tall(column.value),
            )
            for place, column in enumerate(columns)
        ]

    def _tall(self, value: float) -> float:
        room = self.height - min(HEADROOM, self.height / 10)
        return value / self.highest * room if self.highest else 0.0
