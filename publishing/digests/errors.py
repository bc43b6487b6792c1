"""Why a digest was not made or changed."""

from __future__ import annotations


class DigestError(Exception):
    """Nothing was done; the text is a sentence for the person who asked, in their language.

    DigestError
    ├── NotBegun     the period lies ahead
    ├── Overtaken    somebody has changed the digest since the person saw it
    └── Settled      it is being written, is not the current version, or its post is decided
    """


class NotBegun(DigestError):
    pass


class Overtaken(DigestError):
    pass


class Settled(DigestError):
    pass
