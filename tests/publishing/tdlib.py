"""Telegram's own library, which parses and cleans texts offline."""

from __future__ import annotations

import json
from typing import Any

import tdjson


def td(type_name: str, **request: Any) -> dict[str, Any]:
    """What the library answers to a request that it can execute by itself."""
    reply = tdjson.td_execute(json.dumps({"@type": type_name, **request}).encode())
    answer: dict[str, Any] = json.loads(reply or b"{}")
    return answer


def utf16(text: str, offset: int, length: int) -> str:
    """A stretch of a text that is given in UTF-16 units."""
    return text.encode("utf-16-le")[2 * offset : 2 * (offset + length)].decode("utf-16-le")


td("setLogVerbosityLevel", new_verbosity_level=0)
