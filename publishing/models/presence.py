"""Who has a publication open right now: a hint for the next one who opens it, and nothing that is relied on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from publishing.models.publication import Publication

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# An open page tells of itself every few seconds; one that has been silent for so long is closed.
SILENCE = timedelta(seconds=30)


class PresenceQuerySet(models.QuerySet["Presence"]):
    def note(self, publication: Publication, user: User, now: datetime | None = None) -> None:
        """The person has the publication open at this moment."""
        now = now or timezone.now()
        self.update_or_create(publication=publication, user=user, defaults={"seen_at": now})

    def beside(self, user: User, publication: Publication, now: datetime | None = None) -> PresenceQuerySet:
        """The others who have it open, the one who came last first."""
        since = (now or timezone.now()) - SILENCE
        here = self.filter(publication=publication, seen_at__gte=since).exclude(user=user)
        return here.select_related("user").order_by("-seen_at")


class Presence(models.Model):
    """One person at one publication; one row each, however often they look."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(_("seen"))

    objects = PresenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("open page")
        verbose_name_plural = _("open pages")
        constraints = [models.UniqueConstraint(fields=["publication", "user"], name="one_presence_a_person")]

    def __str__(self) -> str:
        return f"{self.user_id} @ {self.publication_id}"
