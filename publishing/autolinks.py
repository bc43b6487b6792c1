"""What Telegram makes a link of by itself: hashtags, names with an @, addresses.

They need no entity when a post is sent; the preview shows them as they will look. Telegram's own rules are in
https://github.com/tdlib/td, MessageEntity.cpp.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

import regex

from publishing.splitting import Mark

MAX_HASHTAG = 256  # letters after the #
# Of an article's tags so many are shown: more would be noise.
MOST_HASHTAGS = 10

_LETTERS = r"\p{L}\p{Nd}_\u200c\u00b7\u0d80-\u0dff"
_HASHTAG = regex.compile(
    rf"(?<![{_LETTERS}])#(?=[{_LETTERS}]*\p{{L}})[{_LETTERS}]{{1,{MAX_HASHTAG}}}(?![{_LETTERS}]*#)"
)
_MENTION = regex.compile(r"(?<![\w@])@[a-zA-Z][a-zA-Z0-9_]{3,31}(?!\w)", regex.ASCII)
_ADDRESS = regex.compile(r"(?<!\w)(?:https?://|t\.me/)[^\s<>«»\"'(){}\[\]]*[^\s<>«»\"'(){}\[\].,:;!?…]")
_WORDS = regex.compile(r"[\p{L}\p{Nd}]+")


def hashtags(names: Iterable[str]) -> str:
    """The names as hashtags with spaces between them, each once; names without a letter make none."""
    made = {tag.casefold(): tag for tag in map(hashtag, names) if tag}
    return " ".join(list(made.values())[:MOST_HASHTAGS])


def hashtag(name: str) -> str:
    """A name as one hashtag, its words joined by underscores: “ключевая ставка” is #ключевая_ставка. Empty if none."""
    words = "_".join(_WORDS.findall(unicodedata.normalize("NFC", name)))[:MAX_HASHTAG].rstrip("_")
    return f"#{words}" if any(letter.isalpha() for letter in words) else ""


def found(text: str) -> Iterator[Mark]:
    """Where Telegram makes links in the text; their kinds are named as Telegram names them."""
    for kind, pattern in (("hashtag", _HASHTAG), ("mention", _MENTION), ("url", _ADDRESS)):
        for match in pattern.finditer(text):
            address = match[0] if "://" in match[0] else f"https://{match[0]}"
            yield Mark(match.start(), match.end(), kind, address if kind == "url" else "")
