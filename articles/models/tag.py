"""What articles are about: tags, who gave them, and the rules by which they are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from articles.models.source import Source

MAX_NAME = 100


def slug_of(name: str) -> str:
    """What two spellings of one tag have in common: case, ё and punctuation don't count. Empty if nothing is left."""
    return slugify(name.replace("ё", "е").replace("Ё", "Е"), allow_unicode=True)[:MAX_NAME]


class TagQuerySet(models.QuerySet["Tag"]):
    def named(self, names: Iterable[str]) -> dict[str, Tag]:
        """The tags of these names, made where they are missing. A name without a letter or digit has none."""
        slugs = {name: slug for name in names if (slug := slug_of(name))}
        if not slugs:
            return {}
        known = {tag.slug: tag for tag in self.filter(slug__in=set(slugs.values()))}
        # Of several spellings the first one stays.
        missing = {slug: Tag(name=name.strip()[:MAX_NAME], slug=slug) for name, slug in reversed(slugs.items())}
        if new := [missing[slug] for slug in sorted(missing.keys() - known.keys())]:
            # Two processes may meet the same new topic: whoever comes second takes the other's row.
            self.bulk_create(new, ignore_conflicts=True)
            known |= {tag.slug: tag for tag in self.filter(slug__in=[tag.slug for tag in new])}
        return {name: known[slug] for name, slug in slugs.items()}


class Tag(models.Model):
    """A subject that articles are filed under. Its short name tells it from others, however its name is spelt."""

    name = models.CharField(_("name"), max_length=MAX_NAME)
    slug = models.SlugField(_("short name"), max_length=MAX_NAME, unique=True, allow_unicode=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = TagQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~models.Q(slug=""), name="tag_slug_not_empty")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.slug = slug_of(self.name)
        if not self.slug:
            raise ValidationError({"name": _("A tag needs a letter or a digit.")})
        if Tag.objects.filter(slug=self.slug).exclude(pk=self.pk).exists():
            raise ValidationError({"name": _("There is such a tag already.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = slug_of(self.name)
        super().save(*args, **kwargs)


class TagRule(models.Model):
    """When a tag is given by itself. What a pattern says depends on its kind; `articles.tagging` reads it."""

    class Kind(models.TextChoices):
        WORDS = "words", _("words")
        REGEX = "regex", _("regular expression")
        TOPIC = "topic", _("topic of the source")
        DOMAIN = "domain", _("domain")

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="rules", verbose_name=_("tag"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.WORDS)
    pattern = models.CharField(
        _("pattern"),
        max_length=500,
        help_text=_("Words, topics and domains: one or several, separated by commas. Words are found in any form."),
    )
    in_title_only = models.BooleanField(_("in the title only"), default=False)
    source = models.ForeignKey(
        Source,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tag_rules",
        verbose_name=_("source"),
        help_text=_("Empty: articles of all sources."),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("tag rule")
        verbose_name_plural = _("tag rules")
        ordering = ["tag__name", "kind", "pk"]
        constraints = [models.CheckConstraint(condition=~models.Q(pattern=""), name="tag_rule_pattern_not_empty")]

    def __str__(self) -> str:
        return f"{self.tag}: {self.pattern}"


class ArticleTag(models.Model):
    """A tag of an article, and who gave it: what an editor gave stays, whatever the rules say."""

    class Origin(models.TextChoices):
        RULE = "rule", _("rule")
        TOPIC = "topic", _("topic of the source")
        EDITOR = "editor", _("editor")

    article = models.ForeignKey(
        "articles.Article", on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("article")
    )
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("tag"))
    origin = models.CharField(_("given by"), max_length=10, choices=Origin, default=Origin.RULE)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("tag of an article")
        verbose_name_plural = _("tags of articles")
        indexes = [models.Index(fields=["tag", "-article"], name="article_tag_of_tag")]
        constraints = [models.UniqueConstraint(fields=["article", "tag"], name="unique_tag_of_article")]

    def __str__(self) -> str:
        return f"{self.article_id}: {self.tag_id}"


class RefusedTag(models.Model):
    """A tag that an editor took from an article: no rule and no topic gives it back."""

    article = models.ForeignKey(
        "articles.Article", on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("article")
    )
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+", verbose_name=_("tag"))
    refused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("refused by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("refused tag")
        verbose_name_plural = _("refused tags")
        constraints = [models.UniqueConstraint(fields=["article", "tag"], name="unique_refused_tag_of_article")]

    def __str__(self) -> str:
        return f"{self.article_id}: {self.tag_id}"


class Retagging(models.Model):
    """A walk of the rules over all articles, which goes on where it was stopped as long as the rules stay the same."""

    rules_hash = models.CharField(_("hash of the rules"), max_length=64)
    checkpoint = models.BigIntegerField(_("last article"), default=0)
    examined = models.PositiveIntegerField(_("examined"), default=0)
    added = models.PositiveIntegerField(_("added"), default=0)
    removed = models.PositiveIntegerField(_("removed"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("retagging")
        verbose_name_plural = _("retaggings")
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d} {self.examined}"
