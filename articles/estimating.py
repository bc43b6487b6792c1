"""What summaries and forecast notes will about cost, before anybody pays for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, F, Sum, Value, When
from django.db.models.functions import Length

from articles import prompts
from articles.factcheck.form import MAX_CHARS, MIN_CHARS
from articles.forecasts import writing
from articles.models import Article, Prompt
from usage.models import Provider
from usage.pricing import cost, likely_tokens
from usage.prompts import DATA_RULE, LONGEST_TEXT, SCHEMA_RULE

# What a forecast note of some entities and facts has, with the names of its fields, in characters.
USUAL_NOTE = 3_000
# As many numbers as one query takes on any database.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """So many articles, about so many US dollars, and the provider that will most likely be asked."""

    articles: int
    cost_usd: Decimal
    provider: str


def estimate(article_ids: Sequence[int], *, provider: str = "") -> Estimate:
    """The likely cost of a summary of each article by one provider, or by whoever comes first, if all goes well.

    The offline summariser costs nothing. A provider that does not exist costs nothing either.
    """
    first = _first(provider, Provider.Kind.values)
    instructions = prompts.current(Prompt.Kind.SUMMARY).filled(min_chars=MIN_CHARS, max_chars=MAX_CHARS)
    return _estimate(article_ids, first or Provider(name=provider), len(instructions) + len(DATA_RULE), MAX_CHARS)


def estimate_notes(article_ids: Sequence[int], *, provider: str = "") -> Estimate:
    """The likely cost of a forecast note of each article; the offline summariser writes none and is passed over."""
    first = _first(provider, [Provider.Kind.OPENAI])
    instructions = prompts.current(Prompt.Kind.FORECAST).text
    around = len(instructions) + len(SCHEMA_RULE) + len(writing.FORM.as_json()) + len(DATA_RULE)
    return _estimate(article_ids, first or Provider(name=provider), around, USUAL_NOTE)


def _first(provider: str, kinds: Sequence[str]) -> Provider | None:
    asked = Provider.objects.filter(is_enabled=True, kind__in=kinds)
    return (asked.filter(name=provider) if provider else asked).first()


def _estimate(article_ids: Sequence[int], first: Provider, around: int, answer: int) -> Estimate:
    """By one provider, with so many characters around each text, and in each answer."""
    if first.kind != Provider.Kind.OPENAI:
        return Estimate(len(article_ids), Decimal(0), first.name)
    tokens_in, tokens_out = likely_tokens(_characters(article_ids) + around * len(article_ids), answer)
    paid = cost(tokens_in, tokens_out * len(article_ids), price_in=first.price_in, price_out=first.price_out)
    return Estimate(len(article_ids), paid, first.name)


def _characters(article_ids: Sequence[int]) -> int:
    """How long the texts are together, each as far as it is sent."""
    length = Case(When(content="", then=Length("lead")), default=Length("content"))
    sent = Case(When(length__gt=LONGEST_TEXT, then=Value(LONGEST_TEXT)), default=F("length"))
    total = 0
    for start in range(0, len(article_ids), AT_ONCE):
        chosen = Article.objects.filter(pk__in=article_ids[start : start + AT_ONCE])
        total += chosen.annotate(length=length).aggregate(sum=Sum(sent, default=0))["sum"]
    return total
