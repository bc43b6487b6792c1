"""How far a digest is, told by its rows, for whoever waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from publishing.digests.finishing import publication_of
from publishing.models import Digest


@dataclass(frozen=True, slots=True)
class Progress:
    """`written` of `sections` are done; `publication` is its post's number once it is queued.

    `error` says why the last attempt failed, or why nothing came of it; it is in the language of the worker.
    """

    state: str
    written: int
    sections: int
    publication: int | None
    error: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state != Digest.State.DRAFT


def progress(digest_id: int) -> Progress:
    """How far a digest is now. Raises Digest.DoesNotExist."""
    digest = Digest.objects.get(pk=digest_id)
    sections = digest.sections.filter(is_included=True)
    total, awaited = sections.count(), sections.filter(is_awaited=True).count()
    publication = publication_of(digest)
    return Progress(digest.state, total - awaited, total, publication.pk if publication else None, digest.last_error)
