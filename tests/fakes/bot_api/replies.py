"""What the server puts on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    status: int  # 0 resets the connection
    body: bytes
    content_type: str = "application/json"
    promised: int = 0  # bytes of the body that are announced but never come


def ok(result: Any) -> Reply:
    return _json(200, {"ok": True, "result": result})


def failure(told: dict[str, Any]) -> Reply:
    """The reply that tells of a refusal; its status is the error's code."""
    return _json(told["error_code"], told)


def refusal(description: str, code: int = 400, **parameters: int) -> dict[str, Any]:
    """What Telegram says when it refuses a call."""
    title = {400: "Bad Request: "}.get(code, "")
    told = {"ok": False, "error_code": code, "description": title + description}
    return told | ({"parameters": parameters} if parameters else {})


def is_refusal(result: Any) -> bool:
    return isinstance(result, dict) and result.get("ok") is False


def _json(status: int, reply: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(reply).encode())
