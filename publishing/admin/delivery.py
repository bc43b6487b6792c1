"""The outbox to subscribers: what became of each delivery. Nobody reads there what somebody reads."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from publishing.models import Delivery, DeliveryAttempt
from publishing.subscriptions import settling
from usage.listing import LargeTableAdmin, ReadOnly, ReadOnlyInline

TONES = {
    Delivery.State.READY: "info",
    Delivery.State.CLAIMED: "info",
    Delivery.State.SENDING: "info",
    Delivery.State.SENT: "success",
    Delivery.State.UNKNOWN: "warning",
    Delivery.State.DEAD: "danger",
}


class AttemptsOfDelivery(ReadOnlyInline):
    model = DeliveryAttempt
    fields = ("fence", "started_at", "deadline", "finished_at", "outcome", "error")
    show_change_link = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, LargeTableAdmin):
    list_display = ("headline", "state_label", "not_before", "sent_at", "last_error")
    list_filter = ("state", "mailing__kind")
    list_select_related = ("mailing__channel", "subscriber")
    ordering = ("-id",)
    sortable_by = ()
    inlines = (AttemptsOfDelivery,)
    actions = ("leave_selected",)
    empty_text = _("Nothing has been sent to subscribers.")
    fields = ("mailing", "subscriber", "ordinal", "state", "not_before", "sent_at", "claimed_until", "last_error")

    def has_leave_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("publishing.change_delivery")

    @admin.action(description=_("Leave it as it is"), permissions=["leave"])
    def leave_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        left = settling.leave(Delivery.objects.filter(pk__in=queryset.values("pk")))
        told = ngettext("%(count)d delivery was left as it is.", "%(count)d deliveries were left as they are.", left)
        messages.success(request, told % {"count": left})

    @display(description=_("delivery"), header=True)
    def headline(self, delivery: Delivery) -> tuple[str, str]:
        mailing = delivery.mailing
        where = f"{mailing.get_kind_display()} · {mailing.channel}" if mailing.channel else mailing.get_kind_display()
        return str(delivery.subscriber), where

    @display(description=_("state"), label=TONES)
    def state_label(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()
