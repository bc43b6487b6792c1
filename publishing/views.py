"""The sandbox: a channel's posts as its subscribers would see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from articles.models import Media
from publishing.models import Channel, SandboxPost
from publishing.preview import payload_html

PAGE = 30


@dataclass(frozen=True)
class Preview:
    """The card below a post that shows where its link leads."""

    url: str
    host: str
    title: str
    lead: str


@dataclass(frozen=True)
class Bubble:
    """A post on the page; `number` is its place in the channel.

    `photo` is the address of its picture or empty; the sides (pixels) keep its place free until it has come.
    """

    number: int
    html: SafeString
    photo: str
    width: int
    height: int
    posted_at: datetime
    preview: Preview | None


@never_cache
@require_safe
def sandbox(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest posts of a sandbox channel, or those before the post with the number `before`."""
    channel = _channel(slug)
    before = _number(request, "before")
    posts = _posts(channel).filter(pk__lt=before) if before else _posts(channel)
    newest_first = list(posts[: PAGE + 1])
    shown = newest_first[:PAGE][::-1]
    context = {
        "channel": channel,
        "bubbles": _bubbles(shown),
        "older": shown[0].pk if len(newest_first) > PAGE else None,
        "is_newest": not before,
    }
    return render(request, "sandbox/channel.html", context)


@never_cache
@require_safe
def sandbox_posts(request: HttpRequest, slug: str) -> HttpResponse:
    """The posts after the one with the number `after`, as a piece of the page; no content if there are none."""
    channel = _channel(slug)
    newer = _posts(channel).filter(pk__gt=_number(request, "after")).order_by("pk")[:PAGE]
    bubbles = _bubbles(newer)
    if not bubbles:
        return HttpResponse(status=204)
    return render(request, "sandbox/posts.html", {"channel": channel, "bubbles": bubbles})


def _channel(slug: str) -> Channel:
    return get_object_or_404(Channel, slug=slug, kind=Channel.Kind.SANDBOX)


def _posts(channel: Channel) -> QuerySet[SandboxPost]:
    return SandboxPost.objects.filter(channel=channel).select_related("message__publication__article").order_by("-pk")


def _number(request: HttpRequest, name: str) -> int:
    """A post's number in the query, 0 if there is none. Raises Http404 for what is no number of a row."""
    given = request.GET.get(name, "0")
    if not (given.isascii() and given.isdigit() and len(given) < 19):  # noqa: PLR2004  digits of a 64-bit number
        raise Http404
    return int(given)


def _bubbles(posts: Iterable[SandboxPost]) -> list[Bubble]:
    hashes = {post.payload["media"] for post in posts if "media" in post.payload}
    pictures = Media.objects.in_bulk(hashes) if hashes else {}
    return [_bubble(post, pictures.get(post.payload.get("media"))) for post in posts]


def _bubble(post: SandboxPost, picture: Media | None) -> Bubble:
    """The post as it looks; a picture stands in the place of the preview of its link."""
    html = payload_html(post.payload)
    if picture is None:
        return Bubble(post.pk, html, "", 0, 0, post.posted_at, _preview(post))
    address = reverse("picture", args=[picture.sha256])
    return Bubble(post.pk, html, address, picture.width, picture.height, post.posted_at, None)


def _preview(post: SandboxPost) -> Preview | None:
    url = post.payload["link_preview_options"].get("url", "")
    article = post.message.publication.article
    if not url or article is None:
        return None
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return Preview(url=url, host=host, title=article.title, lead=article.lead)
