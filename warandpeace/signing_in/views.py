"""The second step of the sign-in, and the page where a person keeps their own: factors, recovery codes, sessions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_otp import login as remember_factor
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from usage.addresses import wanted_url
from warandpeace.signing_in import factors, gate, guessing, sessions
from warandpeace.signing_in.forms import CodeForm
from warandpeace.signing_in.models import SignIn

# Nobody works at more places at once; older ones stand in no list and end by themselves.
SESSIONS_SHOWN = 50


def page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> TemplateResponse:
    """One of our pages inside the admin's frame."""
    context |= admin.site.each_context(request) | {"title": context.get("title", "")}
    return TemplateResponse(request, f"admin/signing_in/{name}.html", context, status=status)


def person(request: HttpRequest) -> User:
    """Who is signed in: the decorators below let nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101  for the type
    return request.user


def safe_next(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is a page of ours; else the dashboard."""
    return wanted_url(request) or reverse("admin:index")


def check_code(request: HttpRequest, user: User, code: str) -> Device | None:
    """The device that accepts the code. Each makes who was wrong wait longer and longer, and so does the name."""
    for model in (TOTPDevice, StaticDevice):
        for device in model.objects.filter(user=user, confirmed=True):
            if verify_token(user, device.persistent_id, code):
                return device
    guessing.note_failure(request, user)
    return None


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@staff_member_required(login_url="admin:login")
def second_step(request: HttpRequest) -> HttpResponse:
    """Asks for a code or a passkey after the password."""
    user = person(request)
    has = factors.of(user)
    if not has or user.is_verified():  # type: ignore[attr-defined]
        return redirect(safe_next(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and not guessing.may_try(request, user):
        return page(request, "locked", status=gate.TOO_MANY_REQUESTS)
    if request.method == "POST" and form.is_valid():
        device = check_code(request, user, form.cleaned_data["code"])
        if device:
            remember_factor(request, device)
            return redirect(safe_next(request))
        form.add_error("code", _("This code is wrong, used up or too old. Wait for the next one, then try again."))
    return page(request, "second_step", title=_("Second step"), form=form, has=has, next=safe_next(request))


@never_cache
@require_safe
@staff_member_required(login_url="admin:login")
def mine(request: HttpRequest) -> HttpResponse:
    """My sign-in: what I have, what I must have, and where I am signed in."""
    user = person(request)
    has = factors.of(user)
    return page(
        request,
        "mine",
        title=_("My sign-in"),
        has=has,
        is_required=factors.is_required_of(user),
        is_last=len(has) == 1,
        sign_ins=SignIn.objects.of(user).open()[:SESSIONS_SHOWN],
        current=request.session.session_key,
    )


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@staff_member_required(login_url="admin:login")
def authenticator(request: HttpRequest) -> HttpResponse:
    """Sets up an authenticator app: POST without a code makes the secret, GET shows it, POST with a code proves it."""
    user = person(request)
    if factors.of(user).authenticator:
        messages.info(request, _("You have an authenticator app already: remove it first."))
        return redirect("signing_in:mine")
    if request.method == "POST" and "code" not in request.POST:
        factors.begin_authenticator(user)
        return redirect("signing_in:authenticator")
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None:
        return redirect("signing_in:mine")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if verify_token(user, device.persistent_id, form.cleaned_data["code"]):
            return with_authenticator(request, user, device)
        form.add_error("code", _("This is not the code of the moment. Is the clock of your telephone right?"))
    return page(
        request,
        "authenticator",
        title=_("Authenticator app"),
        form=form,
        picture=factors.picture(device),
        secret=factors.spelled(device),
    )


def with_authenticator(request: HttpRequest, user: User, device: TOTPDevice) -> HttpResponse:
    """The app counts from now on, in this session too; all others of the person end."""
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    device.confirmed = True
    factors.note(user, factors.ADDED_CODES)
    remember_factor(request, device)
    request.session[sessions.HAS_FACTOR] = True
    sessions.end_others(request, user)
    return page(request, "codes", title=_("Recovery codes"), codes=factors.make_recovery_codes(user))


@never_cache
@require_POST
@staff_member_required(login_url="admin:login")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New codes in place of the old; the answer to this request is the only place they are ever shown."""
    user = person(request)
    if not factors.has_any(user):
        messages.warning(request, _("Recovery codes stand in for a passkey or an app: set up one of them first."))
        return redirect("signing_in:mine")
    return page(request, "codes", title=_("Recovery codes"), codes=factors.make_recovery_codes(user))


@require_POST
@staff_member_required(login_url="admin:login")
def remove_factor(request: HttpRequest) -> HttpResponse:
    number = request.POST.get("passkey", "")
    passkey = int(number) if number.isascii() and number.isdigit() else None
    if number and passkey is None:
        messages.warning(request, _("There is no such passkey."))
    elif factors.remove(person(request), passkey=passkey):
        messages.success(request, _("Removed."))
    else:
        messages.warning(request, _("It was left: either it is gone already, or it is the last one and you need one."))
    return redirect("signing_in:mine")


@require_POST
@staff_member_required(login_url="admin:login")
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one of the person's own sessions, or all but this one."""
    others = SignIn.objects.of(person(request)).exclude(session_id=request.session.session_key)
    number = request.POST.get("session", "")
    if number:
        others = others.filter(pk=int(number)) if number.isascii() and number.isdigit() else others.none()
    count = others.end()
    ended = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", count)
    messages.success(request, ended % {"count": count})
    return redirect("signing_in:mine")
