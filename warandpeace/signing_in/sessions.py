"""Writes down who signs in where, and when each was last seen."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone

from warandpeace.signing_in import factors
from warandpeace.signing_in.devices import described
from warandpeace.signing_in.guessing import client_address
from warandpeace.signing_in.models import SignIn

# In the session: when it was last written down, in seconds since 1970, and under which key, for a new password gives it
# a new one; and whether its person has a second factor.
SEEN, SEEN_AS, HAS_FACTOR = "seen", "seen_as", "has_factor"
EVERY = SignIn.SEEN_EVERY.total_seconds()


def connect() -> None:
    user_logged_in.connect(begin, dispatch_uid="warandpeace.signing_in.begin")


def begin(sender: Any, request: HttpRequest, user: User, **signal: Any) -> None:
    """A receiver of `user_logged_in`: a row for the list, and what the gate will ask at each request."""
    request.session[HAS_FACTOR] = factors.has_any(user)
    see(request, user)


def see(request: HttpRequest, user: User) -> None:
    """Write down that this session is in use, unless that was done within the last minutes."""
    now, key = timezone.now(), request.session.session_key
    if request.session.get(SEEN_AS) == key and now.timestamp() - request.session[SEEN] < EVERY:
        return
    latest = {"user": user, "device": device(request), "address": address(request), "seen_at": now}
    try:
        SignIn.objects.update_or_create(session_id=key, defaults=latest)
    except IntegrityError:  # signed out by another request in between
        return
    request.session[SEEN], request.session[SEEN_AS] = int(now.timestamp()), key


def end_others(request: HttpRequest, user: User) -> int:
    """Sign the person out everywhere but here; how many sessions that were."""
    return SignIn.objects.of(user).exclude(session_id=request.session.session_key).end()


def device(request: HttpRequest) -> str:
    return described(request.headers.get("User-Agent", ""))


def address(request: HttpRequest) -> str | None:
    """The client's address, or None for one that is none, such as a socket's."""
    try:
        return str(ipaddress.ip_address(client_address(request)))
    except ValueError:
        return None
