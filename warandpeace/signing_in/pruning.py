"""What signing in leaves behind, and nobody needs any more."""

from __future__ import annotations

from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone

# Failures lock nobody after a quarter of an hour; operators may look back at them, and at who came, for so long.
KEEP = timedelta(days=90)


def prune() -> int:
    """Forget sessions that have expired, with who was signed in by them, and old attempts to sign in; how many rows."""
    now = timezone.now()
    forgotten = Session.objects.filter(expire_date__lt=now).delete()[0]
    for attempts in (AccessAttempt, AccessFailureLog, AccessLog):
        forgotten += attempts.objects.filter(attempt_time__lt=now - KEEP).delete()[0]
    return forgotten
