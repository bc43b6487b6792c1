"""A version of a summary beside its source: what leans on what, what has no support. And two versions side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from articles import asking
from articles.factcheck.checking import Report
from articles.factcheck.findings import Finding, Kind
from articles.models import Summary
from usage.admin.money import dollars
from usage.listing import ExactSearch, LargeTableAdmin, ReadOnly

# A page shows so much of a source.
SENTENCES_SHOWN = 300
WHOLE = (Kind.LENGTH, Kind.LANGUAGE)
MEANINGS = {
    Kind.NUMBER: gettext_lazy("The source has no such number, or has it of something else."),
    Kind.PERCENTAGE: gettext_lazy("The source has no such percentage."),
    Kind.DATE: gettext_lazy("The source has no such date."),
    Kind.NAME: gettext_lazy("The source has no such name, or has it in another part."),
    Kind.QUOTATION: gettext_lazy("The source does not say this word by word."),
    Kind.LINK: gettext_lazy("The source has no such address."),
    Kind.SENTENCE: gettext_lazy("No sentence of the source is like this one."),
    Kind.LENGTH: gettext_lazy("A post should have 400 to 900 characters."),
    Kind.LANGUAGE: gettext_lazy("It is in another language."),
    Kind.MARKUP: gettext_lazy("Leftover markup."),
    Kind.EXCUSE: gettext_lazy("It reads like an error or an excuse."),
}


@dataclass(frozen=True)
class Side:
    """One version as a page shows it: its text with marks, and what was found."""

    summary: Summary
    text: SafeString
    findings: list[tuple[str, str, bool]]
    cost: str


@admin.register(Summary)
class SummaryAdmin(ReadOnly, ExactSearch, LargeTableAdmin):
    list_display = ("article_title", "version", "state_label", "prompt_version", "provider", "created_at")
    list_filter = ("is_trial",)
    list_select_related = ("article",)
    search_fields = ("article__id",)
    search_help_text = gettext_lazy("The number of an article")
    sortable_by = ("created_at",)
    empty_text = gettext_lazy("No summary has been written yet.")

    @display(description=gettext_lazy("article"))
    def article_title(self, summary: Summary) -> str:
        return summary.article.title

    @display(
        description=gettext_lazy("check"),
        label={"doubted": "danger", "supported": "success", "waiting": "info", "failed": "warning"},
    )
    def state_label(self, summary: Summary) -> tuple[str, str]:
        if not summary.text:
            return ("waiting", _("being written")) if summary.next_step_at else ("failed", _("not written"))
        return ("doubted", _("look at it")) if summary.bars_approval else ("supported", _("supported"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The version and its source; with `?with=` another version of the same article beside it."""
        versions = Summary.objects.select_related("article__source", "usage_event", "author")
        summary = get_object_or_404(versions, pk=object_id if object_id.isdecimal() else 0)
        if not self.has_view_permission(request, summary):
            raise PermissionDenied
        others = versions.filter(article=summary.article).exclude(pk=summary.pk).order_by("-version")
        wanted = request.GET.get("with", "")
        other = others.filter(pk=int(wanted[:18])).first() if wanted.isdecimal() else None
        report = asking.check(summary.article, summary.text)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(summary.article),
            "article": summary.article,
            "sides": [
                _side(summary, report),
                *([_side(other, asking.check(other.article, other.text))] if other else []),
            ],
            "others": others[:20],
            "source": _source(report),
        }
        return TemplateResponse(request, "admin/articles/summary/check.html", context)


def _side(summary: Summary, report: Report) -> Side:
    listed = [(finding.text or "—", str(MEANINGS[finding.kind]), finding.bars) for finding in report.findings]
    event = summary.usage_event
    return Side(
        summary,
        marked(summary.text, report),
        listed if summary.text else [],
        dollars(event.cost_usd if event else None),
    )


def marked(text: str, report: Report) -> SafeString:
    """The text as HTML: each sentence leads to the one it leans on, and what has no support is marked."""
    findings = [finding for finding in report.findings if finding.kind not in WHOLE]
    ends = {0, len(text)} | {place for one in findings for place in (one.start, one.end)}
    ends |= {place for link in report.links for place in (link.start, link.end)}
    places = sorted(place for place in ends if place <= len(text))
    return format_html_join(
        "", "{}", ((_piece(text, start, end, findings, report),) for start, end in pairwise(places))
    )


def _piece(text: str, start: int, end: int, findings: Iterable[Finding], report: Report) -> SafeString:
    piece = format_html("{}", text[start:end])
    doubts = [one for one in findings if one.start <= start and end <= one.end]
    if doubts:
        meaning = " ".join(dict.fromkeys(str(MEANINGS[one.kind]) for one in doubts))
        tone = "bad" if any(one.bars for one in doubts) else "note"
        piece = format_html('<mark class="wp-mark wp-mark-{}" title="{}">{}</mark>', tone, meaning, piece)
    source = next((link.source for link in report.links if link.start <= start and end <= link.end), -1)
    if source < 0:
        return piece
    return format_html('<a class="wp-leans" href="#s{}">{}</a>', source, piece)


def _source(report: Report) -> list[tuple[int, str, bool]]:
    """The sentences of the source: number, text, and whether the summary leans on it."""
    leaned_on = {link.source for link in report.links}
    return [(number, text, number in leaned_on) for number, text in enumerate(report.source[:SENTENCES_SHOWN])]
