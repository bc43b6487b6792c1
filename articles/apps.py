from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_delete
from django.utils.translation import gettext_lazy as _


class ArticlesConfig(AppConfig):
    """From the outside world to a readable, summarised article."""

    name = "articles"
    verbose_name = _("Intake")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Bring prompts into the rows, and have texts watched, whenever the tables have been brought up to date.

        A story outlives its articles as long as there are two.
        """
        post_migrate.connect(import_module("articles.prompts").sync, sender=self)
        post_migrate.connect(import_module("articles.indexing").keep_watching, sender=self)
        pre_delete.connect(import_module("articles.duplicates.deciding").let_go, sender="articles.Article")
