"""Stored pictures, for whoever knows their hash: they come from public pages and go out in public posts."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from articles.models import Media


@cache_control(public=True, immutable=True, max_age=31_536_000)
@require_safe
def picture(request: HttpRequest, sha256: str) -> HttpResponse:
    """A stored picture. Its address is the hash of its bytes, so what came once never changes."""
    found = Media.objects.filter(sha256=sha256).values_list("content_type", "body").first()
    if found is None:
        raise Http404
    content_type, body = found
    return HttpResponse(bytes(body), content_type=content_type)
