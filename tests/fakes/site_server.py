"""A news site on the loopback, with the markup of the site that was our first source, and invented news.

Its pages are in windows-1251, with a comment before the doctype, decoys in the sidebar and fifteen articles a page;
its archive can be asked for a day, and shows no hour.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from articles.sites.presets import WARANDPEACE
from tests.fakes.feeds import SENTENCES

MOSCOW = ZoneInfo("Europe/Moscow")
PER_PAGE = 15
TOPICS = ("Порт и море", "Погода", "Экономика и Финансы", "Железная дорога")


@dataclass(frozen=True)
class News:
    """One article of the site. `published` is aware."""

    number: int
    published: datetime
    title: str = ""
    lead: str = ""
    text: str = ""

    @property
    def path(self) -> str:
        return f"/ru/news/view/{self.number}/"


def news(number: int, published: datetime) -> News:
    """An invented article that differs with its number."""
    sentence = SENTENCES[number % len(SENTENCES)]
    return News(
        number,
        published,
        title=f"{sentence.rstrip('.')} № {number}",
        lead=f"{SENTENCES[(number * 5 + 1) % len(SENTENCES)]} Выпуск {number}.",
        text=" ".join(SENTENCES[(number + place) % len(SENTENCES)] for place in range(8)),
    )


def days_of_news(last: date, days: int, a_day: int, *, first: int = 1) -> list[News]:
    """So many articles on each of so many days up to the last one, at hours of Moscow."""
    made = []
    for place in range(days):
        midnight = datetime.combine(last - timedelta(days=days - 1 - place), datetime.min.time(), tzinfo=MOSCOW)
        made += [
            news(first + place * a_day + hour, midnight + timedelta(minutes=1 + hour * (1400 // a_day)))
            for hour in range(a_day)
        ]
    return made


def archive_path(day: str, page: int = 1) -> str:
    return (
        f"/ru/archive/search/_/page={page}/?text_header=&author=&topic="
        f"&date_st={day}&sselect=0&date_en={day}&archive_sort="
    )


@dataclass
class Site:
    """What the site has, how it behaves, and what it was asked for.

    `failures` maps a path (with its query) to the statuses of its next answers; `delay` is in seconds. `hidden` days
    are missing in the archive; `css` is the class that titles stand in, which a redesign changes.
    """

    news: list[News] = field(default_factory=list)
    failures: dict[str, list[int]] = field(default_factory=dict)
    retry_after: str = ""
    delay: float = 0.0
    robots: str | None = None
    hidden: set[date] = field(default_factory=set)
    css: str = "a_header_article"
    text_css: str = "topic_text"
    # What it answers behind the last page of a list: nothing, unless it is one of these.
    repeats_last_page: bool = False
    ends_with_404: bool = False
    url: str = ""
    asked: list[str] = field(default_factory=list)
    most_at_once: int = 0

    def count(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in path for path in self.asked)

    def repeated(self) -> list[str]:
        """The paths that were asked for more than once."""
        return [path for path, times in Counter(self.asked).items() if times > 1]

    def selectors(self) -> dict[str, Any]:
        """The ready-made description of the site, with its addresses on this server."""
        described = {name: part.copy() for name, part in WARANDPEACE.selectors.items()}
        for name in ("list", "archive"):
            described[name]["address"] = described[name]["address"].replace("https://www.warandpeace.ru", self.url)
        return described

    def source(self, **values: Any) -> dict[str, Any]:
        """The fields of a source for this site."""
        own = {"url": f"{self.url}/ru/news/", "selectors": self.selectors()}
        return WARANDPEACE.values() | own | {"auto_summarise": False} | values

    def answer(self, path: str) -> tuple[int, str]:
        """Status and page."""
        parts = urlsplit(path)
        if parts.path == "/robots.txt":
            return (404, "") if self.robots is None else (200, self.robots)
        page = int(found[1]) if (found := re.search(r"page=(\d+)", parts.path)) else 1
        if found := re.fullmatch(r"/ru/news/view/(\d+)/", parts.path):
            return self._article(int(found[1]))
        newest_first = sorted(self.news, key=lambda each: (each.published, each.number), reverse=True)
        if parts.path.startswith("/ru/archive/search/"):
            day = datetime.strptime(parse_qs(parts.query)["date_st"][0], "%d.%m.%Y").date()  # noqa: DTZ007
            of_day = [each for each in newest_first if each.published.astimezone(MOSCOW).date() == day]
            return 200, self._list([] if day in self.hidden else of_day, page, has_hours=False)
        if parts.path.startswith("/ru/news/"):
            last = -(-len(newest_first) // PER_PAGE)
            if page > last and self.ends_with_404:
                return 404, ""
            page = min(page, last) if self.repeats_last_page else page
            return 200, self._list(newest_first, page, has_hours=True)
        return 404, ""

    def _list(self, everything: list[News], page: int, *, has_hours: bool) -> str:
        pages = max(1, -(-len(everything) // PER_PAGE))
        items = "\n".join(self._item(each, has_hours) for each in everything[(page - 1) * PER_PAGE : page * PER_PAGE])
        return self._frame(f'<span class="menu_1">Страница&nbsp;{page}&nbsp;из&nbsp;{pages}</span>{items}')

    def _item(self, each: News, has_hours: bool) -> str:
        stated = each.published.astimezone(MOSCOW).strftime("%d.%m.%y %H:%M" if has_hours else "%d.%m.%y")
        topic = TOPICS[each.number % len(TOPICS)]
        return f"""<!-- NAME: wap_article_short.html -->
