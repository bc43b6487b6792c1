"""A frozen payload as subscribers see it: HTML for the admin and the sandbox, from the same entities that are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from publishing.autolinks import found
from publishing.splitting import Mark
from publishing.template_syntax import is_web_address

TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
BLOCKS = {"pre", "blockquote"}
# Telegram makes no links of its own in these.
VERBATIM = {"code", "pre", "text_link"}


@dataclass(frozen=True)
class Look:
    """A post as a page shows it: its text, and the address of the picture above it (empty for none)."""

    html: SafeString
    photo: str


def look(payload: Mapping[str, Any]) -> Look:
    """How a payload will look. A picture stands above the text, whether the text is its caption or too long for one."""
    media = payload.get("media")
    return Look(payload_html(payload), reverse("picture", args=[media]) if media else "")


def payload_html(payload: Mapping[str, Any]) -> SafeString:
    """The text of a payload as its readers see it: escaped, with Telegram's elements, and `<br>` for newlines."""
    text = str(payload["text"])
    marks = [_in_code_points(text, entity) for entity in payload["entities"]]
    verbatim = [mark for mark in marks if mark.kind in VERBATIM]
    marks += [link for link in found(text) if not any(_overlap(link, mark) for mark in verbatim)]
    pieces = "".join(_nested(text, sorted(marks, key=lambda mark: (mark.start, -mark.end))))
    for block in BLOCKS:
        # A block begins and ends a line by itself.
        pieces = pieces.replace(f"</{block}><br>", f"</{block}>").replace(f"<br><{block}>", f"<{block}>")
    return mark_safe(pieces)  # noqa: S308  each piece is escaped


def _in_code_points(text: str, entity: Mapping[str, Any]) -> Mark:
    encoded = text.encode("utf-16-le")
    start = len(encoded[: 2 * entity["offset"]].decode("utf-16-le"))
    inside = encoded[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
    return Mark(start, start + len(inside), entity["type"], entity.get("url", ""))


def _overlap(one: Mark, other: Mark) -> bool:
    return one.start < other.end and other.start < one.end


def _nested(text: str, marks: Iterable[Mark]) -> Iterator[str]:
    """The text with its elements; where two overlap, the one that began later is closed and opened again."""
    marks = list(marks)
    edges = sorted({0, len(text), *(mark.start for mark in marks), *(mark.end for mark in marks)})
    opened: list[Mark] = []
    for edge, following in zip(edges, [*edges[1:], None], strict=True):
        while any(mark.end <= edge for mark in opened):
            yield _tags(opened.pop())[1]
        wanted = [mark for mark in marks if mark.start <= edge < mark.end and mark not in opened]
        for mark in wanted:
            opened.append(mark)
            yield _tags(mark)[0]
        yield escape(text[edge:following] if following is not None else "").replace("\n", "<br>")


def _tags(mark: Mark) -> tuple[str, str]:
    """The beginning and the end of an element. An entity that has no element here is plain text."""
    if mark.kind in TAGS:
        return f"<{TAGS[mark.kind]}>", f"</{TAGS[mark.kind]}>"
    if mark.kind in {"text_link", "url"} and is_web_address(mark.url):
        return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">', mark.url), "</a>"
    if mark.kind in {"hashtag", "mention", "spoiler"}:
        return f'<span class="tg-{mark.kind}">', "</span>"
    return "", ""
