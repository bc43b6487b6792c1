"""Sources of any length become one text by steps that each fit into a call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.models import Story
from publishing import digests
from publishing.digests.condensing import GAP, SHRINKS, next_step, noted, pack
from publishing.models import Digest
from tests.factories import ArticleFactory
from tests.publishing.newsroom import finished, newsroom, noon, yesterday
from usage import llm
from usage.models import Provider

SENTENCE = "Порт увеличил перевалку угля на 12% за десять месяцев. "
TEXTS = st.lists(st.integers(1, 30).map(lambda number: (SENTENCE * number).strip()), min_size=1, max_size=12)
LIMITS = st.integers(200, 3_000)


@settings(deadline=None)
@given(TEXTS, LIMITS)
def test_every_step_fits_and_the_last_one_writes(texts: list[str], limit: int) -> None:
    done: list[dict[str, Any]] = []
    for _step in range(500):
        step = next_step(texts, done, limit)
        assert len(step.text) <= limit
        if step.level is None:
            return
        done = noted(done, step, step.text[: limit // SHRINKS])
    pytest.fail("It does not come to an end.")


@settings(deadline=None)
@given(TEXTS, LIMITS)
def test_packing_loses_no_word(texts: list[str], limit: int) -> None:
    assert GAP.join(pack(texts, limit)).split() == GAP.join(texts).split()


def test_what_fits_is_written_in_one_step() -> None:
    step = next_step(["Раз.", "Два."], [], 100)

    assert (step.text, step.level) == ("Раз.\n\nДва.", None)


@settings(deadline=None)
@given(TEXTS)
def test_a_level_keeps_to_the_limit_it_was_begun_with(texts: list[str]) -> None:
    step = next_step(texts, [], 300)
    done = noted([], step, "Кратко.") if step.level is not None else []

    following = next_step(texts, done, 3_000)

    assert following.limit == (300 if done and len(list(pack(texts, 300))) > 1 else 3_000)


@pytest.mark.django_db
def test_a_long_story_is_condensed_by_calls_that_fit_the_smallest_context(monkeypatch: pytest.MonkeyPatch) -> None:
    Provider.objects.create(name="small", kind="openai", base_url="http://127.0.0.1:1", model="m", context_chars=2_000)
    channel, story = newsroom(), Story.objects.create()
    for number in range(5):
        ArticleFactory.create(
            source=channel.sources.get(),
            story=story,
            duplicate_of=ArticleFactory.create(summary_text="") if number else None,
            published_at=noon(channel, yesterday()),
            summary_text=SENTENCE * 30,
        )
    asked: list[int] = []

    def answer(prompt: llm.Prompt, **_options: Any) -> llm.Completion:
        asked.append(len(prompt.text))
        return llm.Completion(SENTENCE.strip(), "small", "m", None, 1, 1)

    monkeypatch.setattr(llm, "complete", answer)

    digest = finished(digests.request("daily", channel, yesterday()))

    assert digest.state == Digest.State.READY
    assert len(asked) > 5
    assert max(asked) <= 2_000
