"""The form of a forecast note: what a model is asked for as a JSON schema, and how strictly its answer is read.

Pure. What comes is untrusted: bounded in size, cleaned, and refused as a whole where it does not keep to the form.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from articles.asking import SummaryError
from articles.text import one_line

# Of an answer, in characters; a whole note of the longest strings has about half of it.
LONGEST_ANSWER = 20_000
# What a model's rounding may add up to beside 1.
SLACK = 0.011
# What servers that promise to keep to a schema do not all know; the prompt says it in words, and we check it.
BOUNDS = frozenset({"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "title", "description"})


class UnusableNote(SummaryError):
    """The answer is no forecast note; its text says what is wrong with it."""

    code = "unusable_note"


class EventType(TextChoices):
    POLITICS = "politics", gettext_lazy("politics")
    DIPLOMACY = "diplomacy", gettext_lazy("diplomacy")
    CONFLICT = "conflict", gettext_lazy("conflict")
    ECONOMY = "economy", gettext_lazy("economy")
    BUSINESS = "business", gettext_lazy("business")
    LAW = "law", gettext_lazy("law and courts")
    DISASTER = "disaster", gettext_lazy("accident or disaster")
    SCIENCE = "science", gettext_lazy("science and technology")
    SOCIETY = "society", gettext_lazy("society")
    CULTURE = "culture", gettext_lazy("culture")
    SPORT = "sport", gettext_lazy("sport")
    OTHER = "other", gettext_lazy("other event")


class EntityKind(TextChoices):
    PERSON = "person", gettext_lazy("person")
    ORGANISATION = "organisation", gettext_lazy("organisation")
    PLACE = "place", gettext_lazy("place")
    PRODUCT = "product", gettext_lazy("product")
    OTHER = "other", gettext_lazy("other participant")


class Horizon(TextChoices):
    DAYS = "days", gettext_lazy("within days")
    WEEKS = "weeks", gettext_lazy("within weeks")
    MONTHS = "months", gettext_lazy("within months")
    YEARS = "years", gettext_lazy("within years")


def _tidy(value: Any) -> Any:
    """A text on one line without odd characters; what is none is left for the strict check."""
    return one_line(value) if isinstance(value, str) else value


TIDY = BeforeValidator(_tidy)
Fact = Annotated[str, TIDY, Field(min_length=10, max_length=300)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    # JSON has no enumerations: their values are read as such, everything else only as what it is.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Entity(_Strict):
    name: Annotated[str, TIDY, Field(min_length=1, max_length=120)]
    kind: EntityKind
    role: Annotated[str, TIDY, Field(max_length=160)]


class Outcome(_Strict):
    text: Annotated[str, TIDY, Field(min_length=3, max_length=200)]
    probability: Probability


class Forecast(_Strict):
    question: Annotated[str, TIDY, Field(min_length=5, max_length=200)]
    horizon: Horizon
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=2, max_length=5)]
    reasoning: Annotated[str, TIDY, Field(max_length=600)]

    @model_validator(mode="after")
    def _outcomes_exclude_each_other(self) -> Forecast:
        if not math.isclose(sum(outcome.probability for outcome in self.outcomes), 1, abs_tol=SLACK):
            raise ValueError("the probabilities of the outcomes do not add up to 1")
        if len({outcome.text.casefold() for outcome in self.outcomes}) < len(self.outcomes):
            raise ValueError("two outcomes are the same")
        return self


class Note(_Strict):
    """A forecast note. Probabilities and confidence go from 0 to 1."""

    event_type: EventType
    entities: Annotated[tuple[Entity, ...], Field(min_length=1, max_length=12)]
    key_facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=8)]
    forecast: Forecast
    confidence: Probability

    def texts(self) -> list[str]:
        """Every text of the note that a model has written."""
        return [
            *(text for entity in self.entities for text in (entity.name, entity.role)),
            *self.key_facts,
            self.forecast.question,
            *(outcome.text for outcome in self.forecast.outcomes),
            self.forecast.reasoning,
        ]


def read(answer: str) -> Note:
    """The note in a model's answer, also where it stands between the marks of a block of code. Raises UnusableNote."""
    if len(answer) > LONGEST_ANSWER:
        raise UnusableNote(_("The answer is too long for a forecast note."))
    text = answer.strip()
    if text.startswith("```"):
        text = text.removeprefix("```json").strip("`").strip()
    try:
        return Note.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = one_line(".".join(str(step) for step in first["loc"]))[:80] or "JSON"
        flaw = {"where": where, "what": first["msg"][:200]}
        raise UnusableNote(_("The answer is no forecast note (%(where)s): %(what)s") % flaw) from None


def stored(data: Any) -> Note:
    """The note that a row keeps as JSON. Raises UnusableNote for a row that is not of our making."""
    return read(json.dumps(data))


def schema() -> dict[str, Any]:
    """The note's JSON schema as servers are sent it: objects, types, enumerations, and nothing they might not know."""
    stripped: dict[str, Any] = _without_bounds(Note.model_json_schema())
    return stripped


def _without_bounds(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_bounds(one) for one in part]
    if not isinstance(part, dict):
        return part
    # The names of properties are no keywords, whatever they are called.
    return {
        name: {key: _without_bounds(one) for key, one in value.items()}
        if name in {"properties", "$defs"}
        else _without_bounds(value)
        for name, value in part.items()
        if name not in BOUNDS
    }
