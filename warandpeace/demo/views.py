"""The demo's feed and article pages. They exist only while the demo's source does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import feedgenerator, timezone
from django.utils.html import format_html_join
from django.views.decorators.http import condition, require_safe

from articles.models import Source
from warandpeace.demo import news
from warandpeace.demo.content import MILESTONE, SLUG
from warandpeace.models import Milestone


class FullTextFeed(feedgenerator.Rss201rev2Feed):
    """RSS 2.0 with the whole text of each item, as many news sites serve it."""

    def rss_attributes(self) -> dict[str, str]:
        return super().rss_attributes() | {"xmlns:content": "http://purl.org/rss/1.0/modules/content/"}

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("content:encoded", item["content"])


def _started_at() -> datetime:
    """When the demo began. Raises Http404 where it was never wanted or was removed."""
    get_object_or_404(Source, slug=SLUG)
    return get_object_or_404(Milestone, name=MILESTONE).reached_at


def _edition(request: HttpRequest) -> str:
    """The feed's ETag: it changes with each item that appears, and with the address the links begin with."""
    return f'"{len(news.visible(_started_at(), timezone.now()))}-{request.get_host()}"'


@require_safe
@condition(etag_func=_edition)
def feed(request: HttpRequest) -> HttpResponse:
    started_at = _started_at()
    document = FullTextFeed(
        title="Вести Северогавани (выдуманные новости)",
        link=request.build_absolute_uri("/"),
        description="Выдуманные новости для знакомства с программой",
        language="ru",
    )
    for item in news.visible(started_at, timezone.now()):
        link = request.build_absolute_uri(reverse("demo-article", args=[item.slug]))
        document.add_item(
            title=item.title,
            link=link,
            description=item.lead,
            content=format_html_join("", "<p>{}</p>", ((text,) for text in item.paragraphs)),
            pubdate=started_at + item.appears_after,
            unique_id=link,
            categories=[item.topic],
        )
    return HttpResponse(document.writeString("utf-8"), content_type=document.content_type)


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    started_at = _started_at()
    found = next((item for item in news.visible(started_at, timezone.now()) if item.slug == slug), None)
    if found is None:
        raise Http404(slug)
    return render(request, "demo/article.html", {"item": found, "published_at": started_at + found.appears_after})
