"""Which database this is, so that a restored backup or a second copy is told from the one that has always sent."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Installation(models.Model):
    """The one row: the fingerprint of the database in which it was written.

    `epoch` rises whenever the database turns out to be another one, or an older one, than its senders have known.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    fingerprint = models.CharField(_("fingerprint of the database"), max_length=200)
    epoch = models.PositiveIntegerField(_("epoch"), db_default=1, default=1)
    since = models.DateTimeField(_("since"), default=timezone.now)

    objects: ClassVar[models.Manager[Installation]] = models.Manager()

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_installation")]

    def __str__(self) -> str:
        return self.fingerprint
