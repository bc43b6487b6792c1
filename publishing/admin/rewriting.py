"""Another text for a publication: written by a worker, paid by the ledger, offered beside what is there.

An offer is a trial of the article's summary. Nothing of the publication changes before somebody takes it and saves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from articles import prompts, trials
from articles.duplicates.comparing import Piece, differences
from articles.models import Prompt, Summary
from articles.tasks import write_trial
from publishing.approval import UNDECIDED
from publishing.models import Publication
from usage.admin.money import dollars
from usage.doorbell import ring
from usage.models import Provider

SHOWN = 3


@dataclass(frozen=True)
class Offer:
    """A text that was asked for: its row, what differs from the text that is there, and what it cost."""

    summary: Summary
    pieces: list[Piece]
    cost: str
    is_shorter: bool


def context(request: HttpRequest, publication: Publication) -> dict[str, Any]:
    """What the editor shows below the text. Nothing for a publication without an article, or for who may not ask."""
    if not may_ask(request, publication):
        return {"may_ask": False}
    offers = _offers(publication)
    return {
        "publication": publication,
        "may_ask": True,
        "providers": Provider.objects.filter(is_enabled=True),
        "offers": offers,
        "is_writing": any(offer.summary.next_step_at for offer in offers),
    }


def view(request: HttpRequest, publication: Publication) -> HttpResponse:
    """Ask for another text (POST), or look how far it is."""
    if not may_ask(request, publication):
        raise PermissionDenied
    if request.method == "POST":
        _ask(request, publication)
    if "HX-Request" not in request.headers:
        return HttpResponseRedirect(reverse("admin:publishing_publication_change", args=[publication.pk]))
    return TemplateResponse(request, "admin/publishing/offers.html", context(request, publication))


def may_ask(request: HttpRequest, publication: Publication) -> bool:
    """Whether the person may spend money on this text, and it can still be changed."""
    is_open = publication.article is not None and publication.state in UNDECIDED
    return is_open and request.user.has_perm("articles.change_article")


def taken(publication: Publication, number: str) -> str | None:
    """The text of an offer that somebody takes; None if there is no such offer."""
    if not number.isdecimal() or publication.article is None:
        return None
    offer = publication.article.summaries.filter(is_trial=True, pk=int(number[:18])).exclude(text="").first()
    return offer.text if offer else None


def _ask(request: HttpRequest, publication: Publication) -> None:
    """Plan one text, unless the same is being written already."""
    article = publication.article
    if article is None:
        return
    kind = Prompt.Kind.SHORTER if "_shorter" in request.POST else Prompt.Kind.SUMMARY
    prompt = prompts.current(kind)
    provider = Provider.objects.filter(is_enabled=True, name=request.POST.get("provider", "")).first()
    name = provider.name if provider else ""
    under_way = article.summaries.filter(is_trial=True, next_step_at__isnull=False)
    if under_way.filter(prompt_version=prompt.label, provider=name).exists():
        return
    for number in trials.request([article], prompt, provider=name):
        ring(write_trial, number)


def _offers(publication: Publication) -> list[Offer]:
    if publication.article is None:
        return []
    summaries = publication.article.summaries.filter(is_trial=True).select_related("usage_event").order_by("-version")
    return [_offer(summary, publication) for summary in summaries[:SHOWN]]


def _offer(summary: Summary, publication: Publication) -> Offer:
    pieces = differences(publication.final_text, summary.text)[1] if summary.text else []
    cost = dollars(summary.usage_event.cost_usd if summary.usage_event else None)
    return Offer(summary, pieces, cost, summary.prompt_version.startswith(Prompt.Kind.SHORTER))
