from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from articles.forecasts.checking import findings, refuse_addresses
from articles.forecasts.form import Note, UnusableNote, read
from tests.articles.notes import FACT, forecast, note

TEXT = f"{FACT} Рост обеспечил новый терминал компании «Уголь.ру», сообщил директор Иван Петров."
DAY = date(2026, 11, 20)


def made(**changes: Any) -> Note:
    return read(json.dumps(note(**changes)))


def found(**changes: Any) -> list[tuple[str, str, str]]:
    return [
        (one["place"], one["kind"], one["text"])
        for one in findings(made(**changes), title="Порт", text=TEXT, published=DAY)
    ]


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "kind": "person", "role": ""} for name in names]


def test_a_faithful_note_has_no_findings() -> None:
    assert found(entities=named("Порт", "Иван Петров")) == []


def test_a_number_that_the_article_lacks_is_found_in_its_fact() -> None:
    facts = [FACT, "Порт увеличил перевалку угля на 21% за десять месяцев."]

    assert found(key_facts=facts) == [("key_facts.1", "percentage", "21%")]


@pytest.mark.parametrize("name", ["Сидоров", "Google", "Газпром", "Илон Маск"])
def test_a_participant_that_the_article_lacks_is_found(name: str) -> None:
    places = {(place, kind) for place, kind, _text in found(entities=named("Петров", name))}

    assert places == {("entities.1", "name")}


def test_a_finding_tells_where_in_its_text_it_is() -> None:
    one, *_rest = findings(made(entities=named("Порт", "Сидоров")), title="Порт", text=TEXT, published=DAY)

    assert (one["start"], one["end"], one["text"]) == (0, 7, "Сидоров")


def test_what_may_come_is_not_looked_up() -> None:
    guess = [{"text": "Рост на 30% к 2031 году", "probability": 1}, {"text": "Иначе", "probability": 0}]

    assert found(forecast=forecast(outcomes=guess)) == []


@pytest.mark.parametrize(
    "address", ["https://evil.example/x", "www.evil.example", "t.me/evil", "@evilking", "#купи", "a@evil.example"]
)
@pytest.mark.parametrize("source", [TEXT, ""], ids=["not in the article", "in the article, too"])
def test_addresses_are_refused_wherever_they_stand(address: str, source: str) -> None:
    hidden = made(forecast=forecast(reasoning=f"Подробнее: {address}."))

    with pytest.raises(UnusableNote, match="адрес"):
        refuse_addresses(hidden, source or f"{TEXT} {address}")


def test_a_company_called_as_its_site_may_be_named() -> None:
    shop = made(entities=named("Shop.ru"))

    refuse_addresses(shop, "Магазин Shop.ru открылся.")
    with pytest.raises(UnusableNote):
        refuse_addresses(shop, TEXT)
