"""The main picture that a page names. Pure, and without Django: it runs where strangers' documents are read."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from articles.entries import absolute

NAMED_ON_PAGE = ("og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src")
FIRST_FIGURE = "figure img[src], article img[src], main img[src]"


def picture_of_page(html: str, url: str) -> str:
    """The address of a page's main picture: what it names for sharing (Open Graph), else its first figure; or empty."""
    return next(filter(None, _candidates(LexborHTMLParser(html), url)), "")


def _candidates(page: LexborHTMLParser, url: str) -> Iterator[str]:
    for name in NAMED_ON_PAGE:
        for meta in page.css(f'meta[property="{name}"], meta[name="{name}"]'):
            yield absolute(url, meta.attributes.get("content"))
    base = page.css_first("base[href]")
    beginning = absolute(url, base.attributes.get("href")) if base else ""
    for image in page.css(FIRST_FIGURE)[:1]:
        yield absolute(beginning or url, image.attributes.get("src"))
