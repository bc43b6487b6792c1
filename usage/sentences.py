"""A text from outside as clean sentences, with what each of them is good for in a summary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from razdel import sentenize

from usage.languages import stems

# News tells what matters at the beginning. What lies behind these bounds is not read, so that no text can hang us.
LONGEST_TEXT = 50_000
MOST_SENTENCES = 150
LONGEST_QUOTATION = 400
# Whatever is shorter is a heading or a fragment more often than news.
SHORTEST_NEWS = 30

LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters, soft hyphens, marks of direction and joining, halves of surrogate pairs: never part of a post.
INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)

# "МОСКВА, 12 ноября. /ТАСС/.", "LONDON, Nov 12 (Reuters) -": where and by whom, before the first word of the news.
DATELINE = re.compile(
    r"""^[A-ZА-ЯЁ][A-ZА-ЯЁ\-\ ]{2,40}
        (?:[,.]\ (?:\d{1,2}\ [а-яё]{3,8}|[A-Z][a-z]{2,8}\.?\ \d{1,2})(?:\ \d{4})?)?
        (?:[.,]?\ ?/[^/\n]{2,30}/|[.,]?\ \([A-Z][A-Za-z\ ]{1,30}\)|[.,]?\ [–—-]\ (?:РИА\ Новости|ТАСС|Интерфакс))
        [.,]?(?:\ [–—-])?\ """,
    re.VERBOSE,
)
BOILERPLATE = re.compile(
    r"""^\W*(?:
        читайте\ (?:также|нас|далее|подробнее) | читать\ (?:далее|полностью|также) | смотрите\ (?:также|нас)
      | (?:по|материалы\ по)\ теме\b[:.]? | (?:фото|видео|источник|иллюстрация|инфографика|автор|теги?)\s*[:©/]
      | подпи(?:сывайтесь|шитесь|саться)\b | присоединяйтесь\ к\b | следите\ за\ (?:нами|нашими|новостями)
      | все\ права\ защищены | перепечатка\b | (?:при\ )?использовани[еи]\ материалов | реклама\W*$ | поделиться\b
      | нашли\ (?:опечатку|ошибку) | выделите\ (?:ее|её|фрагмент|текст) | оставить\ комментарий | на\ правах\ рекламы
      | (?:мы\ в|наш)\ (?:telegram|телеграм|вконтакте|max)\b | загрузка\b\W*$
      | read\ (?:more|also|next|the\ full) | see\ also\b | subscribe\b | sign\ up\ (?:for|to)\ our | follow\ us\b
      | (?:photo|image|video|picture|credit|source|tags?|related|watch|listen)(?:\ credit|\ by)?\s*[:©/]
      | all\ rights\ reserved | copyright\b | © | click\ here\b | share\ (?:this|on)\b | advertisement\W*$
      | (?:join|download)\ our\b | this\ article\ (?:was\ )?(?:originally|first)\b | get\ our\ (?:daily\ )?newsletter
    )""",
    re.VERBOSE | re.IGNORECASE,
)
# "Об этом сообщает ТАСС.": true of any news, and no news itself.
ATTRIBUTION = re.compile(
    r"""^(?:
        (?:об\ этом|соответствующ\w+\ \w+|такие\ данные|такое\ заявление|с\ таким\ заявлением)\b.{0,60}
        (?:сообщ|пиш|переда|говор|заяви|рассказ|привод|выступ|опубликов|следует)\w*.{0,80}
      | (?:как\ )?(?:сообщает|пишет|передает|передаёт|отмечает)\b.{0,60}
      | (?:the\ )?(?:news|statement|report|announcement)\ (?:was|were)\ (?:first\ )?(?:reported|made)\b.{0,80}
      | (?:this|that)\ (?:was|is)\ (?:reported|announced|stated)\ by\b.{0,80}
    )[.!…]?$""",
    re.VERBOSE | re.IGNORECASE,
)
# A sentence that leans on the one before it.
LEANING = re.compile(
    r"""^[—–-]?\s?(?:он|она|они|оно|это|этот|эта|эти|его|её|ее|их|также|кроме\ того|при\ этом|однако|поэтому|между\ тем
      |там|тогда|такой|такая|такие|таким\ образом|в\ частности|к\ тому\ же|напомним|ранее
      |he|she|they|it|this|these|those|that|his|her|their|its|also|however|moreover|meanwhile|earlier|but|and)\b""",
    re.VERBOSE | re.IGNORECASE,
)
SPEECH = re.compile(r"^[—–-]\s|^[«\"“„][^«»\"“”]*[»\"”][.!?…]*$")
# Abbreviations that hardly ever end a sentence and that razdel, made for Russian, takes for an end.
ABBREVIATED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Sen|Rep|Gov|Lt|Col|Capt|Sgt|No|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|долл)\.$"
)
ENDING = re.compile(r"[.!?…][»\"”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands in the text, its place among the usable ones, and its stems.

    `leans` on the sentence before it, whose subject it calls "he" or "this"; `worth` is 1 for plain news.
    """

    text: str
    place: int
    stems: frozenset[str]
    leans: bool
    worth: float


