"""The page about templates shows templates that work, and tells the limits as they are."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from articles import media
from articles.models.media import LONGEST_WAIT
from publishing.autolinks import MOST_HASHTAGS
from publishing.post_template import PLACEHOLDERS, standard
from publishing.splitting import MAX_CAPTION_UNITS, MAX_UNITS
from publishing.template_syntax import read

PAGE = (settings.BASE_DIR / "docs" / "posts.md").read_text()
EXAMPLES = re.findall(r"```html\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_read(example: str) -> None:
    assert read(example)


def test_the_first_example_is_the_standard_template() -> None:
    assert EXAMPLES[0] == standard("en")


def test_each_placeholder_is_explained() -> None:
    assert re.findall(r"^\| `\{(\w+)\}` \|", PAGE, re.MULTILINE) == list(PLACEHOLDERS)


def test_the_limits_are_those_of_the_product() -> None:
    assert f"up to {MAX_CAPTION_UNITS} units" in PAGE
    assert f"messages of {MAX_UNITS} units" in PAGE
    assert (MOST_HASHTAGS, media.MOST_ATTEMPTS, media.SMALLEST) == (10, 3, 150)
    assert (LONGEST_WAIT.total_seconds(), media.MAX_BYTES) == (300, 5_000_000)
