"""Reads the template of a post, and says in a sentence what is wrong with one and where.

The tags and the rules of nesting are Telegram's: https://core.telegram.org/bots/api#html-style. Braces that are meant
are doubled, and `&lt;` `&gt;` `&amp;` `&quot;` stand for the signs themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from html import unescape
from urllib.parse import urlsplit

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from publishing.post_template import PLACEHOLDERS, SEPARATOR, Element, Line, Run, Template
from publishing.splitting import without_unwanted

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
}
# In these stands nothing but text, and they stand in nothing else.
ALONE = {"code", "pre"}
# What people bring along from web pages.
LINE_BREAKS = {"br", "p", "div"}

MAX_LENGTH = 2000  # characters

_TOKEN = regex.compile(
    r"""(?P<doubled>\{\{|\}\})
      | \{(?P<field>[^{}\n]*+)\}
      | <(?P<slash>/?)(?P<tag>[a-zA-Z][\w-]*+)(?P<attributes>[^<>]*+)>
      | (?P<newline>\n)
      | (?P<lone>[{}<])
      | (?P<words>[^{}<\n]++)""",
    regex.VERBOSE,
)
_REFERENCE = regex.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_HREF = regex.compile(r"""\s+href\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*""")


class TemplateError(ValueError):
    """A template that can't be used; the text is a sentence in the reader's language. Lines and columns begin at 1."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        place = _("Line %(line)d, character %(column)d:") % {"line": line, "column": column} if line else ""
        super().__init__(f"{place} {problem}".strip())
        self.line, self.column = line, column


def read(source: str) -> Template:
    """The template that is written in `source`. Raises TemplateError."""
    return _read(source.replace("\r\n", "\n").strip())


@lru_cache(maxsize=256)
def _read(source: str) -> Template:
    return _Reader(source).read()


def validate_template(source: str) -> None:
    """Raises ValidationError with the sentence of the TemplateError, if there is one."""
    try:
        read(source)
    except TemplateError as error:
        raise ValidationError(str(error), code="template") from error


@dataclass
class _Open:
    """A tag that waits for its end, and where it stands."""

    tag: str
    element: Element
    position: int


@dataclass
class _Reader:
    source: str
    position: int = 0
    elements: int = 0
    opened: list[_Open] = field(default_factory=list)
    lines: list[list[Run]] = field(default_factory=lambda: [[]])

    def read(self) -> Template:
        for token in _TOKEN.finditer(self.source):
            self.position = token.start()
            self._take(token)
        if self.opened:
            last = self.opened[-1]
            self.position = last.position
            raise self._error(_("<%(tag)s> is never closed: write </%(tag)s> where it ends.") % {"tag": last.tag})
        template = Template(tuple(self._line(runs) for runs in self.lines))
        if not template.fields & {"title", "text"}:
            raise TemplateError(_("There must be {title} or {text} in it, else all posts would read the same."))
        return template

    def _take(self, token: regex.Match[str]) -> None:
        match token.lastgroup:
            case "newline":
                self.lines.append([])
            case "field":
                self._add(field=self._placeholder(token["field"]))
            case "doubled":
                self._add(words=token["doubled"][0])
            case "words":
                self._add(words=_REFERENCE.sub(lambda found: unescape(found[0]), token["words"]))
            case "lone" if token["lone"] == "<":
                raise self._error(_("“<” begins no tag here: write &lt; for the sign itself."))
            case "lone":
                problem = _("“%(sign)s” stands alone: write %(sign)s%(sign)s for the sign itself.")
                raise self._error(problem % {"sign": token["lone"]})
            case _tag if token["slash"]:
                self._close(token["tag"].lower())
            case _tag:
                self._open(token["tag"].lower(), token["attributes"])

    def _add(self, *, field: str = "", words: str = "") -> None:
        elements = tuple(opened.element for opened in self.opened)
        if field:
            self.lines[-1].append(Run(elements, field=field))
        for piece in regex.splititer(f"({SEPARATOR.pattern})", without_unwanted(words)):
            if piece:
                self.lines[-1].append(Run(elements, words=piece))

    def _placeholder(self, name: str) -> str:
        if name in PLACEHOLDERS:
            return name
        known = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
        if close := get_close_matches(name.strip().lower(), PLACEHOLDERS, n=1):
            said = _("There is no placeholder {%(name)s}; did you mean {%(close)s}?")
            raise self._error(said % {"name": name, "close": close[0]})
        raise self._error(
            _("There is no placeholder {%(name)s}. There are %(known)s.") % {"name": name, "known": known}
        )

    def _open(self, tag: str, attributes: str) -> None:
        kind = TAGS.get(tag)
        if kind is None:
            raise self._error(self._unknown(tag))
        around = [opened.element.kind for opened in self.opened]
        if around and (kind in ALONE or ALONE & set(around)):
            inner, outer = (tag, self.opened[-1].tag)
            raise self._error(_("<%(inner)s> can't stand inside <%(outer)s>.") % {"inner": inner, "outer": outer})
        if kind in around:
            raise self._error(_("<%(tag)s> can't stand inside another one.") % {"tag": tag})
        href = self._href(attributes) if tag == "a" else self._nothing(tag, attributes)
        self.elements += 1
        self.opened.append(_Open(tag, Element(self.elements, kind, href), self.position))

    def _close(self, tag: str) -> None:
        if not any(opened.tag == tag for opened in self.opened):
            raise self._error(_("</%(tag)s> closes nothing: there is no <%(tag)s> before it.") % {"tag": tag})
        if self.opened[-1].tag != tag:
            inner = self.opened[-1].tag
            problem = _("</%(tag)s> stands before </%(inner)s>: what was opened last is closed first.")
            raise self._error(problem % {"tag": tag, "inner": inner})
        self.opened.pop()

    def _unknown(self, tag: str) -> str:
        if tag in LINE_BREAKS:
            return _("Telegram has no <%(tag)s>: a new line of the template is a new line of the post.") % {"tag": tag}
        known = ", ".join(f"<{name}>" for name in TAGS)
        return _("Telegram has no <%(tag)s>. There are %(known)s.") % {"tag": tag, "known": known}

    def _href(self, attributes: str) -> str:
        found = _HREF.fullmatch(attributes)
        if found is None:
            raise self._error(_('A link is written <a href="{link}"> or <a href="https://…">, and takes nothing else.'))
        href = unescape(found["double"] or found["single"] or "").strip()
        if href != "{link}" and not is_web_address(href):
            raise self._error(_("“%(href)s” is no address: a link leads to {link} or to http(s)://…") % {"href": href})
        return href

    def _nothing(self, tag: str, attributes: str) -> str:
        if attributes.strip():
            raise self._error(_("<%(tag)s> takes nothing after its name.") % {"tag": tag})
        return ""

    def _line(self, runs: list[Run]) -> Line:
        """A line that holds nothing but white space is an empty one."""
        return tuple(runs) if any(run.field or run.words.strip() for run in runs) else ()

    def _error(self, problem: str) -> TemplateError:
        before = self.source[: self.position]
        return TemplateError(problem, before.count("\n") + 1, self.position - (before.rfind("\n") + 1) + 1)


def is_web_address(url: str) -> bool:
    """Whether a link in a post may lead there: http(s), with a host, and nothing that can't be seen."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an address in them
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and url.isprintable() and " " not in url
