"""Addresses of the admin's pages: of a model's list, and of the page that a form wants to go on to.

It lives here because every other app may import from here.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def list_url(model: type[Model], **lookups: Any) -> str:
    """The admin's list of the model, narrowed by lookups as its filters and dates write them."""
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in lookups.items()}
    address = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
    return f"{address}?{urlencode(values)}" if values else address


def wanted_url(request: HttpRequest) -> str:
    """Where a form or a link wants to go on (`next`); empty where that isn't one of our own pages."""
    wanted: str = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""
