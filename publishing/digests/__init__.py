"""Digests: asked for by a row, written step by step by workers, shaped by editors, sent through the outbox.

digest = digests.request("daily", channel, day, by=user)
digests.progress(digest.pk)   # how far it is, and the publication to approve in the end
"""

from publishing.digests.errors import DigestError, NotBegun, Overtaken, Settled
from publishing.digests.periods import Period
from publishing.digests.progress import Progress, progress
from publishing.digests.scheduling import plan_due, request

__all__ = ["DigestError", "NotBegun", "Overtaken", "Period", "Progress", "Settled", "plan_due", "progress", "request"]
