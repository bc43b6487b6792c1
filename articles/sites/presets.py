"""Sites whose pages are described already, ready to be added or filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """What a source's row must say for a site to be read. `host` tells whose site it is."""

    slug: str
    name: str
    host: str
    url: str
    encoding: str
    time_zone: str
    selectors: dict[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The fields of a source."""
        return {
            "kind": "site",
            "slug": self.slug,
            "name": self.name,
            "url": self.url,
            "language": "ru",
            "encoding": self.encoding,
            "time_zone": self.time_zone,
            "selectors": self.selectors,
        }


WARANDPEACE = Preset(
    slug="warandpeace",
    name="Война и мир",
    host="warandpeace.ru",
    url="https://www.warandpeace.ru/ru/news/",
    encoding="windows-1251",
    time_zone="Europe/Moscow",
    selectors={
        "list": {
            "item": 'table[border="0"][align="center"][cellspacing="0"][width="100%"]:has(a.a_header_article)',
            "link": "td.topic_caption a.a_header_article",
            "date": "td.topic_info_top",
            "lead": "td.topic_announce",
            "topic": 'td.topic_info a[href*="/topic/"]',
            "original": 'td.topic_info a[target="_blank"]',
            "pages": "span.menu_1",
            "address": "https://www.warandpeace.ru/ru/news/_/_/page={page}/",
        },
        "article": {
            "text": "td.topic_text:not(:has(a.a_header_article))",
            "without": "script, style",
            "topic": "a.a_topic_info",
        },
        "archive": {
            "address": (
                "https://www.warandpeace.ru/ru/archive/search/_/page={page}/?text_header=&author=&topic="
                "&date_st={day}&sselect=0&date_en={day}&archive_sort="
            ),
            "day_format": "%d.%m.%Y",
        },
        "date_formats": ["%d.%m.%y %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%y", "%d.%m.%Y"],
    },
)
PRESETS = {preset.slug: preset for preset in (WARANDPEACE,)}


def of_address(url: str) -> Preset | None:
    """What is known of the site that an address belongs to."""
    host = url.partition("://")[2].partition("/")[0].lower()
    return next((one for one in PRESETS.values() if host == one.host or host.endswith(f".{one.host}")), None)
