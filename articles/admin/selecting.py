"""The selectors of a site as a form: a field for each place, and what is wrong with it beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django import forms
from django.forms.forms import DeclarativeFieldsMetaclass
from django.utils.functional import Promise
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from articles.models import Source
from articles.sites import selectors
from articles.sites.selectors import SECTIONS, Mistaken

FORMATS = "date_formats"
LABELS: dict[str, str | Promise] = {
    "item": _("an article of the list"),
    "link": _("its link"),
    "title": _("title"),
    "date": _("date"),
    "lead": _("lead"),
    "topic": _("topic"),
    "original": _("original source"),
    "image": _("image"),
    "next": _("link to the next page"),
    "pages": _("how many pages there are"),
    "address": _("address of a page"),
    "text": _("text"),
    "without": _("cut out of the text"),
    "day_format": _("how the day is written"),
}
HELP: dict[str, str | Promise] = {
    "list.item": _("A CSS selector. The other places are looked for inside of it."),
    "list.link": _("An @name behind a selector takes an attribute: time @datetime."),
    "list.title": _("Empty: the link's text."),
    "list.pages": _("The last number there counts, as in “page 1 of 12”."),
    "list.address": _("With {page} for its number."),
    "article.text": _("Empty: told from what articles usually look like."),
    "archive.item": _("This and the other places: empty if they are as in the list."),
    "archive.address": _("With {day} and {page}. Without an archive, the pages of the list are read."),
    "archive.day_format": _("Empty: %d.%m.%Y."),
}
TITLES: dict[str, str | Promise] = {
    "list": _("Pages of the list"),
    "article": _("Article pages"),
    "archive": _("Archive"),
}


def field_name(where: str) -> str:
    """The form's name of a place such as "list.item"."""
    return "at_" + where.replace(".", "_")


# The places by their fields' names: section and key.
PLACES = {
    field_name(f"{section}.{field.name}"): (section, field.name)
    for section, kind in SECTIONS.items()
    for field in fields(kind)
}


def _field(section: str, key: str) -> forms.CharField:
    return forms.CharField(
        label=capfirst(LABELS[key]),  # type: ignore[type-var, arg-type]
        help_text=HELP.get(f"{section}.{key}", ""),  # type: ignore[arg-type]
        required=False,
        max_length=selectors.LONGEST,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )


class PlacesBase(forms.Form):
    at_date_formats = forms.CharField(
        label=_("Formats of dates"),
        help_text=format_lazy("{} {}", _("One a line, as %d.%m.%y %H:%M."), _("Usual ones need not be named.")),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
    )


# A field for each place: Django's own way to declare fields, with names that are computed.
FIELDS = {name: _field(*place) for name, place in PLACES.items()}
Places: Any = DeclarativeFieldsMetaclass("Places", (PlacesBase,), FIELDS)


def fieldsets() -> list[tuple[Any, dict[str, Any]]]:
    """The places as the admin lays them out."""
    made: list[tuple[Any, dict[str, Any]]] = []
    for section, title in TITLES.items():
        names = [name for name, (its, _key) in PLACES.items() if its == section]
        pairs = [tuple(names[at : at + 2]) for at in range(0, len(names), 2)]
        made.append((title, {"fields": pairs, "classes": ("collapse",)}))
    made[0][1]["fields"].append(field_name(FORMATS))
    return made


def described(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a filled-in form says, as a source's row keeps it: only what is not empty."""
    said: dict[str, Any] = {}
    for name, (section, key) in PLACES.items():
        if written := str(data.get(name) or "").strip():
            said.setdefault(section, {})[key] = written
    formats = [line.strip() for line in str(data.get(field_name(FORMATS)) or "").splitlines() if line.strip()]
    return said | ({FORMATS: formats} if formats else {})


def filled(said: Mapping[str, Any]) -> dict[str, str]:
    """The other way round: the form's values of a row's description."""
    values = {name: str(said.get(section, {}).get(key, "")) for name, (section, key) in PLACES.items()}
    return values | {field_name(FORMATS): "\n".join(said.get(FORMATS, []))}


class SourceForm(Places, forms.ModelForm):  # type: ignore[type-arg]
    """A source with the places of its site. They are put together into its `selectors`."""

    class Meta:
        model = Source
        # The admin names the others.
        fields = ("kind",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = self.initial.get("selectors") or self.instance.selectors or {}
        self.initial.update(filled(said))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        said = described(cleaned)
        try:
            found = selectors.read(said)
        except Mistaken as error:
            self._tell(error)
            return cleaned
        if cleaned.get("kind") == Source.Kind.SITE and not found.reads_lists:
            self.add_error(field_name("list.item"), _("A site needs it: without it no article is found on its pages."))
            return cleaned
        self.instance.selectors = said
        return cleaned

    def _tell(self, error: Mistaken) -> None:
        for mistake in error.mistakes:
            name = field_name(mistake.where)
            self.add_error(name if name in self.fields else None, f"{mistake.what} {mistake.how}")
