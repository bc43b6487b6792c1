"""The outbox: each message with every attempt to send it. Only delivery writes here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from publishing.models import Attempt, Message
from publishing.preview import payload_html
from usage.exporting import Exported
from usage.listing import LargeTableAdmin, ReadOnly, ReadOnlyInline

TONES = {
    Message.State.READY: "info",
    Message.State.CLAIMED: "info",
    Message.State.SENDING: "info",
    Message.State.SENT: "success",
    Message.State.UNKNOWN: "warning",
    Message.State.NEEDS_PERSON: "danger",
    Message.State.DEAD: "danger",
}


class UnresolvedFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unresolved", _("unresolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(pk__in=Message.objects.unresolved().values("pk")) if self.value() else queryset


class AttemptsOfMessage(ReadOnlyInline):
    model = Attempt
    fields = ("fence", "started_at", "deadline", "finished_at", "outcome", "error", "last_message_id")
    show_change_link = False


@admin.register(Message)
class MessageAdmin(Exported, ReadOnly, LargeTableAdmin):
    export_fields = (
        "id",
        "publication",
        "channel__slug",
        "action",
        "ordinal",
        "state",
        "message_id",
        "not_before",
        "sent_at",
        "last_error",
    )
    list_display = ("headline", "state_label", "not_before", "sent_at", "last_error")
    list_filter = (UnresolvedFilter, "state", "channel")
    list_select_related = ("publication", "channel")
    ordering = ("-id",)
    sortable_by = ()
    inlines = (AttemptsOfMessage,)
    empty_text = _("No message yet: they are made when a publication is approved.")
    fields = (
        "publication",
        "channel",
        "ordinal",
        "state",
        "post",
        "not_before",
        "sent_at",
        "message_id",
        "claimed_by",
        "claimed_until",
        "last_error",
    )
    readonly_fields = ("post",)

    @display(description=_("message"), header=True)
    def headline(self, message: Message) -> tuple[str, str]:
        return message.publication.title, f"{message.channel.name} · {message.ordinal}"

    @display(description=_("state"), label=TONES)
    def state_label(self, message: Message) -> tuple[str, str]:
        return message.state, message.get_state_display()

    @display(description=_("post"))
    def post(self, message: Message) -> str:
        return payload_html(message.payload)
