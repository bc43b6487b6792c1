"""Which provider shall write for the chosen articles, and for how much: asked on a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from articles.estimating import Estimate, estimate, estimate_notes
from articles.forecasts import planning
from articles.models import Article
from articles.tasks import summarise_article, write_note
from usage.admin.money import dollars
from usage.doorbell import ring
from usage.models import Provider


@dataclass(frozen=True)
class Choice:
    """A provider and about what it would cost."""

    provider: str
    price: str


@dataclass(frozen=True)
class Work:
    """What is to be written: the words of its page, who can, for how much, and how it is asked for.

    `ask_for` takes articles and a provider's name, rings for what it has made due, and says how much that is.
    """

    title: str
    question: str
    kinds: Sequence[str]
    estimate: Callable[..., Estimate]
    ask_for: Callable[[list[int], str], str]


def write_summaries(count: int) -> Work:
    question = ngettext("Summarise %(count)d article with", "Summarise %(count)d articles with", count)
    return Work(_("Summarise with…"), question % {"count": count}, Provider.Kind.values, estimate, _ask_for_summaries)


def write_notes(count: int) -> Work:
    question = ngettext(
        "Write a forecast note on %(count)d article with", "Write forecast notes on %(count)d articles with", count
    )
    return Work(
        _("Write forecast notes with…"),
        question % {"count": count},
        [Provider.Kind.OPENAI],
        estimate_notes,
        _ask_for_notes,
    )


def choose_provider(
    model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet[Article], work_on: Callable[[int], Work]
) -> HttpResponse | None:
    """First the page with the providers and their prices; with a choice, the work on the articles is made due."""
    chosen = list(queryset.values_list("pk", flat=True))
    work = work_on(len(chosen))
    able = Provider.objects.filter(is_enabled=True, kind__in=work.kinds)
    if not able.exists():
        model_admin.message_user(request, _("This takes a language model: set up a provider first."), messages.WARNING)
        return None
    if "_go" in request.POST:
        _go(model_admin, request, able, chosen, work)
        return None
    names = able.values_list("name", flat=True)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": work.title,
        "question": work.question,
        "action": request.POST["action"],
        "selected": helpers.ACTION_CHECKBOX_NAME,
        "chosen": chosen,
        "choices": [Choice(name, dollars(work.estimate(chosen, provider=name).cost_usd)) for name in names],
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/articles/article/choose.html", context)


def _go(model_admin: ModelAdmin, request: HttpRequest, able: QuerySet[Provider], chosen: list[int], work: Work) -> None:
    provider = able.filter(name=request.POST.get("provider", "")).first()
    if provider is None:
        model_admin.message_user(request, _("Choose a provider."), messages.WARNING)
        return
    model_admin.message_user(request, work.ask_for(chosen, provider.name), messages.SUCCESS)


def _ask_for_summaries(chosen: list[int], provider: str) -> str:
    with_text = Article.objects.filter(pk__in=chosen).exclude(status=Article.Status.NEW)
    queued = with_text.summarise_again(provider=provider)
    for pk in chosen:
        ring(summarise_article, pk)
    message = ngettext("%(queued)d article is being summarised.", "%(queued)d articles are being summarised.", queued)
    return message % {"queued": queued}


def _ask_for_notes(chosen: list[int], provider: str) -> str:
    numbers = planning.request(chosen, provider=provider)
    for number in numbers:
        ring(write_note, number)
    message = ngettext(
        "%(queued)d forecast note is being written.", "%(queued)d forecast notes are being written.", len(numbers)
    )
    return message % {"queued": len(numbers)}
