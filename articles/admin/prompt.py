"""Prompts: written as new versions, looked at filled in for an article, tried, and put to use."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from articles import asking, prompts, trials
from articles.forecasts import writing
from articles.models import Article, Prompt
from articles.tasks import write_trial
from usage import llm
from usage.doorbell import ring
from usage.models import Provider

# Among so many of the newest articles one is chosen from a list; any other by its number.
NEWEST = 30


@admin.register(Prompt)
class PromptAdmin(ModelAdmin):
    list_display = ("label_of", "state_label", "written_by", "created_at")
    list_filter = ("kind", "is_current")
    list_fullwidth = True
    fields = ("kind", "text")
    actions_detail = ("look_at",)

    def has_change_permission(self, request: HttpRequest, obj: Prompt | None = None) -> bool:
        """A version never changes: summaries name it. What is changed becomes the next one."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Prompt | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version begins as the one in use."""
        kind = request.GET.get("kind", Prompt.Kind.SUMMARY)
        kind = kind if kind in Prompt.Kind.values else Prompt.Kind.SUMMARY
        return {"kind": kind, "text": prompts.current(kind).text}

    def save_model(self, request: HttpRequest, obj: Prompt, form: Any, change: bool) -> None:
        saved = prompts.save_version(obj.kind, obj.text, author_id=request.user.pk)
        obj.pk, obj.version = saved.pk, saved.version

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview)
        return [path("<int:pk>/preview/", view, name="articles_prompt_preview"), *super().get_urls()]

    @display(description=gettext_lazy("version"))
    def label_of(self, prompt: Prompt) -> str:
        return f"{prompt.get_kind_display()}, {prompt.version}"

    @display(description=gettext_lazy("state"), label={"current": "success", "kept": "info"})
    def state_label(self, prompt: Prompt) -> tuple[str, str]:
        return ("current", _("in use")) if prompt.is_current else ("kept", _("kept"))

    @display(description=gettext_lazy("written by"))
    def written_by(self, prompt: Prompt) -> str:
        return str(prompt.author or (_("newsroom") if prompt.is_own else _("came with the product")))

    @action(description=gettext_lazy("Preview, try, use"), permissions=["view"])
    def look_at(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:articles_prompt_preview", args=[object_id]))

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a model would be asked for an article; a POST puts the version to use, or plans a trial for a worker."""
        prompt = get_object_or_404(Prompt, pk=pk)
        if not self.has_view_permission(request, prompt):
            raise PermissionDenied
        if "_use" in request.POST:
            return self._use(request, prompt)
        article = _chosen(request)
        if request.method == "POST" and article:
            return self._try(request, prompt, article)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": prompt.label,
            "prompt": prompt,
            "article": article,
            "articles": _newest(),
            "messages_of_prompt": _request_of(article, prompt).messages() if article else [],
            "providers": Provider.objects.filter(is_enabled=True),
            "may_use": request.user.has_perm("articles.change_prompt") and not prompt.is_current,
            # A trial is a summary that readers don't get.
            "may_try": prompt.kind != Prompt.Kind.FORECAST and request.user.has_perm("articles.change_article"),
        }
        return TemplateResponse(request, "admin/articles/prompt/preview.html", context)

    def _use(self, request: HttpRequest, prompt: Prompt) -> HttpResponse:
        if not request.user.has_perm("articles.change_prompt"):
            raise PermissionDenied
        prompt.make_current()
        self.message_user(request, _("%(label)s is in use now.") % {"label": prompt.label}, messages.SUCCESS)
        return HttpResponseRedirect(request.path)

    def _try(self, request: HttpRequest, prompt: Prompt, article: Article) -> HttpResponse:
        if prompt.kind == Prompt.Kind.FORECAST or not request.user.has_perm("articles.change_article"):
            raise PermissionDenied
        provider = Provider.objects.filter(is_enabled=True, name=request.POST.get("provider", "")).first()
        for number in trials.request([article], prompt, provider=provider.name if provider else ""):
            ring(write_trial, number)
            self.message_user(request, _("The trial is being written."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:articles_summary_change", args=[number]))
        return HttpResponseRedirect(request.path)


def _request_of(article: Article, prompt: Prompt) -> llm.Prompt:
    is_forecast = prompt.kind == Prompt.Kind.FORECAST
    return writing.request_of(article, prompt) if is_forecast else asking.request_of(article, prompt)


def _chosen(request: HttpRequest) -> Article | None:
    """The article named in the request, or the newest one with a text."""
    number = request.POST.get("article") or request.GET.get("article") or ""
    with_text: QuerySet[Article] = Article.objects.exclude(content="", lead="").select_related("source")
    if number.isdecimal():
        return with_text.filter(pk=int(number[:18])).first()
    return with_text.order_by("-published_at", "-pk").first()


def _newest() -> QuerySet[Article]:
    return Article.objects.exclude(content="", lead="").only("pk", "title").order_by("-published_at", "-pk")[:NEWEST]
