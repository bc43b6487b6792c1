"""A row that could not be taken over, as JSON with nothing lost, and back again."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from warandpeace.transfer.encoding import Utf8
from warandpeace.transfer.jsonb import normal_json

HEX = "hex"  # bytes, and text that is no valid UTF-8 or has a NUL, are an object with this one name


def dump_original(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _dumped(value) for name, value in values.items()}


def _dumped(value: Any) -> Any:
    if isinstance(value, Utf8):
        return _dumped(value.decode("utf-8", "surrogateescape"))
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return _dumped(value.encode("utf-8", "surrogateescape"))
        return value if "\0" not in value else _dumped(value.encode())
    if isinstance(value, bytes | memoryview):
        return {HEX: bytes(value).hex()}
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    return json.loads(normal_json(value)) if isinstance(value, dict | list) else str(value)


def load_original(values: dict[str, Any]) -> dict[str, Any]:
    """The row that was dumped, or what a person has made of it; bytes are bytes again. Raises nothing."""
    return {name: _loaded(value) for name, value in values.items()}


def _loaded(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {HEX} and isinstance(value[HEX], str):
        try:
            return bytes.fromhex(value[HEX])
        except ValueError:
            return value  # whoever wrote it meant something else; the row's own check says what is wrong
    return value
