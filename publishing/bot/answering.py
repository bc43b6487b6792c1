"""From what somebody has said to what the bot says: finds the command or the button, and checks who may use it."""

from __future__ import annotations

import logging
import re

from django.utils import translation
from django.utils.translation import gettext as _

# These enter their commands and buttons when they are imported, in the order of the menu.
# isort: off
from publishing.bot import public, subscribing, preferences, queue, reissue, digests, staff  # noqa: F401

# isort: on
from publishing.bot.commands import COMMANDS, TAPS
from publishing.bot.conversation import SILENCE, Answer, Asked, Incoming, language_of, one_line, say
from publishing.bot.people import NotAllowed, is_admin

logger = logging.getLogger(__name__)

COMMAND = re.compile(r"/([a-z_]{1,32})(?:@\w{1,64})?(?:\s+(.*))?", re.DOTALL)
# No number of a row or of a moment has more digits.
TAP = re.compile(r"([a-z_]{1,32})((?::\d{1,18}){0,5})", re.ASCII)
LONGEST_WORDS = 300


def respond(incoming: Incoming, *, too_many: bool = False) -> Answer:
    """What the bot says to it, in the person's language. `too_many` asks them to slow down instead.

    Whatever goes wrong in a command is logged, and the person is told that something did.
    """
    with translation.override(language_of(incoming)):
        if too_many:
            return _told(incoming, _("That is too much at once. Please wait a minute."))
        try:
            return _dispatch(incoming)
        except NotAllowed:
            return _told(incoming, _("Your account in the newsroom may not do this."))
        except Exception:  # the edge: one person's bad luck must not be everybody's
            logger.exception("the update %s could not be answered", incoming.update_id)
            return _told(incoming, _("That did not work; it was noted down. Please try again later."))


def _told(incoming: Incoming, sentence: str) -> Answer:
    return Answer(toast=sentence) if incoming.tap else say(sentence)


def _dispatch(incoming: Incoming) -> Answer:
    if found := COMMAND.fullmatch(incoming.text):
        return _command(incoming, found[1], one_line(found[2] or "", LONGEST_WORDS))
    return _tap(incoming) if incoming.tap else SILENCE


def _command(incoming: Incoming, name: str, words: str) -> Answer:
    """Strangers get no answer to a command that isn't theirs, as if there were none."""
    asked = Asked(incoming.person, is_admin(incoming.person), words)
    command = COMMANDS.get(name)
    if command is None or (command.for_admins and not asked.is_admin):
        return SILENCE
    logger.debug("update %s: /%s", incoming.update_id, name)
    return command.answer(asked)


def _tap(incoming: Incoming) -> Answer:
    """A tap on a button of ours. Anybody can send any: what it carries, and who sent it, is checked here."""
    found = TAP.fullmatch(incoming.text)
    handler = TAPS.get(found[1]) if found else None
    if found is None or handler is None or found[2].count(":") != handler.numbers:
        return Answer(toast=_("This button no longer works."))
    asked = Asked(incoming.person, is_admin(incoming.person), replied_to=incoming.replied_to, is_tap=True)
    if handler.for_admins and not asked.is_admin:
        return Answer(toast=_("This button is for the editors."))
    logger.debug("update %s: tap on %s", incoming.update_id, incoming.text)
    return handler.answer(asked, *map(int, found[2].split(":")[1:]))
