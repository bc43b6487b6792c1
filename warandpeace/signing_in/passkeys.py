"""Passkeys: django-otp-webauthn's ceremonies, within our limits, for the domain of this installation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.translation import gettext_lazy as _
from django_otp_webauthn import views
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential

from warandpeace.signing_in import factors, guessing, sessions

REFUSED = 400


class TooOften(OTPWebAuthnApiError):
    """Too many failures, or too many requests in a minute."""

    status_code = 429
    default_detail = _("Too many attempts. Wait a quarter of an hour, then try again.")
    default_code = "too_often"


class Helper(WebAuthnHelper):
    """The domain is the first allowed host's; its own pages may ask, on whatever port they are served."""

    def get_allowed_origins(self) -> list[str]:
        host = self.request.get_host()
        domain = split_domain_port(host)[0]
        ours = domain == settings.OTP_WEBAUTHN_RP_ID or domain.endswith(f".{settings.OTP_WEBAUTHN_RP_ID}")
        return [*super().get_allowed_origins(), *([f"{self.request.scheme}://{host}"] if ours else [])]

    def create_credential(self, user: User, *args: Any, **kwargs: Any) -> WebAuthnCredential:
        """Named for the browser it was made in, so that its owner knows it again."""
        credential = super().create_credential(user, *args, **kwargs)
        credential.name = sessions.device(self.request) or "Passkey"
        return credential


class Limited:
    """Refuses who asks too fast or has been wrong too often."""

    request: HttpRequest

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        known = request.user if request.user.is_authenticated else None
        if guessing.is_too_fast(request) or not guessing.may_try(request, known):
            raise TooOften


class BeginSignIn(Limited, views.BeginCredentialAuthenticationView):
    pass


class CompleteSignIn(Limited, views.CompleteCredentialAuthenticationView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A passkey that proves nothing counts like a wrong password."""
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        if REFUSED <= response.status_code < TooOften.status_code:
            guessing.note_failure(request, request.user if request.user.is_authenticated else None)
        return response


class BeginAdding(Limited, views.BeginCredentialRegistrationView):
    pass


class CompleteAdding(Limited, views.CompleteCredentialRegistrationView):
    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sessions that were opened with less end: they would go on without the new factor."""
        response: HttpResponse = super().post(*args, **kwargs)
        user = self.request.user
        if isinstance(user, User) or user.is_authenticated:
            factors.note(user, factors.ADDED_PASSKEY)
            self.request.session[sessions.HAS_FACTOR] = True
            sessions.end_others(self.request, user)
        return response
