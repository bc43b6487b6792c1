"""Django's admin as an app, without its classes until they are needed: commands start in half the time."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class LateAdminConfig(SimpleAdminConfig):
    """Imports no admin module by itself: the URLs do, and so do the system checks."""

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_admin_classes, checks.Tags.admin)


def check_admin_classes(**options: Any) -> list[checks.CheckMessage]:
    """Django's own checks of the admin, once there is something to check."""
    autodiscover()
    found: list[checks.CheckMessage] = check_admin_app(**options)
    return found
