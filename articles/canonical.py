"""The one address of an article: what all its spellings have in common. Pure, and without Django: workers parse."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

MAX_LENGTH = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}

# Parameters that tell where a reader came from and never what is shown.
TRACKER_PREFIXES = ("utm_",)
# fmt: off
TRACKERS = frozenset({
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "srsltid", "msclkid", "twclid", "ttclid", "li_fat_id",
    "epik", "igsh", "igshid", "yclid", "ymclid", "ysclid", "_openstat", "etext", "rb_clickid", "erid", "_ga", "_gl",
    "mc_cid", "mc_eid", "mkt_tok", "oly_anon_id", "oly_enc_id", "vero_id", "wickedid", "s_kwcid", "_hsenc", "_hsmi",
})
# fmt: on


class NotCanonical(ValueError):
    """The text is no http(s) URL with a host, or it is longer than 2048 characters."""


def canonicalise(url: str) -> str:
    """The canonical form of an http(s) URL; canonicalising it once more changes nothing.

    Scheme and host in lower case and IDNA, no user name, no default port, no trackers, parameters sorted, no fragment,
    and no slash at the end but that of a bare host: `…/view/17/` and `…/view/17` are one article. Raises NotCanonical.
    """
    if len(url) > MAX_LENGTH:
        raise NotCanonical(f"The address is longer than {MAX_LENGTH} characters.")
    try:
        parts = urlsplit(canonicalize_url(url))
        host = _host(parts)
    except ValueError as error:
        raise NotCanonical("This is not an address.") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise NotCanonical("Only http and https addresses with a host are known.")
    canonical = urlunsplit((parts.scheme, host, parts.path.rstrip("/") or "/", _without_trackers(parts.query), ""))
    if len(canonical) > MAX_LENGTH:
        raise NotCanonical(f"The address is longer than {MAX_LENGTH} characters.")
    return canonical


def _host(parts: SplitResult) -> str:
    """Host and port, without user name, default port and the dot of the DNS root. Raises ValueError for a bad port."""
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    if not host.isascii():
        raise NotCanonical("The name of the host is not valid.")
    return host if parts.port in {None, DEFAULT_PORTS.get(parts.scheme)} else f"{host}:{parts.port}"


def _without_trackers(query: str) -> str:
    if not query:
        return ""
    return "&".join(parameter for parameter in query.split("&") if not _is_tracker(parameter.partition("=")[0].lower()))


def _is_tracker(name: str) -> bool:
    return name in TRACKERS or name.startswith(TRACKER_PREFIXES)
