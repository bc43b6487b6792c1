"""HTML and odd characters to clean plain text with its paragraphs. Pure, and without Django: workers parse."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

from selectolax.lexbor import LexborHTMLParser

# Characters that no text needs (soft hyphens tear words apart), that PostgreSQL refuses (NUL, lone surrogates), or that
# turn a line around (bidi).
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u206f\ufeff\ufffc\ufffe\uffff"
    "\ud800-\udfff]"
)
# It joins emoji; elsewhere in our languages it is a leftover of some editor.
JOINER = "\u200d"
STRAY_JOINER = re.compile(
    "(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
PARAGRAPHS = re.compile(r"\n{2,}")

UNSEEN = ["script", "style", "noscript", "template", "iframe", "object", "svg", "form", "button", "head", "title"]
BLOCKS = (
    "p,div,section,article,aside,header,footer,main,blockquote,pre,ul,ol,dl,table,figure,figcaption,hr,"
    "h1,h2,h3,h4,h5,h6,address"
)
LINES = "br,li,dt,dd,tr"


def clean(text: str) -> str:
    """Text fit for both databases and every screen: no forbidden characters, composed letters, lone spaces, trimmed.

    Line breaks stay; more than one in a row become the blank line between two paragraphs.
    """
    text = FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if JOINER in text:
        text = STRAY_JOINER.sub("", text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if "\n" not in text:
        return " ".join(text.split())
    lines = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return PARAGRAPHS.sub("\n\n", lines).strip()


def one_line(text: str) -> str:
    """Clean text without line breaks, as titles and names are."""
    return " ".join(clean(text).split())


def from_html(html: str) -> str:
    """What a reader sees of a piece of HTML: blocks become paragraphs, `<br>` and list items lines."""
    if "<" not in html:
        return clean(" ".join(unescape(html).split()))
    # The source's own line breaks mean nothing, ours will.
    tree = LexborHTMLParser(" ".join(html.split()))
    tree.strip_tags(UNSEEN)
    for block in tree.css(BLOCKS):
        block.insert_before("\n\n")
        block.insert_after("\n\n")
    for line in tree.css(LINES):
        line.insert_before("\n")
    return clean(tree.body.text()) if tree.body else ""


def first_image(html: str) -> str:
    """The `src` of the first picture in a piece of HTML, as it is written there; empty if there is none."""
    if "<img" not in html.lower():
        return ""
    image = LexborHTMLParser(html).css_first("img[src]")
    return (image.attributes.get("src") or "").strip() if image else ""


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut between two words and marked with an ellipsis."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"
