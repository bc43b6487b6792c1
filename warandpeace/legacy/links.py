"""Canonical links of old addresses, quickly: a file has hundreds of thousands of them, all of a few shapes."""

from __future__ import annotations

import re
from functools import lru_cache

from articles.canonical import NotCanonical, canonicalise
from warandpeace.transfer.errors import Unfit

# An address that ends in a number and has nothing else that canonicalising could change from one number to the next.
NUMBERED = re.compile(r"(https?://[a-z0-9.-]+(?:/[a-z0-9_-]+)*/)([0-9]{1,18})(/?)")


def link_of(*spellings: object) -> str:
    """The canonical link of the first spelling that is an address. Raises Unfit if none is."""
    reason = "is empty"
    for spelling in spellings:
        if not isinstance(spelling, str) or not spelling:
            continue
        try:
            return _canonical(spelling)
        except NotCanonical as error:
            reason = f"is no address: {error}"
    raise Unfit(f"url {reason}")


def _canonical(url: str) -> str:
    match = NUMBERED.fullmatch(url)
    if match is None:
        return canonicalise(url)
    start, number, end = match.groups()
    return f"{_start(start, end)}{number}"


@lru_cache(maxsize=1000)
def _start(start: str, end: str) -> str:
    """What the canonical links of all addresses have in common that begin and end like this."""
    return canonicalise(f"{start}0{end}").removesuffix("0")
