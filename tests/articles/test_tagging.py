"""Tags: what rules and topics give, and that an editor's word counts for more."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from articles import tagging
from articles.indexing import catch_up
from articles.models import Article, ArticleTag, Retagging, Tag, TagRule
from articles.models.tag import TagQuerySet, slug_of
from articles.tagging import giving, retagging, rules
from tests.factories import ArticleFactory, SourceFactory, UserFactory
from usage.models import Alert

pytestmark = pytest.mark.django_db


def rule(kind: str, pattern: str, tag: str = "Порты", **fields: Any) -> TagRule:
    return TagRule.objects.create(tag=Tag.objects.named([tag])[tag], kind=kind, pattern=pattern, **fields)


def tags(article: Article) -> dict[str, str]:
    """The article's tags and who gave each."""
    rows = ArticleTag.objects.filter(article=article).select_related("tag")
    return {row.tag.name: row.origin for row in rows}


def correct(article: Article, *names: str) -> None:
    tagging.correct(article, Tag.objects.named(names).values(), by_id=UserFactory().pk)


@pytest.mark.parametrize(
    ("kind", "pattern", "matches"),
    [
        ("words", "порт", True),
        ("words", "в портах, верфи", True),
        ("words", "углю", True),
        ("words", "перевалка угля", True),
        ("words", "порт угля", False),
        ("words", "порта́л", False),
        ("regex", r"\bна \d+%", True),
        ("regex", r"НА \d+%", True),
        ("regex", r"^\d+%", False),
        ("topic", "экономика", True),
        ("topic", "Спорт, ЭКОНОМИКА", True),
        ("topic", "эконом", False),
        ("domain", "news.example", True),
        ("domain", "https://example/", True),
        ("domain", "ews.example", False),
    ],
)
def test_a_rule_gives_its_tag_where_it_matches(kind: str, pattern: str, matches: bool) -> None:
    rule(kind, pattern)
    article = ArticleFactory(title="Порт увеличил перевалку угля на 12%", content="", topic="Экономика")

    catch_up()

    assert ("Порты" in tags(article)) is matches


@pytest.mark.parametrize(("kind", "pattern"), [("words", "уголь"), ("regex", "угол")])
def test_a_rule_for_titles_does_not_look_at_the_text(kind: str, pattern: str) -> None:
    rule(kind, pattern, in_title_only=True)
    article = ArticleFactory(title="Порт", content="Уголь подорожал.")

    catch_up()

    assert tags(article) == {}


def test_a_rule_of_one_source_leaves_the_others_alone() -> None:
    here, there = SourceFactory(), SourceFactory()
    rule("words", "порт", source=here)
    articles = [ArticleFactory(title="Порт", source=source) for source in (here, there)]

    catch_up()

    assert [tags(article) for article in articles] == [{"Порты": "rule"}, {}]


def test_topics_of_a_source_become_tags_however_they_are_spelt() -> None:
    first = ArticleFactory(topic="В мире; Ёлки")
    second = ArticleFactory(topic="в МИРЕ")

    catch_up()

    assert (tags(first), tags(second)) == ({"В мире": "topic", "Ёлки": "topic"}, {"В мире": "topic"})


@pytest.mark.parametrize(("name", "slug"), [("Ёлки, палки!", "елки-палки"), ("  В  мире ", "в-мире"), ("—!", "")])
def test_the_short_name_forgets_case_and_signs(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_tag_whose_rule_no_longer_matches_is_taken_away() -> None:
    rule("words", "порт")
    article = ArticleFactory(title="Порт", content="", summary_text="")
    catch_up()
    Article.objects.filter(pk=article.pk).update(title="Аэродром")

    catch_up()

    assert tags(article) == {}


def test_what_an_editor_gave_stays_and_what_one_took_does_not_come_back() -> None:
    rule("words", "порт")
    article = ArticleFactory(title="Порт", topic="Экономика")
    catch_up()
    correct(article, "Экономика", "Море")
    Article.objects.filter(pk=article.pk).update(title="Порт закрыт")

    catch_up()

    assert tags(article) == {"Экономика": "topic", "Море": "editor"}


def test_an_editor_may_give_back_what_was_taken() -> None:
    rule("words", "порт")
    article = ArticleFactory(title="Порт")
    catch_up()
    correct(article)
    correct(article, "Порты")

    catch_up()

    assert tags(article) == {"Порты": "editor"}


def test_an_expression_without_end_is_bounded_and_then_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "LONGEST_LOOK", 0.01)
    slow = rule("regex", r"(?:а|аа)+б")
    ArticleFactory.create_batch(6, title="а" * 40, source=SourceFactory())

    catch_up()

    slow.refresh_from_db()
    assert (slow.is_active, bool(slow.last_error), Alert.objects.get().code) == (False, True, "tag-rule")


