"""What Telegram accepts as a text or a caption, and what it says to anything else."""

from __future__ import annotations

import json
from typing import Any

from tests.publishing.tdlib import td

# In UTF-16 units, after entities are parsed.
LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024
# The kinds of entities that a bot can give, in the words of Telegram's library; others it finds by itself.
KINDS = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "blockquote": "BlockQuote",
    "expandable_blockquote": "ExpandableBlockQuote",
    "text_link": "TextUrl",
}


def units(text: str) -> int:
    """The length of a text as Telegram's entities measure it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def objection_to_text(parameters: dict[str, Any]) -> str:
    """Why a text message is refused; empty if it is accepted."""
    text = parameters.get("text", "")
    if units(text) > LONGEST_TEXT:
        return "message is too long"
    if not text.strip():
        return "message text is empty"
    return _objection_to_entities(text, parameters.get("entities"))


def objection_to_caption(parameters: dict[str, Any]) -> str:
    """Why a picture's caption is refused; empty if it is accepted. A picture needs none."""
    caption = parameters.get("caption", "")
    if units(caption) > LONGEST_CAPTION:
        return "message caption is too long"
    return _objection_to_entities(caption, parameters.get("caption_entities"))


def _objection_to_entities(text: str, given: str | None) -> str:
    """What Telegram's own library says to the entities, and to those it doesn't know what the server says."""
    entities = json.loads(given or "[]")
    if not entities:
        return ""
    if unknown := next((entity["type"] for entity in entities if entity["type"] not in KINDS), ""):
        return f"can't parse entities: unsupported type {unknown}"
    # The one request that the library executes by itself and that validates entities first.
    checked = td("parseMarkdown", text={"@type": "formattedText", "text": text, "entities": _as_td(entities)})
    return f"can't parse entities: {checked['message']}" if checked.get("@type") == "error" else ""


def _as_td(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "@type": "textEntity",
            "offset": entity["offset"],
            "length": entity["length"],
            "type": {"@type": f"textEntityType{KINDS[entity['type']]}", "url": entity.get("url", "")},
        }
        for entity in entities
    ]
