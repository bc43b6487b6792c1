"""Who is signed in where."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SignInQuerySet(models.QuerySet["SignIn"]):
    def open(self, now: datetime | None = None) -> SignInQuerySet:
        """Those that still let somebody in."""
        return self.filter(session__expire_date__gt=now or timezone.now())

    def of(self, user: User) -> SignInQuerySet:
        return self.filter(user=user)

    def end(self) -> int:
        """Sign these out, at their next request at the latest; how many there were."""
        keys = list(self.values_list("session_id", flat=True))
        Session.objects.filter(pk__in=keys).delete()
        return len(keys)


class SignIn(models.Model):
    """A session with a person in it. It goes when its session goes, however that ends."""

    # How long somebody may work before "last seen" is written again.
    SEEN_EVERY = timedelta(minutes=5)

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="+", verbose_name=_("session"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins", verbose_name=_("person")
    )
    device = models.CharField(_("device"), max_length=100, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    since = models.DateTimeField(_("signed in"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    objects = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-seen_at", "-id"]
        indexes = [models.Index(fields=["-seen_at", "-id"], name="signin_newest")]

    def __str__(self) -> str:
        return f"{self.user}: {self.device}"
