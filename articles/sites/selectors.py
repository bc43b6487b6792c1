"""What stands where on a site's pages, as the row of its source says it. Pure.

A place is a CSS selector, below an item on lists and below the page elsewhere; ` @name` behind it takes an attribute
instead of the text, and stands alone for one of the item itself: `time @datetime`, `a.more`, `@href`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, unquote

from django.utils.translation import gettext as _
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

LONGEST = 500  # characters of a place, an address or a format
MOST_FORMATS = 20

PLACE = re.compile(r"(?P<css>.*?)(?:(?:^|\s)@(?P<attribute>[A-Za-z][\w:.-]*))?\s*", re.DOTALL)
EMPTY_PAGE = LexborHTMLParser("<p></p>")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a description is wrong, what is wrong there, and how it is put right: two sentences for people."""

    where: str
    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.how}"


class Mistaken(ValueError):
    """A description that pages cannot be read by."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(" ".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a page. Empty: there is none."""

    css: str = ""
    attribute: str = ""

    @classmethod
    def read(cls, written: str) -> Place:
        found = PLACE.fullmatch(written.strip())
        return cls(found["css"].strip(), found["attribute"] or "") if found else cls(written)

    def __bool__(self) -> bool:
        return bool(self.css or self.attribute)


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list of articles, newest first. `address` is that of its page number `{page}`; `pages` says how many it has."""

    item: Place = Place()
    link: Place = Place()
    title: Place = Place()
    date: Place = Place()
    lead: Place = Place()
    topic: Place = Place()
    original: Place = Place()
    image: Place = Place()
    next: Place = Place()
    pages: Place = Place()
    address: str = ""

    def address_of(self, page: int, day: str = "") -> str:
        """Where a page is, from 1 on."""
        return self.address.replace("{page}", str(page)).replace("{day}", quote(day))


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """The page of one article. `without` is cut out of its text."""

    text: Place = Place()
    without: Place = Place()
    title: Place = Place()
    date: Place = Place()
    lead: Place = Place()
    topic: Place = Place()
    original: Place = Place()
    image: Place = Place()


@dataclass(frozen=True, slots=True)
class Archive(ListPage):
    """The list of one day, at the `address` with `{day}` in `day_format`. What it does not say is as in the list."""

    day_format: str = "%d.%m.%Y"

    def day_at(self, address: str) -> date | None:
        """The day whose list is at an address; None if that is none of this archive's, or not a day's."""
        if not self.address:
            return None
        pattern = re.escape(self.address).replace(r"\{page\}", r"\d+").replace(r"\{day\}", "(?P<day>.+?)", 1)
        # Where it names the day twice, both are the same.
        found = re.fullmatch(pattern.replace(r"\{day\}", "(?P=day)"), address)
        if not found or "day" not in found.groupdict():
            return None
        try:
            return datetime.strptime(unquote(found["day"]), self.day_format).date()  # noqa: DTZ007
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Selectors:
    list: ListPage = ListPage()
    article: ArticlePage = ArticlePage()
    archive: Archive = Archive()
    date_formats: tuple[str, ...] = ()

    @property
    def reads_lists(self) -> bool:
        return bool(self.list.item)

    @property
    def has_days(self) -> bool:
        """Whether the archive can be asked for one day."""
        return "{day}" in self.archive.address


SECTIONS: dict[str, type[ListPage] | type[ArticlePage]] = {"list": ListPage, "article": ArticlePage, "archive": Archive}


def read(described: object) -> Selectors:
    """The description in a source's row. Raises Mistaken with everything that is wrong in it."""
    if not isinstance(described, dict):
        raise Mistaken([_not_an_object("")])
    unknown = sorted(map(str, described.keys() - SECTIONS.keys() - {"date_formats"}))
    mistakes = [Mistake(name, _("Nothing is known by this name."), _("Take it out or correct it.")) for name in unknown]
    parts = {name: _section(name, kind, described.get(name, {}), mistakes) for name, kind in SECTIONS.items()}
    formats = _formats(described.get("date_formats", []), mistakes)
    if mistakes:
        raise Mistaken(mistakes)
    selectors = Selectors(date_formats=formats, **parts)
    mistakes += _what_is_missing(selectors)
    if mistakes:
        raise Mistaken(mistakes)
    return _with_archive_like_list(selectors)


def _not_an_object(where: str) -> Mistake:
    return Mistake(where or "selectors", _("It is no JSON object."), _('Write {"name": "value"}.'))


