"""The product's own prompts, brought into rows, and which version is current."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from articles.models import Prompt
from usage.schema import is_known

FOLDER = Path("templates", "prompts")


def current(kind: str) -> Prompt:
    """The version of a kind that is in use; made of the product's file where there is none yet."""
    found = Prompt.objects.filter(kind=kind, is_current=True).first()
    return found or _seed(kind, using="default")


def sync(*, using: str = "default", apps: Apps = installed, **signal: Any) -> None:
    """Add the product's prompts where their text is new; a receiver of `post_migrate`, harmless at any time.

    A new text is used at once where the one in use is the product's; a prompt of the newsroom's own stays in use.
    """
    if not is_known(apps, Prompt):
        return
    for kind in Prompt.Kind.values:
        _seed(kind, using=using)


def save_version(kind: str, text: str, *, author_id: int | None, is_own: bool = True, using: str = "default") -> Prompt:
    """The text as the next version of a kind, not in use yet."""
    newest = Prompt.objects.using(using).filter(kind=kind).aggregate(newest=Max("version"))["newest"] or 0
    return Prompt.objects.using(using).create(
        kind=kind, version=newest + 1, text=text, author_id=author_id, is_own=is_own
    )


def _seed(kind: str, *, using: str) -> Prompt:
    text = (settings.BASE_DIR / FOLDER / f"{kind}.txt").read_text(encoding="utf-8").strip()
    versions = Prompt.objects.using(using).filter(kind=kind)
    with transaction.atomic(using=using):
        seeded = versions.filter(is_own=False).order_by("-version").first()
        if seeded is None or seeded.text != text:
            seeded = save_version(kind, text, author_id=None, is_own=False, using=using)
        in_use = versions.filter(is_current=True).first()
        if in_use is None or (not in_use.is_own and in_use.pk != seeded.pk):
            versions.filter(is_current=True).update(is_current=False)
            versions.filter(pk=seeded.pk).update(is_current=True)
            seeded.is_current = True
            in_use = seeded
    return in_use
