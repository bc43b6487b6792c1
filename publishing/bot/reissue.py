"""Posting again from the bot: choose what, look at it, confirm. The confirmation is bound to what was looked at."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from publishing import changing
from publishing.approval import ApprovalError
from publishing.bot.commands import button, command
from publishing.bot.conversation import Answer, Asked, Button, one_line, say
from publishing.bot.people import decider
from publishing.models import Publication
from publishing.rendering import Span
from publishing.splitting import clean

OFFERED = 5
# Of a long text so much is shown, in characters: with the lines around it, it fits into one message.
SHOWN = 3000


@command("reissue", gettext_lazy("post something again"), for_admins=True)
def reissue(asked: Asked) -> Answer:
    """The newest publications that can be posted again, to choose from."""
    return _offer()


@button("reissues", for_admins=True)
def back_to_choice(asked: Asked) -> Answer:
    """The choice again, instead of what was looked at."""
    return _offer(in_place=True)


@button("reissue_ask", for_admins=True)
def ask(asked: Asked, publication_id: int) -> Answer:
    """The post as it would go out once more, and the question whether it should."""
    publication = _publication(publication_id)
    if publication is None:
        return Answer(toast=_("This publication no longer exists."))
    if not changing.options(publication).post_again:
        return Answer(toast=_("This publication can't be posted again as it is."))
    seen = changing.last_change(publication.messages.all())
    confirm = Button(_("📣 Post it again"), "reissue_do", (publication.pk, seen))
    question = _("This goes out once more on %(channel)s; what stands there already stays.")
    return say(
        question % {"channel": publication.channel},
        [Span(one_line(publication.title), bold=True)],
        clean(publication.final_text)[:SHOWN],
        buttons=((confirm, Button(_("‹ Back"), "reissues")),),
        in_place=True,
    )


@button("reissue_do", for_admins=True)
def confirm(asked: Asked, publication_id: int, seen: int) -> Answer:
    """Post it again if nothing has been changed about it since it was looked at; a second tap finds that it has."""
    by = decider(asked.person)
    try:
        publication = changing.post_again(publication_id, by=by, seen=seen)
    except ApprovalError as error:
        return Answer(toast=str(error))
    done = _("It goes out again, as %(name)s has decided.") % {"name": by.get_username()}
    return say([Span(one_line(publication.title), bold=True)], done, in_place=True, wakes_delivery=True)


def _publication(publication_id: int) -> Publication | None:
    return Publication.objects.select_related("channel").prefetch_related("messages").filter(pk=publication_id).first()


def _offer(*, in_place: bool = False) -> Answer:
    """The newest publications by number, with a button for each."""
    out = Publication.objects.filter(published_at__isnull=False, state__in=changing.REPEATABLE)
    newest = list(out.select_related("channel").order_by("-published_at")[:OFFERED])
    if not newest:
        return say(_("Nothing has been published yet."), in_place=in_place)
    lines = "\n".join(f"{number}. {_line(one)}" for number, one in enumerate(newest, start=1))
    choice = tuple(Button(str(number), "reissue_ask", (one.pk,)) for number, one in enumerate(newest, start=1))
    return say([Span(_("What shall go out again?"), bold=True)], lines, buttons=(choice,), in_place=in_place)


def _line(publication: Publication) -> str:
    moment = publication.published_at
    when = date_format(timezone.localtime(moment), "j E, H:i") if moment else ""
    return f"{one_line(publication.title, 200)} ({publication.channel}, {when})"
