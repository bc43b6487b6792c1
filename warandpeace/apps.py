from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WarAndPeaceConfig(AppConfig):
    """The project as an app, so that it may own rows, checks and commands that span the others."""

    name = "warandpeace"
    verbose_name = _("War and Peace")
    default_auto_field = "django.db.models.BigAutoField"
