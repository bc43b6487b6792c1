"""What everybody may ask: what this is, what was published, and what was written about something."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from articles.models import Article
from publishing.bot.commands import button, command, offered
from publishing.bot.conversation import Answer, Asked, Button, one_line, say
from publishing.models import Publication
from publishing.models.publication import PublicationQuerySet
from publishing.rendering import Span

LATEST = 5
FOUND_ON_A_PAGE = 5
LAST_PAGE = 20
SHORTEST_SEARCH, LONGEST_SEARCH = 2, 100


@command("start", gettext_lazy("what this is"))
def start(asked: Asked) -> Answer:
    """What the bot is, and what it can do for this person."""
    offers = "\n".join(f"/{one.name} — {one.description}" for one in offered(to_admin=asked.is_admin))
    return say(_("This is the bot of a news channel. What you can ask:"), offers)


@command("latest", gettext_lazy("the latest news"))
def latest(asked: Asked) -> Answer:
    """The newest publications, each with its link."""
    newest = list(_readable().select_related("article").order_by("-published_at")[:LATEST])
    return say([Span(_("The latest"), bold=True)], *map(_headline, newest)) if newest else status(asked)


@command("search", gettext_lazy("search the news: /search words"))
def search(asked: Asked) -> Answer:
    """The first page of what was found."""
    return _found(asked.words, 0, asked)


@command("status", gettext_lazy("what was published today"))
def status(asked: Asked) -> Answer:
    """How many publications have gone out today, and when the last one did."""
    last = _readable().order_by("-published_at").values_list("published_at", flat=True).first()
    if last is None:
        return say(_("Nothing has been published yet."))
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = _readable().filter(published_at__gte=midnight).count()
    moment = date_format(timezone.localtime(last), "j E, H:i")
    return say(_("Published today: %(count)d. The last post: %(time)s.") % {"count": today, "time": moment})


@button("page")
def search_page(asked: Asked, page: int) -> Answer:
    """Another page of a search. What was searched for stands in the message that the results reply to."""
    command_word, _space, words = asked.replied_to.partition(" ")
    if not command_word.startswith("/search") or page > LAST_PAGE:
        return Answer(toast=_("This search is too old. Please search again."))
    return _found(words, page, asked)


def _readable() -> PublicationQuerySet:
    """What stands in a channel."""
    return Publication.objects.filter(published_at__isnull=False).exclude(state=Publication.State.DELETED)


def _headline(publication: Publication) -> list[Span]:
    return [Span(one_line(publication.title), url=publication.article.url if publication.article else "")]


def _found(words: str, page: int, asked: Asked) -> Answer:
    """One page of results. Strangers find what was published, administrators everything that was stored."""
    wanted = one_line(words, LONGEST_SEARCH)
    if len(wanted) < SHORTEST_SEARCH:
        return say(_("Write what to search for after the command, as in: /search port of Odesa"))
    articles = Article.objects.search(wanted)
    if not asked.is_admin:
        articles = articles.filter(Exists(_readable().filter(article=OuterRef("pk"))))
    start_at = page * FOUND_ON_A_PAGE
    found = list(articles[start_at : start_at + FOUND_ON_A_PAGE + 1])
    if not found:
        return say(_("Nothing was found for “%(words)s”.") % {"words": wanted}, in_place=asked.is_tap)
    title = _("Found for “%(words)s”, page %(page)d") % {"words": wanted, "page": page + 1}
    return say(
        [Span(title, bold=True)],
        *map(_result, found[:FOUND_ON_A_PAGE]),
        buttons=_turning(page, has_more=len(found) > FOUND_ON_A_PAGE and page < LAST_PAGE),
        in_place=asked.is_tap,
        quotes=not asked.is_tap,
    )


def _result(article: Article) -> list[Span]:
    moment = date_format(timezone.localtime(article.published_at), "j E Y")
    return [Span(one_line(article.title), url=article.url), Span(f"\n{moment}")]


def _turning(page: int, *, has_more: bool) -> tuple[tuple[Button, ...], ...]:
    back = [Button(pgettext("page", "‹ Back"), "page", (page - 1,))] if page else []
    onward = [Button(pgettext("page", "More ›"), "page", (page + 1,))] if has_more else []
    return ((*back, *onward),) if back or onward else ()
