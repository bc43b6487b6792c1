"""A feed or a site we watch, with its schedule, its validators and its health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from articles import leases
from articles.leases import Taken
from articles.sites import selectors

# A fetch and the parsing of what came must be over by then; afterwards another worker may take the source.
FETCH_LEASE = timedelta(minutes=10)
LONGEST_BACKOFF = timedelta(hours=12)


class SourceQuerySet(models.QuerySet["Source"]):
    def active(self) -> SourceQuerySet:
        return self.filter(is_active=True)

    def due(self, now: datetime | None = None) -> SourceQuerySet:
        """Active sources whose time has come, the longest waiting first."""
        return self.active().filter(next_fetch_at__lte=now or timezone.now()).order_by("next_fetch_at")

    def fetch_now(self, now: datetime | None = None) -> int:
        """Make active sources due at once; how many. One that is being fetched now is fetched again after that."""
        return self.active().update(next_fetch_at=now or timezone.now())

    def claim(self, sources: Sequence[Source], lease: datetime) -> list[Source]:
        """Take those of the sources that nobody has taken or planned anew since they were read, until `lease`."""
        leases.mine.take(*(leases.Note(self.model._meta.label_lower, source.pk, lease) for source in sources))
        as_read = models.Q(pk__in=[])
        for source in sources:
            as_read |= models.Q(pk=source.pk, next_fetch_at=source.next_fetch_at)
        if self.filter(as_read).update(next_fetch_at=lease) == len(sources):
            return list(sources)
        mine = set(
            self.filter(pk__in=[source.pk for source in sources], next_fetch_at=lease).values_list("pk", flat=True)
        )
        return [source for source in sources if source.pk in mine]

    def release(self, taken: Taken) -> int:
        """Make due what a dead process was about to fetch; how many sources."""
        return leases.make_due(self, taken, "next_fetch_at")


class Source(models.Model):
    class Kind(models.TextChoices):
        FEED = "feed", _("feed (RSS, Atom, RDF)")
        SITE = "site", _("site")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.FEED)
    slug = models.SlugField(_("short name"), unique=True, help_text=_("Names the source in commands."))
    name = models.CharField(_("name"), max_length=200)
    url = models.URLField(_("address"), max_length=2048, help_text=_("Of the feed, or of the site's list of news."))
    language = models.CharField(
        _("language"), max_length=8, blank=True, help_text=_("ru, en; empty: told from the text.")
    )
    selectors = models.JSONField(
        _("selectors"), default=dict, blank=True, help_text=_("What stands where on the pages of its site.")
    )
    encoding = models.CharField(
        _("encoding"), max_length=40, blank=True, help_text=_("Overrides what the server and the document say.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Moscow", help_text=_("Of dates that name no zone.")
    )

    delay_seconds = models.FloatField(
        _("pause between requests, seconds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(3600)],
        help_text=_("To its server. Empty: FETCH_SECONDS_BETWEEN_REQUESTS, and none on this machine."),
    )
    connections = models.PositiveSmallIntegerField(
        _("requests at once"),
        db_default=2,
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(16)],
        help_text=_("To its server, while an archive is read."),
    )
    obey_robots = models.BooleanField(
        _("obey robots.txt"), db_default=True, default=True, help_text=_("Switch it off only with the site's consent.")
    )

    is_active = models.BooleanField(_("watched"), default=True)
    fetch_full_text = models.BooleanField(
        _("fetch full text"), default=True, help_text=_("From the article's page, where the feed brings only a lead.")
    )
    auto_summarise = models.BooleanField(_("summarise automatically"), default=True)
    auto_forecast = models.BooleanField(
        _("write forecast notes automatically"),
        default=False,
        db_default=False,
        help_text=_("An analysis of each new article by a language model, for as long as it is young enough to queue."),
    )
    auto_queue = models.BooleanField(_("queue automatically"), default=False)
    queue_max_age_hours = models.PositiveSmallIntegerField(
        _("oldest news to queue, hours"), default=48, help_text=_("Older articles are stored but not queued.")
    )

    interval_minutes = models.PositiveSmallIntegerField(
        _("interval, minutes"), default=15, validators=[MinValueValidator(1), MaxValueValidator(10080)]
    )
    next_fetch_at = models.DateTimeField(_("next fetch"), default=timezone.now)
    etag = models.CharField(_("ETag"), max_length=500, blank=True, editable=False)
    last_modified = models.CharField(_("Last-Modified"), max_length=100, blank=True, editable=False)
    body_hash = models.CharField(_("hash of the last body"), max_length=64, blank=True, editable=False)
    entry_count = models.PositiveIntegerField(_("entries in the feed"), default=0, editable=False)
    last_fetched_at = models.DateTimeField(_("last fetch"), null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)
    consecutive_failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)

    usual_yield = models.JSONField(
        _("what its page used to yield"), default=dict, db_default=models.Value({}, models.JSONField()), editable=False
    )
    text_misses = models.PositiveSmallIntegerField(
        _("article pages in a row without a text"), db_default=0, default=0, editable=False
    )
    moved_to = models.CharField(_("moved to"), max_length=2048, db_default="", default="", blank=True, editable=False)
    moved_count = models.PositiveSmallIntegerField(
        _("times it said that it has moved"), db_default=0, default=0, editable=False
    )

    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SourceQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=[
            "next_fetch_at",
            "etag",
            "last_modified",
            "body_hash",
            "entry_count",
            "last_fetched_at",
            "last_success_at",
            "consecutive_failures",
            "last_error",
            "usual_yield",
            "text_misses",
            "moved_to",
            "moved_count",
        ]
    )

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]
        indexes = [models.Index(fields=["next_fetch_at"], condition=models.Q(is_active=True), name="source_due")]
        constraints = [
            models.CheckConstraint(condition=models.Q(interval_minutes__gte=1), name="source_interval_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for selectors that no page can be read by."""
        try:
            selectors.read(self.selectors)
        except selectors.Mistaken as error:
            raise ValidationError([str(mistake) for mistake in error.mistakes]) from error

    def backoff(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row: the interval doubled each time, half a day at most."""
        return min(timedelta(minutes=self.interval_minutes) * (1 << min(failures, 12)), LONGEST_BACKOFF)
