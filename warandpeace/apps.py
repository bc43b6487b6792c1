from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from warandpeace import lifeline


class WarAndPeaceConfig(AppConfig):
    """The project as an app, so that it may own rows, checks and commands that span the others."""

    name = "warandpeace"
    verbose_name = _("War and Peace")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what listens: system checks, signals, the schedules' rows, the lifeline of a supervised process."""
        import_module("warandpeace.checks")
        import_module("warandpeace.processes")
        import_module("warandpeace.probes")
        import_module("warandpeace.signing_in.sessions").connect()
        post_migrate.connect(import_module("warandpeace.schedules").install, sender=self)
        post_migrate.connect(import_module("warandpeace.roles").apply_roles, sender=self)
        lifeline.watch()
