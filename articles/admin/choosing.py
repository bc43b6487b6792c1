"""Which provider shall summarise the chosen articles, and for how much: asked on a page of its own."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from articles.estimating import estimate
from articles.models import Article
from articles.tasks import summarise_article
from usage.admin.money import dollars
from usage.doorbell import ring
from usage.models import Provider


@dataclass(frozen=True)
class Choice:
    """A provider and about what it would cost."""

    provider: str
    price: str


def summarise_with(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet[Article]) -> HttpResponse | None:
    """First the page with the providers and their prices; with a choice, the articles are made due for it."""
    chosen = list(queryset.values_list("pk", flat=True))
    if "_go" in request.POST:
        _queue(model_admin, request, chosen)
        return None
    names = Provider.objects.filter(is_enabled=True, kind__in=Provider.Kind.values).values_list("name", flat=True)
    choices = [Choice(name, dollars(estimate(chosen, provider=name).cost_usd)) for name in names]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Summarise with…"),
        "action": request.POST["action"],
        "selected": helpers.ACTION_CHECKBOX_NAME,
        "chosen": chosen,
        "choices": choices,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/articles/article/summarise.html", context)


def _queue(model_admin: ModelAdmin, request: HttpRequest, chosen: list[int]) -> None:
    provider = Provider.objects.filter(is_enabled=True, name=request.POST.get("provider", "")).first()
    if provider is None:
        model_admin.message_user(request, _("Choose a provider."), messages.WARNING)
        return
    with_text = Article.objects.filter(pk__in=chosen).exclude(status=Article.Status.NEW)
    queued = with_text.summarise_again(provider=provider.name)
    for pk in chosen:
        ring(summarise_article, pk)
    message = ngettext("%(queued)d article is being summarised.", "%(queued)d articles are being summarised.", queued)
    model_admin.message_user(request, message % {"queued": queued}, messages.SUCCESS if queued else messages.WARNING)
