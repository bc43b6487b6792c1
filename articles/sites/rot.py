"""Selectors rot: a site changes its pages, and what used to be found is found no more. Somebody must be told."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles.models import Source
from usage.models import Alert

CODE = "selectors"
# So many article pages in a row must lack their text: a single one may be a video.
MISSES = 3
# A page that usually has fewer of something says little by having half of it.
FEWEST = 4
# News sites rest for holidays, not for so many days.
EMPTY_DAYS = 14

NAMES = {
    "entries": gettext_lazy("articles"),
    "dates": gettext_lazy("dates"),
    "leads": gettext_lazy("leads"),
    "topics": gettext_lazy("topics"),
}


def compare(source: Source, yields: dict[str, int]) -> dict[str, int]:
    """Compare what a list has yielded with what it used to, alert or end the alert; what it usually yields from now on.

    Once something is down to half, what used to be stays the measure until it is back.
    """
    usual = {name: int(count) for name, count in source.usual_yield.items() if name in NAMES}
    lost = [name for name, count in usual.items() if count >= FEWEST and yields.get(name, 0) * 2 <= count]
    if lost:
        found = ", ".join(f"{NAMES[name]} {yields.get(name, 0)} / {usual[name]}" for name in lost)
        _sound(source, _("Its page yields less than it used to: %(found)s.") % {"found": found})
    else:
        Alert.is_over(CODE, source.slug)
    return {name: usual.get(name, 0) if name in lost else count for name, count in (usual | yields).items()}


def nothing_found(source: Source) -> None:
    """Alert: no article stands on the page any more."""
    _sound(source, _("Nothing is found on its page any more. Its selectors may have to be changed."))


def watch_text(source: Source, *, is_in_place: bool) -> None:
    """Note whether an article's text stood where it should, and alert when several in a row did not."""
    if is_in_place:
        if Source.objects.filter(pk=source.pk, text_misses__gt=0).update(text_misses=0):
            Alert.is_over(CODE, f"{source.slug}/article")
        return
    Source.objects.filter(pk=source.pk, text_misses__lt=1000).update(text_misses=F("text_misses") + 1)
    misses = Source.objects.filter(pk=source.pk, text_misses__gte=MISSES).values_list("text_misses", flat=True).first()
    if misses:
        told = _("On %(count)d article pages in a row no text stands where it should.") % {"count": misses}
        Alert.sound(CODE, f"{source.slug}/article", f"{source.name}: {told}")


def watch_days(source: Source, empty_in_a_row: int) -> None:
    """Note how many days in a row the archive had nothing for, and alert when there are many."""
    if empty_in_a_row == EMPTY_DAYS:
        told = _("Its archive has nothing for %(count)d days in a row.") % {"count": empty_in_a_row}
        Alert.sound(CODE, f"{source.slug}/archive", f"{source.name}: {told}")
    elif not empty_in_a_row:
        Alert.is_over(CODE, f"{source.slug}/archive")


def _sound(source: Source, told: str) -> None:
    Alert.sound(CODE, source.slug, f"{source.name}: {told}")