<table border="0" align="center" cellspacing="0" width="100%">
<tr><td colspan="2"><hr></td></tr>
<tr><td class="topic_caption" colspan="2"><a href="{each.path}" class="{self.css}">{escape(each.title)} </a></td></tr>
<tr><td align="left" class="topic_info_top">{stated}</td>
<td align="right" class="topic_info"><a href="/ru/news/topic/{each.number % 4}/" class="a_default">{topic}</a></td></tr>
<tr><td class="topic_announce" colspan="2">{escape(each.lead)}</td></tr>
<tr><td align="left" class="topic_footer">комм: 0</td><td align="right" class="topic_info">
<a href="https://agency.example/{each.number}?in=l" class="a_default" target=_blank>Агентство</a></td></tr>
<tr><td align="left" class="topic_footer"></td><td align="right" class="topic_info">&nbsp;</td></tr>
</table>
<!-- END: wap_article_short.html -->"""

    def _article(self, number: int) -> tuple[int, str]:
        found = next((each for each in self.news if each.number == number), None)
        if found is None:
            return 404, ""
        return 200, self._frame(
            f'<table><tr><td class="topic_text"><a class="a_header_article">{escape(found.title)}</a></td></tr>'
            f'<tr><td class="{self.text_css}"><script>count({number})</script>{escape(found.text)}<br><br>'
            f"Выпуск&nbsp;{number}.</td></tr></table>"
        )

    def _frame(self, content: str) -> str:
        return f"""<!-- NAME: wap_main.html -->
<!DOCTYPE HTML>
<html><head><title>ВОЙНА и МИР</title>
<meta http-equiv="content-type" content="text/html; charset=windows-1251"><base  href="{self.url}/"></head>
<body><table width="100%" align="center" cellpadding="0"><tr><td><dir>
<a href="/ru/news/view/1/" class="a_other_cat">Сюжет дня, который давно известен</a><br></dir></td></tr>
<tr><td>{content}</td></tr></table></body></html>"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        site = self.server.site
        site.asked.append(self.path)
        with self.server.lock:
            self.server.under_way += 1
            site.most_at_once = max(site.most_at_once, self.server.under_way)
        time.sleep(site.delay)
        failing = site.failures.get(self.path, [])
        status, page = (failing.pop(0), "") if failing else site.answer(self.path)
        with self.server.lock:
            self.server.under_way -= 1
        self._send(status, page.encode("windows-1251", "xmlcharrefreplace"))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=windows-1251")
        self.send_header("Content-Length", str(len(body)))
        if status >= 400 and self.server.site.retry_after:
            self.send_header("Retry-After", self.server.site.retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Requests are recorded, not printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site, self.lock, self.under_way = site, threading.Lock(), 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or is killed, is not worth a traceback."""


@contextmanager
def site_server(news: list[News] | None = None) -> Iterator[Site]:
    """A running site."""
    site = Site(news or [])
    server = _Server(site)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
