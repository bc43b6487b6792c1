"""Tells administrators in Telegram what they must see to: once a matter, grouped, and not too often."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from publishing import telegram
from usage.models import Alert

TOKEN_ENV = "TELEGRAM_BOT_TOKEN"  # noqa: S105  the variable's name
# Between two messages to the administrators; what comes up meanwhile goes into the next one together.
BETWEEN_MESSAGES = timedelta(minutes=1)
LONGEST_LIST = 10
LONGEST_TEXT = 300


def waiting() -> bool:
    """Whether there is something to tell, somebody to tell it to, and enough time since the last message."""
    if not settings.TELEGRAM_ADMIN_IDS or not settings.TELEGRAM_TOKENS.get(TOKEN_ENV):
        return False
    lately = timezone.now() - BETWEEN_MESSAGES
    return Alert.objects.untold().exists() and not Alert.objects.filter(told_at__gt=lately).exists()


def tell() -> int:
    """Tell the administrators everything that is new, in one message; returns how many of them were told."""
    if not waiting():
        return 0
    new = list(Alert.objects.untold())
    keys = [alert.pk for alert in new]
    # Marked first: an alert that is lost is in the admin still, one that comes twice a minute is worse.
    if not Alert.objects.filter(pk__in=keys, told_at=None).update(told_at=timezone.now()):
        return 0
    text = _text(new)
    return sum(telegram.write_to(TOKEN_ENV, person, text) for person in settings.TELEGRAM_ADMIN_IDS)


def _text(alerts: list[Alert]) -> str:
    lines = [_line(alert) for alert in alerts[:LONGEST_LIST]]
    if len(alerts) > LONGEST_LIST:
        lines.append(_("and %(count)d more") % {"count": len(alerts) - LONGEST_LIST})
    return "\n".join([_("The newsroom needs you:"), *lines])[:4000]


def _line(alert: Alert) -> str:
    return f"• {alert.text[:LONGEST_TEXT]}" + (f" (×{alert.count})" if alert.count > 1 else "")