@pytest.mark.parametrize(("kind", "pattern"), [("regex", "("), ("words", ", ,"), ("topic", "!"), ("domain", ",")])
def test_a_pattern_that_says_nothing_is_refused(kind: str, pattern: str) -> None:
    with pytest.raises(ValidationError):
        tagging.compiled(TagRule(kind=kind, pattern=pattern, tag_id=1))


def test_a_broken_rule_in_the_rows_costs_only_itself() -> None:
    broken = rule("regex", "(")
    rule("words", "порт", "Море")
    article = ArticleFactory(title="Порт")

    catch_up()

    broken.refresh_from_db()
    assert (tags(article), bool(broken.last_error)) == ({"Море": "rule"}, True)


def test_two_processes_that_meet_the_same_topic_make_one_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    make = TagQuerySet.bulk_create

    def overtaken(tags: TagQuerySet, *args: Any, **options: Any) -> Any:
        Tag.objects.create(name="МИР")
        return make(tags, *args, **options)

    monkeypatch.setattr(TagQuerySet, "bulk_create", overtaken)

    named = Tag.objects.named(["Мир"])

    assert named == {"Мир": Tag.objects.get()}


# --- ingest --retag -------------------------------------------------------------------------------------------------


def retag(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ingest", "--retag", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[Article]:
    """Five articles of which three speak of ports, tagged before there was a rule."""
    monkeypatch.setattr(retagging, "AT_ONCE", 2)
    names = ["Порт", "Мост", "Порты", "Дом", "О порте"]
    source = SourceFactory()
    articles: list[Article] = [ArticleFactory(title=name, content="", summary_text="", source=source) for name in names]
    catch_up()
    rule("words", "порт")
    return articles


def test_new_rules_reach_all_articles(stored: list[Article]) -> None:
    assert retag() == "examined=5 added=3 removed=0"
    assert [bool(tags(article)) for article in stored] == [True, False, True, False, True]


def test_retagging_twice_changes_nothing_more(stored: list[Article]) -> None:
    retag()

    assert retag() == "examined=5 added=0 removed=0"


def test_a_dry_run_counts_and_changes_nothing(stored: list[Article]) -> None:
    assert retag("--dry-run") == "examined=5 added=3 removed=0 dry_run"
    assert not ArticleTag.objects.exists()
    assert not Retagging.objects.exists()


def test_a_run_that_was_stopped_goes_on_where_it_was(stored: list[Article]) -> None:
    batches = list[int]()
    retagging.retag(progress=batches.append, should_stop=lambda: len(batches) == 2)

    assert retag() == "examined=5 added=3 removed=0"
    assert Retagging.objects.count() == 1


def test_a_run_with_other_rules_begins_anew(stored: list[Article]) -> None:
    batches = list[int]()
    retagging.retag(progress=batches.append, should_stop=lambda: len(batches) == 2)
    rule("words", "мост", "Мосты")

    retag()

    assert [bool(tags(article)) for article in stored] == [True, True, True, False, True]


def test_two_runs_at_once_do_not_count_twice(stored: list[Article], monkeypatch: pytest.MonkeyPatch) -> None:
    settle = giving.settle

    def overtaken(wanted: Any) -> Any:
        Retagging.objects.update(checkpoint=stored[1].pk)
        return settle(wanted)

    monkeypatch.setattr(retagging, "settle", overtaken)

    with pytest.raises(CommandError, match="Another process"):
        retag()


@pytest.mark.parametrize("arguments", [["--source", "x"], ["--reindex"]])
def test_retag_goes_over_all_or_nothing(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        retag(*arguments)


def test_reindexing_says_how_much_was_indexed(stored: list[Article]) -> None:
    out = io.StringIO()

    call_command("ingest", "--reindex", stdout=out, stderr=io.StringIO())

    assert out.getvalue().strip() == "indexed=5 waiting=0"
