"""Articles are compared with all others as they come in, and put into stories."""

from __future__ import annotations

import pytest

from articles.duplicates.placing import place
from articles.models import Article, Story
from tests.factories import ArticleFactory

pytestmark = pytest.mark.django_db

TEXT = (
    "Порт Усть-Луга увеличил перевалку угля на двенадцать процентов за десять месяцев. Об этом сообщила пресс-служба "
    "портовой администрации. Рост обеспечил новый терминал, который открыли весной. До конца года порт рассчитывает "
    "принять ещё сорок судов, большинство из них пойдёт в Индию и Турцию."
)


def test_a_copy_joins():
    a = ArticleFactory(content=TEXT)
    b = ArticleFactory(content=TEXT + " Подробности появятся позже.")
    c = ArticleFactory(content="Совсем другое дело. " * 10)
    place([a.pk])
    place([b.pk, c.pk])
    b.refresh_from_db()
    a.refresh_from_db()
    c.refresh_from_db()
    assert b.duplicate_of == a and b.story == a.story is not None and c.story is None
