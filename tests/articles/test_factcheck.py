"""What the fact check finds, and what it lets be."""

from __future__ import annotations

from datetime import date

import pytest

from articles.factcheck.checking import check
from articles.factcheck.findings import Kind
from tests.articles.factcheck_pairs import pairs, score

TITLE = "Порт увеличил перевалку"
TEXT = """
МОСКВА, 12 ноября. Порт Северный увеличил перевалку угля на 12% за десять месяцев 2026 года, до 14,3 млн тонн, сообщил
гендиректор Иван Петров. Терминал за 25 млрд рублей открыл вчера министр Андрей Климов. «Мы вышли на проектную мощность
раньше срока», — сказал Петров. Из порта в Китай ушло 300 судов, Международный валютный фонд назвал рост устойчивым.
Подробности на сайте port.example.com и в канале @severport.
"""


def found(summary: str, text: str = TEXT, published: date | None = date(2026, 11, 12)) -> list[tuple[str, str]]:
    report = check(summary, title=TITLE, text=text, published=published)
    return [(finding.kind.value, finding.text) for finding in report.findings if finding.bars]


@pytest.mark.parametrize(
    "summary",
    [
        "Перевалка угля выросла на 12 процентов.",
        "Перевалка достигла 14 300 тысяч тонн.",
        "Перевалка достигла 14,3 миллиона тонн.",
        "Терминал обошёлся в двадцать пять миллиардов рублей.",
        "За 10 месяцев порт нарастил перевалку.",
        "Об этом сообщили Ивану Петрову.",
        "Слова Петрова прозвучали 12 ноября 2026 года.",
        "Терминал открылся 11 ноября.",
        "Терминал открыли вчера.",
        "Петров сказал: «Мы вышли на проектную мощность раньше срока».",
        "МВФ назвал рост устойчивым.",
        "Суда ушли в КНР.",
        "Порт «Северный» вырос.",
        "Ведомство довольно. Портовики рады.",
        "Подробности на port.example.com и в @severport.",
        "",
    ],
)
def test_what_the_source_says_in_other_forms_is_supported(summary: str) -> None:
    assert found(summary) == []


@pytest.mark.parametrize(
    ("summary", "finding"),
    [
        ("Перевалка выросла на 21%.", ("percentage", "21%")),
        ("Перевалка выросла на 12 тонн.", ("number", "12")),
        ("Перевалка достигла 14,3 тысячи тонн.", ("number", "14,3 тысячи")),
        ("Терминал обошёлся в тридцать миллиардов.", ("number", "тридцать миллиардов")),
        ("Терминал открыли 13 ноября.", ("date", "13 ноября")),
        ("Терминал открыли 12.11.2025.", ("date", "12.11.2025")),
        ("Терминал открыли 11.12.2026.", ("date", "11.12.2026")),
        ("Терминал открыли завтра.", ("date", "завтра")),
        ("Об этом сообщил Сидоров.", ("name", "Сидоров")),
        ("Роснефть довольна.", ("name", "Роснефть")),
        ("Министр Иван Климов открыл терминал.", ("name", "Климов")),
        ("Петров сказал: «Мы вышли на мощность с опозданием».", ("quotation", "«Мы вышли на мощность с опозданием»")),
        ("Суда ушли в Индию.", ("name", "Индию")),
        ("Подробности на evil.example.com.", ("link", "evil.example.com")),
        ("Пишите в @evilport.", ("link", "@evilport")),
        ("Читайте https://evil.example/x", ("link", "https://evil.example/x")),
        ("Извините, текста нет.", ("excuse", "Извините")),
    ],
)
def test_what_the_source_does_not_say_is_found(summary: str, finding: tuple[str, str]) -> None:
    assert finding in found(summary)


def test_sides_that_are_exchanged_are_found() -> None:
    text = "Франция обвинила Турцию в нарушении квот. Иванов обогнал Петрова."

    assert found("Франция обвинила Турцию. Петрова обогнал Иванов.", text) == []
    assert {text for _kind, text in found("Турция обвинила Францию.", text)} == {"Турция", "Францию"}
    assert {text for _kind, text in found("Петров обогнал Иванова.", text)} == {"Петров", "Иванова"}


def test_a_number_of_something_else_is_found() -> None:
    text = "Погибли 4 человека, 19 пассажиров ранены."

    assert found("Ранены 19 пассажиров.", text) == []
    assert found("Погибли 19 человек.", text) == [("number", "19")]


@pytest.mark.parametrize("unit", ["рублей", "тысячи гектаров", "млн тонн"])
def test_spans_that_are_reversed_are_found(unit: str) -> None:
    text = f"Показатель вырос с 126 до 131 {unit}."

    assert found(f"Показатель вырос с 126 до 131 {unit}.", text) == []
    assert len(found(f"Показатель изменился с 131 до 126 {unit}.", text)) == 2


def test_both_ends_of_a_span_have_its_scale() -> None:
    text = "Посевы расширили с 126 до 131 тысячи гектаров."

    assert found("Посевы выросли с 126 тысяч до 131 тысячи гектаров.", text) == []


@pytest.mark.parametrize(
    ("summary", "kind"),
    [
        ("**Порт** вырос.", Kind.MARKUP),
        ("# Порт\nПорт вырос.", Kind.MARKUP),
        ("- Порт вырос.", Kind.MARKUP),
        ("[Порт](http://x.example) вырос.", Kind.MARKUP),
        ("Порт <b>вырос</b>.", Kind.MARKUP),
        ("The port has grown by 12% in ten months.", Kind.LANGUAGE),
        ("Порт вырос. " * 100, Kind.LENGTH),
        ("Совершенно другая история о музыке.", Kind.SENTENCE),
    ],
)
def test_flaws_of_form_are_told_and_bar_nothing(summary: str, kind: Kind) -> None:
    report = check(summary, title=TITLE, text=TEXT)

    assert kind in {finding.kind for finding in report.findings if not finding.bars}


def test_a_post_that_is_too_short_for_a_long_text_is_told() -> None:
    report = check("Порт вырос.", title=TITLE, text=TEXT * 3)

    assert Kind.LENGTH in {finding.kind for finding in report.findings}


def test_each_sentence_is_linked_to_the_closest_one() -> None:
    report = check("Терминал открыл министр Климов. Петров сказал о мощности.", title=TITLE, text=TEXT)

    leaned_on = [report.source[link.source] for link in report.links]
    assert "Терминал за 25 млрд" in leaned_on[0]
    assert "сказал Петров" in leaned_on[1]


def test_places_are_those_of_the_summary_as_it_is() -> None:
    summary = "Ещё\xa0раз: «Ёлка» — на\xa021%."

    report = check(summary, title=TITLE, text=TEXT)

    percentage = next(finding for finding in report.findings if finding.kind == Kind.PERCENTAGE)
    assert summary[percentage.start : percentage.end] == "21%"


@pytest.mark.parametrize("text", ["", "...", "\x00", "«»" * 500, "1-" * 500, "Я " * 500, "9" * 5_000, "12.12." * 500])
def test_no_text_is_too_strange(text: str) -> None:
    check(text, title=text, text=text, published=date(2026, 11, 12))


def test_there_are_more_than_two_hundred_labelled_pairs() -> None:
    listed = pairs("dev") + pairs("final")

    assert len(listed) >= 200
    assert {pair.kind for pair in listed} == {"", "number", "percentage", "date", "name", "quotation"}


def test_held_out_pairs_are_told_apart() -> None:
    result = score("final")

    print(result)
    assert result.precision >= 0.95, str(result)
    assert result.recall >= 0.95, str(result)