def clean(text: str) -> str:
    """The beginning of a text without invisible characters; a line is a paragraph."""
    lines = LINE_ENDS.sub("\n", INVISIBLE.sub("", text[:LONGEST_TEXT])).split("\n")
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))


def sentences(text: str, *, title: str, stem: Callable[[str], str]) -> list[Sentence]:
    """The sentences of a cleaned text that may stand in a summary, in order; all of them where none may."""
    whole = list(_split(text))[:MOST_SENTENCES]
    usable = [piece for piece in whole if not BOILERPLATE.match(piece) and not ATTRIBUTION.match(piece)] or whole
    found: list[Sentence] = []
    seen = {" ".join(title.split()).casefold().rstrip(".")}
    for piece in usable:
        key = piece.casefold().rstrip(".")
        words = stems(piece, stem)
        if words and key not in seen:
            found.append(Sentence(piece, len(found), words, bool(LEANING.match(piece)), _worth(piece)))
        seen.add(key)
    return found


def _split(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(_paragraphs(text)):
        news = DATELINE.sub("", paragraph, count=1) if number == 0 else paragraph
        yield from _whole_sentences(news)


def _paragraphs(text: str) -> Iterator[str]:
    """Lines, where a line that goes on in the next one with a small letter was only wrapped."""
    paragraph = ""
    for line in text.split("\n"):
        if paragraph and not ENDING.search(paragraph[-5:]) and line[:1].islower():
            paragraph = f"{paragraph} {line}"
            continue
        if paragraph:
            yield paragraph
        paragraph = line
    if paragraph:
        yield paragraph


def _whole_sentences(paragraph: str) -> Iterator[str]:
    """Sentences; a quotation of several stays in one piece with who said it."""
    start: int | None = None
    for found in sentenize(paragraph):
        start = found.start if start is None else start
        piece = paragraph[start : found.stop]
        if ABBREVIATED.search(piece) or (_is_open(piece) and len(piece) < LONGEST_QUOTATION):
            continue
        yield piece
        start = None
    if start is not None:
        yield paragraph[start:].strip()


def _is_open(piece: str) -> bool:
    return any(piece.count(left) > piece.count(right) for left, right in ("«»", "“”")) or piece.count('"') % 2 == 1


def _worth(piece: str) -> float:
    worth = 1.0
    if SPEECH.search(piece) or piece.endswith(":"):
        worth *= 0.2
    if piece.endswith("?") or _is_open(piece):
        worth *= 0.4
    if not ENDING.search(piece) or len(piece) < SHORTEST_NEWS:
        worth *= 0.5
    if any(character.isdigit() for character in piece):
        worth *= 1.2
    return worth
