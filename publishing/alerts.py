"""Tells administrators in Telegram what they must see to: once a matter, grouped, and not too often."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing import telegram
from publishing.models import Bot
from publishing.outcomes import NotSent, Sent
from usage.models import Alert

TOKEN_ENV = "TELEGRAM_BOT_TOKEN"  # noqa: S105  the variable's name
# Between two messages to the administrators; what comes up meanwhile goes into the next one together.
BETWEEN_MESSAGES = timedelta(minutes=1)
LONGEST_LIST = 10
LONGEST_TEXT = 300
# Kept by each process: it has tried in vain, lately.
TRIED = "alerts-tried-in-vain"


def waiting() -> bool:
    """Whether there is something to tell, somebody to tell it to, and enough time since the last message."""
    if not settings.TELEGRAM_ADMIN_IDS or not settings.TELEGRAM_TOKENS.get(TOKEN_ENV):
        return False
    now = timezone.now()
    if (
        not Alert.objects.untold().exists()
        or Alert.objects.filter(told_at__range=(now - BETWEEN_MESSAGES, now)).exists()
    ):
        return False
    return cache.get(TRIED) is None and not Bot.objects.filter(token_env=TOKEN_ENV, resumes_at__gt=now).exists()


def tell() -> int:
    """Tell the administrators everything that is new, in one message; returns how many of them were told.

    If it is proved that nobody was, as while Telegram can't be reached, it is tried again after a while.
    """
    if not waiting():
        return 0
    new, now = list(Alert.objects.untold()), timezone.now()
    ours = Alert.objects.filter(pk__in=[alert.pk for alert in new])
    # Marked first: an alert that is lost is in the admin still, one that comes twice a minute is worse.
    if not ours.filter(told_at=None).update(told_at=now):
        return 0
    outcomes = [telegram.write_to(TOKEN_ENV, person, _text(new)) for person in settings.TELEGRAM_ADMIN_IDS]
    if all(isinstance(outcome, NotSent) for outcome in outcomes):
        cache.set(TRIED, True, timeout=BETWEEN_MESSAGES.total_seconds())
        ours.filter(told_at=now).update(told_at=None)
    return sum(isinstance(outcome, Sent) for outcome in outcomes)


def _text(alerts: list[Alert]) -> str:
    lines = [_line(alert) for alert in alerts[:LONGEST_LIST]]
    if len(alerts) > LONGEST_LIST:
        lines.append(_("and %(count)d more") % {"count": len(alerts) - LONGEST_LIST})
    return "\n".join([_("The newsroom needs you:"), *lines])[:4000]


def _line(alert: Alert) -> str:
    return f"• {alert.text[:LONGEST_TEXT]}" + (f" (×{alert.count})" if alert.count > 1 else "")
