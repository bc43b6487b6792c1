"""Who may do what: the one table of roles. Their groups are made to agree with it after every `migrate`.

Somebody who needs other rights gets them by a group of another name: these are always put back to the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usage.schema import is_known

READ = "view"
WRITE = "view change"
OWN = "view add change delete"


@dataclass(frozen=True)
class Role:
    """A group: how people call it, what it is for, the verbs it has on models (`app.model`), and single permissions
    (`app.codename`).
    """

    name: str
    label: str | Promise
    purpose: str | Promise
    models: Mapping[str, str]
    single: tuple[str, ...] = field(default=())

    def permissions(self) -> Iterator[tuple[str, str]]:
        """Each permission as (app label, codename)."""
        for name, verbs in self.models.items():
            app_label, model = name.split(".")
            yield from ((app_label, f"{verb}_{model}") for verb in verbs.split())
        for name in self.single:
            app_label, codename = name.split(".")
            yield app_label, codename


NEWSROOM = {
    "articles.source": READ,
    "articles.article": WRITE,
    "articles.summary": READ,
    "articles.picture": WRITE,
    "articles.forecastnote": READ,
    "articles.story": WRITE,
    "articles.prompt": "view add change",
    "articles.tag": OWN,
    "articles.tagrule": OWN,
    "publishing.channel": READ,
    "publishing.publication": WRITE,
    "publishing.pendingpublication": WRITE,
    "publishing.message": READ,
    "publishing.attempt": READ,
    "publishing.digest": WRITE,
    "publishing.digestsection": READ,
    "publishing.digestitem": READ,
    "publishing.digestplan": READ,
}
MACHINERY = {
    "articles.source": OWN,
    "articles.backfillrun": OWN,
    "articles.deadletter": "view change delete",
    "publishing.channel": OWN,
    "publishing.digestplan": OWN,
    "publishing.bot": READ,
    "publishing.subscriber": READ,
    "publishing.delivery": WRITE,
    "publishing.deliveryattempt": READ,
    "publishing.telegrameditor": READ,
    "usage.provider": OWN,
    "usage.apikey": WRITE,
    "usage.purposebudget": OWN,
    "usage.alert": WRITE,
    "usage.apiusageevent": READ,
    "usage.apiusagedaily": READ,
    "usage.processsession": READ,
    "usage.sessionstatsdaily": READ,
    "django_celery_beat.periodictask": OWN,
    "django_celery_beat.crontabschedule": OWN,
    "django_celery_beat.intervalschedule": OWN,
    "django_celery_beat.clockedschedule": OWN,
    "warandpeace.backup": READ,
    "warandpeace.transfer": READ,
    "warandpeace.quarantinedrow": READ,
    "warandpeace.correctedrow": READ,
    "auth.user": READ,
    "auth.group": READ,
    "axes.accessattempt": "view delete",
    "admin.logentry": READ,
    "warandpeace.signin": "view delete",
}

ROLES = (
    Role("editor", _("Editor"), _("Edits articles and publications. What goes out is decided by others."), NEWSROOM),
    Role(
        "publisher",
        _("Publisher"),
        _("Does what an editor does, and approves, schedules, rejects and pauses channels."),
        NEWSROOM,
        ("publishing.approve_publication", "publishing.pause_channel"),
    ),
    Role(
        "operator",
        _("Operator"),
        _("Keeps it running: sources, channels, providers, schedules, dead letters. Reads texts without editing."),
        dict.fromkeys(NEWSROOM, READ) | MACHINERY,
        ("publishing.pause_channel",),
    ),
    Role(
        "viewer", _("Viewer"), _("Reads articles and publications, and changes nothing."), dict.fromkeys(NEWSROOM, READ)
    ),
)


def role_of(group: Group) -> Role | None:
    """The role whose group it is; None if somebody has made it."""
    return next((role for role in ROLES if role.name == group.name), None)


def label_of(group: Group) -> str:
    """A group's name as people read it: our roles' in the reader's language, others as they were given."""
    role = role_of(group)
    return str(role.label) if role else group.name


def apply_roles(*, using: str, apps: Apps = installed, **signal: Any) -> None:
    """Make the groups agree with the table; a receiver of `post_migrate`, harmless at any time.

    Our signal comes first, before Django has made the permissions of the apps after us, so they are made here. Before
    the tables exist (`migrate contenttypes` alone) there is nothing to do yet.
    """
    for app_label in sorted({app_label for role in ROLES for app_label, _codename in role.permissions()}):
        try:
            create_permissions(installed.get_app_config(app_label), verbosity=0, using=using, apps=apps)
        except LookupError:
            continue
    if not is_known(apps, Group, Permission):
        return
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for role in ROLES:
        wanted = Q(pk__in=[])
        for app_label, codename in role.permissions():
            wanted |= Q(content_type__app_label=app_label, codename=codename)
        group, _created = groups.objects.using(using).get_or_create(name=role.name)
        group.permissions.set(permissions.objects.using(using).filter(wanted))
