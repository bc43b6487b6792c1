"""Second factors: which ones a person has, who must have one, and how codes and their pictures are made."""

from __future__ import annotations

import secrets
from base64 import b32encode
from dataclasses import dataclass

import segno
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_noop
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

OFF, PUBLISHERS, EVERYBODY = "off", "publishers", "everybody"
RECOVERY_CODES = 10
# Of a recovery code: 80 bits, as sixteen letters and digits in four groups.
RECOVERY_BYTES, GROUP = 10, 4

# Kept in the rows, and translated where they are shown.
ADDED_PASSKEY = gettext_noop("Added a passkey.")
REMOVED_PASSKEY = gettext_noop("Removed a passkey.")
ADDED_CODES = gettext_noop("Added codes of an authenticator app.")
REMOVED_CODES = gettext_noop("Removed the codes of the authenticator app.")
NEW_RECOVERY_CODES = gettext_noop("Made new recovery codes.")
RESET = gettext_noop("Removed all second factors, so that the person can set up new ones.")
MESSAGES = (ADDED_PASSKEY, REMOVED_PASSKEY, ADDED_CODES, REMOVED_CODES, NEW_RECOVERY_CODES, RESET)


@dataclass(frozen=True)
class Factors:
    """What a person has."""

    passkeys: list[WebAuthnCredential]
    authenticator: TOTPDevice | None
    recovery_codes: int

    def __len__(self) -> int:
        """How many there are; recovery codes come with another one and count as none."""
        return len(self.passkeys) + bool(self.authenticator)


def of(user: User) -> Factors:
    return Factors(
        passkeys=list(WebAuthnCredential.objects.filter(user=user, confirmed=True).order_by("created_at", "pk")),
        authenticator=TOTPDevice.objects.filter(user=user, confirmed=True).first(),
        recovery_codes=StaticToken.objects.filter(device__user=user).count(),
    )


def has_any(user: User) -> bool:
    models = (WebAuthnCredential, TOTPDevice)
    return any(model.objects.filter(user=user, confirmed=True).exists() for model in models)


def is_required_of(user: User | AnonymousUser) -> bool:
    """Whether the operator demands a second factor of this person: of who may publish, or of everybody."""
    demanded: str = settings.REQUIRE_SECOND_FACTOR
    if demanded == PUBLISHERS:
        return bool(user.has_perm("publishing.approve_publication"))
    return demanded == EVERYBODY


def note(user: User, message: str, by: User | None = None) -> None:
    """Write into the log of changes what was done to a person's sign-in, by whom if not by the person."""
    LogEntry.objects.log_actions((by or user).pk, [user], CHANGE, message, single_object=True)


@transaction.atomic
def begin_authenticator(user: User) -> TOTPDevice:
    """A new secret that counts for nothing until a code of it was typed; an older one that waited is forgotten."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    return TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)


def picture(device: TOTPDevice) -> SafeString:
    """The secret as a QR code, an SVG to stand in the page; it is drawn here and asked from nobody."""
    code = segno.make(device.config_url, error="m", micro=False)
    # Nothing of the address is text in it: only the squares' coordinates, which segno has written.
    return mark_safe(code.svg_inline(scale=5, border=4, dark="#000", light="#fff"))  # noqa: S308


def spelled(device: TOTPDevice) -> str:
    """The secret for apps that take no picture, in groups of four."""
    return grouped(b32encode(device.bin_key).decode())


def grouped(code: str) -> str:
    return " ".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    """New codes in place of the old ones, each good for one sign-in; this is the only time anybody sees them."""
    device, _created = StaticDevice.objects.get_or_create(user=user, defaults={"name": "recovery"})
    device.token_set.all().delete()
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    note(user, NEW_RECOVERY_CODES)
    return [grouped(code) for code in codes]


def typed(code: str) -> str:
    """A code as it is kept, however it was typed."""
    return "".join(code.split()).replace("-", "").lower()


@transaction.atomic
def remove(user: User, *, passkey: int | None = None) -> bool:
    """Take away one passkey, or the authenticator app; the recovery codes go with the last factor.

    False if nothing was there, or if it is the last one of somebody who must have one.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if is_required_of(user) and len(of(user)) <= 1:
        return False
    if passkey is None:
        found, _ = TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    else:
        found, _ = WebAuthnCredential.objects.filter(user=user, pk=passkey).delete()
    if found:
        note(user, REMOVED_CODES if passkey is None else REMOVED_PASSKEY)
    if not has_any(user):
        StaticDevice.objects.filter(user=user).delete()
    return bool(found)


@transaction.atomic
def reset(user: User, by: User | None = None) -> int:
    """Remove all factors of somebody who has lost them; how many there were."""
    count = len(of(user))
    for model in (WebAuthnCredential, TOTPDevice, StaticDevice):
        model.objects.filter(user=user).delete()
    note(user, RESET, by)
    return count