def _section(name: str, kind: type[Any], described: object, mistakes: list[Mistake]) -> Any:
    if not isinstance(described, dict):
        mistakes.append(_not_an_object(name))
        return kind()
    values: dict[str, Place | str] = {}
    known = {field.name: field.type for field in fields(kind)}  # types as they are written: "Place" or "str"
    for key, written in described.items():
        where = f"{name}.{key}"
        if key not in known:
            mistakes.append(Mistake(where, _("Nothing is known by this name."), _("Take it out or correct it.")))
        elif not isinstance(written, str) or len(written) > LONGEST:
            mistakes.append(
                Mistake(where, _("It is no text, or a very long one."), _("Write at most 500 characters in quotes."))
            )
        elif known[key] == "Place":
            values[key] = Place.read(written)
            mistakes += _of_place(where, values[key])
        elif written.strip():
            values[key] = written.strip()
            mistakes += _of_day_format(where, written) if key == "day_format" else _of_address(where, written.strip())
    return kind(**values)


def _of_place(where: str, place: Any) -> list[Mistake]:
    if not place.css or is_css(place.css):
        return []
    what = _("“%(css)s” is no CSS selector.") % {"css": place.css}
    return [Mistake(where, what, _('Write one such as td.title a, or table[border="0"] with quotes around the value.'))]


def is_css(css: str) -> bool:
    """Whether pages can be searched by a selector."""
    try:
        EMPTY_PAGE.css_first(css)
    except SelectolaxError:
        return False
    return True


def _of_address(where: str, address: str) -> list[Mistake]:
    example = _("Write one such as https://news.example/archive/{day}/page={page}/.")
    plain = address.replace("{page}", "").replace("{day}", "")
    if "{" in plain or "}" in plain:
        return [Mistake(where, _("Only {page} and {day} may stand in braces."), example)]
    if plain == address:
        return [Mistake(where, _("It names the same page always."), example)]
    if not address.startswith(("http://", "https://")):
        return [Mistake(where, _("It begins neither with https:// nor with http://."), example)]
    return []


def _of_day_format(where: str, day_format: str) -> list[Mistake]:
    how = _("Write one such as %d.%m.%Y.")
    try:
        is_day = datetime.strptime(date(2026, 11, 22).strftime(day_format), day_format).date() == date(2026, 11, 22)  # noqa: DTZ007
    except ValueError:
        is_day = False
    return [] if is_day else [Mistake(where, _("It does not name day, month and year."), how)]


def _formats(described: object, mistakes: list[Mistake]) -> tuple[str, ...]:
    how = _("Write formats such as %d.%m.%y %H:%M, each as one text of a list.")
    if not isinstance(described, list) or len(described) > MOST_FORMATS:
        mistakes.append(Mistake("date_formats", _("It is no list, or a very long one."), how))
        return ()
    for number, written in enumerate(described, start=1):
        if not isinstance(written, str) or not _is_date_format(written):
            what = _("Number %(number)d is no format of a date.") % {"number": number}
            mistakes.append(Mistake("date_formats", what, how))
            return ()
    return tuple(described)


def _is_date_format(written: str) -> bool:
    sample = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    try:
        return datetime.strptime(sample.strftime(written), written).day == sample.day and "%" in written  # noqa: DTZ007
    except (ValueError, re.error):
        return False


def _what_is_missing(selectors: Selectors) -> list[Mistake]:
    mistakes = []
    is_described = any(getattr(selectors.list, field.name) for field in fields(ListPage))
    if is_described and not selectors.list.item:
        what = _("Without it no article is found on a page.")
        mistakes.append(Mistake("list.item", what, _("Write what each article of the list stands in, as table.news.")))
    if selectors.list.item and not selectors.list.link:
        what = _("Without it nobody knows where an article is.")
        mistakes.append(Mistake("list.link", what, _("Write where its link stands, as td.title a.")))
    if selectors.archive.address and not (selectors.list.item or selectors.archive.item):
        what = _("Neither it nor the list says what an article stands in.")
        mistakes.append(Mistake("archive.item", what, _("Write it here or in list.item.")))
    return mistakes


def _with_archive_like_list(selectors: Selectors) -> Selectors:
    """The same with each place that the archive leaves out taken from the list."""
    from_list = {
        field.name: getattr(selectors.archive, field.name) or getattr(selectors.list, field.name)
        for field in fields(ListPage)
        if field.name != "address"
    }
    archive = Archive(**from_list, address=selectors.archive.address, day_format=selectors.archive.day_format)
    return Selectors(selectors.list, selectors.article, archive, selectors.date_formats)
