from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    """Paid APIs: who was called, what it cost, and how the processes that called them are doing."""

    name = "usage"
    verbose_name = _("Accounting")
    default_auto_field = "django.db.models.BigAutoField"
