"""The texts people see, read out of code and templates: what the catalogues must translate."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from babel.messages.extract import extract
from django.utils.translation.template import templatize

KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

# (context or "", msgid, plural msgid or "")
Text: TypeAlias = tuple[str, str, str]


def texts_of(folder: Path) -> Iterator[tuple[Path, Text]]:
    """Each text below the folder with the file it is in, from Python and from Django templates."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield from ((path, text) for text in _texts(path.read_text()))
        elif path.suffix == ".html":
            # The tokenizer minds indentation, which means nothing in a template.
            lines = templatize(path.read_text()).splitlines()
            yield from ((path, text) for text in _texts("\n".join(line.strip() for line in lines)))


def _texts(source: str) -> Iterator[Text]:
    for _line, messages, _comments, context in extract("python", BytesIO(source.encode()), keywords=KEYWORDS):
        parts = (messages,) if isinstance(messages, str) else tuple(part for part in messages if part)
        yield context or "", parts[0], parts[1] if len(parts) > 1 else ""
