"""Against guessing: whose address a request has, how often one may be wrong, and how fast one may ask.

Failures are rows of django-axes, so the limits hold across processes and restarts, and operators see them.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off, get_credentials
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.core.cache import cache
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

# So many failures within the cool-off lock an address for all names, or a name for all addresses. They are far above
# what one person mistypes: they stop who spreads guesses over many names or many addresses.
FAILURES_OF_ADDRESS = 100
FAILURES_OF_NAME = 50


def client_address(request: HttpRequest) -> str:
    """Where the request comes from, as the outermost of our own proxies saw it.

    Each proxy appends the address it was asked from, so with N proxies ours is the Nth from the right; what stands
    left of it was sent by the client and may say anything. Without proxies the header is not looked at.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        return direct
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    return hops[-proxies] if len(hops) >= proxies else direct


class Handler(AxesDatabaseHandler):
    """Axes' own limit is on a name from one address; this one also adds up all of a name's and all of an address's."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        name: str = (credentials or {}).get("username") or ""
        spread = failures(ip_address=client_address(request)) >= FAILURES_OF_ADDRESS or (
            bool(name) and failures(username=name) >= FAILURES_OF_NAME
        )
        if spread:
            request.axes_locked_out = True  # type: ignore[attr-defined]  # axes then writes down no further failure
        return spread


def failures(**whose: str) -> int:
    """How many failures there were within the cool-off, of an address or of a name."""
    since = timezone.now() - (get_cool_off() or timedelta())
    attempts = AccessAttempt.objects.filter(attempt_time__gte=since, **whose)
    return attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0


def may_try(request: HttpRequest, user: AbstractBaseUser | None = None) -> bool:
    """Whether the person (or, with a passkey alone, the address) has not failed too often already."""
    allowed: bool = AxesProxyHandler.is_allowed(request, get_credentials(user.get_username() if user else None))
    return allowed


def note_failure(request: HttpRequest, user: AbstractBaseUser | None = None) -> None:
    """Count a wrong code or a wrong passkey like a wrong password."""
    credentials = get_credentials(user.get_username() if user else None)
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)


def is_too_fast(request: HttpRequest) -> bool:
    """Whether this address has asked more often in this minute than `settings.SIGN_INS_PER_MINUTE`; counts the request.

    Each process counts for itself: this spares the machine the work of checking passwords. The limit on guesses is
    the one above, which all processes share.
    """
    minute = int(timezone.now().timestamp() // 60)
    key = sha256(f"sign-in {client_address(request)} {minute}".encode()).hexdigest()
    cache.add(key, 0, timeout=120)
    limit: int = settings.SIGN_INS_PER_MINUTE
    try:
        return cache.incr(key) > limit
    except ValueError:  # thrown out of a full cache in between
        return False
