"""What the bot's `/healthcheck` tells: the same as `manage.py status`."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from publishing.bot.probes import Fact, plug_in
from warandpeace import health
from warandpeace.management.commands.status import figures, flat, readable


def facts() -> Iterator[Fact]:
    """The checks of `/readyz`, and the gauges if the database can be asked for them."""
    names = {
        "migrations": _("migrations"),
        "database": _("database"),
        "sweeper": _("sweeper"),
        "messages": _("messages"),
        "alerts": _("alerts"),
        "backups": _("backups"),
    }
    checks = health.answers()
    yield from (Fact(names.get(name, name), check.detail, check.ok) for name, check in checks.items())
    if checks["migrations"].ok and checks["database"].ok:
        yield from (Fact(name, readable(name, value)) for name, value in flat(figures()).items())


plug_in(facts)
