"""Articles as the newsroom sees them: with the way to the channels."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from articles.admin import ArticleAdmin
from articles.models import Article
from publishing.models import Channel
from publishing.queueing import queue_on


@admin.register(Article)
class PublishableArticleAdmin(ArticleAdmin):
    readonly_fields = (*ArticleAdmin.readonly_fields, "publications")
    fieldsets = (*ArticleAdmin.fieldsets, (_("Publications"), {"fields": ("publications",)}))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One action more for each channel: into its queue."""
        actions: dict[str, Any] = super().get_actions(request)
        if not actions or not request.user.has_perm("publishing.change_publication"):
            return actions
        for channel in Channel.objects.all():
            name, label = f"queue_on_{channel.pk}", gettext("Put into the queue of %(channel)s") % {"channel": channel}
            actions[name] = (partial(_put_into_queue, channel), name, label)
        return actions

    @display(description=_("publications"))
    def publications(self, article: Article) -> SafeString:
        known = article.publications.select_related("channel")
        rows = (
            (reverse("admin:publishing_publication_change", args=[row.pk]), row.channel, row.get_state_display())
            for row in known
        )
        return format_html_join(", ", '<a class="wp-link" href="{}">{}: {}</a>', rows)


def _put_into_queue(
    channel: Channel, model_admin: ArticleAdmin, request: HttpRequest, queryset: QuerySet[Article]
) -> None:
    queued = queue_on(channel, queryset)
    message = ngettext(
        "%(count)d article is in the queue of %(channel)s now.",
        "%(count)d articles are in the queue of %(channel)s now.",
        queued,
    )
    level = messages.SUCCESS if queued else messages.WARNING
    model_admin.message_user(request, message % {"count": queued, "channel": channel}, level)
