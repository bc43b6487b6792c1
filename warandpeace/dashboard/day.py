"""Today by the hour: the articles that are dated to it beside the posts that went out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import ExtractHour
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import ngettext

from articles.models import Article
from publishing.models import Publication
from usage.addresses import list_url
from usage.charts import Chart, Column

HOURS = 24
# The hours that are written below the chart.
MARKED = 6
# As tall as the sources beside it.
HEIGHT = 240


@dataclass(frozen=True)
class Day:
    """A day in the zone of `settings.TIME_ZONE`: how many articles and posts fall into each of its hours."""

    midnight: datetime
    now: datetime
    articles: Mapping[int, int]
    posts: Mapping[int, int]

    @classmethod
    def of(cls, now: datetime) -> Day:
        """The day of a moment. Two queries."""
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        within = {"published_at__gte": midnight, "published_at__lt": midnight + timedelta(days=1)}
        articles, posts = Article.objects.filter(**within), Publication.objects.filter(**within)
        return cls(midnight, timezone.localtime(now), _by_hour(articles), _by_hour(posts))

    @property
    def article_count(self) -> int:
        return sum(self.articles.values())

    @property
    def post_count(self) -> int:
        return sum(self.posts.values())

    @property
    def url_of_posts(self) -> str:
        return _listed(Publication, self.midnight, self.midnight + timedelta(days=1))

    def chart(self) -> Chart:
        """Articles as bars, and posts as a line up to this hour, which counts once something has gone out in it."""
        over = self.now.hour + (self.now.hour in self.posts)
        bars = [self._column(hour, self.articles, Article) for hour in range(HOURS)]
        line = [self._column(hour, self.posts, Publication) for hour in range(over)]
        highest = max([*self.articles.values(), *self.posts.values()], default=0)
        return Chart(bars, over=line, top=number_format(highest), height=HEIGHT)

    def _column(self, hour: int, counted: Mapping[int, int], model: type[Article | Publication]) -> Column:
        begins = self.midnight.replace(hour=hour)
        count = counted.get(hour, 0)
        told = (
            ngettext("%(hour)s — %(count)s article", "%(hour)s — %(count)s articles", count)
            if model is Article
            else ngettext("%(hour)s — %(count)s post", "%(hour)s — %(count)s posts", count)
        )
        return Column(
            count,
            label=f"{hour:02}" if hour % MARKED == 0 else "",
            title=told % {"hour": f"{hour:02}:00", "count": number_format(count)},
            url=_listed(model, begins, begins + timedelta(hours=1)),
        )


def _by_hour(rows: QuerySet[Any]) -> dict[int, int]:
    hours = rows.order_by().annotate(hour=ExtractHour("published_at")).values_list("hour").annotate(count=Count("pk"))
    return dict(hours)


def _listed(model: type[Article | Publication], begins: datetime, ends: datetime) -> str:
    """The list of what was published between two moments."""
    return list_url(model, published_at__gte=begins, published_at__lt=ends)
