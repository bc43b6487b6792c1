from __future__ import annotations

import json
from typing import Any

import pytest

from articles.forecasts.form import LONGEST_ANSWER, UnusableNote, read, schema
from tests.articles.notes import FACT, forecast, note, outcomes


def reading(data: dict[str, Any]) -> Any:
    return read(json.dumps(data, ensure_ascii=False)).model_dump(mode="json")


def test_a_note_is_read_as_it_was_written() -> None:
    assert reading(note()) == note()


@pytest.mark.parametrize("answer", ["```json\n{}\n```", "```\n{}\n```", "  {}\n"])
def test_a_note_may_stand_in_a_block_of_code(answer: str) -> None:
    text = answer.replace("{}", json.dumps(note()))

    assert read(text).event_type == "economy"


def test_its_texts_are_cleaned() -> None:
    dirty = note(key_facts=["Порт\u202e увеличил\x00\n\nперевалку  угля на 12%."], confidence=1)

    assert reading(dirty)["key_facts"] == ["Порт увеличил перевалку угля на 12%."]


@pytest.mark.parametrize("probabilities", [(0.5, 0.5), (0.33, 0.33, 0.33), (1, 0), (0.2, 0.2, 0.2, 0.2, 0.2)])
def test_probabilities_add_up_to_one(probabilities: tuple[float, ...]) -> None:
    assert len(reading(outcomes(*probabilities))["forecast"]["outcomes"]) == len(probabilities)


@pytest.mark.parametrize("probabilities", [(0.5, 0.4), (0.6, 0.6), (1.5, -0.5), (1,), (0.1,) * 10, (0, 0)])
def test_probabilities_that_are_none_are_refused(probabilities: tuple[float, ...]) -> None:
    with pytest.raises(UnusableNote, match="forecast"):
        reading(outcomes(*probabilities))


SAME = [{"text": "Рост", "probability": 0.5}, {"text": "рост ", "probability": 0.5}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": 1.01},
        {"confidence": "0.6"},
        {"confidence": True},
        {"confidence": None},
        {"event_type": "miracle"},
        {"entities": []},
        {"entities": [{"name": "Порт", "kind": "ship", "role": ""}]},
        {"entities": [{"name": " ", "kind": "place", "role": ""}]},
        {"entities": [{"name": "x" * 121, "kind": "place", "role": ""}]},
        {"entities": [{"name": "Порт", "kind": "place", "role": ""}] * 13},
        {"key_facts": []},
        {"key_facts": [FACT] * 9},
        {"key_facts": ["x" * 301]},
        {"key_facts": [12]},
        {"key_facts": FACT},
        {"forecast": forecast(outcomes=SAME)},
        {"forecast": forecast(horizon="soon")},
        {"forecast": forecast(reasoning="x" * 601)},
        {"advice": "Покупайте уголь"},
    ],
    ids=repr,
)
def test_what_does_not_keep_to_the_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnusableNote):
        reading(note(**wrong))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Порт вырос.",
        "[]",
        "null",
        "{" * 5_000,
        '{"a":' * 5_000,
        json.dumps(note())[:-5],
        json.dumps(note()).replace("0.6}", "NaN}"),
        json.dumps(note()).replace("0.65", "1e999"),
        json.dumps(note()) + " Готово!",
        json.dumps(note()) + " " * LONGEST_ANSWER,
    ],
    ids=lambda answer: answer[:20],
)
def test_an_answer_that_is_no_json_object_is_refused(answer: str) -> None:
    with pytest.raises(UnusableNote):
        read(answer)


def test_the_reason_names_the_place_and_repeats_nothing_long() -> None:
    with pytest.raises(UnusableNote, match=r"entities\.0\.kind") as refused:
        reading(note(entities=[{"name": "Порт", "kind": "x" * 5_000, "role": ""}]))

    assert len(str(refused.value)) < 400


def parts(part: Any) -> list[dict[str, Any]]:
    """Each object in a JSON schema."""
    if isinstance(part, list):
        return [found for one in part for found in parts(one)]
    return [part, *(found for one in part.values() for found in parts(one))] if isinstance(part, dict) else []


def test_servers_get_a_schema_that_strict_ones_accept() -> None:
    objects = [part for part in parts(schema()) if part.get("type") == "object"]

    assert len(objects) == 4
    for one in objects:
        assert one["additionalProperties"] is False
        assert set(one["required"]) == set(one["properties"])
    assert not {"maxLength", "minimum", "minItems"} & {key for part in parts(schema()) for key in part}
