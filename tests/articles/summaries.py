"""An article that waits for its summary, and a model that says what a test wants."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from articles.models import Article
from tests.factories import ArticleFactory
from usage import llm
from usage.models import ApiUsageEvent

TEXT = "Порт увеличил перевалку угля на 12% за десять месяцев. Рост обеспечил новый терминал за 14,3 млрд руб."


def waiting(**fields: Any) -> Article:
    """An article that is due for its summary."""
    defaults = {
        "status": Article.Status.READY,
        "summary_text": "",
        "content": TEXT,
        "content_hash": "a" * 64,
        "next_step_at": timezone.now(),
    }
    article: Article = ArticleFactory.create(**defaults | fields)
    return article


def saying(monkeypatch: pytest.MonkeyPatch, text: str) -> list[llm.Prompt]:
    """Let the model say this; gives the prompts it was asked."""
    asked: list[llm.Prompt] = []

    def answer(prompt: llm.Prompt, **_options: Any) -> llm.Completion:
        asked.append(prompt)
        event = ApiUsageEvent.objects.create(provider="gemini")
        return llm.Completion(text, "gemini", "flash", event.pk, 0, 0)

    monkeypatch.setattr(llm, "complete", answer)
    return asked
