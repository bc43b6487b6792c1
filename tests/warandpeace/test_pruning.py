"""What signing in leaves behind is forgotten in its time, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone

from tests.factories import UserFactory
from warandpeace.models import SignIn
from warandpeace.signing_in import pruning
from warandpeace.tasks import prune_sign_ins

pytestmark = pytest.mark.django_db


def session(key: str, *, days: int) -> Session:
    """One that expires in so many days."""
    return Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))


def test_expired_sessions_go_with_who_was_signed_in_by_them():
    for made in (session("old", days=-1), session("new", days=1)):
        SignIn.objects.create(session=made, user=UserFactory())

    prune_sign_ins()

    assert list(Session.objects.values_list("pk", flat=True)) == ["new"]
    assert SignIn.objects.get().session_id == "new"


@pytest.mark.parametrize(("model", "own"), [(AccessAttempt, {"failures_since_start": 1}), (AccessLog, {})])
def test_old_attempts_go_and_younger_ones_stay(model, own):
    for name, age in (("old", pruning.KEEP), ("young", pruning.KEEP - timedelta(hours=1))):
        made = model.objects.create(username=name, ip_address="203.0.113.7", **own)
        model.objects.filter(pk=made.pk).update(attempt_time=timezone.now() - age)

    assert pruning.prune() == 1

    assert model.objects.get().username == "young"
