"""Bytes to text, whatever encoding they are in and whatever they claim to be in. Pure, without Django: workers parse.

Russian feeds and pages come in windows-1251 and koi8-r every day, often without saying so or while claiming something
else, and single-byte encodings never fail to decode: so a claim is believed only if the text looks like one.
"""

from __future__ import annotations

import codecs
import re

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00?\x00", "utf-16-le"),
    (b"\x00<\x00?", "utf-16-be"),
)
CYRILLIC = ("windows-1251", "koi8-r", "cp866", "iso-8859-5", "mac-cyrillic")

# What a server says when nobody told it what it serves, and what browsers read instead (WHATWG Encoding Standard).
WEB_NAMES = {"iso-8859-1": "windows-1252", "us-ascii": "windows-1252", "ascii": "windows-1252", "gb2312": "gb18030"}

# Codecs of Python that are no encodings of documents, and that may fail where others put U+FFFD.
NOT_OF_TEXTS = {
    "idna",
    "punycode",
    "undefined",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
}

DECLARATION = re.compile(
    rb"""<\?xml[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']|<meta[^>]+?\bcharset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE
)
HEADER = re.compile(r"""\bcharset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
FIRST_BYTES = 2048  # a declaration stands near the beginning
SAMPLE = 3000  # bytes around the first letter that is not ASCII

WORD = re.compile(r"\b[А-ЯЁ]?[а-яё]{2,}\b")
FREQUENT = re.compile("[оеаинтсрвл]")

# Of the letters beyond ASCII, how many must stand in words that look Russian before a claim is believed.
PLAUSIBLE = 0.4


def decode(body: bytes, *, content_type: str = "", override: str = "") -> str:
    """The text of a document. Never fails: bytes that mean nothing become U+FFFD.

    `override` is a person's word for the encoding. Then come a byte order mark, UTF-8 if the bytes are valid UTF-8,
    what the document and the `content_type` header declare if it is plausible, and the likeliest Cyrillic encoding.
    """
    if _is_known(override):
        return body.decode(override, "replace").removeprefix("\ufeff")
    for mark, encoding in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace").removeprefix("\ufeff")
    declared = [name for name in (_declared_inside(body), _declared_by(content_type)) if _is_known(name)]
    if body.isascii():
        # Encodings like ISO-2022-JP hide their letters in ASCII.
        return body.decode(next((name for name in declared if name.startswith("iso-2022")), "ascii"), "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode(_likeliest(body, declared), "replace")


def _is_known(encoding: str) -> bool:
    """Whether Python has this encoding, and it is one of texts."""
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return False
    return codec._is_text_encoding and codec.name not in NOT_OF_TEXTS


def _declared_inside(body: bytes) -> str:
    found = DECLARATION.search(body, 0, FIRST_BYTES)
    name = (found[1] or found[2]).decode("ascii").lower() if found else ""
    return WEB_NAMES.get(name, name)


def _declared_by(content_type: str) -> str:
    found = HEADER.search(content_type)
    name = found[1].lower() if found else ""
    return WEB_NAMES.get(name, name)


def _likeliest(body: bytes, declared: list[str]) -> str:
    """The encoding of bytes that are not valid UTF-8: a plausible claim first, then the most Russian reading."""
    start = next(place for place, byte in enumerate(body) if byte > 0x7F)  # noqa: PLR2004
    sample = body[max(0, start - 100) : start + SAMPLE]
    for encoding in declared:
        if _russianness(sample, encoding) > PLAUSIBLE:
            return encoding
    best = max(CYRILLIC, key=lambda encoding: _russianness(sample, encoding))
    if _russianness(sample, best) > PLAUSIBLE:
        return best
    return next(
        (name for name in declared if not _mangles(sample, name)), "utf-8" if _mostly_utf8(sample) else "windows-1252"
    )


def _russianness(sample: bytes, encoding: str) -> float:
    """How much of what isn't ASCII stands in Russian words, 0 to 1; words of rare letters count less."""
    text = sample.decode(encoding, "replace")
    beyond_ascii = sum(not letter.isascii() for letter in text) or 1
    words = "".join(WORD.findall(text))
    frequent = len(FREQUENT.findall(words))
    return min(1.0, 1.8 * frequent / beyond_ascii)


def _mangles(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError as error:
        return error.end < len(sample) - 4  # a letter cut off at the sample's end proves nothing
    return False


def _mostly_utf8(sample: bytes) -> bool:
    """UTF-8 with a few broken bytes, as left by software that cuts texts at a number of bytes."""
    return sample.decode("utf-8", "replace").count("\ufffd") * 20 < sum(byte > 0x7F for byte in sample)  # noqa: PLR2004
