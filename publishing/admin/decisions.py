"""Approving, scheduling and rejecting, one or many: the question that is asked first, the verb, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from publishing.approval import Tally
from publishing.models import Message, Publication
from publishing.tasks import deliver_channel
from usage.doorbell import ring


def next_hour() -> datetime:
    """The next full hour that is at least half an hour away: what the schedule's form proposes."""
    return (timezone.localtime() + timedelta(minutes=90)).replace(minute=0, second=0, microsecond=0)


class ScheduleForm(forms.Form):
    """When it goes out, in the zone of `settings.TIME_ZONE`."""

    moment = forms.DateTimeField(
        label=_("Time"),
        initial=next_hour,
        help_text=_("Moscow time. Quiet hours and the channel's pace may make it later, never earlier."),
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M",
            attrs={"type": "datetime-local", "class": " ".join(INPUT_CLASSES), "autofocus": True},
        ),
    )

    def clean_moment(self) -> datetime:
        moment: datetime = self.cleaned_data["moment"]
        if moment <= timezone.now():
            raise forms.ValidationError(_("This time has passed already."))
        return moment


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
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "button": button,
        "form": form or form_class(),
        "publications": list(publications),
        "action": f"{name}_selected",
        "queue_url": reverse("admin:publishing_pendingpublication_changelist"),
        "opts": model_admin.opts,
    }
    return TemplateResponse(request, "admin/publishing/decide.html", context)


def decider(request: HttpRequest) -> AbstractBaseUser:
    """Who decides: the admin lets nobody in who isn't signed in."""
    return cast("AbstractBaseUser", request.user)


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
