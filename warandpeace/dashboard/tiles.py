"""The figures at the head of the dashboard, for those who may see what they count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Article, DeadLetter
from publishing.models import Message, PendingPublication, Publication
from usage.addresses import list_url
from usage.charts import Tile
from usage.listing import capped_count
from usage.models import Alert
from usage.moments import age
from warandpeace.dashboard.day import Day

CAP = 999
LATELY = timedelta(days=1)


def tiles(request: HttpRequest, now: datetime, day: Day | None) -> Iterator[Tile]:
    may = request.user.has_perm
    if day:
        yield _last_article()
    if may("publishing.view_publication"):
        yield _awaiting()
        yield _on_their_way()
    if day and may("publishing.view_publication"):
        yield _out_today(day)
    if may("publishing.view_publication"):
        yield _needs_person()
        yield _failed(now)
    if may("articles.view_deadletter"):
        yield _dead_letters()
    if may("usage.view_alert"):
        yield _alerts()


def capped(count: int) -> str:
    """A count as `capped_count` gives it, up to `CAP`."""
    return f"{CAP}+" if count > CAP else str(count)


def _last_article() -> Tile:
    stored = Article.objects.order_by("-pk").values_list("created_at", flat=True).first()
    url = list_url(Article)
    if stored is None:
        return Tile(_("Last article"), "—", _("none yet"), url)
    return Tile(_("Last article"), age(stored), _("ago"), url)


def _awaiting() -> Tile:
    waiting = Publication.objects.waiting()
    count = capped_count(waiting, CAP)
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first() if count else None
    note = _("the oldest for %(age)s") % {"age": age(oldest)} if oldest else _("nobody waits")
    return Tile(_("Await a decision"), capped(count), note, list_url(PendingPublication))


def _on_their_way() -> Tile:
    approved = Publication.objects.filter(state__in=Publication.IN_LINE)
    count = capped_count(approved, CAP)
    scheduled = capped_count(approved.filter(scheduled_for__isnull=False), CAP) if count else 0
    note = ngettext("%(count)s is scheduled", "%(count)s are scheduled", scheduled) % {"count": capped(scheduled)}
    url = list_url(PendingPublication, stage="approved")
    return Tile(_("On their way"), capped(count), note if count else _("none"), url)


def _out_today(day: Day) -> Tile:
    articles = day.article_count
    note = ngettext("of %(count)s article", "of %(count)s articles", articles) % {"count": number_format(articles)}
    return Tile(_("Out today"), number_format(day.post_count), note, day.url_of_posts)


def _needs_person() -> Tile:
    count = capped_count(Message.objects.unresolved(), CAP)
    note = ngettext("message without an answer", "messages without an answer", count) if count else _("all is clear")
    return Tile(_("Need a person"), capped(count), note, list_url(PendingPublication, stage="person"), alarm=count > 0)


def _failed(now: datetime) -> Tile:
    """Posts their channels refused: red for a day, then they are history until somebody sends or discards them."""
    failed = Publication.objects.filter(state=Publication.State.FAILED)
    count = capped_count(failed, CAP)
    lately = capped_count(failed.filter(created_at__gte=now - LATELY), CAP) if count else 0
    note = ngettext("%(count)s since yesterday", "%(count)s since yesterday", lately) % {"count": capped(lately)}
    url = list_url(PendingPublication, stage="failed")
    return Tile(_("Failed"), capped(count), note if count else _("none"), url, alarm=lately > 0)


def _dead_letters() -> Tile:
    count = capped_count(DeadLetter.objects.all(), CAP)
    waiting = capped_count(DeadLetter.objects.filter(next_attempt_at=None), CAP) if count else 0
    note = ngettext("%(count)s waits for a person", "%(count)s wait for a person", waiting) % {"count": capped(waiting)}
    url = list_url(DeadLetter)
    return Tile(_("Dead letters"), capped(count), note if count else _("none"), url, alarm=waiting > 0)


def _alerts() -> Tile:
    count = capped_count(Alert.objects.open(), CAP)
    oldest = Alert.objects.open().order_by("first_at").values_list("first_at", flat=True).first() if count else None
    note = _("the oldest for %(age)s") % {"age": age(oldest)} if oldest else _("all is clear")
    url = list_url(Alert, resolved_at__isempty=1)
    return Tile(_("Alerts"), capped(count), note, url, alarm=count > 0)
