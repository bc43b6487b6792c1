"""What happens around every request: it gets an id, and the language its reader has chosen."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import check_for_language

from warandpeace.logs import correlation_id

logger = logging.getLogger(__name__)

# An id that came with the request is taken over only if it cannot break a log line.
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Machines ask for these every few seconds.
QUIET = {"/readyz", "/metrics", "/demo/feed.xml"}


class RequestId:
    """Names each request in its logs and in the `X-Request-ID` header of its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex[:12]
        token = correlation_id.set(name)
        began = time.monotonic()
        try:
            response = self.get_response(request)
            milliseconds = (time.monotonic() - began) * 1000
            level = logging.DEBUG if request.path in QUIET else logging.INFO
            logger.log(level, "%s %s %s %.0f ms", request.method, request.path, response.status_code, milliseconds)
        finally:
            correlation_id.reset(token)
        response["X-Request-ID"] = name
        return response


class ChosenLanguage:
    """The language of the reader's cookie, else the default one.

    Not Django's LocaleMiddleware: that would follow the browser's `Accept-Language`, and a Russian newsroom on an
    English-language laptop would get an English admin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = chosen in dict(settings.LANGUAGES) and check_for_language(chosen)
        language = chosen if known else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
