"""What language models are told to do, version by version."""

from __future__ import annotations

import re
from string import Template

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# What may stand in a prompt's text, as $name.
PLACEHOLDERS = frozenset({"min_chars", "max_chars"})


def validate_text(text: str) -> None:
    """Raises ValidationError unless every `$` begins a placeholder we fill."""
    template = Template(text)
    if not template.is_valid():
        raise ValidationError(_("A $ that is no placeholder is written $$."))
    if unknown := sorted(set(template.get_identifiers()) - PLACEHOLDERS):
        raise ValidationError(_("Unknown placeholder: $%(name)s."), params={"name": unknown[0]})


class Prompt(models.Model):
    """One version of the instructions for one kind of text. A version never changes: summaries name it.

    Exactly one version of each kind is current. Those without an author came with the product, from
    `templates/prompts/`.
    """

    class Kind(models.TextChoices):
        SUMMARY = "summary", _("summary of an article")
        SHORTER = "shorter", _("shorter summary of an article")
        FORECAST = "forecast", _("forecast note of an article")
        DAILY = "daily", _("daily digest")
        WEEKLY = "weekly", _("weekly digest")
        MONTHLY = "monthly", _("monthly digest")
        ANNUAL = "annual", _("annual digest")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.SUMMARY)
    version = models.PositiveIntegerField(_("version"), editable=False)
    text = models.TextField(
        _("instructions"), validators=[validate_text], help_text=_("$min_chars and $max_chars are filled in.")
    )
    is_current = models.BooleanField(_("current"), default=False, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("author"),
    )
    # Stays when the author's account is deleted, so that such a version isn't taken for one of the product's.
    is_own = models.BooleanField(_("written by the newsroom"), default=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering = ["kind", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="unique_version_of_prompt"),
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(is_current=True), name="one_current_version_of_prompt"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What rows and calls know the version by: "summary-3"."""
        return f"{self.kind}-{self.version}"

    @classmethod
    def labelled(cls, label: str) -> Prompt | None:
        """The version of a label, or None."""
        found = re.fullmatch(r"([a-z]+)-(\d{1,9})", label)
        return cls.objects.filter(kind=found[1], version=int(found[2])).first() if found else None

    def filled(self, *, min_chars: int, max_chars: int) -> str:
        """The instructions for a text of so many characters."""
        return Template(self.text).substitute(min_chars=min_chars, max_chars=max_chars)

    def make_current(self) -> None:
        """Use this version from now on."""
        with transaction.atomic():
            of_kind = Prompt.objects.filter(kind=self.kind)
            of_kind.filter(is_current=True).exclude(pk=self.pk).update(is_current=False)
            of_kind.filter(pk=self.pk).update(is_current=True)
        self.is_current = True
