"""The admin's sidebar, in the order of the work. Who may not open a page doesn't see its link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from articles.models import BackfillRun, DeadLetter, Source
from publishing.models import Bot, Delivery, Digest, Message, Publication
from usage.listing import capped_count
from usage.models import Alert

# Above this a badge says "99+": nobody counts further, and neither does the database.
BADGE_CAP = 99


def badge(count: int) -> str:
    """The count as a badge shows it; nothing for none."""
    return f"{BADGE_CAP}+" if count > BADGE_CAP else str(count or "")


@dataclass(frozen=True)
class Item:
    """A link to a model's list, or to another `page` about it, shown to who may view the model.

    What waits there is counted and coloured.
    """

    title: str | Promise
    icon: str
    model: str
    waiting: Callable[[], Any] | None = None
    tone: str = "info"
    page: str = "changelist"

    def entry(self) -> dict[str, Any]:
        """The link as Unfold wants it."""
        app_label, model = self.model.split(".")
        counted = badge(capped_count(self.waiting(), BADGE_CAP)) if self.waiting else ""
        return {
            "title": capfirst(str(self.title)),
            "icon": self.icon,
            "link": reverse(f"admin:{app_label}_{model}_{self.page}"),
            "badge": counted,
            "badge_variant": self.tone,
        }

    def may_see(self, request: HttpRequest) -> bool:
        app_label, model = self.model.split(".")
        return any(request.user.has_perm(f"{app_label}.{verb}_{model}") for verb in ("view", "change"))


GROUPS: tuple[tuple[str | Promise, tuple[Item, ...]], ...] = (
    (
        _("Work"),
        (
            Item(_("Queue"), "inbox", "publishing.pendingpublication", Publication.objects.waiting),
            Item(_("Articles"), "article", "articles.article"),
            Item(_("Summaries"), "fact_check", "articles.summary"),
            Item(_("Forecast notes"), "query_stats", "articles.forecastnote"),
            Item(_("Stories"), "content_copy", "articles.story"),
            Item(_("Digests"), "auto_stories", "publishing.digest", Digest.objects.in_the_making),
        ),
    ),
    (
        _("Intake"),
        (
            Item(
                _("Sources"),
                "rss_feed",
                "articles.source",
                lambda: Source.objects.active().filter(consecutive_failures__gt=0),
                "danger",
            ),
            Item(_("Health of the sources"), "ecg_heart", "articles.source", page="health"),
            Item(
                _("Backfills"),
                "history",
                "articles.backfillrun",
                lambda: BackfillRun.objects.filter(state=BackfillRun.State.RUNNING),
            ),
            Item(_("Pictures"), "image", "articles.picture"),
            Item(_("Tags"), "sell", "articles.tag"),
            Item(_("Tag rules"), "rule", "articles.tagrule"),
            Item(_("Prompts"), "edit_note", "articles.prompt"),
            Item(_("Dead letters"), "unsubscribe", "articles.deadletter", DeadLetter.objects.all, "danger"),
        ),
    ),
    (
        _("Output"),
        (
            Item(_("Channels"), "campaign", "publishing.channel"),
            Item(_("Schedules of digests"), "event_repeat", "publishing.digestplan"),
            Item(_("Publications"), "task_alt", "publishing.publication"),
            Item(_("Messages"), "mark_chat_unread", "publishing.message", Message.objects.unresolved, "danger"),
            Item(_("Bots"), "smart_toy", "publishing.bot", Bot.objects.stopped, "danger"),
            Item(_("Subscribers"), "group", "publishing.subscriber"),
            Item(_("Deliveries"), "forward_to_inbox", "publishing.delivery", Delivery.objects.unresolved, "warning"),
            Item(_("Editors in Telegram"), "badge", "publishing.telegrameditor"),
        ),
    ),
    (
        _("Accounting"),
        (
            Item(_("Usage and cost"), "payments", "usage.apiusagedaily", page="overview"),
            Item(_("Usage by day"), "bar_chart", "usage.apiusagedaily"),
            Item(_("API calls"), "receipt_long", "usage.apiusageevent"),
            Item(_("Providers"), "neurology", "usage.provider"),
            Item(_("Alerts"), "notification_important", "usage.alert", Alert.objects.open, "danger"),
            Item(_("Processes"), "memory", "usage.processsession"),
            Item(_("Schedules"), "schedule", "django_celery_beat.periodictask"),
            Item(_("Backups"), "backup", "warandpeace.backup"),
            Item(_("Transfers"), "move_down", "warandpeace.transfer"),
            Item(_("Users"), "person", "auth.user"),
            Item(_("Roles"), "badge", "auth.group"),
            Item(_("Failed sign-ins"), "lock", "axes.accessattempt"),
            Item(_("Sessions"), "devices", "warandpeace.signin"),
            Item(_("Who did what"), "footprint", "admin.logentry"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation for this person: the dashboard first, then what they may see."""
    overview = {
        "title": "",
        "items": [{"title": _("Dashboard"), "icon": "monitoring", "link": reverse("admin:index")}],
    }
    groups = [
        {"title": title, "items": [item.entry() for item in items if item.may_see(request)]} for title, items in GROUPS
    ]
    shown: list[dict[str, Any]] = [overview, *(group for group in groups if group["items"])]
    _mark(request.path, [entry for group in shown for entry in group["items"]])
    return shown


def _mark(path: str, entries: list[dict[str, Any]]) -> None:
    """Mark the entry that the page belongs to: of several that fit, the one that names it most closely."""
    fitting = [entry["link"] for entry in entries if path.startswith(entry["link"])]
    closest = max(fitting, key=len, default="")
    for entry in entries:
        # The dashboard's address is the beginning of all others.
        entry["active"] = entry["link"] == (closest if closest != reverse("admin:index") else path)
