"""People who read by the bot: how many want what, and no more of each than Telegram's number for them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from publishing.models import Subscriber, Subscription
from usage.listing import ExactSearch, LargeTableAdmin, ReadOnly

TONES = {Subscriber.State.ACTIVE: "success", Subscriber.State.BLOCKED: "warning", Subscriber.State.LEFT: "info"}


@admin.register(Subscriber)
class SubscriberAdmin(ExactSearch, ReadOnly, LargeTableAdmin):
    list_display = ("telegram_user_id", "state_label", "language", "send_at", "wanted", "created_at")
    list_filter = ("state", "language")
    list_before_template = "admin/publishing/subscribers.html"
    search_fields = ("telegram_user_id",)
    search_help_text = _("The number of a Telegram user")
    sortable_by = ()
    empty_text = _("Nobody has subscribed.")
    fields = ("telegram_user_id", "state", "language", "send_at", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        subscribers: QuerySet[Subscriber] = super().get_queryset(request)
        return subscribers.prefetch_related("subscriptions")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"counts": counts()} | (extra_context or {}))
        return response

    @display(description=_("subscriptions"))
    def wanted(self, subscriber: Subscriber) -> int:
        return len(subscriber.subscriptions.all())

    @display(description=_("state"), label=TONES)
    def state_label(self, subscriber: Subscriber) -> tuple[str, str]:
        return subscriber.state, subscriber.get_state_display()


def counts() -> list[tuple[str, int]]:
    """How many people there are in each state, and how many subscriptions of each kind."""
    states = Subscriber.objects.order_by().values_list("state").annotate(Count("pk"))
    kinds = Subscription.objects.order_by().values_list("kind").annotate(Count("pk"))
    people, wanted = dict(states), dict(kinds)
    return [
        *((str(state.label), people.get(state.value, 0)) for state in Subscriber.State),
        *((str(kind.label), wanted.get(kind.value, 0)) for kind in Subscription.Kind),
    ]
