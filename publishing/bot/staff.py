"""What administrators ask the bot about the newsroom itself."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from publishing.bot import debugging, probes
from publishing.bot.commands import command
from publishing.bot.conversation import Answer, Asked, Button, one_line, say
from publishing.bot.people import OPERATE, decider
from publishing.rendering import Span

DEBUG_MINUTES = 30
LONGEST_NUMBER = 9  # digits

MENU = (
    ("queue", "latest"),
    ("reissue", "status"),
    ("daily_digest", "weekly_digest"),
    ("monthly_digest", "annual_digest"),
    ("healthcheck",),
    ("debug_on", "debug_off"),
)


@command("menu", gettext_lazy("everything as buttons"), for_admins=True)
def menu(asked: Asked) -> Answer:
    """The commands as a keyboard."""
    rows = tuple(tuple(Button(f"/{name}", f"/{name}") for name in row) for row in MENU)
    return say(_("What shall it be?"), buttons=rows)


@command("healthcheck", gettext_lazy("whether everything works"), for_admins=True)
def healthcheck(asked: Asked) -> Answer:
    """What `manage.py status` says, what is wrong first."""
    facts = probes.facts()
    wrong = sum(not fact.ok for fact in facts)
    headline = _("Wrong: %(count)d") % {"count": wrong} if wrong else _("Everything works.")
    lines = "\n".join(f"{'✅' if fact.ok else '❗'} {fact.name}: {one_line(fact.detail, 200)}" for fact in facts)
    return say([Span(headline, bold=True)], lines)


@command("debug_on", gettext_lazy("detailed logs for a while: /debug_on minutes"), for_admins=True)
def debug_on(asked: Asked) -> Answer:
    """Detailed logs in every process for as many minutes as were written, else half an hour."""
    is_number = asked.words.isascii() and asked.words.isdigit() and len(asked.words) <= LONGEST_NUMBER
    minutes = int(asked.words) if is_number else DEBUG_MINUTES
    by = decider(asked.person, OPERATE)
    until = debugging.switch_on(timedelta(minutes=minutes), by=by.get_username())
    moment = time_format(timezone.localtime(until), "H:i")
    return say(_("Logs are detailed until %(time)s, in all processes within half a minute.") % {"time": moment})


@command("debug_off", gettext_lazy("ordinary logs again"), for_admins=True)
def debug_off(asked: Asked) -> Answer:
    """Ordinary logs in every process."""
    decider(asked.person, OPERATE)
    debugging.switch_off()
    return say(_("Logs are ordinary again, in all processes within half a minute."))
