"""Forecast notes for tests: what a model would answer, and models that say it."""

from __future__ import annotations

import json
from typing import Any

from usage import llm
from usage.models import ApiUsageEvent

FACT = "Порт увеличил перевалку угля на 12% за десять месяцев."


def note(**changes: Any) -> dict[str, Any]:
    """A note that keeps to its form and says nothing but what articles of the tests say."""
    return {
        "event_type": "economy",
        "entities": [{"name": "Порт", "kind": "organisation", "role": "увеличил перевалку"}],
        "key_facts": [FACT],
        "forecast": forecast(),
        "confidence": 0.6,
    } | changes


def forecast(**changes: Any) -> dict[str, Any]:
    """What may come of it: two outcomes whose probabilities add up to 1."""
    return {
        "question": "Продолжит ли перевалка расти?",
        "horizon": "months",
        "outcomes": [
            {"text": "Рост продолжится", "probability": 0.65},
            {"text": "Рост прекратится", "probability": 0.35},
        ],
        "reasoning": "Новый терминал уже работает.",
    } | changes


def outcomes(*probabilities: float) -> dict[str, Any]:
    """A note whose outcomes have these probabilities."""
    listed = [{"text": f"Исход номер {place}", "probability": one} for place, one in enumerate(probabilities)]
    return note(forecast=forecast(outcomes=listed))


class Model:
    """Stands in for `llm.complete`: says this each time, and keeps what it was asked."""

    def __init__(self, *answers: dict[str, Any] | str | llm.LlmError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[llm.Prompt, dict[str, Any]]] = []

    def __call__(self, prompt: llm.Prompt, **options: Any) -> llm.Completion:
        self.asked.append((prompt, options))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, llm.LlmError):
            raise answer
        event = ApiUsageEvent.objects.create(provider="gemini", subject=options["subject"])
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return llm.Completion(text, "gemini", "flash", event.pk, 0, 0)
