from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    """Paid APIs: who was called, what it cost, and how the processes that called them are doing."""

    name = "usage"
    verbose_name = _("Accounting")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Bring the environment's language models into the rows whenever the tables have been brought up to date."""
        post_migrate.connect(import_module("usage.environment").sync, sender=self)
