"""What is scheduled, by week or by month, in the channel's own time. Posts are moved by dragging or by a form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from publishing import scheduling
from publishing.admin import decisions
from publishing.approval import ApprovalError
from publishing.models import Channel, Publication

# A page shows so many posts; nobody schedules more in six weeks.
MOST_POSTS = 1_000
MAY_MOVE = "publishing.approve_publication"
# The earliest and the latest year that can be turned to.
YEARS = range(2000, 2100)
MONTH, WEEK = "month", "week"
DAYS_OF_WEEK = 7


@dataclass(frozen=True)
class Post:
    """A scheduled publication on the calendar, with its time on the channel's clock."""

    publication: Publication
    local: datetime
    is_movable: bool


@dataclass(frozen=True)
class Slot:
    """An hour of a day, as the moment it begins; `label` is its time on the clock, with the zone where it is twice."""

    moment: datetime
    label: str
    posts: list[Post] = field(default_factory=list)


@dataclass(frozen=True)
class Day:
    day: date
    is_today: bool
    is_other_month: bool
    posts: list[Post]


class MoveForm(forms.Form):
    """Where a post is moved: to a slot or a day by dragging, to a time on the channel's clock by form."""

    publication = forms.IntegerField()
    revision = forms.IntegerField()
    slot = forms.DateTimeField(required=False)
    day = forms.DateField(required=False)
    moment = forms.DateTimeField(required=False)

    def moment_for(self, publication: Publication) -> datetime | None:
        """The moment that is meant; a slot keeps the minute of the post, and a day its time. None for nowhere."""
        said, zone = self.cleaned_data, publication.channel.zone
        was = publication.scheduled_for or timezone.now()
        if slot := said["slot"]:
            begins: datetime = slot
            return begins + timedelta(minutes=was.astimezone(zone).minute)
        if said["day"]:
            return scheduling.same_clock(was, said["day"], zone)
        chosen: datetime | None = said["moment"]
        return chosen


def view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The calendar of one channel. `?view=` is week or month, `?day=` any day of it."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    channels = list(Channel.objects.all())
    wanted = request.GET.get("channel", "")
    channel = next((row for row in channels if str(row.pk) == wanted), channels[0] if channels else None)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Calendar"),
        "channels": channels,
        "channel": channel,
        **(_pages(request, channel, may_move=request.user.has_perm(MAY_MOVE)) if channel else {}),
    }
    return TemplateResponse(request, "admin/publishing/calendar.html", context)


def move(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Move one post. A script is answered with JSON, a form with the calendar."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(MAY_MOVE):
        raise PermissionDenied
    publication = get_object_or_404(
        Publication.objects.select_related("channel"), pk=_number(request.POST.get("publication", ""))
    )
    # What is typed is a time on the channel's clock; an hour that comes twice, or never, is asked for again.
    with timezone.override(publication.channel.zone):
        form = MoveForm(request.POST)
        problem = _moved(request, publication, form) if form.is_valid() else form.errors.as_text()
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"problem": problem}, status=409 if problem else 200)
    if problem:
        messages.error(request, problem)
    day = (publication.scheduled_for or timezone.now()).astimezone(publication.channel.zone).date()
    view = MONTH if request.POST.get("view") == MONTH else WEEK
    address = reverse("admin:publishing_queue_calendar")
    return HttpResponseRedirect(f"{address}?channel={publication.channel_id}&view={view}&day={day}")


def _moved(request: HttpRequest, publication: Publication, form: MoveForm) -> str:
    """Do it; what was in the way, if anything was."""
    moment = form.moment_for(publication)
    if moment is None:
        return _("Choose a time first.")
    try:
        scheduling.reschedule(
            publication.pk, by=decisions.decider(request), moment=moment, revision=form.cleaned_data["revision"]
        )
    except ApprovalError as error:
        return str(error)
    publication.scheduled_for = moment
    clock = date_format(moment.astimezone(publication.channel.zone), "j E, H:i")
    told = _("“%(title)s” goes out %(when)s.") % {"title": publication.title, "when": clock}
    messages.success(request, told)
    return ""


