"""`manage.py summarise --forecast`: forecast notes by the command."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from articles.models import ForecastNote
from tests.articles.notes import Model, note
from tests.articles.test_forecast import planned
from tests.factories import ArticleFactory
from usage import llm
from usage.models import Provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    asked = Model(note())
    monkeypatch.setattr(llm, "complete", asked)
    Provider.objects.create(name="paid", kind=Provider.Kind.OPENAI, base_url="http://127.0.0.1:1/v1", model="m")
    return asked


def run(*arguments: str) -> str:
    """The last line of the command's output."""
    out = StringIO()
    call_command("summarise", "--forecast", *arguments, stdout=out)
    return out.getvalue().splitlines()[-1]


def test_articles_without_a_note_get_one(model: Model) -> None:
    ArticleFactory.create(), planned()
    planned(status="skipped", next_step_at=None)
    planned(status="written", next_step_at=None)
    planned(status="failed", next_step_at=None)

    assert run() == "written=3 skipped=0 failed=0"

    assert run() == "written=0 skipped=0 failed=0"
    assert len(model.asked) == 3


def test_force_writes_another_version() -> None:
    written = planned(status="written", next_step_at=None)

    assert run("--force") == "written=1 skipped=0 failed=0"

    assert written.article.forecast_notes.count() == 2


def test_a_provider_can_be_chosen(model: Model) -> None:
    ArticleFactory.create()

    run("--provider", "paid")

    assert model.asked[0][1]["provider"] == "paid"


def test_a_failure_shows_in_the_line_and_in_the_status(model: Model) -> None:
    model.answers = ["Извините."]
    ArticleFactory.create()
    out = StringIO()

    with pytest.raises(CommandError, match="could not be written"):
        call_command("summarise", "--forecast", stdout=out)

    assert out.getvalue().endswith("written=0 skipped=0 failed=1\n")


@pytest.mark.parametrize("arguments", [[], ["--provider", "extractive"]])
def test_without_a_language_model_it_says_so(arguments: list[str]) -> None:
    Provider.objects.filter(name="paid").delete()
    Provider.objects.get_or_create(name="extractive", defaults={"kind": Provider.Kind.EXTRACTIVE})

    with pytest.raises(CommandError, match="take a language model"):
        run(*arguments)


def test_the_price_is_told_before_it_is_paid(model: Model) -> None:
    Provider.objects.filter(name="paid").update(price_out=1_000)
    ArticleFactory.create()

    assert re.fullmatch(r"would_write=1 estimated_usd=1\.\d\d", run("--dry-run"))
    with pytest.raises(CommandError, match=r"1 articles ≈ \$1\.\d\d with paid. Add --yes"):
        run()

    assert not model.asked
    assert not ForecastNote.objects.exists()
