"""News that never stops: sites with feeds, models that summarise, a fake Telegram, and an editor at the desk."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx
from django.utils import timezone

from tests.fakes import feeds
from tests.fakes.bot_api import BotApi, Pace, bot_api
from tests.fakes.feed_server import FeedServer
from tests.fakes.line import Line
from tests.fakes.llm_server import LlmServer

# Sites, and how they are: most are well, one gets slow and two get lost when their fault is played.
SITES, SLOW, LOST = 12, (10,), (11,)
# Every third feed brings only leads, so that the pages are read too.
LEADS_ONLY = 3
BETWEEN_NEWS, BETWEEN_LOOKS = 4.0, 4.0
SHOWN_IN_FEED = 60
WORDS = " ".join(feeds.SENTENCES).lower().replace(".", "").replace(",", "").split()
SENTENCE = re.compile(r"[А-Я][^.!?<>\n]{20,300}\.")
SITE_HOST = "news.test"


@dataclass
class Outside:
    """The outside world of the stack. Whatever stands on a `Line` can be cut off."""

    telegram: BotApi = field(init=False)
    models: LlmServer = field(init=False)
    sites: FeedServer = field(init=False)
    to_telegram: Line = field(init=False)
    to_models: Line = field(init=False)
    to_lost_sites: Line = field(init=False)

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self.telegram = opened.enter_context(bot_api(pace=Pace()))
            self.models = opened.enter_context(LlmServer())
            self.models.say(summary_of)
            self.models.wait(0.3)
            self.sites = opened.enter_context(FeedServer())
            self.to_telegram = opened.enter_context(Line(int(self.telegram.url.rpartition(":")[2])))
            self.to_models = opened.enter_context(Line(int(self.models.url.split(":")[2].split("/")[0])))
            self.to_lost_sites = opened.enter_context(Line(self.sites.port))
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def address(self, site: int) -> str:
        """Of a site's feed, as the stack reaches it."""
        port = self.to_lost_sites.port if site in LOST else self.sites.port
        return f"http://127.0.0.1:{port}/{site}/feed.xml"


def summary_of(body: dict[str, Any]) -> str:
    """What a model makes of an article: its first sentences."""
    return " ".join(SENTENCE.findall(str(body["messages"][-1]["content"]))[:6])


class Repeated(ABC):
    """Does something again and again from a thread, while its `with` block runs."""

    pause = 1.0

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _repeat(self) -> None:
        while not self._ended.wait(self.pause):
            self.once()

    @abstractmethod
    def once(self) -> None: ...


class Press(Repeated):
    """Publishes an invented article every few seconds, at one site after the other."""

    pause = BETWEEN_NEWS

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self.outside = outside
        self.published: list[str] = []
        self.drip = 0.0
        self._numbers = count(1)
        self._items: dict[int, list[feeds.Item]] = {site: [] for site in range(SITES)}
        for site in range(SITES):
            self.show(site)

    def once(self) -> None:
        self.publish(next(self._numbers))

    def publish(self, number: int) -> None:
        """The article with the number, on a page of its own and in its site's feed."""
        site, chance = number % SITES, Random(number)  # noqa: S311  no secret
        link = f"{self.outside.address(site).rpartition('/')[0]}/news/{number}"
        text = [said(chance) for _ in range(14)]
        item = feeds.Item(
            link=link,
            title=f"{said(chance).rstrip('.')} № {number}",
            lead=" ".join(text[:2]),
            text="" if site % LEADS_ONLY == 0 else " ".join(f"<p>{one}</p>" for one in text),
            published=timezone.now(),
            guid=link,
        )
        self.outside.sites.serve(f"/{site}/news/{number}", page(item.title, text), content_type="text/html")
        self._items[site] = [item, *self._items[site]][:SHOWN_IN_FEED]
        self.published.append(link)
        self.show(site)

    def show(self, site: int) -> None:
        """Serve the feed of a site as it is now; a slow one drips."""
        slowly: dict[str, Any] = {"piece": 256, "piece_delay": self.drip} if site in SLOW and self.drip else {}
        self.outside.sites.serve(f"/{site}/feed.xml", feeds.rss(self._items[site]), **slowly)


def said(chance: Random) -> str:
    return " ".join(chance.sample(WORDS, 10)).capitalize() + "."


def page(title: str, text: list[str]) -> bytes:
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in text)
    return (
        f'<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><main><article><h1>{title}</h1>{paragraphs}</article></main></body></html>"
    ).encode()


class Editor(Repeated):
    """Signs in at the desk as the proxy would let a person in, and approves whatever waits there."""

    pause = BETWEEN_LOOKS
    login, queue = "/admin/login/", "/admin/publishing/pendingpublication/"
    page = "/admin/publishing/publication/{}/change/"

    def __init__(self, port: int, username: str, password: str) -> None:
        super().__init__()
        self.form = {"username": username, "password": password, "next": self.queue}
        self.approved = self.failures = 0
        # A tab is open all the time, whoever restarts what is behind it.
        self._cookies: dict[str, str] = {}
        headers = {"Host": SITE_HOST, "Referer": f"https://{SITE_HOST}/", "X-Forwarded-Proto": "https"}
        headers["X-Forwarded-For"] = "203.0.113.7"
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20)

    def once(self) -> None:
        try:
            if "sessionid" not in self._cookies and not self._sign_in():
                return
            self._approve(self._get(self.queue))
        except httpx.HTTPError:
            self.failures += 1

    def answer(self, publication: int, form: dict[str, Any]) -> None:
        """Press a button on a publication's page."""
        try:
            self._post(self.page.format(publication), form)
        except httpx.HTTPError:
            self.failures += 1

    def _sign_in(self) -> bool:
        self._get(self.login)
        self._post(self.login, self.form)
        return "sessionid" in self._cookies

    def _approve(self, listed: str) -> None:
        chosen = re.findall(r'name="_selected_action" value="(\d+)"', listed)
        revisions = dict(re.findall(r'name="(revision-\d+)" value="(\d+)"', listed))
        if chosen and self._post(self.queue, {"action": "approve_selected", "_selected_action": chosen, **revisions}):
            self.approved += len(chosen)

    def _get(self, path: str) -> str:
        return self._taken(self._http.get(path, headers=self._cookie())).text

    def _post(self, path: str, form: dict[str, Any]) -> bool:
        """Whether it was done, which a redirection tells."""
        token = {"csrfmiddlewaretoken": self._cookies.get("csrftoken", "")}
        return self._taken(self._http.post(path, data=form | token, headers=self._cookie())).is_redirect

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def _taken(self, response: httpx.Response) -> httpx.Response:
        """The answer; its cookies are kept, though they are for HTTPS only and this is what is behind the proxy."""
        for told in response.headers.get_list("set-cookie"):
            name, _, value = told.partition(";")[0].partition("=")
            self._cookies[name] = value
        if response.is_redirect and self.login in response.headers["location"]:
            self._cookies.pop("sessionid", None)
        if response.is_server_error:
            self.failures += 1
        return response


def wait_for(found: Callable[[], Any], seconds: float, pause: float = 0.25) -> float | None:
    """How many seconds it took until the call gave something; None if it did not within so many."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if found():
            return time.monotonic() - began
        time.sleep(pause)
    return None
