from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ArticlesConfig(AppConfig):
    """From the outside world to a readable, summarised article."""

    name = "articles"
    verbose_name = _("Intake")
    default_auto_field = "django.db.models.BigAutoField"
