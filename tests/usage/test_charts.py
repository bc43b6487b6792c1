"""Charts: shapes within their view box, whatever the values."""

from __future__ import annotations

import pytest

from usage.charts import Chart, Column


def test_the_tallest_bar_fills_the_chart_and_the_others_follow() -> None:
    chart = Chart([Column(4), Column(2)], over=[Column(1)])

    tallest, half = chart.bars

    assert tallest.height == pytest.approx(2 * half.height)
    assert tallest.y + tallest.height == pytest.approx(chart.height)
    assert 0 <= tallest.y < chart.height / 4


def test_a_level_above_all_bars_stays_within_the_chart() -> None:
    chart = Chart([Column(1)], level=10)

    assert chart.level_y is not None
    assert 0 <= chart.level_y < chart.bars[0].y


def test_a_chart_of_nothing_has_no_height() -> None:
    chart = Chart([Column(0), Column(0)], over=[Column(0)])

    assert chart.is_empty
    assert {bar.height for bar in chart.bars} == {0.0}


def test_labels_stand_below_the_middle_of_their_bars() -> None:
    chart = Chart([Column(1, label="00"), Column(1), Column(1, label="06")], width=300)

    assert [(round(x), label) for x, label in chart.marks] == [(50, "00"), (250, "06")]
