"""Forecast notes: on the page of their article, beside their source, in a list, and as a filter of articles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from articles.admin.summary import MEANINGS
from articles.asking import text_of
from articles.factcheck.findings import Kind
from articles.forecasts.form import Note, UnusableNote, stored
from articles.models import Article, ForecastNote
from usage.admin.money import dollars
from usage.listing import ExactSearch, LargeTableAdmin, ReadOnly
from usage.moments import when

# A page shows so much of a source, in characters.
SOURCE_SHOWN = 20_000
# So many of the newest versions are looked through, and lead to each other.
VERSIONS_SHOWN = 10

Status = ForecastNote.Status
TONES = {Status.WAITING: "info", Status.WRITTEN: "success", Status.SKIPPED: "warning", Status.FAILED: "danger"}


@dataclass(frozen=True)
class Chance:
    """An outcome and its probability in whole percent."""

    text: str
    percent: int


@dataclass(frozen=True)
class Shown:
    """A note as a page shows it. `note` is None where there is nothing to show but the state of its row."""

    row: ForecastNote
    tone: str
    note: Note | None = None
    facts: tuple[SafeString, ...] = ()
    entities: tuple[tuple[SafeString, str, str], ...] = ()
    chances: tuple[Chance, ...] = ()
    confidence: int = 0
    cost: str = ""


def shown(row: ForecastNote) -> Shown:
    """The note with what its article does not support marked, the likeliest outcome first."""
    tone = TONES[Status(row.status)]
    try:
        note = stored(row.data) if row.status == Status.WRITTEN else None
    except UnusableNote:
        note = None
    if note is None:
        return Shown(row, tone)
    event = row.usage_event
    return Shown(
        row,
        tone,
        note,
        facts=tuple(_marked(fact, row, f"key_facts.{place}") for place, fact in enumerate(note.key_facts)),
        entities=tuple(
            (_marked(one.name, row, f"entities.{place}"), str(one.kind.label), one.role)
            for place, one in enumerate(note.entities)
        ),
        chances=tuple(
            Chance(one.text, round(100 * one.probability))
            for one in sorted(note.forecast.outcomes, key=lambda outcome: -outcome.probability)
        ),
        confidence=round(100 * note.confidence),
        cost=dollars(event.cost_usd if event else None),
    )


def _marked(text: str, row: ForecastNote, place: str) -> SafeString:
    """The text as HTML, with marks where the fact check has found something."""
    found = [one for one in row.findings if one.get("place") == place]
    ends = sorted({0, len(text)} | {one[side] for one in found for side in ("start", "end") if one[side] < len(text)})
    return format_html_join("", "{}", ((_piece(text[start:end], start, end, found),) for start, end in pairwise(ends)))


def _piece(piece: str, start: int, end: int, found: list[dict[str, Any]]) -> SafeString:
    kinds = [Kind(one["kind"]) for one in found if one["start"] <= start and end <= one["end"]]
    if not kinds:
        return format_html("{}", piece)
    meaning = " ".join(dict.fromkeys(str(MEANINGS[kind]) for kind in kinds))
    tone = "note" if set(kinds) == {Kind.SENTENCE} else "bad"
    return format_html('<mark class="wp-mark wp-mark-{}" title="{}">{}</mark>', tone, meaning, piece)


def notes_of(article: Article) -> dict[str, Any]:
    """What the page of an article shows of its notes: the newest, and the newest written one where that is older."""
    versions = list(article.forecast_notes.select_related("usage_event").order_by("-version")[:VERSIONS_SHOWN])
    newest = versions[:1]
    written = next((row for row in versions if row.status == Status.WRITTEN), None)
    rows = newest if written in newest or written is None else [*newest, written]
    for row in rows:
        row.article = article
    return {"notes": [shown(row) for row in rows]}


class ForecastFilter(admin.SimpleListFilter):
    """Articles by what became of their notes."""

    title = gettext_lazy("forecast note")
    parameter_name = "forecast"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        doubted = ("doubted", _("written, to be looked at"))
        return [*((value, label) for value, label in Status.choices), doubted, ("none", _("none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> QuerySet[Article]:
        notes = ForecastNote.objects.filter(article=OuterRef("pk"))
        match self.value():
            case None:
                return queryset
            case "none":
                return queryset.filter(~Exists(notes))
            case "doubted":
                return queryset.filter(Exists(notes.written().exclude(findings=[])))
            case status:
                return queryset.filter(Exists(notes.filter(status=status)))


@admin.register(ForecastNote)
class ForecastNoteAdmin(ReadOnly, ExactSearch, LargeTableAdmin):
    list_display = ("article_title", "version", "status_label", "verdict", "provider", "asked_for")
    list_filter = ("status",)
    list_select_related = ("article",)
    search_fields = ("article__id",)
    search_help_text = gettext_lazy("The number of an article")
    sortable_by = ("asked_for",)
    empty_text = gettext_lazy("No forecast note yet: ask for one on an article's page, or let a source ask for each.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ForecastNote]:
        notes: QuerySet[ForecastNote] = super().get_queryset(request)
        return notes.defer("data", "article__content", "article__lead", "article__summary_text")

    @display(description=gettext_lazy("article"))
    def article_title(self, note: ForecastNote) -> str:
        return note.article.title

    @display(description=gettext_lazy("status"), label=TONES)
    def status_label(self, note: ForecastNote) -> tuple[str, str]:
        return note.status, note.get_status_display()

    @display(description=gettext_lazy("check"), label={"doubted": "danger", "supported": "success", "none": "info"})
    def verdict(self, note: ForecastNote) -> tuple[str, str]:
        if note.status != Status.WRITTEN:
            return "none", "—"
        return ("doubted", _("look at it")) if note.bars_approval else ("supported", _("supported"))

    @display(description=gettext_lazy("asked for"), ordering="created_at")
    def asked_for(self, note: ForecastNote) -> str:
        return when(note.created_at)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One version beside its source."""
        versions = ForecastNote.objects.select_related("article__source", "usage_event")
        row = get_object_or_404(versions, pk=object_id if object_id.isdecimal() else 0)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.article.title,
            "article": row.article,
            "one": shown(row),
            "others": row.article.forecast_notes.exclude(pk=row.pk).order_by("-version")[:VERSIONS_SHOWN],
            "source_text": text_of(row.article)[:SOURCE_SHOWN],
        }
        return TemplateResponse(request, "admin/articles/forecast/page.html", context)
