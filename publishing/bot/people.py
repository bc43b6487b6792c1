"""Who somebody is: a stranger, or an administrator and then in whose name they decide."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser

from publishing.models import TelegramEditor

APPROVE = "publishing.approve_publication"
OPERATE = "publishing.pause_channel"


class NotAllowed(Exception):
    """The administrator's own account in the newsroom may not do this."""


def is_admin(person: int) -> bool:
    """Whether a Telegram user is named in TELEGRAM_ADMIN_IDS and their account, if they have one, is active."""
    if person not in settings.TELEGRAM_ADMIN_IDS:
        return False
    return not TelegramEditor.objects.filter(telegram_user_id=person, user__is_active=False).exists()


def decider(person: int, permission: str = APPROVE) -> AbstractBaseUser:
    """In whose name an administrator decides; call it for administrators only.

    Raises NotAllowed if they have an account that lacks the permission. Who has none decides in the name of an account
    `telegram:<number>`, which is there for the record: nobody can sign in with it.
    """
    editor = TelegramEditor.objects.select_related("user").filter(telegram_user_id=person).first()
    if editor is None:
        return _account_for_the_record(person)
    if not editor.user.has_perm(permission):
        raise NotAllowed
    return editor.user


def _account_for_the_record(person: int) -> AbstractBaseUser:
    unusable = {"is_active": False, "password": make_password(None)}
    account, _created = get_user_model().objects.get_or_create(username=f"telegram:{person}", defaults=unusable)
    return account