def _number(text: str) -> int:
    return int(text[:18]) if text.isdecimal() else 0


def _pages(request: HttpRequest, channel: Channel, *, may_move: bool) -> dict[str, Any]:
    """What the template shows of the days around `?day=`."""
    today = timezone.now().astimezone(channel.zone).date()
    day, is_month = _day(request.GET.get("day", ""), today), request.GET.get("view") == MONTH
    first, last = _bounds(day, is_month=is_month)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    posts = _posts(channel, first, last, may_move=may_move)
    shown = [Day(one, one == today, is_month and one.month != day.month, posts.get(one, [])) for one in days]
    earlier, later = (first - timedelta(days=1), last + timedelta(days=1))
    if is_month:
        earlier, later = (
            day.replace(day=1) - timedelta(days=1),
            (day.replace(day=28) + timedelta(days=4)).replace(day=1),
        )
    return {
        "view": MONTH if is_month else WEEK,
        "day": day,
        "first": first,
        "last": last,
        "today": today,
        "earlier": earlier,
        "later": later,
        "zone": timezone.now().astimezone(channel.zone),
        "days": shown,
        "weeks": [shown[start : start + DAYS_OF_WEEK] for start in range(0, len(shown), DAYS_OF_WEEK)],
        "hours": [] if is_month else _hours(shown, channel),
        "may_move": may_move,
        "is_empty": not posts,
    }


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if day.year in YEARS else today


def _bounds(day: date, *, is_month: bool) -> tuple[date, date]:
    """The Monday the page begins with and the Sunday it ends with."""
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1) if is_month else day
    first = day.replace(day=1) if is_month else day
    return first - timedelta(days=first.weekday()), last + timedelta(days=DAYS_OF_WEEK - 1 - last.weekday())


def _posts(channel: Channel, first: date, last: date, *, may_move: bool) -> dict[date, list[Post]]:
    """The scheduled posts by day, in order; whatever has become of them."""
    begins = scheduling.day_begins(first, channel.zone)
    ends = scheduling.day_begins(last + timedelta(days=1), channel.zone)
    scheduled = (
        Publication.objects.filter(channel=channel, scheduled_for__gte=begins, scheduled_for__lt=ends)
        .defer("text", "edited_text", "last_error")
        .order_by("scheduled_for", "pk")[:MOST_POSTS]
    )
    posts = [_post(row, row.scheduled_for, channel, may_move=may_move) for row in scheduled if row.scheduled_for]
    return {day: list(rows) for day, rows in groupby(posts, key=lambda post: post.local.date())}


def _post(publication: Publication, moment: datetime, channel: Channel, *, may_move: bool) -> Post:
    is_movable = may_move and publication.state == Publication.State.APPROVED and moment > timezone.now()
    return Post(publication, moment.astimezone(channel.zone), is_movable)


def _hours(days: Iterable[Day], channel: Channel) -> list[tuple[int, list[tuple[Day, list[Slot]]]]]:
    """The week as a table: each hour with its slots on each day."""
    slots = {one.day: scheduling.slots(one.day, channel.zone) for one in days}
    return [(hour, [(one, _slots(slots[one.day][hour], one, channel)) for one in days]) for hour in range(24)]


def _slots(moments: list[datetime], day: Day, channel: Channel) -> list[Slot]:
    """The slots of one hour, with their posts. Where the clock shows the hour twice, each says its zone."""
    shown = "%H:%M %Z" if len(moments) > 1 else "%H:%M"
    return [
        Slot(moment, moment.astimezone(channel.zone).strftime(shown), _within(day.posts, moment)) for moment in moments
    ]


def _within(posts: Iterable[Post], begins: datetime) -> list[Post]:
    return [post for post in posts if begins <= post.local < begins + scheduling.HOUR]
