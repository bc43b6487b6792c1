from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PublishingConfig(AppConfig):
    """From an approved article to subscribers."""

    name = "publishing"
    verbose_name = _("Output")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say how posts that were refused are tried again."""
        import_module("publishing.dead_posts")
