"""Feeds with invented news, in the formats and encodings that real ones have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SENTENCES = (
    "Порт увеличил перевалку угля на двенадцать процентов за десять месяцев.",
    "Об этом сообщила пресс-служба предприятия в пятницу вечером.",
    "Новый причал принял первое судно ещё в начале сентября.",
    "По словам директора, вагоны теперь ждут разгрузки вдвое меньше.",
    "Железная дорога обещает достроить вторую колею к весне.",
    "Жители посёлка просят закрыть склады от ветра и пыли.",
    "Эксперты считают, что спрос в будущем году не вырастет.",
    "Губернатор поручил проверить расписание пригородных поездов.",
    "В музее открылась выставка старых лоций и морских карт.",
    "Синоптики ждут штормового ветра и мокрого снега.",
    "Рыбаки вернулись с уловом на день раньше срока.",
    "Городской совет отложил решение о тарифах до декабря.",
)


@dataclass(frozen=True)
class Item:
    """What a feed says of one article. `date` is written as it is, if given, instead of `published`."""

    link: str = "https://news.example/1"
    title: str = "Порт увеличил перевалку угля"
    lead: str = "Об этом сообщила пресс-служба предприятия."
    text: str = ""
    published: datetime = NOON
    date: str | None = None
    guid: str = ""
    topic: str = ""
    image: str = ""
    extra: str = ""


@dataclass(frozen=True)
class Channel:
    """A feed's own title and language."""

    title: str = "Новости порта"
    link: str = "https://news.example/"
    language: str = "ru"
    namespaces: dict[str, str] = field(default_factory=dict)


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escape(text)}</{name}>" if text else ""


def rss(
    items: Iterable[Item], *, encoding: str = "utf-8", declared: str | None = None, channel: Channel = Channel()
) -> bytes:
    """RSS 2.0 with the full text in content:encoded. `declared` is the encoding it claims; "" for no claim at all."""
    written = "".join(
        "<item>"
        + _element("title", item.title)
        + _element("link", item.link)
        + (_element("guid", item.guid, ' isPermaLink="false"'))
        + _element("description", item.lead)
        + (f"<content:encoded><![CDATA[{item.text}]]></content:encoded>" if item.text else "")
        + _element("pubDate", format_datetime(item.published) if item.date is None else item.date)
        + _element("category", item.topic)
        + (f'<enclosure url="{escape(item.image)}" type="image/jpeg" length="1"/>' if item.image else "")
        + f"{item.extra}</item>"
        for item in items
    )
    return (
        f'{_declaration(encoding, declared)}<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
        ' xmlns:yandex="http://news.yandex.ru">'
        f"<channel>{_element('title', channel.title)}{_element('link', channel.link)}"
        f"{_element('language', channel.language)}{written}</channel></rss>"
    ).encode(encoding, "xmlcharrefreplace")


def atom(
    items: Iterable[Item], *, encoding: str = "utf-8", declared: str | None = None, channel: Channel = Channel()
) -> bytes:
    """Atom 1.0 with the full text in an HTML content."""
    written = "".join(
        "<entry>"
        + _element("title", item.title)
        + (f'<link rel="alternate" type="text/html" href="{escape(item.link)}"/>' if item.link else "")
        + _element("id", item.guid or item.link)
        + _element("published", item.published.isoformat() if item.date is None else item.date)
        + _element("summary", item.lead)
        + _element("content", item.text, ' type="html"')
        + (f'<category term="{escape(item.topic)}"/>' if item.topic else "")
        + f"{item.extra}</entry>"
        for item in items
    )
    return (
        f'{_declaration(encoding, declared)}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{channel.language}">'
        f'{_element("title", channel.title)}<link href="{channel.link}"/>{written}</feed>'
    ).encode(encoding, "xmlcharrefreplace")


def rdf(
    items: Iterable[Item], *, encoding: str = "utf-8", declared: str | None = None, channel: Channel = Channel()
) -> bytes:
    """RSS 1.0, which is RDF, with Dublin Core dates."""
    written = "".join(
        f'<item rdf:about="{escape(item.link)}">'
        + _element("title", item.title)
        + _element("link", item.link)
        + _element("description", item.text or item.lead)
        + _element("dc:date", item.published.isoformat() if item.date is None else item.date)
        + _element("dc:subject", item.topic)
        + f"{item.extra}</item>"
        for item in items
    )
    return (
        f'{_declaration(encoding, declared)}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="{channel.link}">{_element("title", channel.title)}{_element("link", channel.link)}'
        f"</channel>{written}</rdf:RDF>"
    ).encode(encoding, "xmlcharrefreplace")


def _declaration(encoding: str, declared: str | None) -> str:
    claim = encoding if declared is None else declared
    return f'<?xml version="1.0" encoding="{claim}"?>' if claim else '<?xml version="1.0"?>'


def story(number: int, length: int) -> str:
    """HTML of about `length` characters that differs with its number, a paragraph every third sentence."""
    paragraphs: list[str] = []
    sentences: list[str] = []
    place = written = 0
    while written < length:
        sentence = SENTENCES[(number * 7 + place * (1 + number % 5)) % len(SENTENCES)]
        sentences.append(f"<b>{sentence}</b>" if place % 5 == 1 else sentence)
        place, written = place + 1, written + len(sentence)
        if place % 3 == 0 or written >= length:
            paragraphs.append(f"<p>{' '.join(sentences)}</p>")
            sentences = []
    return f'{"".join(paragraphs)}<p><a href="/archive/{number}">Архив за день № {number}</a></p>'


def items(count: int, *, site: str = "https://news.example", first: int = 1, length: int = 900) -> list[Item]:
    """So many different articles of one site, the newest first."""
    return [
        Item(
            link=f"{site}/news/view/{number}/?utm_source=rss",
            title=f"{SENTENCES[number % len(SENTENCES)].rstrip('.')}, выпуск {number}",
            lead=f"{SENTENCES[(number + 1) % len(SENTENCES)]} {SENTENCES[(number + 2) % len(SENTENCES)]}",
            text=story(number, length),
            published=NOON - timedelta(minutes=number),
            guid=f"{site}/{number}",
            topic=("Порт", "Город", "Погода")[number % 3],
        )
        for number in range(first, first + count)
    ]
