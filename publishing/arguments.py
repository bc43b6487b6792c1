"""A frozen payload as the arguments of the Bot API's calls, in the library's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telegram import LinkPreviewOptions, MessageEntity


def is_photo(payload: Mapping[str, Any]) -> bool:
    """Whether a payload is a picture whose caption is the text."""
    return payload.get("kind") == "photo"


def text_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of sendMessage and editMessageText that carry the payload's words."""
    return {
        "text": payload["text"],
        "entities": _entities(payload),
        "link_preview_options": LinkPreviewOptions(**payload["link_preview_options"]),
    }


def caption_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of sendPhoto and editMessageCaption that carry the payload's words."""
    return {"caption": payload["text"], "caption_entities": _entities(payload)}


def _entities(payload: Mapping[str, Any]) -> list[MessageEntity]:
    return [MessageEntity(**entity) for entity in payload["entities"]]
