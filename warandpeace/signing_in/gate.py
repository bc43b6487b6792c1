"""The gate behind the sign-in: who has or must have a second factor goes nowhere else before it was shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from warandpeace.signing_in import factors, guessing, sessions

# Open to everybody, so there is nobody to ask for.
OPEN = {
    "home",
    "readyz",
    "demo-feed",
    "demo-article",
    "telegram-webhook",
    "set_language",
    "admin:login",
    "admin:logout",
    "admin:jsi18n",
    "signing_in:second-step",
    "signing_in:passkey-begin",
    "signing_in:passkey-complete",
}
# Where a first factor is set up.
SETTING_UP = {
    "signing_in:mine",
    "signing_in:authenticator",
    "signing_in:passkey-add-begin",
    "signing_in:passkey-add-complete",
}
PASSWORD_CHECKED = {"admin:login", "signing_in:second-step"}
TOO_MANY_REQUESTS = 429


class Gate:
    """Also slows down who sends passwords or codes too fast, and writes down when somebody was last seen."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in PASSWORD_CHECKED and request.method == "POST" and guessing.is_too_fast(request):
            return too_fast(request)
        if name in OPEN or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request.user
        if not user.is_authenticated:
            return None
        sessions.see(request, user)
        return missing_step(request, user, name)


def missing_step(request: HttpRequest, user: User, name: str) -> HttpResponse | None:
    """Where this person has to go first; None if nothing is missing."""
    if user.is_verified():  # type: ignore[attr-defined]  # by OTPMiddleware
        return None
    if sessions.HAS_FACTOR not in request.session:  # it is older than the gate
        request.session[sessions.HAS_FACTOR] = factors.has_any(user)
    if not request.session[sessions.HAS_FACTOR] and not factors.is_required_of(user):
        return None
    if factors.has_any(user):
        back = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return HttpResponseRedirect(f"{reverse('signing_in:second-step')}?{back}")
    return None if name in SETTING_UP or not factors.is_required_of(user) else leading_to_setup()


def leading_to_setup() -> HttpResponse:
    return HttpResponseRedirect(reverse("signing_in:mine"))


def too_fast(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "admin/signing_in/locked.html", status=TOO_MANY_REQUESTS)
