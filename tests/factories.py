"""Rows for tests, each valid by itself."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone
from factory.django import DjangoModelFactory

from articles.models import Article, Media, Picture, Source
from publishing.models import Channel, Publication
from tests.pictures import png


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"editor{n}")
    is_staff = True


class SourceFactory(DjangoModelFactory):
    class Meta:
        model = Source

    slug = factory.Sequence(lambda n: f"source-{n}")
    name = factory.Sequence(lambda n: f"Источник {n}")
    url = factory.Sequence(lambda n: f"http://127.0.0.1:1/feed-{n}.xml")


class ArticleFactory(DjangoModelFactory):
    class Meta:
        model = Article

    source = factory.SubFactory(SourceFactory)
    canonical_link = factory.Sequence(lambda n: f"https://news.example/{n}")
    url = factory.SelfAttribute("canonical_link")
    title = factory.Sequence(lambda n: f"Порт увеличил перевалку угля, выпуск {n}")
    published_at = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=5))
    content = "Порт увеличил перевалку угля на 12% за десять месяцев. Об этом сообщила пресс-служба."
    summary_text = "Порт увеличил перевалку угля на 12%."
    language = "ru"
    status = Article.Status.SUMMARISED


class MediaFactory(DjangoModelFactory):
    """A picture of 400 × 200 pixels that a browser can show."""

    class Meta:
        model = Media
        django_get_or_create = ("sha256",)

    body = png(400, 200)
    sha256 = factory.LazyAttribute(lambda media: hashlib.sha256(media.body).hexdigest())
    content_type = "image/png"
    width, height = 400, 200
    size = factory.LazyAttribute(lambda media: len(media.body))
    source_url = "https://news.example/port.png"


class PictureFactory(DjangoModelFactory):
    class Meta:
        model = Picture

    article = factory.SubFactory(ArticleFactory)
    media = factory.SubFactory(MediaFactory)
    url = factory.SelfAttribute("media.source_url")
    status = Picture.Status.FETCHED


class ChannelFactory(DjangoModelFactory):
    class Meta:
        model = Channel

    slug = factory.Sequence(lambda n: f"channel-{n}")
    name = factory.Sequence(lambda n: f"Канал {n}")
    kind = Channel.Kind.SANDBOX
    seconds_between_posts = 0
    footer = "@warandpeace"


class PublicationFactory(DjangoModelFactory):
    class Meta:
        model = Publication

    channel = factory.SubFactory(ChannelFactory)
    article = factory.SubFactory(ArticleFactory)
    title = factory.SelfAttribute("article.title")
    text = factory.SelfAttribute("article.summary_text")
