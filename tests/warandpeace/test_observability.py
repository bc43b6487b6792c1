"""Prometheus' rules and Grafana's panels ask only for what the newsroom measures; every alert has a runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric

from warandpeace import gauges

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docker/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docker/grafana/dashboards/newsroom.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]

# What Prometheus' language means itself, and what Prometheus measures.
LANGUAGE = {"absent", "and", "by", "changes", "delta", "histogram_quantile", "increase", "on", "or", "rate", "sum"}
LANGUAGE |= {"topk", "up", "vector"}


def names(expression: str) -> set[str]:
    """The metrics that an expression asks for."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[\w+\]|\b(by|on) \([^)]*\)', " ", expression)
    return set(re.findall(r"[a-zA-Z_]\w+", bare)) - LANGUAGE


def samples(metric: Metric) -> Iterator[str]:
    yield metric.name
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(metric.type, [])
    yield from (metric.name + ending for ending in endings)


@pytest.fixture
def measured(client: Client, db: None) -> set[str]:
    """Everything that has been set up to be measured once a page was served, a post sent and a model asked."""
    client.get("/")
    for module in ("publishing.metrics", "usage.metrics"):
        import_module(module)
    return {name for metric in [*REGISTRY.collect(), *gauges.figures()] for name in samples(metric)}


def test_rules_and_panels_ask_for_what_is_measured(measured):
    asked = set().union(*(names(query) for query in [*QUERIES, *(rule["expr"] for rule in RULES)]))

    assert len(asked) > 15
    assert asked <= measured


def test_no_panel_groups_by_a_label_that_prometheus_puts_in_the_place_of_ours():
    """Which server was asked: a label of ours by that name is called `exported_…` in Prometheus."""
    groups = " ".join(re.findall(r"by (\([^)]*\))", " ".join(QUERIES)))

    assert "exported_job" in groups
    assert not re.search(r"\b(job|instance)\b", groups)


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_every_alert_has_a_runbook(rule):
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    headings = {line[3:].lower() for line in (ROOT / page).read_text().splitlines() if line.startswith("## ")}

    assert anchor in headings
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_panels_do_not_cover_each_other():
    places = [
        (column, row)
        for panel in DASHBOARD["panels"]
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(places) == len(set(places))
