"""Approving, scheduling and rejecting, one or many: the question that is asked first, the verb, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.forms.utils import from_current_timezone
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from publishing.admin.cells import clock
from publishing.approval import Tally
from publishing.models import Message, PendingPublication, Publication
from publishing.tasks import deliver_channel
from usage.addresses import list_url
from usage.doorbell import ring


def next_hour(zone: tzinfo) -> datetime:
    """The next full hour that is at least half an hour away, as the clock of the zone shows it."""
    local = timezone.now().astimezone(zone) + timedelta(minutes=90)
    return local.replace(minute=0, second=0, microsecond=0, tzinfo=None)


def zones_of(publications: Iterable[Publication]) -> list[ZoneInfo]:
    """The time zones of the publications' channels, each once."""
    names = dict.fromkeys(publication.channel.time_zone for publication in publications)
    return [ZoneInfo(name) for name in names]


class ScheduleForm(forms.Form):
    """When it goes out, on the clock of the channels. `cleaned_data["moment"]` has the moment of each zone's name."""

    moment = forms.DateTimeField(
        label=_("Time"),
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M",
            attrs={"type": "datetime-local", "class": " ".join(INPUT_CLASSES), "autofocus": True},
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, zones: Sequence[ZoneInfo]) -> None:
        super().__init__(data)
        self.zones = zones or [ZoneInfo(settings.TIME_ZONE)]
        now = timezone.now()
        clocks = ", ".join(f"{zone.key} {now.astimezone(zone):%H:%M}" for zone in self.zones)
        told = ngettext(
            "On the channel's clock: %(clocks)s now.", "On the clock of each channel: %(clocks)s now.", len(self.zones)
        )
        later = gettext("Quiet hours and the channel's pace may make it later, never earlier.")
        self.fields["moment"].help_text = f"{told % {'clocks': clocks}} {later}"
        self.initial.setdefault("moment", next_hour(self.zones[0]))

    def full_clean(self) -> None:
        """An hour that comes twice on the clock, or never, is asked for again: it has to be read in its zone."""
        with timezone.override(self.zones[0]):
            super().full_clean()

    def clean_moment(self) -> dict[str, datetime]:
        typed = self.cleaned_data["moment"].astimezone(self.zones[0]).replace(tzinfo=None)
        moments = dict[str, datetime]()
        for zone in self.zones:
            with timezone.override(zone):
                moments[zone.key] = from_current_timezone(typed)
        if min(moments.values()) <= timezone.now():
            raise forms.ValidationError(_("This time has passed already."))
        return moments

    def told(self) -> str:
        """What was chosen, in words, with the zone where it is not the reader's or there are several."""
        moments: dict[str, datetime] = self.cleaned_data["moment"]
        return "; ".join(clock(moments[zone.key], zone, is_zone_shown=len(self.zones) > 1) for zone in self.zones)


class RejectForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=300,
        help_text=_("The other editors see it beside the publication. It may stay empty."),
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )


class BreakingForm(forms.Form):
    even_in_quiet_hours = forms.BooleanField(
        label=_("Even in quiet hours"),
        required=False,
        help_text=_("Without it, breaking news wait for the end of the channel's quiet hours like all others."),
        widget=UnfoldBooleanWidget,
    )


QUESTIONS: Mapping[str, tuple[type[forms.Form], Any, Any]] = {
    "schedule": (ScheduleForm, _("When does it go out?"), _("Set the time")),
    "break": (BreakingForm, _("Breaking news: it goes out before all others"), _("Send as breaking news")),
    "reject": (RejectForm, _("Why does it not go out?"), _("Reject")),
}


def question(
    request: HttpRequest,
    model_admin: ModelAdmin,
    name: str,
    publications: Iterable[Publication],
    form: forms.Form | None = None,
) -> TemplateResponse:
    """The page that asks what a decision needs; it sends the queue's action again, with the answer."""
    form_class, title, button = QUESTIONS[name]
    chosen = list(publications)
    if form is None:
        form = ScheduleForm(zones=zones_of(chosen)) if form_class is ScheduleForm else form_class()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "button": button,
        "form": form,
        "publications": chosen,
        "action": f"{name}_selected",
        "queue_url": list_url(PendingPublication),
        "opts": model_admin.opts,
    }
    return TemplateResponse(request, "admin/publishing/decide.html", context)


def decider(request: HttpRequest) -> AbstractBaseUser:
    """Who decides: the admin lets nobody in who isn't signed in."""
    return cast("AbstractBaseUser", request.user)


def together(tallies: Iterable[Tally]) -> Tally:
    """What became of several lots of publications, as if they had been one."""
    lots = list(tallies)
    return Tally(
        done=sum(lot.done for lot in lots),
        refused=sum(lot.refused for lot in lots),
        reasons=tuple(dict.fromkeys(reason for lot in lots for reason in lot.reasons)),
        decided=tuple(number for lot in lots for number in lot.decided),
    )


def report(request: HttpRequest, tally: Tally, done: str) -> None:
    """Tell the person how many were decided, and why the others were not."""
    if tally.done:
        messages.success(request, done)
    report_refused(request, tally)


def report_refused(request: HttpRequest, tally: Tally) -> None:
    """Tell the person how many were not decided, and why."""
    if tally.refused:
        refused = ngettext("%(count)d was left as it is:", "%(count)d were left as they are:", tally.refused)
        messages.warning(request, " ".join([refused % {"count": tally.refused}, *tally.reasons]))


def ring_channels(publication_ids: Iterable[int]) -> None:
    """Let delivery look at the channels of these publications at once instead of in a few seconds."""
    channels = Message.objects.filter(publication__in=list(publication_ids)).values_list("channel", flat=True)
    for channel_id in channels.order_by().distinct():
        ring(deliver_channel, channel_id)
