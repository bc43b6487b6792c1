"""When a server may be asked next: told to all processes, on all machines, by one row a server."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# A server that nobody has asked for so long needs no row.
KEPT = timedelta(days=1)


class ServerTurnQuerySet(models.QuerySet["ServerTurn"]):
    def reserve(self, server: str, pause: timedelta, latest: datetime) -> datetime:
        """The moment at which the caller may ask the server; whoever comes next waits for `pause` behind it.

        What would come after `latest` is told, and not reserved.
        """
        while True:
            known = self.filter(server=server).values_list("free_at", flat=True).first()
            now = timezone.now()
            begin = max(now, known or now)
            if begin > latest or not pause or self._move(server, known, begin + pause):
                return begin

    def rest(self, server: str, until: datetime) -> None:
        """Let nobody ask the server before a moment; one that rests longer already goes on resting."""
        while True:
            known = self.filter(server=server).values_list("free_at", flat=True).first()
            if (known and known >= until) or self._move(server, known, until):
                return

    def _move(self, server: str, known: datetime | None, free_at: datetime) -> bool:
        """Write a server's next moment; False if somebody else has, since it was read."""
        if known is not None:
            return bool(self.filter(server=server, free_at=known).update(free_at=free_at))
        _row, made = self.get_or_create(server=server, defaults={"free_at": free_at})
        return made

    def forget(self) -> int:
        """Delete the rows of servers that nobody has asked for long; how many."""
        return self.filter(free_at__lt=timezone.now() - KEPT).delete()[0]


class ServerTurn(models.Model):
    """A server, by host and port, and when the next request to it may begin."""

    server = models.CharField(_("server"), max_length=300, primary_key=True)
    free_at = models.DateTimeField(_("free from"))

    objects = ServerTurnQuerySet.as_manager()

    class Meta:
        verbose_name = _("server's turn")
        verbose_name_plural = _("servers' turns")

    def __str__(self) -> str:
        return self.server
