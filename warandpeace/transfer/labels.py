"""Database URLs for people's eyes."""

from __future__ import annotations

import re

SECRET_PARAMETER = re.compile(r"(?i)\b(password|passfile|sslpassword|sslkey)=[^&\s]*")


def label_of(url: str) -> str:
    """The URL without anything secret in it: no password, neither before the host nor among the parameters."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    # A password may itself have an @ or a /: the last @ that comes before the database's name ends it.
    credentials, at, place = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return SECRET_PARAMETER.sub(r"\1=…", f"{scheme}://{user}{at}{place}")
