from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def passkey_domain() -> str:
    """The one domain at which passkeys of this installation work."""
    return str(settings.OTP_WEBAUTHN_RP_ID)
