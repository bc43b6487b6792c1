"""Pictures of articles: which article wants one, and the pictures themselves, each stored once."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models.article import Article
from articles.models.steps import Stepped, SteppedQuerySet

# A post waits no longer for its picture, whatever holds the picture up.
LONGEST_WAIT = timedelta(minutes=5)


class MediaManager(models.Manager["Media"]):
    """Leaves the bytes in the database unless they are asked for."""

    def get_queryset(self) -> models.QuerySet[Media]:
        return super().get_queryset().defer("body")

    def keep(self, body: bytes, *, content_type: str, width: int, height: int, source_url: str) -> Media:
        """The picture's row: made now, or the one that is known by the same bytes."""
        media, _created = self.get_or_create(
            sha256=hashlib.sha256(body).hexdigest(),
            defaults={
                "content_type": content_type,
                "width": width,
                "height": height,
                "size": len(body),
                "body": body,
                "source_url": source_url,
            },
        )
        return media

    def body_of(self, sha256: str) -> bytes | None:
        """The bytes of a picture; None if it is not known."""
        body = self.filter(sha256=sha256).values_list("body", flat=True).first()
        return None if body is None else bytes(body)


class Media(models.Model):
    """A picture, known by the hash of its bytes.

    The bytes lie in the row: they are few (`articles.media.MAX_BYTES` at most), every machine that sends or shows the
    picture has them without a shared folder, and a backup of the database is complete.
    """

    sha256 = models.CharField(_("hash"), max_length=64, primary_key=True)
    content_type = models.CharField(_("type"), max_length=50)
    size = models.PositiveIntegerField(_("size, bytes"))
    width = models.PositiveIntegerField(_("width, pixels"))
    height = models.PositiveIntegerField(_("height, pixels"))
    body = models.BinaryField(_("picture"))
    source_url = models.CharField(_("address"), max_length=2048, help_text=_("Where it was found first."))
    fetched_at = models.DateTimeField(_("fetched"), default=timezone.now)

    objects = MediaManager()

    class Meta:
        verbose_name = _("picture file")
        verbose_name_plural = _("picture files")
        ordering = ["-fetched_at"]
        # Whoever comes here from a row of another model leaves the bytes where they are, too.
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"{self.sha256[:12]} {self.width}×{self.height}"


class PictureQuerySet(SteppedQuerySet["Picture"]):
    def want(self, article: Article) -> Picture:
        """The article's picture, from now on to be fetched unless that was asked for before."""
        picture, _created = self.get_or_create(article=article, defaults={"next_step_at": timezone.now()})
        return picture

    def fetch_again(self) -> int:
        """Make these pictures due at once, whatever came of them before; how many."""
        return self.update(
            status=Picture.Status.WANTED, media=None, next_step_at=timezone.now(), attempts=0, last_error=""
        )


class Picture(Stepped):
    """The main picture of an article that is to be posted with one."""

    class Status(models.TextChoices):
        WANTED = "wanted", _("to be fetched")
        FETCHED = "fetched", _("fetched")
        NONE = "none", _("no usable picture")

    article = models.OneToOneField(Article, on_delete=models.CASCADE, related_name="picture", verbose_name=_("article"))
    media = models.ForeignKey(
        Media,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="pictures",
        verbose_name=_("picture file"),
    )
    url = models.CharField(_("address"), max_length=2048, blank=True, help_text=_("Where this article's picture is."))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WANTED)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)

    objects = PictureQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_step_at"], condition=models.Q(next_step_at__isnull=False), name="picture_due")
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="fetched", media__isnull=False)
                | ~models.Q(status="fetched") & models.Q(media__isnull=True),
                name="fetched_picture_has_its_file",
            ),
        ]

    def __str__(self) -> str:
        return str(self.article)

    @property
    def is_awaited(self) -> bool:
        """Whether a post had better wait for it: it is to be fetched, and has not been for too long."""
        return self.status == self.Status.WANTED and timezone.now() < self.created_at + LONGEST_WAIT
