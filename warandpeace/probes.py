"""What the bot's `/healthcheck` tells: the same as `manage.py status`."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from publishing.bot.probes import Fact, plug_in
from warandpeace import health
from warandpeace.management.commands.status import figures


def facts() -> Iterator[Fact]:
    """The checks of `/readyz`, and the gauges if the database can be asked for them."""
    names = {
        "migrations": _("migrations"),
        "database": _("database"),
        "sweeper": _("sweeper"),
        "messages": _("messages"),
    }
    checks = health.answers()
    yield from (Fact(names.get(name, name), check.detail, check.ok) for name, check in checks.items())
    if checks["migrations"].ok and checks["database"].ok:
        shown = {name: value for name, value in figures().items() if not name.startswith("session_start")}
        yield from (Fact(name, f"{value:.0f}") for name, value in shown.items())


plug_in(facts)
