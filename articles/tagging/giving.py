"""Which tags articles are to have by rules and topics, and bringing their rows up to that.

An editor's word counts for more: a tag that one gave stays, and one that was taken away does not come back.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from articles.models import Article, ArticleTag, RefusedTag, Tag, TagRule
from articles.models.tag import slug_of
from articles.search.documents import Document
from articles.tagging.rules import Rule, Text, TooSlow, compiled, host_of
from usage.models import Alert

logger = logging.getLogger(__name__)

# A rule that runs out of time with so many texts of one batch is switched off.
MOST_TIMEOUTS = 3
# Topics of one article; what says more describes nothing.
MOST_TOPICS = 10

# Tags by number, with what gives each.
Wanted = dict[int, ArticleTag.Origin]


@dataclass
class Change:
    """How many tags were given and taken."""

    added: int = 0
    removed: int = 0


def text_of(article: Article, document: Document) -> Text:
    """An article as rules look at it."""
    return Text(
        source_id=article.source_id,
        title=article.title,
        body=article.content or article.lead,
        topics=frozenset(map(slug_of, topics_of(article))) - {""},
        host=host_of(article.canonical_link),
        document=document,
    )


def topics_of(article: Article) -> list[str]:
    """What the source files the article under: several topics stand with semicolons between them."""
    return [topic for each in article.topic.split(";") if (topic := each.strip())][:MOST_TOPICS]


def rules_in_use() -> list[Rule]:
    """The rules that are switched on. One whose pattern is broken is left out and says so in its row."""
    rules = list[Rule]()
    for row in TagRule.objects.filter(is_active=True).order_by("pk"):
        try:
            rules.append(compiled(row))
        except ValidationError as error:
            TagRule.objects.filter(pk=row.pk).update(last_error="; ".join(error.messages)[:300])
    return rules


def wanted(
    articles: Sequence[Article], documents: Iterable[Document], rules: Sequence[Rule] | None = None
) -> dict[int, Wanted]:
    """What rules and topics give each of these articles, by its number. Tags of new topics are made."""
    rules = rules_in_use() if rules is None else rules
    topics = {article.pk: topics_of(article) for article in articles}
    named = Tag.objects.named(dict.fromkeys(topic for each in topics.values() for topic in each))
    timeouts, given = Counter[int](), dict[int, Wanted]()
    for article, document in zip(articles, documents, strict=True):
        text = text_of(article, document)
        by_rule = _by_rules(rules, text, timeouts)
        by_topic = {named[topic].pk for topic in topics[article.pk] if topic in named}
        given[article.pk] = dict.fromkeys(by_rule, ArticleTag.Origin.RULE)
        given[article.pk] |= dict.fromkeys(by_topic, ArticleTag.Origin.TOPIC)
    for pk, count in timeouts.items():
        _note_timeouts(pk, count)
    return given


def _by_rules(rules: Iterable[Rule], text: Text, timeouts: Counter[int]) -> list[int]:
    tags = list[int]()
    for rule in rules:
        if timeouts[rule.pk or 0] < MOST_TIMEOUTS:
            try:
                if rule.matches(text):
                    tags.append(rule.tag_id)
            except TooSlow:
                timeouts[rule.pk or 0] += 1
    return tags


def _note_timeouts(pk: int, count: int) -> None:
    """Write down that a rule is too slow; one that is so again and again is switched off, and administrators told."""
    if not count:
        return
    error = _("The expression takes too long on some texts.")
    is_hopeless = count >= MOST_TIMEOUTS
    TagRule.objects.filter(pk=pk).update(last_error=error, **({"is_active": False} if is_hopeless else {}))
    rule = TagRule.objects.select_related("tag").filter(pk=pk).first()
    if is_hopeless and rule is not None:
        Alert.sound("tag-rule", str(pk), _("The rule “%(rule)s” is switched off: it is too slow.") % {"rule": rule})


def settle(wanted: Mapping[int, Wanted]) -> Change:
    """Bring the tags of these articles up to what is wanted, in a number of queries that doesn't depend on them.

    Inside the caller's transaction.
    """
    if not wanted:
        return Change()
    present = defaultdict[int, dict[int, ArticleTag]](dict)
    for row in ArticleTag.objects.filter(article_id__in=wanted):
        present[row.article_id][row.tag_id] = row
    refused = set(RefusedTag.objects.filter(article_id__in=wanted).values_list("article_id", "tag_id"))
    new, old, moved = list[ArticleTag](), list[int](), list[ArticleTag]()
    for article_id, tags in sorted(wanted.items()):
        rows = present[article_id]
        for tag_id, origin in tags.items():
            if tag_id not in rows and (article_id, tag_id) not in refused:
                new.append(ArticleTag(article_id=article_id, tag_id=tag_id, origin=origin))
        for tag_id, row in rows.items():
            if row.origin == ArticleTag.Origin.EDITOR:
                continue
            if tag_id not in tags:
                old.append(row.pk)
            elif row.origin != tags[tag_id]:
                row.origin = tags[tag_id]
                moved.append(row)
    _write(new, old, moved)
    return Change(added=len(new), removed=len(old))


def _write(new: list[ArticleTag], old: list[int], moved: list[ArticleTag]) -> None:
    if new:
        # Whoever gives the same tag at the same moment is right, too.
        ArticleTag.objects.bulk_create(new, ignore_conflicts=True)
    if old:
        ArticleTag.objects.filter(pk__in=old).exclude(origin=ArticleTag.Origin.EDITOR).delete()
    if moved:
        ArticleTag.objects.bulk_update(moved, ["origin"])
