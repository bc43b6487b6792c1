"""How the bot treats somebody: the language, when digests come, what is on; and how it forgets them."""

from __future__ import annotations

from datetime import time

from django.conf import settings
from django.utils import translation
from django.utils.formats import time_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from publishing.bot import subscribing
from publishing.bot.commands import button, command
from publishing.bot.conversation import Answer, Asked, Button, ButtonRow, say
from publishing.rendering import Span
from publishing.subscriptions import people

HOURS = 24
# What the button carries that lets digests come as soon as they are out.
AT_ONCE = HOURS
BUTTONS_IN_A_ROW = 6


@command("settings", gettext_lazy("language, time of day, what you get"))
def settings_of_person(asked: Asked) -> Answer:
    """What is set, with buttons that change it."""
    return _settings(asked.person)


@button("set_home")
def back_to_settings(asked: Asked) -> Answer:
    return _settings(asked.person, in_place=True)


@button("set_language")
def choose_language(asked: Asked, which: int) -> Answer:
    """Speak another language from now on."""
    if which >= len(settings.LANGUAGES):
        return Answer(toast=_("This button no longer works."))
    code, _name = settings.LANGUAGES[which]
    people.speak(asked.person, code)
    with translation.override(code):
        return _settings(asked.person, in_place=True)


@button("set_times")
def offer_times(asked: Asked) -> Answer:
    """The hours of the day as buttons."""
    hours = [Button(time_format(time(hour), "H:i"), "set_time", (hour,)) for hour in range(HOURS)]
    rows: list[ButtonRow] = [
        tuple(hours[first : first + BUTTONS_IN_A_ROW]) for first in range(0, HOURS, BUTTONS_IN_A_ROW)
    ]
    rows.append((Button(_("as soon as it is out"), "set_time", (AT_ONCE,)), Button(_("‹ Back"), "set_home")))
    return say(_("When shall digests come? It is the time of their channel."), buttons=tuple(rows), in_place=True)


@button("set_time")
def choose_time(asked: Asked, hour: int) -> Answer:
    """Let digests come at this hour, those that wait already, too."""
    if hour > AT_ONCE:
        return Answer(toast=_("This button no longer works."))
    people.send_at(asked.person, get_language(), None if hour == AT_ONCE else time(hour))
    return _settings(asked.person, in_place=True)


@command("delete_me", gettext_lazy("forget everything about me"))
def ask_to_forget(asked: Asked) -> Answer:
    """Ask once whether that is meant."""
    question = _(
        "Everything this bot has stored about you will be deleted, and nothing more will come. This can't be undone."
    )
    return say(question, buttons=((Button(_("🗑 Delete it"), "forget_do"), Button(_("Keep it"), "forget_not")),))


@button("forget_do")
def forget(asked: Asked) -> Answer:
    """Delete everything; the answer is the last thing the bot says unasked."""
    people.erase(asked.person)
    return say(_("Everything is deleted."), in_place=True)


@button("forget_not")
def do_not_forget(asked: Asked) -> Answer:
    return say(_("Nothing was deleted."), in_place=True)


def _settings(person: int, *, in_place: bool = False) -> Answer:
    row, present = people.known(person), people.wanted_by(person)
    when = time_format(row.send_at, "H:i") if row and row.send_at else _("as soon as it is out")
    lines = [
        _("Language: %(name)s") % {"name": str(dict(settings.LANGUAGES).get(get_language(), get_language()))},
        _("Digests come: %(when)s") % {"when": when},
        _("You get: %(what)s") % {"what": ", ".join(map(subscribing.label, present)) or "—"},
    ]
    languages = tuple(
        Button((subscribing.ON if code == get_language() else "") + str(name), "set_language", (which,))
        for which, (code, name) in enumerate(settings.LANGUAGES)
    )
    more = (Button(_("Time of day"), "set_times"), Button(_("Subscribe"), "sub_offer"))
    ending = [(Button(_("What I get"), "sub_list"),)] if present else []
    buttons = (languages, more, *ending)
    return say([Span(_("Settings"), bold=True)], "\n".join(lines), buttons=buttons, in_place=in_place)
