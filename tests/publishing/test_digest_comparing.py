"""What changed between two texts: nothing is lost, and nothing of it is markup."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.digests.comparing import changes, marked

TEXTS = st.text(st.sampled_from("порт уголь.,\n🏦<>"), max_size=60)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_the_changes(before: str, after: str) -> None:
    found = list(changes(before, after))

    assert "".join(change.text for change in found if change.kind != "ins") == before
    assert "".join(change.text for change in found if change.kind != "del") == after


def test_words_are_compared_and_not_letters() -> None:
    told = marked("Рост на 12% за год.", "Рост на 14% за год.")

    assert told == "Рост на <del>12</del><ins>14</ins>% за год."


@pytest.mark.parametrize(("before", "after"), [("<b>", ""), ("", "<b>"), ("<b>", "<b>")])
def test_no_text_becomes_markup(before: str, after: str) -> None:
    assert "<b>" not in marked(before, after)
