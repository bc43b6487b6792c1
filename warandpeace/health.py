"""Is it alive, and can it work? `/healthz` answers before everything else, `/readyz` asks what the work depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from publishing.models import Message
from usage.models import Alert
from usage.watchdog import work
from warandpeace.models import Backup, Heartbeat

# Strangers may ask as often as they like; the database is asked once in so many seconds.
KEEP_ANSWER = 2

# What programs read, and what stands in logs and runbooks, is in one language, whoever asks.
PLAIN = "en"


@dataclass(frozen=True)
class Check:
    """One answer, told in the language that is active.

    `blocks` is false for what a person should see to but what stops no request.
    """

    ok: bool
    detail: str
    blocks: bool = True


class Alive:
    """Answers `/healthz` first of all: whatever the host name, the scheme or the database, this process is alive."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        with work.job():
            return self.get_response(request)


def migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return Check(
        ok=not missing, detail=_("%(count)d not applied") % {"count": missing} if missing else _("all applied")
    )


def database() -> Check:
    Heartbeat.beat("readyz")
    return Check(ok=True, detail=_("%(name)s takes writes") % {"name": connection.vendor})


def sweeper() -> Check:
    age = Heartbeat.age("sweeper")
    if age is None:
        return Check(ok=False, detail=_("has never run"))
    return Check(ok=age <= Heartbeat.LATE, detail=_("ran %(count)d s ago") % {"count": round(age.total_seconds())})


def messages() -> Check:
    """Unresolved messages need a person, who needs these pages: they are reported but do not block."""
    unresolved = Message.objects.unresolved().count()
    return Check(ok=not unresolved, detail=_("%(count)d unresolved") % {"count": unresolved}, blocks=False)


def alerts() -> Check:
    """What a person must see to, by kind; it stops no request."""
    kinds = dict(Alert.objects.open().order_by().values_list("code").annotate(Count("pk")))
    named = ", ".join(f"{count} {code}" for code, count in sorted(kinds.items()))
    return Check(ok=not kinds, detail=named or _("none open"), blocks=False)


def backups() -> Check:
    """How old the last verified one is, and whether anybody could read it; it stops no request."""
    age = Backup.age(timezone.now())
    told = _("none yet") if age is None else _("%(count)d h old") % {"count": round(age.total_seconds() / 3600)}
    secrecy = _("encrypted") if settings.BACKUP_RECIPIENTS else _("not encrypted: BACKUP_RECIPIENTS is empty")
    return Check(ok=age is None or age <= Backup.OLD, detail=f"{told}, {secrecy}", blocks=False)


CHECKS = {
    "migrations": migrations,
    "database": database,
    "sweeper": sweeper,
    "messages": messages,
    "alerts": alerts,
    "backups": backups,
}


def ask(check: Callable[[], Check]) -> Check:
    """The check's answer; a database that fails is an answer too."""
    try:
        return check()
    except DatabaseError as error:
        return Check(ok=False, detail=type(error).__name__)


def answers() -> dict[str, Check]:
    return {name: ask(check) for name, check in CHECKS.items()}


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """JSON with every check; status 503 when one that blocks is not ok."""
    with override(PLAIN):
        found = cache.get_or_set("readyz", answers, KEEP_ANSWER) or {}
    ready = all(check.ok or not check.blocks for check in found.values())
    body = {"ready": ready, "checks": {name: asdict(check) for name, check in found.items()}}
    return JsonResponse(body, status=200 if ready else 503)
