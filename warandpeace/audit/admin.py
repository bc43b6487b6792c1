"""The page of the trail, in the place of the list of Django's log entries."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from usage.listing import ReadOnly
from warandpeace.audit.trail import LEDGERS, Wanted, page

# The longest list of people to choose from.
PEOPLE = 200


class DayInput(UnfoldAdminTextInputWidget):
    input_type = "date"


class TrailForm(forms.Form):
    """What to show. A value that makes no sense is left out, and the form says so."""

    person = forms.ModelChoiceField(
        label=_("Person"), queryset=User.objects.none(), required=False, widget=UnfoldAdminSelectWidget
    )
    kind = forms.RegexField(r"^\w+\.\w+$", required=False, max_length=100, widget=forms.HiddenInput)
    row = forms.RegexField(r"^\d{1,18}$", required=False, widget=forms.HiddenInput)
    since = forms.DateField(label=_("From"), required=False, widget=DayInput)
    until = forms.DateField(label=_("Up to and including"), required=False, widget=DayInput)
    machine = forms.BooleanField(label=_("What the machine did, too"), required=False, widget=UnfoldBooleanWidget)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        people: Any = self.fields["person"]
        people.queryset = User.objects.order_by("username")[:PEOPLE] if not data.get("person") else User.objects.all()

    def wanted(self) -> Wanted:
        self.is_valid()
        given = self.cleaned_data
        person = given.get("person")
        return Wanted(
            person=person.pk if person else None,
            kind=given.get("kind", ""),
            row=given.get("row", ""),
            since=beginning(given["since"]) if given.get("since") else None,
            until=beginning(given["until"] + timedelta(days=1)) if given.get("until") else None,
            with_machine=given.get("machine", False),
        )


def beginning(day: Any) -> datetime:
    """The first moment of the day in the zone of `settings.TIME_ZONE`."""
    return timezone.make_aware(datetime.combine(day, time.min))


def written(numbers: dict[str, int]) -> str:
    """Where a page goes on, for its address."""
    return ",".join(f"{name}:{number}" for name, number in numbers.items())


def read(text: str) -> dict[str, int]:
    """The numbers of an address; whatever is no number of a ledger of ours is passed over."""
    known = {ledger.name for ledger in LEDGERS}
    parts = (part.rpartition(":") for part in text[:1_000].split(","))
    return {
        name: int(number) for name, _colon, number in parts if name in known and number.isascii() and number.isdigit()
    }


@admin.register(LogEntry)
class WhoDidWhat(ReadOnly, ModelAdmin):
    def has_view_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return obj is None and super().has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TrailForm(request.GET)
        found = page(form.wanted(), read(request.GET.get("before", "")))
        older = request.GET.copy()
        older["before"] = written(found.older)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who did what"),
            "form": form,
            "events": found.events,
            "older": older.urlencode() if found.older else "",
            "is_newest": "before" not in request.GET,
        }
        return TemplateResponse(request, "admin/audit/trail.html", context)
