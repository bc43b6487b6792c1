"""Stories: an article and its copies side by side, with what differs marked; merged, split, led by another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from articles.duplicates import deciding
from articles.duplicates.comparing import Piece, differences
from articles.duplicates.shingles import jaccard, shingles
from articles.models import Article, Story, StoryDecision
from usage.addresses import list_url
from usage.listing import ExactSearch, LargeTableAdmin

# A page shows so much of a text, in characters.
TEXT_SHOWN = 20_000
DECISIONS_SHOWN = 20


@dataclass(frozen=True)
class Side:
    """An article as the page shows it: its text in pieces."""

    article: Article
    pieces: list[Piece]


@admin.register(Story)
class StoryAdmin(ExactSearch, LargeTableAdmin):
    list_display = ("main_article", "size", "sources", "created_at")
    list_display_links = ("main_article",)
    search_fields = ("articles__id",)
    search_help_text = gettext_lazy("The number of an article")
    sortable_by = ("created_at",)
    empty_text = gettext_lazy("No copies have been found yet.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Story]:
        members = Article.objects.select_related("source").only("title", "story", "duplicate_of", "source__name")
        stories: QuerySet[Story] = super().get_queryset(request)
        return stories.prefetch_related(Prefetch("articles", members.order_by("pk"), to_attr="members"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Story | None = None) -> bool:
        return False

    @display(description=gettext_lazy("main article"))
    def main_article(self, story: Any) -> str:
        return next((article.title for article in story.members if article.duplicate_of_id is None), "—")

    @display(description=gettext_lazy("articles"))
    def size(self, story: Any) -> int:
        return len(story.members)

    @display(description=gettext_lazy("sources"))
    def sources(self, story: Any) -> str:
        return ", ".join(dict.fromkeys(article.source.name for article in story.members))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The main article and one of its copies, chosen by `?copy=`; a POST is a decision about the story."""
        story = get_object_or_404(Story, pk=int(object_id[:18]) if object_id.isdecimal() else 0)
        if not self.has_view_permission(request, story):
            raise PermissionDenied
        if request.method == "POST":
            return self._decide(request, story)
        return TemplateResponse(request, "admin/articles/story/story.html", self._context(request, story))

    def _context(self, request: HttpRequest, story: Story) -> dict[str, Any]:
        members = list(story.articles.select_related("source").defer("summary_text").order_by("pk"))
        main = next((article for article in members if article.duplicate_of_id is None), members[0])
        copies = [article for article in members if article != main]
        wanted = request.GET.get("copy", "")
        copy = next((article for article in copies if str(article.pk) == wanted), copies[0] if copies else main)
        one, other = _text(main), _text(copy)
        ours, theirs = differences(one[:TEXT_SHOWN], other[:TEXT_SHOWN])
        decisions = StoryDecision.objects.filter(article__in=members).select_related("decided_by", "article")
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": main.title,
            "story": story,
            "main": Side(main, ours),
            "copy": Side(copy, theirs),
            "copies": copies,
            "shared": round(100 * jaccard(shingles(one), shingles(other))),
            "decisions": decisions[:DECISIONS_SHOWN],
            "may_decide": self.has_change_permission(request, story),
        }

    def _decide(self, request: HttpRequest, story: Story) -> HttpResponse:
        if not self.has_change_permission(request, story):
            raise PermissionDenied
        by: Any = request.user
        verbs: dict[str, tuple[Callable[[int], object], str]] = {
            "_split": (lambda pk: deciding.split(pk, by=by), _("It is no copy any more.")),
            "_main": (lambda pk: deciding.choose_main(pk, by=by), _("It is the main article now.")),
            "_merge": (lambda pk: deciding.merge(_main_of(story), [pk], by=by), _("It belongs to the story now.")),
        }
        name = next((name for name in verbs if name in request.POST), "")
        number = request.POST.get("article" if name == "_merge" else name, "").strip()
        if not name or not number.isdecimal():
            messages.error(request, _("Give the number of an article."))
            return HttpResponseRedirect(request.path)
        verb, done = verbs[name]
        try:
            verb(int(number[:18]))
        except deciding.StoryError as error:
            messages.error(request, str(error))
        else:
            self.log_change(request, story, f"{name.removeprefix('_')} {number}")
            messages.success(request, done)
        return self._back(story)

    def _back(self, story: Story) -> HttpResponse:
        """To the story, or to the list if it is none any more."""
        if Story.objects.filter(pk=story.pk).exists():
            return HttpResponseRedirect(reverse("admin:articles_story_change", args=[story.pk]))
        return HttpResponseRedirect(list_url(Story))


def merge_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Article]) -> HttpResponse | None:
    """Make the chosen articles one story, around the one that was stored first; then show it."""
    if not request.user.has_perm("articles.change_story"):
        raise PermissionDenied
    chosen = sorted(queryset.values_list("pk", flat=True))
    by: Any = request.user
    try:
        story = deciding.merge(chosen[0], chosen[1:], by=by)
    except deciding.StoryError as error:
        messages.error(request, str(error))
        return None
    counted = ngettext("%(count)d article is one story.", "%(count)d articles are one story.", len(chosen))
    model_admin.log_change(request, story, f"merge {chosen}")
    messages.success(request, counted % {"count": len(chosen)})
    return HttpResponseRedirect(reverse("admin:articles_story_change", args=[story.pk]))


def _main_of(story: Story) -> int:
    main = story.main
    return main.pk if main else 0


def _text(article: Article) -> str:
    return article.content or article.lead
