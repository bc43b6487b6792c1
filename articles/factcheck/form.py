"""What a post must not look like, whatever it says: too short or long, in another language, with leftovers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from articles.factcheck.findings import Finding, Kind
from usage.languages import language_of

MIN_CHARS, MAX_CHARS = 400, 900
# A text that is hardly longer than a post has nothing to shorten.
LONG_SOURCE = 1_000
MARKUP = re.compile(
    r"\*\*|__|`{1,3}|^\s{0,3}#{1,6}\s|^\s{0,3}[*+-]\s|^\s{0,3}>\s|\[[^\]\n]+\]\([^)\n]+\)|</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>",
    re.MULTILINE | re.IGNORECASE,
)
ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'()]+|(?<![\w.@])[@#][A-Za-zА-Яа-я_]\w{2,}|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|\b(?:[a-z0-9а-я](?:[a-z0-9а-я-]*[a-z0-9а-я])?\.)+(?:com|org|net|ru|рф|su|info|io|me|tv|biz|xyz|site|online|top|club|app|dev|co|uk|de|ua|by|kz)\b(?:/[^\s<>\"'()]*)?",
    re.IGNORECASE,
)
# How models and their servers say that they have no summary.
EXCUSE = re.compile(
    r"\W*(?:ошибка\b|error\b|exception\b|traceback\b|не удалось получить|извините|к сожалению, я|как языковая модель"
    r"|вот (?:краткое|резюме|пост)|конечно[,!]|i'?m sorry|i can(?:no|')t|as an ai\b|here is\b|sure[,!])",
    re.IGNORECASE,
)


def addresses(text: str) -> list[re.Match[str]]:
    """Links, e-mail addresses, handles and hashtags."""
    return list(ADDRESS.finditer(text))


def smuggled(text: str, source: str) -> list[re.Match[str]]:
    """The addresses of a text that its source lacks."""
    known = source.lower()
    return [match for match in addresses(text) if match.group().rstrip(".,;:!?").lower() not in known]


def flaws(text: str, source: str, language: str) -> Iterator[Finding]:
    """What is wrong with the form of a summary. `language` is the one its source is in, or empty."""
    whole = len(text)
    if whole > MAX_CHARS or (whole < MIN_CHARS and len(source) > LONG_SOURCE):
        yield Finding(0, whole, Kind.LENGTH, str(whole))
    own = language_of(text)
    if own not in {"", "ru", language}:
        yield Finding(0, whole, Kind.LANGUAGE, own)
    for match in MARKUP.finditer(text):
        yield Finding(match.start(), match.end(), Kind.MARKUP, match.group())
    for match in smuggled(text, source):
        yield Finding(match.start(), match.end(), Kind.LINK, match.group())
    if (excuse := EXCUSE.match(text)) and excuse.group() not in source:
        yield Finding(excuse.start(), excuse.end(), Kind.EXCUSE, excuse.group())
